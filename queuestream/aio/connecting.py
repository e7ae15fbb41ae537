"""A broker by its URL, for asyncio."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from queuestream import engines
from queuestream.aio.brokers import AsyncBroker

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Unpack

    from queuestream.aws.remote.broker import AsyncRemoteBroker
    from queuestream.core.broker import Broker
    from queuestream.engines import ConnectOptions


class Connecting:
    """A broker that is being opened: to be entered by `async with`, which closes it, or to be awaited."""

    def __init__(self, url: str, options: ConnectOptions) -> None:
        self._url = url
        self._options = options
        self._broker: AsyncBroker | AsyncRemoteBroker | None = None

    def __await__(self) -> Generator[Any, Any, AsyncBroker | AsyncRemoteBroker]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncBroker | AsyncRemoteBroker:
        self._broker = await self._open()
        return self._broker

    async def __aexit__(self, *exc_info: object) -> None:
        if self._broker is not None:
            await self._broker.close()

    async def _open(self) -> AsyncBroker | AsyncRemoteBroker:
        engine = engines.parse_url(self._url).engine
        if engine == "aws":
            return engines.connect_async(self._url, **self._options)
        if engine == "memory":
            return AsyncBroker(cast("Broker", engines.connect(self._url, **self._options)))
        return AsyncBroker(await self._opened())

    async def _opened(self) -> Broker:
        """Open a file in a thread, since all of it is read."""
        opening = asyncio.ensure_future(asyncio.to_thread(engines.connect, self._url, **self._options))
        try:
            return cast("Broker", await asyncio.shield(opening))
        except asyncio.CancelledError:
            opening.add_done_callback(_close)  # nobody else would
            raise


def _close(opening: asyncio.Future[Any]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


def connect(url: str, **options: Unpack[ConnectOptions]) -> Connecting:
    """A broker with the engine that a URL names, for asyncio.

        async with connect("sqlite:///orders.db") as broker:
            queue = await broker.create_queue("orders")

    Args:
        url: As for `queuestream.connect`: `memory://`, `sqlite:///orders.db`, `aws://eu-west-1`.
        **options: As for `queuestream.connect`.

    Returns:
        Something to be entered by `async with`, which closes the broker in the end, or to be awaited.
    """
    return Connecting(url, options)
