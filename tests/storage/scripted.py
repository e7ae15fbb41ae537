"""A series of calls and of what storage does between them, made on a broker in a file and on one in memory.

Nothing happens by itself, so that whatever is asked of the disk is the same each time, in the same order.
"""

from failing_sqlite import sqlite_on
from rich_files import seen

from queuestream import Broker, VirtualClock
from queuestream.core.ids import Ids
from queuestream.storage.opening import open_broker

SEGMENT_BYTES = 64 << 10


def create_dead(broker, taken):
    broker.create_queue("dead")


def create_emails(broker, taken):
    policy = {"deadLetterTargetArn": broker.queue("dead").arn, "maxReceiveCount": 1}
    broker.create_queue("emails", redrive_policy=policy)


def create_fifo(broker, taken):
    broker.create_queue("orders.fifo", fifo_queue=True, content_based_deduplication=True)


def create_stream(broker, taken):
    broker.create_stream("events", shard_count=2)


def send(broker, taken):
    return broker.queue("emails").send("hello", message_attributes={"kind": "welcome"})


def send_batch(broker, taken):
    return broker.queue("emails").send_batch([f"{number}" * 500 for number in range(10)])


def send_more_than_a_segment(broker, taken):
    return broker.queue("emails").send("x" * 3 * SEGMENT_BYTES)


def send_orders(broker, taken):
    entries = [
        {"id": f"{number}", "message_body": f"order {number}", "message_group_id": "ab"[number % 2]}
        for number in range(6)
    ]
    return broker.queue("orders.fifo").send_batch(entries)


def receive(broker, taken):
    taken["emails"] = broker.queue("emails").receive(max_number_of_messages=3)
    return taken["emails"]


def fail(broker, taken):
    return broker.queue("emails").receive(visibility_timeout=0)


def receive_orders(broker, taken):
    taken["orders"] = broker.queue("orders.fifo").receive(receive_request_attempt_id="once")
    return taken["orders"]


def delete_order(broker, taken):
    broker.queue("orders.fifo").delete(taken["orders"][0])


def change_visibility(broker, taken):
    broker.queue("emails").change_visibility(taken["emails"][0], 0)


def delete_batch(broker, taken):
    return broker.queue("emails").delete_batch(taken["emails"][1:])


def redrive(broker, taken):
    return broker.queue("dead").start_message_move_task()


def put_records(broker, taken):
    result = broker.stream("events").put_records([(bytes([n]) * 2_000, f"key {n}") for n in range(20)])
    return [record.sequence_number for record in result.records]


def split(broker, taken):
    broker.stream("events").split_shard("shardId-000000000000", str(2**120))


def merge(broker, taken):
    broker.stream("events").merge_shards("shardId-000000000002", "shardId-000000000003")


def register(broker, taken):
    return broker.stream("events").register_stream_consumer("reader")


def trim(broker, taken):
    return broker.stream("events").put_record(b"new", "key").sequence_number


def purge(broker, taken):
    broker.queue("dead").purge()


def change_settings(broker, taken):
    broker.queue("emails").set_attributes(visibility_timeout=5)


def tag(broker, taken):
    broker.queue("emails").tag({"team": "mail"})


def delete_queue(broker, taken):
    broker.delete_queue("emails")


# fmt: off
STEPS = (
    "open", create_dead, create_emails, create_fifo, create_stream, send, send_batch, send_orders,
    put_records, "fold", receive, fail, fail, receive_orders, split, send_more_than_a_segment, "fold",
    send_batch, delete_order, change_visibility, delete_batch, redrive, register, "fold",
    change_settings, tag, "close",
    "open", send, receive, merge, "a day passes", trim, "fold", "tidy", purge, "kill",
    "open", send, put_records, delete_queue, send_orders, "fold", "tidy",
    "a day passes", create_emails, send_batch, "close",
)
# fmt: on


class World:
    """A broker in a file and one in memory, to which the same happens."""

    def __init__(self, folder, disk):
        self.folder = folder
        self.disk = disk
        self.path = folder / "0" / "orders.db"
        self.path.parent.mkdir(parents=True)
        self.clock = VirtualClock()
        self.kept = None
        self.twin = Broker(clock=self.clock)
        self.taken, self.twins_taken = {}, {}
        self.in_doubt = None

    def run(self):
        """Do everything; gives what was done after each step. What fails, fails here."""
        with sqlite_on(self.disk):
            for number, step in enumerate(STEPS):
                self.in_doubt = None if isinstance(step, str) else step
                if step == "open":
                    self.open(number)
                elif step == "close":
                    self.kept.close()
                elif step == "kill":
                    self.kill()
                elif step == "fold":
                    self.kept.storage.fold()
                elif step == "tidy":
                    self.tidy()
                elif step == "a day passes":
                    self.clock.advance(hours=25)
                else:
                    answer = step(self.kept, self.taken)
                    assert step(self.twin, self.twins_taken) == answer
                yield step

    def open(self, seed):
        self.kept = open_broker(self.path, clock=self.clock, disk=self.disk)
        for broker in (self.kept, self.twin):
            broker.ids = Ids(seed)
            for queue in broker.queues.values():
                queue._new_id = broker.ids.uuid

    def kill(self):
        """Go on with what a kill would have left."""
        copy = self.folder / "1"
        copy.mkdir()
        for file in self.path.parent.iterdir():
            (copy / file.name).write_bytes(file.read_bytes())
        self.path = copy / self.path.name
        with self.disk.well():
            self.kept.close()
        self.kept = None

    def tidy(self):
        """What the thread does when it has time."""
        store = self.kept.storage
        try:
            while store._tidying.step():
                pass
        except Exception as error:
            raise store._fail(error) from error


def state(broker):
    """All that can be seen of a broker, without what it remembers longer than it has to."""
    queues, *rest = seen(broker)
    now_ns = broker.clock.now_ns()
    for name, (*before, memory, next_event_ns) in queues.items():
        alive = {key: value for key, value in memory.items() if value[-1] > now_ns}
        queues[name] = *before, alive, next_event_ns
    # Copies: the broker goes on.
    return queues, [dict(part) if isinstance(part, dict) else part for part in rest]
