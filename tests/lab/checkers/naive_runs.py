"""Right histories of a queue and a stream so simple that one sees that they are right.

Everything happens at instants that grow, to a list.  What clients see of it is blurred: their calls begin
before the instant and end after it, overlap with each other, and some have no answer.
"""

from queuestream.lab import Event

TIMEOUT = 40


class Clients:
    """Writes down what happens, as clients far away see it."""

    def __init__(self, chance, resource):
        self.chance, self.resource = chance, resource
        self.now = 10
        self.events = []

    def later(self):
        self.now += self.chance.randint(1, 6)

    def call(self, operation, message, *, after=0, answered=True, **fields):
        """One call that happens now: it began a while ago, and has its answer in a while."""
        started = max(after, self.now - self.chance.randint(0, 8))
        ended = self.now + self.chance.randint(0, 8) if answered else None
        event = Event(operation, message, "ok", started, ended, resource=self.resource, **fields)
        if not answered:
            event.outcome = "unknown"
        self.events.append(event)
        return event

    def history(self):
        """The events in the order of their answers."""
        return sorted(self.events, key=lambda event: event.ended_ns or event.started_ns + 9)


def right_queue(chance, *, fifo):
    """A finished history of a queue."""
    clients = Clients(chance, "jobs.fifo" if fifo else "jobs")
    there = []  # [name, group, id, number, visible from, receives]
    to_send = [f"m{number}" for number in range(chance.randint(2, 9))]
    held = []  # (entry, receive count, the call)
    while to_send or there:
        clients.later()
        choice = chance.randrange(4)
        if choice == 0 and to_send:
            name = to_send.pop(0)
            done, answered = chance.choice([(True, True), (True, True), (True, False), (False, False)])
            entry = [name, chance.choice("gh"), f"id of {name}", clients.now, clients.now, 0]
            ids = {"message_id": entry[2], "sequence_number": str(entry[3])} if answered else {}
            clients.call(
                "send", name, answered=answered, actor=chance.choice(["p", "q"]), group=entry[1], **ids
            )
            if done:
                there.append(entry)
        elif choice == 1:
            receive_next(clients, there, held, fifo=fifo)
        elif choice >= 2 and held:
            work_on(clients, there, held)
    return clients.history()


def receive_next(clients, there, held, *, fifo):
    """Somebody receives the first message that nobody has and, on a FIFO queue, whose group nobody has."""
    locked = set()
    for entry in there:
        if entry[4] > clients.now or (fifo and entry[1] in locked):
            locked.add(entry[1])
            continue
        answered = clients.chance.random() < 0.9
        entry[4], entry[5] = clients.now + TIMEOUT, entry[5] + 1
        if not answered:
            clients.call("receive", None, answered=False)
            return
        name, group, message_id, number, _, count = entry
        call = clients.call(
            "receive",
            name,
            actor=f"c{clients.now}",
            group=group,
            message_id=message_id,
            sequence_number=str(number) if fifo else None,
            receipt=f"{name} {count}",
        )
        call.visible_ns = call.started_ns + TIMEOUT
        held.append((entry, count, call))
        return
    clients.call("receive", None)


def work_on(clients, there, held):
    """Somebody deletes what he has, or gives it back, if he still can; or forgets it."""
    entry, count, received = held.pop(clients.chance.randrange(len(held)))
    if received.ended_ns > clients.now or entry[4] <= clients.now or entry[5] != count or entry not in there:
        return
    fate = clients.chance.randrange(6)
    about = {"after": received.ended_ns, "actor": received.actor, "receipt": received.receipt}
    if fate < 4:
        answered = clients.chance.random() < 0.8
        clients.call("delete", entry[0], answered=answered, **about)
        if answered or clients.chance.random() < 0.5:
            there.remove(entry)
    elif fate == 4:
        longer = clients.chance.choice([0, 0, 20, 80])
        changed = clients.call("change_visibility", entry[0], **about)
        changed.visible_ns = changed.started_ns + longer
        entry[4] = clients.now + longer
        held.append((entry, count, received))


def right_stream(chance):
    """A finished history of a stream that is split once, with one application of careful readers."""
    clients = Clients(chance, "log")
    shards = {"parent": [], "child": []}
    read = dict.fromkeys(shards, 0)
    last_answer = dict.fromkeys(shards, 0)
    to_put = [f"r{number}" for number in range(chance.randint(3, 10))]
    split_at = chance.randrange(len(to_put))
    ended = False
    clients.call("lineage", None, shard="child", parents=("parent",))
    for shard in shards:
        clients.call("seek", None, shard=shard, actor=shard, application="app", sequence_number="0")
    clients.now += 20
    while to_put or not ended or read["child"] < len(shards["child"]):
        clients.later()
        open_shard = "child" if len(to_put) <= split_at else "parent"
        if to_put and chance.random() < 0.4:
            name = to_put.pop(0)
            done, answered = chance.choice([(True, True), (True, True), (True, False), (False, False)])
            number = {"shard": open_shard, "sequence_number": str(clients.now)} if answered else {}
            clients.call("put", name, answered=answered, partition_key="k", **number)
            if done:
                shards[open_shard].append((name, clients.now))
            continue
        shard = "child" if ended else "parent"
        about = {"shard": shard, "actor": shard, "application": "app", "after": last_answer[shard]}
        if last_answer[shard] > clients.now or (ended and last_answer["parent"] > clients.now):
            continue
        if read[shard] < len(shards[shard]):
            name, number = shards[shard][read[shard]]
            got = clients.call("get", name, sequence_number=str(number), partition_key="k", **about)
            last_answer[shard] = got.ended_ns
            read[shard] += 1
            if chance.random() < 0.1:  # it crashes, and begins anew where it remembers
                clients.now = got.ended_ns + 1
                read[shard] = chance.randint(0, read[shard])
                before = shards[shard][read[shard] - 1][1] if read[shard] else 0
                sought = clients.call(
                    "seek", None, sequence_number=str(before), **{**about, "after": clients.now}
                )
                last_answer[shard] = sought.ended_ns
                clients.now = sought.ended_ns + 1
        elif not ended and open_shard == "child":
            last_answer[shard] = clients.call("finish", None, **about).ended_ns
            ended = True
    return clients.history()
