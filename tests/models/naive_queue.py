"""SQS' rules in the plainest form: lists that are scanned from the front.

Nothing here is clever, fast or shared with the real queue.  Time is a series of events
(a hidden message comes back, a message expires), which happen one by one in the order
of their instants; what is visible stands in a list, in the order in which it became so.
What SQS refuses is a `Refused` with AWS's code.
"""

from itertools import count

SECOND = 1_000_000_000
FIVE_MINUTES = 300 * SECOND
MANY = 1_000_000
A_MINUTE = 60 * SECOND
TWELVE_HOURS = 43_200 * SECOND
VISIBLE, DELAYED, IN_FLIGHT = "visible", "delayed", "in_flight"


class Refused(Exception):
    """A request that SQS refuses, with AWS's code; and with the one in a batch, where that differs."""


class NaiveMessage:
    """A message, and all that the rules ask about it."""

    def __init__(self, body, group=None, deduplication_id=None):
        self.body = body
        self.group = group
        self.deduplication_id = deduplication_id
        self.message_id = None  # whatever the real queue answers
        self.number = None
        self.sent_ns = None
        self.state = VISIBLE
        self.visible_at_ns = None
        self.turn = None  # when it was hidden, compared with others
        self.receive_count = 0
        self.received_before = 0
        self.received_ns = None
        self.first_received_ns = None
        self.source_arn = None
        self.is_alive = True

    def __repr__(self):
        return f"<{self.number} {self.body!r} {self.state}>"


class NaiveQueue:
    """A standard queue: messages come in the order in which they became available."""

    is_fifo = False

    def __init__(self, arn, *, in_flight_max=120_000):
        self.arn = arn
        self.in_flight_max = in_flight_max
        self.visibility_timeout = 30
        self.delay_seconds = 0
        self.retention_period = 345_600
        self.max_receive_count = None
        self.dead_letter_queue = None
        self.messages = []
        self.available = []
        self.last_number = 0
        self.purged_ns = None
        self.retention_set_ns = 0
        self.turns = count()

    # --- time ---

    def next_event(self):
        """The next thing that time does: (instant, kind, turn, message).  A return comes before an expiry."""
        events = [
            (message.visible_at_ns, 0, message.turn, message)
            for message in self.messages
            if message.state != VISIBLE
        ]
        events += [(self.expiry_of(message), 1, message.number, message) for message in self.messages]
        return min(events, key=lambda event: event[:3], default=None)

    def expiry_of(self, message):
        # A shorter retention period applies from the moment it is set.
        return max(message.sent_ns + self.retention_period * SECOND, self.retention_set_ns)

    def let_time_pass_until(self, now_ns):
        while (event := self.next_event()) is not None and event[0] <= now_ns:
            _, kind, _, message = event
            if kind == 0:
                self.show(message)
            else:
                self.remove(message)

    def deadlines(self):
        """Every instant at which a rule says that something changes."""
        yield from (message.visible_at_ns for message in self.messages)
        yield from (self.expiry_of(message) for message in self.messages)
        yield from (message.received_ns + TWELVE_HOURS for message in self.in_flight())
        if self.purged_ns is not None:
            yield self.purged_ns + A_MINUTE

    # --- what becomes of a message ---

    def enter(self, message, delay_seconds, now_ns):
        self.last_number += 1
        message.number = self.last_number
        self.messages.append(message)
        message.visible_at_ns = now_ns + delay_seconds * SECOND
        if delay_seconds:
            self.hide(message, DELAYED)
        else:
            self.available.append(message)
        self.look()

    def hide(self, message, state):
        message.state = state
        message.turn = next(self.turns)

    def show(self, message):
        message.state = VISIBLE
        self.available.append(message)
        self.look()

    def remove(self, message):
        message.is_alive = False
        self.messages.remove(message)
        if message in self.available:
            self.available.remove(message)
        self.look()

    def look(self):
        """Something has changed; a FIFO queue looks which groups are ready."""

    # --- operations ---

    def send(self, body, delay_seconds, now_ns):
        """The message that was sent; its number is the caller's to compare."""
        message = NaiveMessage(body)
        message.sent_ns = now_ns
        self.enter(message, self.delay_seconds if delay_seconds is None else delay_seconds, now_ns)
        return message

    def receive(self, wanted, visibility_timeout, now_ns, *, is_short_poll=True):
        timeout = self.visibility_timeout if visibility_timeout is None else visibility_timeout
        room = self.in_flight_max - len(self.in_flight())
        if room <= 0:
            if is_short_poll and not self.is_fifo:
                raise Refused("OverLimit")
            return []
        received = []
        dead = []
        while len(received) < min(wanted, room) and (message := self.next_message(received)) is not None:
            self.available.remove(message)
            if self.dead_letter_queue is not None and message.receive_count >= self.max_receive_count:
                dead.append(message)
            else:
                received.append(message)
        for message in received:
            message.receive_count += 1
            message.received_ns = now_ns
            if message.first_received_ns is None:
                message.first_received_ns = now_ns
            message.visible_at_ns = now_ns + timeout * SECOND
            self.hide(message, IN_FLIGHT)
        self.look()
        if not timeout:
            for message in received:
                self.show(message)
        for message in dead:
            self.remove(message)
            self.dead_letter_queue.take_dead_letter(message, self, now_ns)
        return received

    def next_message(self, taken):
        """The visible message that comes next, after those that this receive has taken."""
        return self.available[0] if self.available else None

    def take_dead_letter(self, message, source, now_ns):
        self.let_time_pass_until(now_ns)
        letter = NaiveMessage(message.body, message.group)
        letter.message_id = message.message_id
        letter.sent_ns = message.sent_ns
        letter.received_before = message.received_before + message.receive_count
        letter.first_received_ns = message.first_received_ns
        letter.source_arn = source.arn
        self.enter(letter, self.delay_of_dead_letters(), now_ns)

    def delay_of_dead_letters(self):
        return 0

    def deletable(self, message, receive_count):
        """Any handle will do, and deleting what is gone succeeds: None."""
        return message if message.is_alive else None

    def delete(self, message, receive_count):
        self.delete_all([self.deletable(message, receive_count)])

    def delete_all(self, messages):
        for message in messages:
            if message is not None and message.is_alive:
                self.remove(message)

    def extendable(self, message, receive_count, seconds, now_ns):
        if not message.is_alive:
            raise Refused("InvalidParameterValue")
        if message.state != IN_FLIGHT:
            if self.is_fifo:
                raise Refused("MessageNotInflight")
            return message  # SQS answers with success, and changes nothing
        if now_ns + seconds * SECOND > message.received_ns + TWELVE_HOURS:
            raise Refused("InvalidParameterValue")
        return message

    def change_visibility(self, message, receive_count, seconds, now_ns):
        self.hide_again(self.extendable(message, receive_count, seconds, now_ns), seconds, now_ns)

    def hide_again(self, message, seconds, now_ns):
        if message.state == IN_FLIGHT:
            message.visible_at_ns = now_ns + seconds * SECOND
            if seconds:
                self.hide(message, IN_FLIGHT)
            else:
                self.show(message)

    def set_attributes(
        self, now_ns, *, visibility_timeout=None, delay_seconds=None, message_retention_period=None
    ):
        if visibility_timeout is not None:
            self.visibility_timeout = visibility_timeout
        if message_retention_period is not None:
            self.retention_period = message_retention_period
            self.retention_set_ns = now_ns
        if delay_seconds is not None and delay_seconds != self.delay_seconds:
            self.delay_seconds = delay_seconds
            self.delay_has_changed(now_ns)

    def delay_has_changed(self, now_ns):
        """A standard queue's delay is not retroactive."""

    def purge(self, now_ns):
        if self.purged_ns is not None and now_ns < self.purged_ns + A_MINUTE:
            raise Refused("PurgeQueueInProgress")
        self.purged_ns = now_ns
        for message in list(self.messages):
            self.remove(message)

    def in_flight(self):
        return [message for message in self.messages if message.state == IN_FLIGHT]

    def counts(self):
        states = [message.state for message in self.messages]
        return states.count(VISIBLE), states.count(IN_FLIGHT), states.count(DELAYED)


class NaiveFifoQueue(NaiveQueue):
    """A FIFO queue: strict order within a group, and groups in the order in which they became ready."""

    is_fifo = True

    def __init__(self, arn, *, in_flight_max=120_000, look_ahead_max=120_000, scope="queue"):
        super().__init__(arn, in_flight_max=in_flight_max)
        self.look_ahead_max = look_ahead_max
        self.scope = scope
        self.line = []  # the groups that are ready, in the order in which they became so
        self.sent = []  # (until, key, message): what was sent in the last five minutes
        self.attempts = {}  # by id: (until, [(message, receive count, deadline)])

    def deadlines(self):
        yield from super().deadlines()
        yield from (until_ns for until_ns, _, _ in self.sent)
        yield from (until_ns for until_ns, _ in self.attempts.values())

    def ready(self, group):
        """The visible messages of a group, in order, as far as the first that is in flight."""
        messages = [message for message in self.messages if message.group == group]
        in_flight = [message.number for message in messages if message.state == IN_FLIGHT]
        within_sight = self.messages[: self.look_ahead_max]
        return [
            message
            for message in messages
            if message in self.available
            and message in within_sight
            and not (in_flight and message.number > in_flight[0])
        ]

    def look(self):
        self.line = [group for group in self.line if self.ready(group)]
        for message in self.messages:
            if message.group not in self.line and self.ready(message.group):
                self.line.append(message.group)

    def remove(self, message):
        # The group leaves the line, if this was all there was in sight of it, before the queue looks further.
        if message in self.available:
            self.available.remove(message)
            self.look()
        super().remove(message)

    def send(self, body, group, deduplication_id, now_ns):
        """The message that was sent, or the one that it is a duplicate of."""
        key = (group, deduplication_id) if self.scope == "messageGroup" else deduplication_id
        for until_ns, sent_key, original in self.sent:
            if sent_key == key and now_ns < until_ns:
                return original
        message = NaiveMessage(body, group, deduplication_id)
        message.sent_ns = now_ns
        self.sent.append((now_ns + FIVE_MINUTES, key, message))
        self.enter(message, self.delay_seconds, now_ns)
        return message

    def receive(self, wanted, visibility_timeout, now_ns, *, is_short_poll=True, attempt_id=None):
        timeout = self.visibility_timeout if visibility_timeout is None else visibility_timeout
        again = self.attempted(attempt_id, now_ns)
        if again:
            for message in again:
                self.hide_again(message, timeout, now_ns)
            self.remember_attempt(attempt_id, again if timeout else [], now_ns)
            return again
        received = super().receive(wanted, visibility_timeout, now_ns, is_short_poll=is_short_poll)
        if received and timeout:
            self.remember_attempt(attempt_id, received, now_ns)
        return received

    def attempted(self, attempt_id, now_ns):
        """What an attempt of the last five minutes got, if all of it is as the attempt left it."""
        until_ns, seen = self.attempts.get(attempt_id, (0, []))
        unchanged = all(
            message.is_alive
            and message.state == IN_FLIGHT
            and (message.receive_count, message.visible_at_ns) == (receive_count, visible_at_ns)
            for message, receive_count, visible_at_ns in seen
        )
        return [message for message, _, _ in seen] if now_ns < until_ns and unchanged else []

    def remember_attempt(self, attempt_id, messages, now_ns):
        if attempt_id is not None:
            seen = [(message, message.receive_count, message.visible_at_ns) for message in messages]
            self.attempts[attempt_id] = (now_ns + FIVE_MINUTES, seen)

    def next_message(self, taken):
        """As many as possible of the last one's group, then of the group that has been ready longest."""
        last_group = [taken[-1].group] if taken else []
        for group in [*last_group, *self.line]:
            for message in self.ready(group):
                return message
        return None

    def take_dead_letter(self, message, source, now_ns):
        super().take_dead_letter(message, source, now_ns)
        letter = self.messages[-1]
        letter.sent_ns = now_ns
        letter.deduplication_id = message.message_id

    def delay_of_dead_letters(self):
        """A dead letter must not overtake what was sent to its group before."""
        return self.delay_seconds

    def purge(self, now_ns):
        super().purge(now_ns)
        self.sent = []

    def deletable(self, message, receive_count):
        """The handle of the last receive, while it lasts."""
        if message.is_alive and (message.receive_count != receive_count or message.state != IN_FLIGHT):
            raise Refused("InvalidParameterValue", "ReceiptHandleIsInvalid")
        return super().deletable(message, receive_count)

    def extendable(self, message, receive_count, seconds, now_ns):
        if message.is_alive and message.state == IN_FLIGHT and message.receive_count != receive_count:
            raise Refused("InvalidParameterValue", "ReceiptHandleIsInvalid")
        return super().extendable(message, receive_count, seconds, now_ns)

    def delay_has_changed(self, now_ns):
        """A FIFO queue's delay counts for the messages that wait already, if nobody has received them."""
        for message in self.messages:
            if message.state == IN_FLIGHT or message.receive_count:
                continue
            if message in self.available:
                self.available.remove(message)
            message.visible_at_ns = message.sent_ns + self.delay_seconds * SECOND
            if message.visible_at_ns > now_ns:
                self.hide(message, DELAYED)
                # At the same deadline, before all that was hidden by itself.
                message.turn = message.number - MANY
            else:
                message.state = VISIBLE
                self.available.append(message)
        # The groups line up anew, in the order of their messages.
        self.line = []
        self.look()
