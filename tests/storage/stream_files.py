"""A broker whose streams are kept in a database: written and opened again whenever a test says so."""

import weakref
from pathlib import Path

from queuestream import Broker
from queuestream.storage import schema
from queuestream.storage.records import NUMBER_BITS, Tail
from queuestream.storage.stream_rows import StreamRows
from queuestream.storage.tidying import Tidying

NO_TAIL = Tail(records_max=0, bytes_max=0)


class StreamFile:
    """What the store does with streams, without its thread and its journal.

    Attributes:
        broker: The broker as it is open now.
        unwritten: The changes that are not in the rows yet.
    """

    def __init__(self, clock, tail=NO_TAIL):
        self.clock = clock
        self.tail = tail
        self.connection = schema.open_database(Path(":memory:"))
        weakref.finalize(self, self.connection.close)
        self.unwritten = []
        self.open()

    def open(self):
        """Another broker, of the rows and of what was heard since they were written."""
        self.broker = Broker(clock=self.clock, seed=1)
        self.rows = StreamRows(self.broker, self.connection, self.tail)
        self.rows.load(self.connection)
        for change in self.unwritten:
            self.rows.handlers[type(change)](change)
            change.apply(self.broker)
        self.broker.listen(self.hear)
        return self.broker

    def hear(self, changes):
        for change in changes:
            self.rows.handlers[type(change)](change)
        self.unwritten += changes

    def write(self):
        now_ns = self.clock.now_ns()
        gathered = self.rows.gather(now_ns)
        schema.write(self.connection, [gathered], folded_epoch=1, saved_ns=now_ns)
        if gathered.then is not None:
            gathered.then()
        self.unwritten.clear()

    def reopened(self):
        """The broker, written, and opened again."""
        self.write()
        return self.open()

    def tidy(self):
        tidying = Tidying(self.connection)
        while tidying.step():
            pass

    def query(self, question):
        return self.connection.execute(question).fetchall()

    def check_rows(self):
        """Each record that was written and not trimmed has a row; all other rows are garbage."""
        live = {
            shard.row_id << NUMBER_BITS | number
            for stream in self.rows._kept.values()
            for shard in stream.shards.values()
            for number in range(shard.trimmed, shard.written)
        }
        garbage = self.query("select first_key, last_key from garbage")
        gone = {key for first, last in garbage for key in range(first, last + 1)}
        rows = {key for (key,) in self.query("select key from records")}
        assert live.isdisjoint(gone)
        assert rows - gone == live
