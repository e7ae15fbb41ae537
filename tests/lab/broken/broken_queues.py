"""Queues with one bug each: what somebody may get wrong who builds a queue.

Each is the right core with one piece put in its place while the block runs; where a bug strikes now and
then, it counts, so that a seed shows the same every time.
"""

from contextlib import contextmanager
from itertools import count
from unittest import mock

from queuestream.core.clock import SECOND
from queuestream.core.queues import message as messages
from queuestream.core.queues import redrive, sending, state
from queuestream.core.queues.deduplication import Deduplication
from queuestream.core.queues.fifo import FifoOrdering
from queuestream.core.queues.ordering import StandardOrdering
from queuestream.core.queues.queue import Queue
from queuestream.core.queues.visibility import Timers


def replaced(owner, name, bug):
    """The right core, but for one method, which is given the right one first."""
    return mock.patch.object(owner, name, bug(getattr(owner, name)))


def every(number):
    """Whether it is the n-th time, the 2n-th ..."""
    times = count(1)
    return lambda: next(times) % number == 0


def no_deduplication():
    """A message that is sent again is another message."""
    return mock.patch.object(Deduplication, "original", return_value=None)


def deduplication_ends_with_the_message():
    """What was deleted is forgotten at once, although five minutes have not passed."""

    def bug(right):
        def removed(self, message, now_ns):
            right(self, message, now_ns)
            if self._deduplication is not None:
                self._deduplication._originals.pop(self._deduplication_key(message), None)

        return removed

    return replaced(Queue, "_apply_removed_one", bug)


def deduplication_never_ends():
    """What was sent once can never be sent again."""
    return mock.patch.object(Deduplication, "_forget", return_value=None)


def group_lock_forgotten():
    """The next message of a group is handed out while the first is in somebody's hands."""

    def bug(right):
        def take(self, count, max_receive_count, now_ns):
            taken = right(self, count, max_receive_count, now_ns)
            for message in taken:
                if message.group.waiting:
                    self._enter(message.group)
            return taken

        return take

    def none_in_flight(group, count, max_receive_count, taken):
        again = []
        while group.waiting and len(again) < count:
            again.append(group.waiting.popleft())
        taken += again
        group.in_flight += again
        return len(again)

    @contextmanager
    def both():
        with (
            replaced(FifoOrdering, "take", bug),
            mock.patch.object(FifoOrdering, "_take_returned", staticmethod(none_in_flight)),
        ):
            yield

    return both()


def returned_to_the_end():
    """A message that failed goes behind the others of its group."""

    def bug(right):
        def came_back(self, group, message):
            group.in_flight.remove(message)
            if not group.in_flight:
                group.waiting.extend(group.returned)
                group.returned = []
                self._pass_over_gone(group)
                if group.waiting:
                    self._enter(group)

        return came_back

    return replaced(FifoOrdering, "_came_back", bug)


def delayed_message_overtakes():
    """Of the messages whose delay has ended, the last one comes first."""

    def bug(right):
        def stand_in_line(self, message):
            right(self, message)
            if message.visible_at_ns > message.sent_ns and not message.receive_count:
                message.group.waiting.rotate(1)

        return stand_in_line

    return replaced(FifoOrdering, "_stand_in_line", bug)


def lost_delete():
    """Every ninth delete is acknowledged, and nothing happens."""
    strikes = every(9)

    def bug(right):
        def deletable(self, handle, now_ns):
            message = right(self, handle, now_ns)
            return None if strikes() else message

        return deletable

    return replaced(Queue, "_deletable", bug)


def deletes_the_wrong_message():
    """A handle stands for the message that was received first of those that are left."""

    def bug(right):
        def named_by(self, handle):
            right(self, handle)
            return next(iter(self._received.values()), None)

        return named_by

    return replaced(Queue, "_named_by", bug)


def visibility_timer_forgotten():
    """Every fifth message that was received never becomes visible again."""
    strikes = every(5)

    def bug(right):
        def start(self, messages, until_ns, key):
            messages = list(messages)
            forgotten = messages and messages[0].receive_count and strikes()
            right(self, messages, until_ns + 10**15 if forgotten else until_ns, key + forgotten)

        return start

    return replaced(Timers, "start", bug)


def visibility_timer_too_short():
    """Milliseconds are taken for something else: a message is visible again after a tenth of the time."""

    def bug(right):
        def start(self, messages, until_ns, key):
            messages = list(messages)
            if messages and messages[0].receive_count and key < 3600 * SECOND:
                until_ns, key = until_ns - key + key // 10, key // 10
            right(self, messages, until_ns, key)

        return start

    return replaced(Timers, "start", bug)


def dead_letter_lost():
    """What was received too often is taken out, and never arrives in the dead-letter queue."""
    return mock.patch.object(redrive, "dead_letters", return_value=[])


def lost_on_arrival():
    """Every seventh message is acknowledged, and forgotten."""
    strikes = every(7)

    def bug(right):
        def sent(self, message, delay_ns, now_ns):
            if not strikes():
                right(self, message, delay_ns, now_ns)

        return sent

    return replaced(Queue, "_apply_sent", bug)


def one_too_many_taken():
    """A receive takes one message more than it hands out, now and then."""
    strikes = every(7)

    def bug(right):
        def take(self, count, max_receive_count, now_ns):
            return right(self, count + strikes(), max_receive_count, now_ns)[:count]

        return take

    return replaced(StandardOrdering, "take", bug)


def same_answer_twice():
    """Every tenth receive of a FIFO queue leaves its messages visible."""
    strikes = every(10)

    def bug(right):
        def received(self, taken, timeout_ns, *more):
            return right(self, taken, 0 if strikes() else timeout_ns, *more)

        return received

    return replaced(Queue, "_apply_received", bug)


def sequence_numbers_wrap():
    """Sequence numbers begin anew after a while."""

    def bug(right):
        return lambda number: right(number % 6)

    @contextmanager
    def everywhere():
        wrapped = bug(messages.sequence_number_of)
        with (
            mock.patch.object(sending, "sequence_number_of", wrapped),
            mock.patch.object(state, "sequence_number_of", wrapped),
        ):
            yield

    return everywhere()


def bodies_mixed_up():
    """Every twelfth message that is handed out has the body of the one before."""
    strikes, last = every(12), []

    def bug(right):
        def received(self, message, names):
            answer = right(self, message, names)
            if last and strikes():
                answer.body = last[0]
            last[:] = [message.body]
            return answer

        return received

    return replaced(Queue, "_received_message", bug)
