"""Hypothesis strategies for what SQS and Kinesis take: bodies, attributes, names, keys, deliveries, faults.

Everything they give is valid, up to the limits if `max_size` allows, and shrinks to the shortest and
plainest; what AWS refuses is for a test to write by hand.

    @given(bodies(), group_ids(), deliveries())
    def test_my_worker(body, group, delivery): ...

Needs Hypothesis, which is imported with this module.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from queuestream.aws.fault_plans import Fault, FaultPlan
from queuestream.core.delivery import Delivery

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_NAME = string.ascii_letters + string.digits + "-_"
# SQS: "A message can include only XML, JSON, and unformatted text", and which characters these are.
_CHARACTERS = st.characters(
    exclude_categories=["Cs"],
    exclude_characters="".join(map(chr, {*range(32)} - {9, 10, 13})) + "\ufffe\uffff",
    max_codepoint=0x10FFFF,
)
# Message group and deduplication ids: letters, digits and punctuation (SendMessage).
_ID = string.ascii_letters + string.digits + string.punctuation


def seeds() -> SearchStrategy[int]:
    """Seeds of brokers and worlds."""
    return st.integers(0, 2**32 - 1)


def bodies(*, max_size: int = 100) -> SearchStrategy[str]:
    """Message bodies: what SQS takes, of `max_size` characters at most, emoji and all."""
    return st.text(_CHARACTERS, min_size=1, max_size=max_size)


def queue_names(*, fifo: bool = False) -> SearchStrategy[str]:
    """Names of standard queues, or of FIFO queues."""
    ending = ".fifo" if fifo else ""
    return st.text(_NAME, min_size=1, max_size=80 - len(ending)).map(lambda name: name + ending)


def stream_names() -> SearchStrategy[str]:
    """Names of streams."""
    return st.text(_NAME + ".", min_size=1, max_size=128)


def group_ids() -> SearchStrategy[str]:
    """Message group ids: mostly a few, so that groups have several messages; some of any form."""
    return st.sampled_from(["a", "b", "c"]) | st.text(_ID, min_size=1, max_size=128)


def deduplication_ids() -> SearchStrategy[str]:
    """Message deduplication ids."""
    return st.text(_ID, min_size=1, max_size=128)


def partition_keys() -> SearchStrategy[str]:
    """Partition keys: mostly a few, so that keys have several records; some of any form."""
    return st.sampled_from(["a", "b", "c"]) | st.text(
        st.characters(exclude_categories=["Cs"]), min_size=1, max_size=256
    )


def explicit_hash_keys() -> SearchStrategy[str]:
    """Explicit hash keys, both ends of the range among them."""
    return (st.sampled_from([0, 2**127 - 1, 2**127, 2**128 - 1]) | st.integers(0, 2**128 - 1)).map(str)


def message_attributes(*, max_size: int = 10) -> SearchStrategy[dict[str, Any]]:
    """Message attributes as `Queue.send` takes them: texts, numbers and bytes under names."""
    names = st.text(_NAME, min_size=1, max_size=40).filter(
        lambda name: not name.lower().startswith(("aws", "amazon"))
    )
    values = st.one_of(
        bodies(max_size=20), st.integers(-(10**12), 10**12), st.binary(min_size=1, max_size=20)
    )
    return st.dictionaries(names, values, max_size=max_size)


def send_entries(
    *, fifo: bool = False, min_size: int = 1, max_size: int = 10
) -> SearchStrategy[list[dict[str, Any]]]:
    """Entries of `Queue.send_batch`, with ids of their own."""
    fields: dict[str, SearchStrategy[Any]] = {"message_body": bodies()}
    if fifo:
        fields |= {"message_group_id": group_ids(), "message_deduplication_id": deduplication_ids()}
    else:
        fields |= {"delay_seconds": st.sampled_from([0, 0, 1, 900])}
    entries = st.lists(st.fixed_dictionaries(fields), min_size=min_size, max_size=max_size)
    return entries.map(lambda made: [{"id": str(place), **entry} for place, entry in enumerate(made)])


def records(*, max_size: int = 100) -> SearchStrategy[tuple[bytes, str]]:
    """Records as `Stream.put_records` takes them: data of `max_size` bytes at most, and a partition key."""
    return st.tuples(st.binary(max_size=max_size), partition_keys())


def deliveries() -> SearchStrategy[Delivery]:
    """What a standard queue and a stream may do, from strict to adversarial; shrinks to strict."""
    shares = st.just(0.0) | st.floats(0, 1)
    return st.builds(
        Delivery,
        hosts=st.integers(1, 8),
        sampled_hosts=st.integers(1, 8),
        reordering=shares,
        overtaken_max=st.integers(1, 50),
        duplicates=shares,
        returns=shares,
        back_after_receives=st.integers(1, 5),
        reordered_puts=shares,
    )


def fault_plans(operations: SearchStrategy[str] | None = None) -> SearchStrategy[FaultPlan]:
    """Plans of up to three faults that end by themselves: refused calls, and answers that get lost.

    Args:
        operations: AWS's names of those that may be struck, or patterns; the ones that messages and
            records go through where None.
    """
    struck = operations or st.sampled_from(
        ["SendMessage*", "ReceiveMessage", "DeleteMessage*", "PutRecord*", "GetRecords"]
    )
    faults = st.builds(
        Fault,
        effect=st.sampled_from(["throttle", "fail", "lose_answer"]),
        operation=struck,
        after=st.integers(0, 5),
        times=st.integers(1, 3),
    )
    return st.builds(
        lambda seed, faults: FaultPlan(*faults, seed=seed), seeds(), st.lists(faults, max_size=3)
    )
