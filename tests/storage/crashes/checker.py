"""What a broker may hold after a kill, by what its clients saw; it knows nothing of files."""

from collections import Counter, defaultdict


class Seen:
    """What the clients of a broker have said, over all rounds."""

    def __init__(self):
        self.begun = defaultdict(set)
        self.done = defaultdict(set)
        self.orders = defaultdict(list)  # by group, as they were acknowledged
        self.received_orders = defaultdict(set)
        self.first_not_received = defaultdict(int)
        self.records = {}
        self.reshards = []
        self.problems = []
        self.kinds = Counter()

    def hear(self, words):
        kind, *rest = words
        self.kinds[kind if kind not in {"begins", "done"} else f"{kind} {rest[0]}"] += 1
        if kind == "begins":
            self.begun[rest[0]].add(rest[1])
        elif kind == "done":
            self.acknowledged(*rest)
        elif kind == "received" and rest[0] == "orders":
            self.order_received(rest[1])

    def acknowledged(self, what, name, *more):
        if name in self.done[what] and what != "delete":
            self.problems.append(f"{what} {name} was acknowledged twice")
        self.done[what].add(name)
        if what == "order":
            self.orders[name.split()[0]].append(name)
        elif what == "put":
            shard_id, sequence_number = more
            self.records[name] = shard_id, sequence_number
        elif what in {"split", "merge"}:
            self.reshards.append((name, *more))

    def order_received(self, name):
        """What is received for the first time comes after all that was sent to its group before."""
        group = name.split()[0]
        sent, received = self.orders[group], self.received_orders[group]
        if name in received:
            return
        received.add(name)
        place = self.first_not_received[group]
        while place < len(sent) and sent[place] in received:
            place += 1
        self.first_not_received[group] = place
        if place < len(sent) and _step(sent[place]) < _step(name):
            self.problems.append(f"{name} was received before {sent[place]}")

    # --- the state after a kill ---

    def check(self, broker):
        """What is wrong with a broker that was opened after a kill."""
        broker.check_invariants()
        problems, self.problems = self.problems, []
        standard = [message.body for name in ("tasks", "dead") for message in broker.queue(name).peek()]
        fifo = [message.body for message in broker.queue("orders.fifo").peek()]
        problems += self.check_messages("send", standard)
        problems += self.check_messages("order", fifo)
        for group, sent in self.orders.items():
            there = [body for body in fifo if body.split()[0] == group and body in self.done["order"]]
            if there != [body for body in sent if body in set(there)]:
                problems.append(f"the order of {group} was lost: {there}")
        return problems + self.check_stream(broker.stream("events"))

    def check_messages(self, what, there):
        counted = Counter(there)
        missing = self.done[what] - self.begun["delete"] - counted.keys()
        back = self.done["delete"] & counted.keys()
        return [
            *(f"{what} {name} was acknowledged and is lost" for name in missing),
            *(f"{name} was deleted and is back" for name in back),
            *(f"{name} is there {times} times" for name, times in counted.items() if times > 1),
            *(f"{name} was never sent" for name in counted.keys() - self.begun[what]),
        ]

    def check_stream(self, stream):
        records = stream.peek()
        there = {record.data.decode(): (record.shard_id, record.sequence_number) for record in records}
        problems = [f"{name} is there twice" for name, times in _times(records).items() if times > 1]
        problems += [f"{name} was never put" for name in there.keys() - self.begun["put"]]
        for name, place in self.records.items():
            if there.get(name) != place:
                problems.append(f"{name} was acknowledged at {place} and is at {there.get(name)}")
        shards = stream.list_shards().shards
        closed = {shard.shard_id for shard in shards if shard.ending_sequence_number is not None}
        for parents in self.reshards:
            problems += [f"{parent} is open again" for parent in parents if parent not in closed]
        last = {}
        for record in records:
            if int(record.sequence_number) <= last.get(record.shard_id, 0):
                problems.append(f"{record} is out of order")
            last[record.shard_id] = int(record.sequence_number)
        return problems


def _step(name):
    """When an order was sent: its round, and the step in it, of the one thread that sends orders."""
    return tuple(map(int, name.split()[1].split(".")))


def _times(records):
    return Counter(record.data.decode() for record in records)
