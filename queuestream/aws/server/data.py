"""What a server with `--data` serves: a broker that a file keeps, so that other processes share it.

The file's account and region are those of its clients; others are refused (`KeptBroker`).  A new file gets
the server's usual ones.  A virtual clock begins where the file's time ended, or where it always begins if
that is later.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from queuestream.aws.accounts import DEFAULT_ACCOUNT_ID, DEFAULT_REGION
from queuestream.aws.one_broker import KeptBroker
from queuestream.aws.server.manual_clock import ManualClock
from queuestream.storage.opening import open_broker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queuestream.core.delivery import Delivery
    from queuestream.core.queues.consistency import Consistency
    from queuestream.core.queues.limits import QueueLimits
    from queuestream.storage.store import Durability


def open_data(
    path: str | Path,
    *,
    durability: Durability,
    virtual_clock: bool,
    seed: int | str | None,
    account_id: str | None,
    region: str | None,
    queue_limits: QueueLimits,
    consistency: Consistency,
    delivery: Delivery | str,
    stream_settings: Mapping[str, object],
) -> KeptBroker:
    """Open a file, or make it, to serve what it keeps.

    Raises:
        StorageError: It cannot be opened; its subclasses say why.
    """
    path = Path(path)
    if not (path.exists() and path.stat().st_size):
        account_id, region = account_id or DEFAULT_ACCOUNT_ID, region or DEFAULT_REGION
    broker = open_broker(
        path,
        clock=ManualClock() if virtual_clock else None,
        seed=seed,
        account_id=account_id,
        region=region,
        queue_limits=queue_limits,
        consistency=consistency,
        delivery=delivery,
        durability=durability,
    )
    return KeptBroker(broker, path, durability, stream_settings=stream_settings)
