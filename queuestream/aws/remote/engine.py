"""What every broker over AWS stands on: a transport, retries, and the running of operations.

`RemoteEngine` runs them in the calling thread, `AsyncRemoteEngine` in the calling task; what brokers can
do with queues and with streams is mixed in.  An operation becomes a method by `operation`, or
`async_operation`, which takes signature and docstring from the core's and has type checkers see that the
two agree.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Concatenate, Generic, NoReturn, ParamSpec, Self, TypeVar

from queuestream.aws.remote.calls import run, run_async
from queuestream.aws.remote.retrying import Retries
from queuestream.aws.remote.transports import AiobotocoreTransport, Boto3Transport, Connection
from queuestream.core.errors import BrokerClosed, NotSupportedByEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from botocore.config import Config

    from queuestream.aws.remote.calls import AsyncTransport, Steps, Transport

P = ParamSpec("P")
R = TypeVar("R")

ENGINE = "aws"


def not_supported(asked: str, advice: str) -> NotSupportedByEngine:
    """The error for what AWS has not."""
    return NotSupportedByEngine(ENGINE, asked, advice)


class _Engine:
    """What both have.

    Args:
        region: Such as eu-west-1; the one that boto3 finds where None.
        endpoint_url: Another endpoint than AWS's own: `queuestream serve`, or what speaks as AWS does.
        profile: A profile of AWS's configuration files.
        wait: Whether calls that change a stream's shape return when it is ACTIVE again.
        session: The session to make clients with; made here where None.
        config: A botocore `Config` to begin with.
        seed: Makes the pauses between attempts repeatable.
        retries: How calls are made again; as `Retries` says where None.

    Attributes:
        wait: As given.
    """

    _transport: Boto3Transport | AiobotocoreTransport

    def __init__(
        self,
        region: str | None = None,
        *,
        endpoint_url: str | None = None,
        profile: str | None = None,
        wait: bool = True,
        session: Any = None,
        config: Config | None = None,
        seed: int | str | None = None,
        retries: Retries | None = None,
    ) -> None:
        self.wait = wait
        self._retries = Retries(seed=seed) if retries is None else retries
        self._connect(
            Connection(
                region=region, endpoint_url=endpoint_url, profile=profile, session=session, config=config
            )
        )

    def _connect(self, connection: Connection) -> None:
        raise NotImplementedError

    @property
    def region(self) -> str:
        """The region that is asked; empty where nobody has said which."""
        return self._transport.region or ""

    @property
    def closed_because(self) -> str | None:
        """Why the broker takes no more calls; None while it does."""
        return self._transport.closed_because

    def check_open(self) -> None:
        """Let a call go on.

        Raises:
            BrokerClosed: The broker takes no more calls.
        """
        if self.closed_because is not None:
            raise BrokerClosed(self.closed_because)

    def __repr__(self) -> str:
        closed = "" if self.closed_because is None else ": closed"
        return f"<{type(self).__name__} in {self.region or 'no region'}{closed}>"


class RemoteEngine(_Engine):
    """Runs operations in the thread that calls; safe to share between threads."""

    _transport: Boto3Transport

    def _connect(self, connection: Connection) -> None:
        self._transport = Boto3Transport(connection)

    def _run(self, steps: Steps[R]) -> R:
        """What an operation gives."""
        transport: Transport = self._transport
        return run(self._retries.carefully(steps), transport)

    def close(self, reason: str = "it was closed") -> None:
        """Take no more calls.  Those under way are answered; closing again changes nothing."""
        self._transport.close(reason)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class AsyncRemoteEngine(_Engine):
    """Runs operations in the task that calls; for one event loop."""

    _transport: AiobotocoreTransport

    def _connect(self, connection: Connection) -> None:
        self._transport = AiobotocoreTransport(connection)

    async def _run(self, steps: Steps[R]) -> R:
        """What an operation gives."""
        transport: AsyncTransport = self._transport
        return await run_async(self._retries.carefully(steps), transport)

    async def close(self, reason: str = "it was closed") -> None:
        """Take no more calls.  Closing again changes nothing."""
        await self._transport.close(reason)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()


# --- from an operation to a method ------------------------------------------------------------------------


def operation(
    like: Callable[Concatenate[Any, P], R], steps: Callable[Concatenate[Any, P], Steps[R]]
) -> Callable[Concatenate[Any, P], R]:
    """A method that runs an operation of its object's `_operations` on its `broker`.

    Args:
        like: The core's method.
        steps: The operation; the same parameters and the same result.
    """

    @functools.wraps(like)
    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        result: R = self.broker._run(steps(self._operations, *args, **kwargs))
        return result

    return method


def async_operation(
    like: Callable[Concatenate[Any, P], R], steps: Callable[Concatenate[Any, P], Steps[R]]
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, R]]:
    """The same, to be awaited."""

    @functools.wraps(like)
    async def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        result: R = await self.broker._run(steps(self._operations, *args, **kwargs))
        return result

    return method


class Asked(Generic[R]):
    """What a property of the core's is where AWS has to be asked: to be awaited, each time anew.

    Args:
        ask: Asks.
        name: The property, for the sentence to who forgets to await it.
    """

    def __init__(self, ask: Callable[[], Coroutine[Any, Any, R]], name: str) -> None:
        self._ask = ask
        self._name = name

    def __await__(self) -> Generator[Any, Any, R]:
        return self._ask().__await__()

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"AWS is asked for {self._name}: it has to be awaited before it has {name!r}.")

    def __repr__(self) -> str:
        return f"<{self._name}, to be awaited>"
