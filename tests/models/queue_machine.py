"""A queue and its dead-letter queue beside two naive ones: the same calls, and the same answers.

What standard and FIFO queues share; `test_standard_model` and `test_fifo_model` add how
they are sent to.
"""

from types import MappingProxyType

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from naive_queue import Refused

from queuestream import Broker, VirtualClock
from queuestream.core.errors import ServiceError
from queuestream.core.queues.limits import QueueLimits

SECONDS = st.sampled_from([1, 2, 3, 5, 10, 30, 60, 300])
TIMEOUTS = st.sampled_from([None, 0, 1, 2, 3, 5, 30, 600])
NEW_TIMEOUTS = st.sampled_from([0, 1, 2, 5, 30, 600, 43_199, 43_200])
DELAYS = st.sampled_from([None, 0, 1, 2, 5, 900])
COUNTS = st.sampled_from([1, 1, 2, 3, 10])
WHICH = st.sampled_from(["main", "main", "main", "dead"])
PICK = st.integers(0, 19)
PICKS = st.lists(PICK, min_size=1, max_size=4)


class QueueMachine(RuleBasedStateMachine):
    """The rules that both kinds of queue follow."""

    suffix = ""
    settings = MappingProxyType({})

    def naive(self, arn):
        raise NotImplementedError

    def begin(self, *, looks_often, max_receive_count, **limits):
        """Two queues and their models.

        `looks_often` compares everything after each step; without it, the queue is left
        to itself, so that what it does late may differ from what it does at once.
        """
        self.looks_often = looks_often
        self.limits = limits
        self.clock = VirtualClock()
        self.broker = Broker(clock=self.clock, seed=1, queue_limits=QueueLimits(**limits))
        self.real = {
            name: self.broker.create_queue(name + self.suffix, **self.settings) for name in ("main", "dead")
        }
        self.model = {name: self.naive(queue.arn) for name, queue in self.real.items()}
        self.handles = {}  # handle: (queue, message, receive count)
        self.bodies = 0
        self.set_redrive_policy(max_receive_count)

    # --- one call on both ---

    @property
    def now_ns(self):
        return self.clock.now_ns()

    def let_models_follow(self):
        for model in self.model.values():
            model.let_time_pass_until(self.now_ns)

    def both(self, real_call, naive_call):
        """What both answer; None where both refuse with the same code."""
        self.let_models_follow()
        try:
            expected = naive_call()
        except Refused as refused:
            code = refused.args[0]
        else:
            return real_call(), expected
        with pytest.raises(ServiceError) as caught:
            real_call()
        assert caught.value.code == code
        return None

    def new_body(self):
        self.bodies += 1
        return f"message {self.bodies}"

    def check_received(self, which, answers):
        if answers is None:
            return
        received, expected = answers
        assert [self.seen(message) for message in received] == [
            self.expected(which, message) for message in expected
        ]
        for message, naive in zip(received, expected, strict=True):
            key = (which, naive, naive.receive_count)
            # A new handle for each receive, and the same one where an attempt is repeated.
            assert self.handles.setdefault(message.receipt_handle, key) == key
            assert list(self.handles.values()).count(key) == 1

    @staticmethod
    def seen(message):
        return (
            message.body,
            message.message_id,
            message.receive_count,
            message.sent_ns,
            message.first_received_ns,
            message.message_group_id,
            message.message_deduplication_id,
            message.dead_letter_queue_source_arn,
        )

    def expected(self, which, naive):
        return (
            naive.body,
            naive.message_id,
            naive.receive_count + naive.received_before,
            naive.sent_ns,
            naive.first_received_ns,
            naive.group,
            naive.deduplication_id,
            naive.source_arn,
        )

    def pick_handle(self, pick):
        """One of the handles that were issued, the latest first: (handle, queue, message, receive count)."""
        handles = list(self.handles.items())
        handle, (which, message, receive_count) = handles[-1 - pick % len(handles)]
        return handle, which, message, receive_count

    # --- receiving ---

    @rule(which=WHICH, wanted=COUNTS, visibility_timeout=TIMEOUTS)
    def receive(self, which, wanted, visibility_timeout):
        answers = self.both(
            lambda: self.real[which].receive(
                max_number_of_messages=wanted, visibility_timeout=visibility_timeout
            ),
            lambda: self.model[which].receive(wanted, visibility_timeout, self.now_ns),
        )
        self.check_received(which, answers)

    @rule(which=WHICH, wanted=COUNTS, wait_time_seconds=st.sampled_from([1, 5, 20]))
    def receive_and_wait(self, which, wanted, wait_time_seconds):
        """A long poll ends at the very instant at which there is something, or when its time is over."""
        model = self.model[which]
        self.let_models_follow()
        now_ns = self.now_ns
        deadline_ns = now_ns + wait_time_seconds * 1_000_000_000
        while not (expected := model.receive(wanted, None, now_ns, is_short_poll=False)):
            event = model.next_event()
            now_ns = deadline_ns if event is None else min(deadline_ns, event[0])
            model.let_time_pass_until(now_ns)
            if now_ns == deadline_ns:
                expected = model.receive(wanted, None, now_ns, is_short_poll=False)
                break
        received = self.real[which].receive(
            max_number_of_messages=wanted, wait_time_seconds=wait_time_seconds
        )
        assert self.now_ns == now_ns
        self.check_received(which, (received, expected))

    # --- what a receiver does ---

    @precondition(lambda self: self.handles)
    @rule(pick=PICK)
    def delete(self, pick):
        handle, which, message, receive_count = self.pick_handle(pick)
        self.both(
            lambda: self.real[which].delete(handle),
            lambda: self.model[which].delete(message, receive_count),
        )

    @precondition(lambda self: self.handles)
    @rule(picks=PICKS)
    def delete_batch(self, picks):
        picked = [self.pick_handle(pick) for pick in picks]
        which = picked[0][1]
        picked = [entry for entry in picked if entry[1] == which]
        self.let_models_follow()
        model = self.model[which]
        expected = [
            self.naive_answer(model.deletable, message, receive_count)
            for _, _, message, receive_count in picked
        ]
        model.delete_all([message for refused, message in expected if not refused])
        result = self.real[which].delete_batch([handle for handle, *_ in picked])
        self.check_batch(result, expected)

    @precondition(lambda self: self.handles)
    @rule(pick=PICK, seconds=NEW_TIMEOUTS)
    def change_visibility(self, pick, seconds):
        handle, which, message, receive_count = self.pick_handle(pick)
        self.both(
            lambda: self.real[which].change_visibility(handle, seconds),
            lambda: self.model[which].change_visibility(message, receive_count, seconds, self.now_ns),
        )

    @precondition(lambda self: self.handles)
    @rule(changes=st.lists(st.tuples(PICK, NEW_TIMEOUTS), min_size=1, max_size=4))
    def change_visibility_batch(self, changes):
        picked = [(*self.pick_handle(pick), seconds) for pick, seconds in changes]
        which = picked[0][1]
        picked = [entry for entry in picked if entry[1] == which]
        self.let_models_follow()
        model = self.model[which]
        expected = [
            self.naive_answer(model.extendable, message, receive_count, seconds, self.now_ns)
            for _, _, message, receive_count, seconds in picked
        ]
        for (refused, message), entry in zip(expected, picked, strict=True):
            if not refused:
                model.hide_again(message, entry[-1], self.now_ns)
        result = self.real[which].change_visibility_batch(
            [(handle, seconds) for handle, *_, seconds in picked]
        )
        self.check_batch(result, expected)

    @staticmethod
    def naive_answer(call, *arguments):
        """For an entry of a batch: (AWS's code or None, answer)."""
        try:
            return None, call(*arguments)
        except Refused as refusal:
            return refusal.args[-1], None

    @staticmethod
    def check_batch(result, expected):
        codes = {str(position): refused for position, (refused, _) in enumerate(expected)}
        assert list(result.successful) == [entry for entry, code in codes.items() if code is None]
        assert {entry: failure.code for entry, failure in result.failed.items()} == {
            entry: code for entry, code in codes.items() if code is not None
        }

    @precondition(lambda self: self.handles)
    @rule(pick=PICK)
    def delete_and_change_with_a_foreign_handle(self, pick):
        handle, which, *_ = self.pick_handle(pick)
        other = self.real["dead" if which == "main" else "main"]
        for call in (other.delete, lambda handle: other.change_visibility(handle, 0)):
            with pytest.raises(ServiceError) as caught:
                call(handle)
            assert caught.value.code == "ReceiptHandleIsInvalid"

    # --- time ---

    @rule(seconds=SECONDS)
    def let_time_pass(self, seconds):
        self.clock.advance(seconds=seconds)

    @rule(pick=PICK, step_ns=st.sampled_from([-1, 0, 1]))
    def let_time_pass_until_about_a_deadline(self, pick, step_ns):
        self.let_models_follow()
        steps = sorted(
            {
                deadline_ns + step_ns - self.now_ns
                for model in self.model.values()
                for deadline_ns in model.deadlines()
                if deadline_ns + step_ns > self.now_ns
            }
        )
        if steps:
            self.clock.advance(nanoseconds=steps[pick % len(steps)])

    # --- the queue as a whole ---

    @rule(
        which=WHICH,
        attributes=st.one_of(
            st.builds(dict, visibility_timeout=st.sampled_from([0, 1, 5, 30, 600])),
            st.builds(dict, delay_seconds=st.sampled_from([0, 1, 5, 10, 900])),
            st.builds(dict, message_retention_period=st.sampled_from([60, 61, 345_600])),
        ),
    )
    def set_attributes(self, which, attributes):
        self.let_models_follow()
        self.real[which].set_attributes(**attributes)
        self.model[which].set_attributes(self.now_ns, **attributes)

    @rule(max_receive_count=st.sampled_from([1, 1, 2, 3, None]))
    def set_redrive_policy(self, max_receive_count):
        self.let_models_follow()
        dead, main = self.real["dead"], self.real["main"]
        policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": max_receive_count}
        main.set_attributes(redrive_policy=policy if max_receive_count else None)
        self.model["main"].max_receive_count = max_receive_count
        self.model["main"].dead_letter_queue = self.model["dead"] if max_receive_count else None

    @rule(which=WHICH)
    def purge(self, which):
        self.both(self.real[which].purge, lambda: self.model[which].purge(self.now_ns))

    @rule()
    def look(self):
        """Counts and peek tell what the model holds, and looking changes nothing."""
        self.let_models_follow()
        for which, queue in self.real.items():
            model = self.model[which]
            assert tuple(queue.counts()) == model.counts()
            peeked = queue.peek()
            assert [
                (message.state, message.visible_at_ns, *self.seen_lying(message)) for message in peeked
            ] == [
                (message.state, message.visible_at_ns, *self.expected(which, message))
                for message in model.messages
            ]
            numbers = [message.sequence_number for message in peeked]
            assert numbers == (sorted(set(numbers)) if model.is_fifo else [None] * len(peeked))

    @staticmethod
    def seen_lying(message):
        return (
            message.body,
            message.message_id,
            message.receive_count,
            message.sent_ns,
            message.first_received_ns,
            message.message_group_id,
            message.message_deduplication_id,
            message.dead_letter_queue_source_arn,
        )

    @invariant()
    def queue_and_model_are_equal(self):
        self.broker.check_invariants()
        if self.looks_often:
            self.look()

    def teardown(self):
        if hasattr(self, "clock"):
            self.look()
