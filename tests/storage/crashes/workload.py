"""A process that works on a broker in a file with many threads, and tells what it does, until it is killed.

It is a launcher: for each line on its standard input, a JSON object, it forks a child that opens
the file and begins to work, and waits until the child has ended.  What the child is about to do and
what it was answered goes to standard output, a line each, written with one system call: a line that is
there was written before the kill.  A launcher forks in a millisecond what a new process would take a
tenth of a second for.
"""

import json
import os
import random
import sys
import threading

from queuestream import VirtualClock, connect
from queuestream.core.errors import BrokerClosed, ServiceError, StorageError

GROUPS = 4
ROUND_SECONDS = 1_000


class Work:
    """What the threads of one child do.

    Args:
        path: The file.
        round_number: Makes every body unique.
        durability: As `connect` takes it.
    """

    def __init__(self, path, round_number, durability):
        self.round = round_number
        # What was in flight or delayed in the round before is visible again.
        clock = VirtualClock()
        clock.advance(seconds=round_number * ROUND_SECONDS)
        self.broker = connect(f"sqlite:///{path}", clock=clock, durability=durability)
        self.tasks = self.broker.queue("tasks")
        self.dead = self.broker.queue("dead")
        self.orders = self.broker.queue("orders.fifo")
        self.stream = self.broker.stream("events")

    def tell(self, *words):
        os.write(1, (json.dumps(words) + "\n").encode())

    def do(self, words, function, *arguments, **keywords):
        """Say what is about to be done, do it, and say that it was done."""
        self.tell("begins", *words)
        answer = function(*arguments, **keywords)
        self.tell("done", *words)
        return answer

    def run(self):
        loops = [
            self.send_tasks,
            self.send_tasks_in_batches,
            self.work_on_tasks,
            self.work_on_tasks,
            self.fail_at_tasks,
            self.send_orders,
            self.work_on_orders,
            self.put_records,
            self.reshard,
        ]
        threads = [
            threading.Thread(target=self.forever, args=(loop, number)) for number, loop in enumerate(loops)
        ]
        # Who comes last does nothing in a short life: another one each time.
        random.Random(self.round).shuffle(threads)
        self.tell("ready")
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def forever(self, loop, number):
        chance = random.Random(f"{self.round} {number}")
        step = 0
        try:
            while True:
                step += 1
                loop(chance, f"{self.round}.{number}.{step}")
        except (BrokerClosed, StorageError) as error:
            self.tell("closed", str(error))

    def send_tasks(self, chance, name):
        self.do(("send", name), self.tasks.send, name, delay_seconds=chance.choice([0, 0, 0, 900]))

    def send_tasks_in_batches(self, chance, name):
        names = [f"{name}.{number}" for number in range(chance.randint(1, 10))]
        for one in names:
            self.tell("begins", "send", one)
        result = self.tasks.send_batch(names)
        for key in result.successful:
            self.tell("done", "send", names[int(key)])

    def work_on_tasks(self, chance, name):
        messages = self.tasks.receive(max_number_of_messages=chance.choice([1, 10]), visibility_timeout=600)
        for message in messages:
            self.tell("received", "tasks", message.body)
            if chance.random() < 0.8:
                self.do(("delete", message.body), self.tasks.delete, message)

    def fail_at_tasks(self, chance, name):
        """Receive again and again, until they are in the dead-letter queue; delete some there."""
        for message in self.tasks.receive(max_number_of_messages=2, visibility_timeout=0):
            self.tell("received", "tasks", message.body)
        for message in self.dead.receive(visibility_timeout=600):
            if chance.random() < 0.3:
                self.do(("delete", message.body), self.dead.delete, message)

    def send_orders(self, chance, name):
        group = f"g{chance.randrange(GROUPS)}"
        body = f"{group} {name}"
        self.do(
            ("order", body), self.orders.send, body, message_group_id=group, message_deduplication_id=name
        )

    def work_on_orders(self, chance, name):
        for message in self.orders.receive(
            max_number_of_messages=chance.choice([1, 3]), visibility_timeout=600
        ):
            self.tell("received", "orders", message.body)
            if chance.random() < 0.7:
                self.do(("delete", message.body), self.orders.delete, message)
            else:
                self.orders.change_visibility(message, 0)

    def put_records(self, chance, name):
        entries = [
            (f"{name}.{number}".encode(), str(chance.randrange(100)))
            for number in range(chance.randint(1, 5))
        ]
        for data, key in entries:
            self.tell("begins", "put", data.decode(), key)
        for record in self.stream.put_records(entries).records:
            self.tell("done", "put", record.data.decode(), record.shard_id, record.sequence_number)

    def reshard(self, chance, name):
        shards = [shard for shard in self.stream.list_shards().shards if shard.ending_sequence_number is None]
        shards.sort(key=lambda shard: int(shard.hash_key_range[0]))
        try:
            if len(shards) < 6 or chance.random() < 0.5:
                shard = chance.choice(shards)
                low, high = map(int, shard.hash_key_range)
                self.do(
                    ("split", shard.shard_id), self.stream.split_shard, shard.shard_id, str((low + high) // 2)
                )
            else:
                place = chance.randrange(len(shards) - 1)
                one, other = shards[place].shard_id, shards[place + 1].shard_id
                self.do(("merge", one, other), self.stream.merge_shards, one, other)
        except ServiceError as error:
            self.tell("refused", str(error))
        threading.Event().wait(0.005)


def main():
    sys.stdout.flush()
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            try:
                Work(request["path"], request["round"], request["durability"]).run()
            finally:
                os._exit(0)
        os.write(1, (json.dumps(["pid", pid]) + "\n").encode())
        os.waitpid(pid, 0)
        os.write(1, (json.dumps(["ended"]) + "\n").encode())


if __name__ == "__main__":
    main()
