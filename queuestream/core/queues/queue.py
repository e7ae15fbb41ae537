"""A queue: Amazon SQS' operations, standard and FIFO.

How it works.  Every operation validates its arguments, takes the broker's lock, reads
the clock once and decides; tells the listeners what it is about to change, if there are
any; changes it; and returns.  A refused request leaves everything as it was.

Where to look.  The operations are in `sending`, `receiving` and `administration`; what a
queue holds and how it changes is in `state`.  What the parts know: `visibility` when a
hidden message comes back, an `ordering` (`fifo`, `fair`) which visible message is next,
`delivery` how far a standard queue departs from that where it is asked to,
`retention` which message is the oldest, `receipts` what a handle names, `deduplication`
and `attempts` what a FIFO queue has seen before, `throughput` how many calls it still
answers, `redrive` where dead letters go.

Nothing runs in the background: a hidden message whose time has come is looked at by the
next operation that wants to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.core.clock import SECOND
from queuestream.core.errors import PurgeQueueInProgress
from queuestream.core.queues import attributes as queue_attributes
from queuestream.core.queues import checks, consistency, redrive
from queuestream.core.queues.receiving import Receiving
from queuestream.core.queues.sending import Sending
from queuestream.core.queues.state import queue_changes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from queuestream.core.broker import Broker
    from queuestream.core.clock import Clock
    from queuestream.core.delivery import Delivery
    from queuestream.core.queues.attribute_types import QueueAttributesDict


class Queue(Sending, Receiving):
    """An SQS queue in this process.

    Safe to share between threads.  `Queue("emails")` stands alone, on a broker of its own;
    `Broker.create_queue` makes queues that know each other.

    Args:
        name: 1 to 80 letters, digits, hyphens and underscores; `.fifo` at the end for a FIFO queue.
        broker: The broker to create it on; a private one where none is given.
        clock: The private broker's time.
        seed: Makes the private broker's ids and choices repeatable.
        delivery: How messages are delivered, as for `Broker`; the private broker's.
        tags: Cost allocation tags.
        **attributes: The queue's settings under AWS's names: `visibility_timeout=30` (seconds),
            `delay_seconds=0`, `message_retention_period=345_600` (seconds), `maximum_message_size=1_048_576`
            (bytes), `receive_message_wait_time_seconds=0`, `redrive_policy=None`, `fifo_queue=False`,
            `content_based_deduplication=False`, and the rest of QueueAttributes.

    Raises:
        QueueNameExists: The broker has a queue of that name already; `Broker.create_queue` gives it.
        QueueDeletedRecently: A queue of that name was deleted less than 60 seconds ago.
        InvalidParameterValue: A name that SQS doesn't take.
        InvalidAttributeName: A name that is no attribute, or none of this kind of queue.
        InvalidAttributeValue: A value out of range or of the wrong form.
        TypeError: A broker, and a clock, seed or delivery beside it.
    """

    def __init__(
        self,
        name: str,
        *,
        broker: Broker | None = None,
        clock: Clock | None = None,
        seed: int | str | None = None,
        delivery: Delivery | str = "strict",
        tags: Mapping[str, str] | None = None,
        **attributes: Unpack[QueueAttributesDict],
    ) -> None:
        if broker is None:
            from queuestream.core.broker import Broker  # noqa: PLC0415 - it knows this module, too

            broker = Broker(clock=clock, seed=seed, delivery=delivery)
        elif clock is not None or seed is not None or delivery != "strict":
            raise TypeError("clock, seed and delivery make a broker, but there is one already.")
        made = queue_attributes.create(attributes, broker.queue_limits)
        checks.check_queue_name(name, fifo_queue=made.fifo_queue, limits=broker.queue_limits)
        checked_tags = checks.check_queue_tags(tags, broker.queue_limits)
        with broker.lock:
            now_ns = broker._check_new_queue(name)
            self._begin(broker, name, made, checked_tags, broker.ids.bits(256), now_ns)
            if made.redrive_policy is not None:
                redrive.check_target(self, made)
            later = consistency.creation(broker, name, now_ns)
            if broker.listeners:
                change = queue_changes().QueueCreated
                broker.publish((change(name, made, checked_tags, self._receipts.secret, now_ns), *later))
            broker._apply_queue_created(self)
            for postponed in later:
                postponed.apply(broker)

    def purge(self) -> None:
        """Remove every message, hidden ones included.

        Raises:
            PurgeQueueInProgress: It was purged less than 60 seconds ago.

        AWS: PurgeQueue.
        """
        with self._lock:
            now_ns = self._look_at_the_time()
            interval_seconds = self.broker.queue_limits.purge_interval_seconds
            if self._purged_ns is not None and now_ns < self._purged_ns + interval_seconds * SECOND:
                raise PurgeQueueInProgress(self.name, interval_seconds)
            if consistency.purge(self, now_ns):
                return
            if self.broker.listeners:
                self.broker.publish((queue_changes().QueuePurged(self.name, now_ns),))
            self._apply_purged(now_ns)

    def delete_queue(self) -> None:
        """Remove the queue with all its messages; its name is free again after 60 seconds.

        AWS: DeleteQueue.
        """
        with self._lock:
            self._look_at_the_time()  # another queue may have the name by now
            self.broker.delete_queue(self.name)
