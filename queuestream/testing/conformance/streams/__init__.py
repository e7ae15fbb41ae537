"""What Kinesis does: `StreamConformance`, made of a class for each subject.

as_a_whole.py       streams: names, descriptions, lists, retention, modes, tags, settings, deletion
records.py          where a record goes, and what it is
reading.py          shard iterators, and what reads give
resharding.py       shards: listing, splitting, merging, counting them
consumers.py        registered consumers, and what is pushed to them
fixtures.py         what all of these start from
"""

from queuestream.testing.conformance.streams.as_a_whole import StreamsAsAWhole
from queuestream.testing.conformance.streams.consumers import Consumers
from queuestream.testing.conformance.streams.reading import Reading
from queuestream.testing.conformance.streams.records import Records
from queuestream.testing.conformance.streams.resharding import Resharding

__all__ = ["StreamConformance"]


class StreamConformance(StreamsAsAWhole, Records, Reading, Resharding, Consumers):
    """Every behaviour of streams; `Conformance` says what an engine can say about itself."""
