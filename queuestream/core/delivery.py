"""What a queue or stream may do to its consumers, and how often it does it.

Amazon SQS promises of a standard queue that every message is delivered at least once, and mostly in
order.  What happens in the other cases happens at AWS on rare occasions, and in a test never, unless
it is asked for:

    Broker(delivery="aws_like")
    Queue("emails", delivery=Delivery(duplicates=0.5))
    Broker(delivery=attrs.evolve(ADVERSARIAL, hosts=1))

Every knob is something that AWS documents, and does nothing where nothing is said.  FIFO queues have none
of it.  On a fair queue, whose order AWS describes by itself ("How Amazon SQS fair queues work"), messages
are duplicated and come back, and keep to that order otherwise.

How it works.  `delivery_ordering` says which message is next, `delivery_copies` which ones are delivered
although they are in flight or deleted, and `streams/careful_puts` in which order a batch is stored.  All
choices are the queue's own (`queuestream.core.chance`), so a run is repeated by the broker's seed.
"""

from __future__ import annotations

import attrs

from queuestream.core.errors import InvalidParameterValue
from queuestream.core.queues.checks import shown

_HOSTS_MAX = 64
_OVERTAKEN_MAX = 1_000
_RECEIVES_MAX = 1_000


@attrs.frozen(kw_only=True)
class Delivery:
    """How far the delivery of messages and records departs from the simplest one.

    A share is a number from 0 (never) to 1 (always).

    Attributes:
        hosts: Over how many servers the messages of a standard queue are spread, 1 to 64.
        sampled_hosts: How many of them a short poll asks, 1 to 64; all of them where there are fewer.  So it
            may answer with fewer messages than there are, or with none, and in another order.  Each server is
            asked by one in as many short polls as there are servers.  A long poll asks them all.
        reordering: The share of deliveries for which a later message is taken than the next one.
        overtaken_max: By how many later messages one may be overtaken before it is the next one for
            certain, 1 to 1,000; and among how many the later one is chosen.
        duplicates: The share of messages of which a copy can be received once more while the first receive
            lasts.
        returns: The share of deletes after which the message is there again; of one message the first two.
        back_after_receives: A message that was received this often and not deleted comes back behind all
            others, one that was received less often comes back to its old place; 1 to 1,000.
        reordered_puts: The share of `put_records` calls whose records are stored in another order.
    """

    # "Amazon SQS short and long polling": a short poll asks a subset of the servers, by a weighted random
    # distribution; who keeps on asking receives all messages.  ReceiveMessage: so it is with few messages.
    hosts: int = 1
    sampled_hosts: int = 1
    # "Amazon SQS standard queues": best-effort ordering; messages may arrive out of order.
    reordering: float = 0.0
    overtaken_max: int = 10
    # "At-least-once delivery": a copy on a server that is away while the message is received is received
    # again; "Amazon SQS visibility timeout": the timeout is no guarantee against that.
    duplicates: float = 0.0
    # DeleteMessage: a copy on a server that is away while the message is deleted may be received later.
    returns: float = 0.0
    # "Available CloudWatch metrics for Amazon SQS", ApproximateAgeOfOldestMessage: after three receives or
    # more a message is moved to the back of the queue.
    back_after_receives: int = 1
    # PutRecords: records are processed whether or not others fail, so their order is not guaranteed.
    reordered_puts: float = 0.0

    def __attrs_post_init__(self) -> None:
        for name in ("reordering", "duplicates", "returns", "reordered_puts"):
            share = getattr(self, name)
            if not _is_number(share, (int, float)) or not 0 <= share <= 1:
                raise InvalidParameterValue.of(name, shown(share), "A share is a number from 0 to 1.")
        for name, maximum in (
            ("hosts", _HOSTS_MAX),
            ("sampled_hosts", _HOSTS_MAX),
            ("overtaken_max", _OVERTAKEN_MAX),
            ("back_after_receives", _RECEIVES_MAX),
        ):
            number = getattr(self, name)
            if not _is_number(number, int) or not 1 <= number <= maximum:
                raise InvalidParameterValue.of(name, shown(number), f"It is an integer from 1 to {maximum}.")


def _is_number(value: object, kinds: type | tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)


STRICT = Delivery()
"""Everything is delivered once, in the order in which it became available, to whoever asks."""

AWS_LIKE = Delivery(
    hosts=8,
    sampled_hosts=4,
    reordering=0.05,
    overtaken_max=10,
    duplicates=0.01,
    returns=0.005,
    back_after_receives=3,
    reordered_puts=0.1,
)
"""What happens at AWS, the rare things often enough to be seen among some hundred messages."""

ADVERSARIAL = Delivery(
    hosts=8,
    sampled_hosts=1,
    reordering=1.0,
    overtaken_max=50,
    duplicates=1.0,
    returns=1.0,
    back_after_receives=3,
    reordered_puts=1.0,
)
"""All that the knobs stand for, whenever it can; every message still gets through."""

NAMED = {"strict": STRICT, "aws_like": AWS_LIKE, "adversarial": ADVERSARIAL}
"""The deliveries that have names."""


def delivery_of(asked: object) -> Delivery:
    """A delivery that is given as itself or by its name.

    Raises:
        InvalidParameterValue: It is neither.
    """
    known = NAMED.get(asked) if isinstance(asked, str) else asked
    if not isinstance(known, Delivery):
        raise InvalidParameterValue.of(
            "Delivery", shown(asked), f"It is a Delivery, or one of {', '.join(NAMED)}."
        )
    return known
