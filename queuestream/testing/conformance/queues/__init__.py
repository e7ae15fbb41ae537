"""What SQS does: `QueueConformance`, made of a class for each subject.

as_a_whole.py       queues: names, attributes, lists, tags, permissions, purges, deletion
messages.py         what a message carries, and what a receive gives
visibility.py       what is hidden, delayed, forgotten; waiting for it
batches.py          ten requests in one
fifo.py             order, groups, deduplication
dead_letters.py     what fails too often, and the way back
fixtures.py         what all of these start from
"""

from queuestream.testing.conformance.queues.as_a_whole import QueuesAsAWhole
from queuestream.testing.conformance.queues.batches import Batches
from queuestream.testing.conformance.queues.dead_letters import DeadLetters
from queuestream.testing.conformance.queues.fifo import FifoQueues
from queuestream.testing.conformance.queues.messages import Messages
from queuestream.testing.conformance.queues.visibility import Visibility

__all__ = ["QueueConformance"]


class QueueConformance(QueuesAsAWhole, Messages, Visibility, Batches, FifoQueues, DeadLetters):
    """Every behaviour of queues; `Conformance` says what an engine can say about itself."""
