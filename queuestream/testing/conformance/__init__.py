"""A suite that holds an engine to the operations, values and errors of `Broker`, `Queue` and `Stream`.

    from queuestream.testing.conformance import QueueConformance, StreamConformance

    class TestQueuesOfMine(QueueConformance):
        @pytest.fixture
        def broker(self):
            with my_engine() as broker:
                yield broker

How it works.  Each behaviour is one test, written once against the native API, as a method of one of these
classes; pytest collects them for whoever inherits from them.  What an engine cannot do, how its time passes
and where it is known to differ is said by the class (`Conformance` has the hooks).  Every queue and stream
has a name of its own and is deleted afterwards, so that a real account can be used.

    capabilities.py   what an engine may lack, and how a test says that it needs it
    suite.py          the hooks, and what all tests start from
    refusals.py       expecting an error by its class and its code
    blocking.py       an engine for asyncio, seen as one that isn't
    queues/           what SQS does, a class for each subject
    streams/          what Kinesis does, likewise

It needs pytest, and nothing else that queuestream itself does not need.
"""

import pytest

# Before they are imported: an `assert` of theirs that fails shows what it compared.
pytest.register_assert_rewrite(
    "queuestream.testing.conformance.queues",
    "queuestream.testing.conformance.streams",
    "queuestream.testing.conformance.suite",
)

from queuestream.testing.conformance.blocking import Blocking, blocking  # noqa: E402 - as above
from queuestream.testing.conformance.capabilities import (  # noqa: E402
    QUEUE_CAPABILITIES,
    STREAM_CAPABILITIES,
)
from queuestream.testing.conformance.queues import QueueConformance  # noqa: E402
from queuestream.testing.conformance.streams import StreamConformance  # noqa: E402
from queuestream.testing.conformance.suite import Conformance  # noqa: E402

__all__ = [
    "QUEUE_CAPABILITIES",
    "STREAM_CAPABILITIES",
    "Blocking",
    "Conformance",
    "QueueConformance",
    "StreamConformance",
    "blocking",
]
