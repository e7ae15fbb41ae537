"""The order of a fair queue: who is noisy, who comes first, and when it is over."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from queuestream.core.clock import SECOND
from queuestream.core.queues.fair import PERIOD_NS, FairOrdering, ProcessingTime, Tenant
from queuestream.core.queues.limits import AWS_LIMITS, QueueLimits
from queuestream.core.queues.message import DELAYED, GONE, IN_FLIGHT, VISIBLE

NEVER = 1 << 60


class Message:
    """Just enough of a message."""

    def __init__(self, group_id):
        self.group_id = group_id
        self.group = None
        self.receive_count = 0

    def __repr__(self):
        return f"<Message {self.number} of {self.group_id}>"


class Queue:
    """Just enough of a queue to tell an ordering what happens, as the real one does."""

    def __init__(self, limits=AWS_LIMITS):
        self.ordering = FairOrdering(limits)
        self.now_ns = 0
        self.messages = []
        self.number = 0

    def pass_time(self, seconds):
        self.now_ns += int(seconds * SECOND)

    def look(self):
        """Show what has come due, the earliest first."""
        hidden = [
            m for m in self.messages if m.state in {DELAYED, IN_FLIGHT} and m.visible_at_ns <= self.now_ns
        ]
        for message in sorted(hidden, key=lambda m: (m.visible_at_ns, m.hidden_order)):
            message.message.state = VISIBLE
            self.ordering.show(message.message, self.now_ns)

    def send(self, tenant, count=1, delay_seconds=0):
        for _ in range(count):
            self.number += 1
            message = Message(tenant)
            message.number = self.number
            message.sent_ns = self.now_ns
            message.visible_at_ns = self.now_ns + delay_seconds * SECOND
            message.state = DELAYED if delay_seconds else VISIBLE
            self.messages.append(Kept(message, self.number))
            if delay_seconds:
                self.ordering.expect(message)
            else:
                self.ordering.add(message)

    def receive(self, count=1, timeout_seconds=30, max_receive_count=NEVER):
        self.look()
        taken = self.ordering.take(count, max_receive_count, self.now_ns)
        for message in taken:
            if message.receive_count >= max_receive_count:
                self.remove(message)
                continue
            message.receive_count += 1
            message.received_ns = self.now_ns
            message.visible_at_ns = self.now_ns + timeout_seconds * SECOND
            if timeout_seconds:
                message.state = IN_FLIGHT
                self.number += 1
                self.kept(message).hidden_order = self.number
            else:
                self.ordering.release(message, self.now_ns)
        return [message for message in taken if message.state != GONE]

    def tenants(self, count=1, timeout_seconds=30):
        return [message.group_id for message in self.receive(count, timeout_seconds)]

    def kept(self, message):
        return next(kept for kept in self.messages if kept.message is message)

    def remove(self, message):
        was_in_flight = message.state == IN_FLIGHT
        message.state = GONE
        self.messages.remove(self.kept(message))
        self.ordering.discard(message, was_in_flight=was_in_flight, now_ns=self.now_ns)

    def release(self, message):
        message.state = VISIBLE
        message.visible_at_ns = self.now_ns
        self.ordering.release(message, self.now_ns)


class Kept:
    def __init__(self, message, hidden_order):
        self.message = message
        self.hidden_order = hidden_order

    state = property(lambda self: self.message.state)
    visible_at_ns = property(lambda self: self.message.visible_at_ns)


@pytest.fixture
def queue():
    return Queue()


def test_quiet_tenants_messages_come_in_the_order_in_which_they_became_available(queue):
    queue.send("a", delay_seconds=5)
    for tenant in ("b", None, "a", "c", None):
        queue.send(tenant)
        queue.pass_time(2)
    assert queue.tenants(10) == ["b", None, "a", "a", "c", None]


def test_a_message_that_comes_back_stands_behind_those_that_were_waiting(queue):
    queue.send("a")
    queue.send("b")
    [first] = queue.receive(1, timeout_seconds=5)
    queue.pass_time(6)
    queue.send("c")
    assert first.group_id == "a"
    assert queue.tenants(10) == ["b", "a", "c"]


def test_a_message_that_is_released_is_available_at_once(queue):
    queue.send("a", 2)
    [first] = queue.receive(1)
    queue.release(first)
    assert [message.number for message in queue.receive(10)] == [2, 1]


def test_a_receive_without_a_timeout_leaves_the_message_available(queue):
    queue.send("a")
    assert queue.tenants(1, timeout_seconds=0) == ["a"]
    assert queue.tenants(1, timeout_seconds=0) == ["a"]
    queue.ordering.check_invariants()


# --- a share of the messages in flight ----------------------------------------------------------------


def test_a_tenant_with_thirty_in_flight_and_more_than_a_tenth_of_all_is_noisy(queue):
    queue.send("loud", 100)
    queue.receive(30)
    queue.send("quiet")
    assert queue.tenants(2) == ["quiet", "loud"]


def test_a_tenant_with_twenty_nine_in_flight_is_not(queue):
    queue.send("loud", 100)
    queue.receive(29)
    queue.send("quiet")
    assert queue.tenants(2) == ["loud", "quiet"]


@pytest.mark.parametrize(("others", "order"), [(269, ["quiet", "loud"]), (270, ["loud", "quiet"])])
def test_a_tenth_of_all_is_not_more_than_a_tenth(queue, others, order):
    for number in range(others):
        queue.send(f"other {number}")
    queue.receive(others)
    queue.send("loud", 100)
    queue.receive(30)
    queue.send("quiet")
    assert queue.tenants(2)[: len(order)] == order


def test_a_noisy_tenant_gets_what_the_quiet_ones_leave(queue):
    queue.send("loud", 100)
    queue.receive(30)
    queue.send("quiet", 2)
    assert queue.tenants(5) == ["quiet", "quiet", "loud", "loud", "loud"]


def test_messages_without_a_group_are_never_noisy(queue):
    queue.send(None, 100)
    queue.receive(50)
    queue.pass_time(20)
    queue.send("quiet")
    assert queue.tenants(2) == [None, None]


def test_of_several_noisy_tenants_the_one_with_the_fewest_in_flight_comes_first(queue):
    queue.send("loud", 36)
    queue.receive(36)
    queue.send("louder", 34)
    queue.receive(34)
    queue.send("loud", 4)
    queue.send("louder", 4)
    assert queue.tenants(6) == ["louder", "louder", "loud", "louder", "loud", "louder"]


# --- a share of the processing time -------------------------------------------------------------------


def work(queue, tenant, seconds):
    queue.send(tenant)
    [message] = [message for message in queue.receive(10, timeout_seconds=1000) if message.group_id == tenant]
    queue.pass_time(seconds)
    queue.remove(message)


def test_a_tenant_whose_messages_take_long_is_noisy(queue):
    work(queue, "other", 1)
    work(queue, "slow", 31)
    queue.send("slow")
    queue.send("other")
    assert queue.tenants(2) == ["other", "slow"]


def test_half_a_minute_is_not_long(queue):
    work(queue, "other", 1)
    work(queue, "slow", 29)
    queue.send("slow")
    queue.send("other")
    assert queue.tenants(2) == ["slow", "other"]


def test_equal_tenants_are_all_quiet_though_each_has_more_than_a_tenth(queue):
    for tenant in ("a", "b", "c"):
        work(queue, tenant, 40)
    for tenant in ("c", "b", "a"):
        queue.send(tenant)
    assert queue.tenants(3) == ["c", "b", "a"]


def test_a_lone_tenant_is_quiet_however_long_it_takes(queue):
    work(queue, "slow", 100)
    queue.send("slow")
    queue.receive(1)
    assert not any(tenant.is_noisy for tenant in queue.ordering._tenants.values())


def test_what_was_long_ago_does_not_count(queue):
    work(queue, "other", 1)
    work(queue, "slow", 100)
    queue.pass_time(2 * PERIOD_NS / SECOND)
    queue.send("slow")
    queue.send("other")
    assert queue.tenants(2) == ["slow", "other"]


def test_a_timeout_that_passed_unnoticed_ends_the_processing_when_it_passed(queue):
    work(queue, "other", 1)
    queue.send("slow")
    queue.receive(1, timeout_seconds=20)
    queue.pass_time(100)
    queue.send("other")
    assert queue.tenants(2) == ["slow", "other"]


# --- quiet again --------------------------------------------------------------------------------------


def noisy_queue(queue):
    queue.send("loud", 40)
    queue.receive(30, timeout_seconds=10_000)
    queue.send("quiet")
    assert queue.tenants(1) == ["quiet"]
    queue.ordering.check_invariants()
    return queue


def is_noisy(queue, tenant="loud"):
    return queue.ordering._tenants[tenant].is_noisy


def test_a_noisy_tenant_is_quiet_when_its_backlog_has_been_handed_out(queue):
    noisy_queue(queue)
    queue.receive(9)
    queue.look()
    queue.send("quiet")
    queue.receive(1)
    assert is_noisy(queue) is True
    queue.receive(1)
    assert is_noisy(queue) is False
    queue.pass_time(300)
    queue.receive(1)
    assert is_noisy(queue) is False


def test_a_noisy_tenant_is_quiet_when_its_backlog_has_been_removed(queue):
    noisy_queue(queue)
    for kept in [kept for kept in queue.messages if kept.state == VISIBLE]:
        queue.remove(kept.message)
    assert is_noisy(queue) is False
    queue.ordering.check_invariants()


def test_a_noisy_tenant_is_quiet_when_it_has_sent_nothing_for_five_minutes(queue):
    noisy_queue(queue)
    queue.pass_time(299)
    queue.send("quiet")
    assert queue.tenants(1) == ["quiet"]
    queue.pass_time(1)
    queue.send("quiet")
    assert queue.tenants(1) == ["loud"]


def test_a_noisy_tenant_that_goes_on_sending_stays_noisy(queue):
    noisy_queue(queue)
    for _ in range(3):
        queue.pass_time(200)
        queue.send("loud")
        queue.send("quiet")
        assert queue.tenants(1) == ["quiet"]


def test_a_noisy_tenant_that_sends_again_after_five_minutes_has_been_quiet_in_between(queue):
    noisy_queue(queue)
    queue.pass_time(300)
    queue.send("loud")
    assert is_noisy(queue) is False


def test_a_tenant_of_which_nothing_is_left_is_forgotten(queue):
    work(queue, "a", 1)
    queue.pass_time(10_000)
    queue.send("b")
    queue.receive(1)
    assert list(queue.ordering._tenants) == ["b"]


def test_a_tenant_that_is_used_again_is_not_forgotten(queue):
    work(queue, "a", 1)
    queue.pass_time(290)
    work(queue, "a", 1)
    queue.pass_time(290)
    queue.receive(1)
    assert list(queue.ordering._tenants) == ["a"]
    queue.pass_time(10)
    queue.receive(1)
    assert list(queue.ordering._tenants) == []


def test_a_delayed_message_outlives_what_is_known_of_its_tenant(queue):
    queue.send("a", delay_seconds=900)
    queue.pass_time(400)
    queue.send("b")
    queue.receive(1)
    assert list(queue.ordering._tenants) == ["b"]
    queue.remove(queue.messages[0].message)
    queue.ordering.check_invariants()


def test_a_brokers_own_limits_are_the_ones_that_count():
    queue = Queue(QueueLimits(fair_noisy_in_flight_min=2, fair_noisy_share=0.5))
    queue.send("loud", 3)
    queue.receive(2)
    queue.send("quiet")
    assert queue.tenants(1) == ["quiet"]


# --- what the queue may do besides --------------------------------------------------------------------


def test_messages_received_too_often_are_handed_over_but_not_counted(queue):
    queue.send("a", 2)
    [first] = queue.receive(1, timeout_seconds=0)
    assert first.receive_count == 1
    taken = queue.receive(2, max_receive_count=1)
    assert [message.number for message in taken] == [2]
    assert queue.ordering._tenants["a"].time.in_flight == 1
    queue.ordering.check_invariants()


@pytest.mark.parametrize("noisy", [False, True])
def test_a_take_that_is_undone_leaves_everything_as_it_was(queue, noisy):
    queue.send("loud", 33)
    queue.receive(30 if noisy else 20)
    queue.send("quiet", 2)
    before = {
        tenant.id: (tenant.is_noisy, tenant.time.in_flight) for tenant in queue.ordering._tenants.values()
    }
    undone = queue.ordering.take(20, NEVER, queue.now_ns)
    queue.ordering.put_back(undone, NEVER)
    queue.ordering.check_invariants()
    after = {
        tenant.id: (tenant.is_noisy, tenant.time.in_flight) for tenant in queue.ordering._tenants.values()
    }
    assert after == before
    assert queue.ordering.take(20, NEVER, queue.now_ns) == undone


def test_an_ordering_can_be_told_about_messages_anew(queue):
    queue.send("a", 2)
    queue.send("b", delay_seconds=5)
    queue.receive(1)
    queue.pass_time(3)
    other = FairOrdering(AWS_LIMITS)
    for kept in queue.messages:
        kept.message.group = None
        (other.add if kept.state == VISIBLE else other.expect)(kept.message)
    other.check_invariants()
    assert other._tenants["a"].time.in_flight == 1
    assert other._tenants["a"].time.recent_ns(queue.now_ns) == 3 * SECOND
    assert [message.number for message in other.take(10, NEVER, queue.now_ns)] == [2]


def test_a_tenant_tells_how_it_stands():
    assert repr(Tenant("a", 1)) == "<Tenant 'a': quiet, 0 waiting, 0 in flight>"
    loud = Tenant("b", 2)
    loud.is_noisy = True
    assert repr(loud) == "<Tenant 'b': noisy, 0 waiting, 0 in flight>"


# --- processing time ----------------------------------------------------------------------------------

SECONDS = st.integers(0, 1000)


@given(
    intervals=st.lists(st.tuples(SECONDS, SECONDS, SECONDS), max_size=6),
    looks=st.lists(SECONDS, max_size=4),
    end=st.integers(0, 1500),
)
def test_processing_time_is_the_sum_of_times_in_flight_in_two_periods(intervals, looks, end):
    """Whoever looks in between, and however late an interval is noticed."""
    time = ProcessingTime()
    events = [(look, 2, 0) for look in looks]
    spans = []
    for start, duration, delay in intervals:
        spans.append((start, start + duration))
        events += [(start + delay, 0, start), (start + duration + delay, 1, start + duration)]
    started = 0
    for noticed_at, kind, at in sorted(events):
        if noticed_at > end:
            break
        if kind == 0:
            time.start(at * SECOND)
            started += 1
        elif kind == 1:
            time.stop(at * SECOND)
            started -= 1
        else:
            time.recent_ns(noticed_at * SECOND)
    assert time.in_flight == started
    period = PERIOD_NS // SECOND
    begin = end // period * period - period
    noticed = [
        (start, min(stop, end) if stop + delay <= end else end)
        for (start, stop), (_, _, delay) in zip(spans, intervals, strict=True)
        if start + delay <= end
    ]
    expected = sum(max(0, stop - max(start, begin)) for start, stop in noticed)
    assert time.recent_ns(end * SECOND) == expected * SECOND


def test_processing_time_lapses_two_periods_later_at_most():
    time = ProcessingTime()
    assert time.lapses_ns() == 0
    time.start(10 * SECOND)
    time.stop(20 * SECOND)
    assert time.lapses_ns() == 2 * PERIOD_NS
    assert time.recent_ns(2 * PERIOD_NS - 1) == 10 * SECOND
    assert time.lapses_ns() == 2 * PERIOD_NS
    assert time.recent_ns(2 * PERIOD_NS) == 0
    assert time.lapses_ns() == 0


# --- against a naive model ----------------------------------------------------------------------------


class FairMachine(RuleBasedStateMachine):
    """The ordering against one that looks through everything each time, by the words of the docstring."""

    TENANTS = ("a", "b", "c", "d", None)
    LIMITS = QueueLimits(fair_noisy_in_flight_min=3, fair_noisy_share=0.3)

    def __init__(self):
        super().__init__()
        self.queue = Queue(self.LIMITS)
        self.order = {}
        self.steps = 0
        self.spans = []
        self.open = {}
        self.noisy = set()
        self.last_sent = Counter()

    @initialize()
    def begin(self):
        self.queue.pass_time(1_000_000)

    # The naive side.

    def backlog(self, tenant):
        now = self.queue.now_ns
        waiting = [
            kept.message
            for kept in self.queue.messages
            if kept.message.group_id == tenant and (kept.state == VISIBLE or kept.visible_at_ns <= now)
        ]
        return sorted(waiting, key=lambda message: (message.visible_at_ns, self.order[message.number]))

    def spans_of(self, tenant):
        return [span for span in self.spans if span[0] == tenant]

    def in_flight(self, tenant):
        now = self.queue.now_ns
        return sum(
            1 for kept in self.queue.messages if kept.message.group_id == tenant and is_hidden(kept, now)
        )

    def recent(self, tenant):
        now = self.queue.now_ns
        begin = now - now % PERIOD_NS - PERIOD_NS
        open_spans = [
            (t, start, min(message.visible_at_ns, now)) for message, (t, start) in self.open.items()
        ]
        return sum(
            max(0, stop - max(start, begin))
            for span_tenant, start, stop in [*self.spans, *open_spans]
            if span_tenant == tenant
        )

    def silent(self, tenant):
        return self.queue.now_ns >= self.last_sent[tenant] + 300 * SECOND

    def known(self, tenant):
        return bool(
            tenant in self.last_sent
            and (
                self.backlog(tenant)
                or self.in_flight(tenant)
                or self.recent(tenant)
                or not self.silent(tenant)
            )
        )

    def too_much(self, tenant):
        if tenant is None or self.silent(tenant):
            return False
        all_in_flight = sum(self.in_flight(t) for t in self.TENANTS)
        if self.in_flight(tenant) >= 3 and self.in_flight(tenant) > 0.3 * all_in_flight:
            return True
        mine = self.recent(tenant)
        everyone = sum(self.recent(t) for t in self.TENANTS)
        others = sum(self.known(t) for t in self.TENANTS) - 1
        return mine >= 30 * SECOND and mine > 0.3 * everyone and mine * others > 2 * (everyone - mine)

    def settle(self):
        self.noisy = {tenant for tenant in self.noisy if self.backlog(tenant) and not self.silent(tenant)}

    def expected(self):
        """Whose message comes next."""
        self.settle()
        backlogs = {tenant: self.backlog(tenant) for tenant in self.TENANTS}
        first = {t: (b[0].visible_at_ns, self.order[b[0].number]) for t, b in backlogs.items() if b}
        while quiet := [tenant for tenant in first if tenant not in self.noisy]:
            tenant = min(quiet, key=first.get)
            if not self.too_much(tenant):
                return backlogs[tenant][0]
            self.noisy.add(tenant)
        if not first:
            return None
        tenant = min(first, key=lambda tenant: (self.in_flight(tenant), first[tenant]))
        return backlogs[tenant][0]

    def became_available(self, message, how):
        self.steps += 1
        self.order[message.number] = (how, self.steps)

    # What happens.

    @rule(tenant=st.sampled_from(TENANTS), count=st.integers(1, 4), delay=st.sampled_from([0, 0, 7, 400]))
    def send(self, tenant, count, delay):
        self.settle()
        for _ in range(count):
            self.queue.send(tenant, delay_seconds=delay)
            self.last_sent[tenant] = max(self.last_sent[tenant], self.queue.now_ns)
            self.became_available(self.queue.messages[-1].message, how=0 if delay else 1)

    @rule(count=st.integers(1, 5), timeout=st.sampled_from([0, 1, 10, 40, 500]))
    def receive(self, count, timeout):
        self.look()
        for _ in range(count):
            expected = self.expected()
            got = self.queue.receive(1, timeout)
            assert got == ([] if expected is None else [expected])
            for message in got:
                if timeout:
                    self.open[message] = (message.group_id, self.queue.now_ns)
                self.became_available(message, how=0 if timeout else 1)
            self.settle()

    def look(self):
        """What the queue will notice at its next receive."""
        for message in [m for m in self.open if m.visible_at_ns <= self.queue.now_ns]:
            self.close(message, message.visible_at_ns)

    def close(self, message, at_ns):
        tenant, start = self.open.pop(message)
        self.spans.append((tenant, start, at_ns))

    @rule(data=st.data())
    def delete(self, data):
        if self.queue.messages:
            self.settle()
            message = data.draw(st.sampled_from(self.queue.messages)).message
            if message in self.open:
                self.close(message, min(self.queue.now_ns, message.visible_at_ns))
            self.queue.remove(message)
            self.settle()

    @rule(data=st.data())
    def release(self, data):
        in_flight = [message for message in self.open if message.visible_at_ns > self.queue.now_ns]
        if in_flight:
            message = data.draw(st.sampled_from(in_flight))
            self.close(message, self.queue.now_ns)
            self.queue.release(message)
            self.became_available(message, how=1)

    @rule(count=st.integers(1, 5))
    def take_and_put_back(self, count):
        self.queue.look()
        self.look()
        ordering = self.queue.ordering
        ordering.put_back(ordering.take(count, NEVER, self.queue.now_ns), NEVER)

    @rule(seconds=st.sampled_from([0, 1, 6, 30, 100, 149, 299]))
    def let_time_pass(self, seconds):
        self.queue.pass_time(seconds)

    @invariant()
    def nothing_is_out_of_place(self):
        self.queue.ordering.check_invariants()


def is_hidden(kept, now_ns):
    return kept.state == IN_FLIGHT and kept.visible_at_ns > now_ns


TestFairMachine = FairMachine.TestCase
TestFairMachine.settings = settings(stateful_step_count=40)
