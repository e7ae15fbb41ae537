"""Who makes the calls: boto3's clients in threads, aiobotocore's in tasks.

One transport serves a broker.  It makes a client for each service when the service is first called, keeps
it, and closes both in the end.  Region, credentials and the rest come from where boto3 finds them, unless
they are given.  What a client does by itself and is done elsewhere here is off: its retries (`retrying`)
and its look at parameters, because the service has its own sentences for them.

Where no credentials are found and the endpoint is none of AWS's, requests are signed with made-up ones: the
endpoints that run on a developer's machine mostly ask for a signature, and look no further.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack, suppress
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs
import boto3
import urllib3.exceptions
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, ParamValidationError
from botocore.validate import ParamValidator

from queuestream.aws.remote.calls import Call, NextEvent, Pause
from queuestream.core.errors import BrokerClosed

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest

    from queuestream.aws.remote.calls import Service, Step

# A long poll takes 20 seconds, and a subscription's events come every five.
_READ_TIMEOUT_SECONDS = 60
_POOL_CONNECTIONS = 50
_LARGE_BYTES = 256 * 1024

_WHAT_THEY_NEED = {
    "connect_timeout": 5,
    "read_timeout": _READ_TIMEOUT_SECONDS,
    "max_pool_connections": _POOL_CONNECTIONS,
    "tcp_keepalive": True,
}
_WHAT_IS_DONE_HERE = {"retries": {"total_max_attempts": 1, "mode": "standard"}, "parameter_validation": False}

_MADE_UP = {"aws_access_key_id": "queuestream", "aws_secret_access_key": "queuestream"}

# What goes wrong in a client that is given something that no request can carry.
_UNSENDABLE = (TypeError, ValueError, AttributeError, LookupError)


@attrs.frozen(kw_only=True)
class Connection:
    """Where AWS is, and who asks.

    Attributes:
        region: Such as eu-west-1; the one that boto3 finds where None.
        endpoint_url: Another endpoint than AWS's own, for both services.
        profile: A profile of AWS's configuration files.
        session: The session to make clients with, a `boto3.Session`, for asyncio one of aiobotocore's; made
            here where None.
        config: A botocore `Config` to begin with.
    """

    region: str | None = None
    endpoint_url: str | None = None
    profile: str | None = None
    session: Any = None
    config: Config | None = None

    def arguments(self, config_class: type[Config], *, has_credentials: bool) -> dict[str, Any]:
        """What a client is made with; aiobotocore's has a class of configuration of its own."""
        config = config_class(**_WHAT_THEY_NEED)
        if self.config is not None:
            config = config.merge(self.config)
        config = config.merge(config_class(**_WHAT_IS_DONE_HERE))
        arguments = {"region_name": self.region, "endpoint_url": self.endpoint_url, "config": config}
        if not has_credentials and self.endpoint_url is not None and not _is_awss(self.endpoint_url):
            arguments |= _MADE_UP
        return arguments


def _is_awss(endpoint_url: str) -> bool:
    host = urlsplit(endpoint_url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))


class _Clients:
    """What both transports have: which client makes a call, by which of its methods."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._clients: dict[Service, Any] = {}
        self._methods: dict[tuple[Service, str], Any] = {}
        self.closed_because: str | None = None

    def _check_open(self) -> None:
        if self.closed_because is not None:
            raise BrokerClosed(self.closed_because)

    def _method(self, call: Call) -> Any:
        """The method of a client that is there already; None where it isn't."""
        key = call.service, call.operation
        method = self._methods.get(key)
        if method is None and (client := self._clients.get(call.service)) is not None:
            method = self._methods[key] = getattr(client, xform_name(call.operation))
        return method

    def _check_sendable(self, call: Call, error: Exception) -> None:
        """Say what is wrong with a request that made a client stumble, if it is the request."""
        model = self._clients[call.service].meta.service_model.operation_model(call.operation)
        report = ParamValidator().validate(dict(call.request), model.input_shape)
        if report.has_errors():
            raise ParamValidationError(report=report.generate_report()) from error


class Boto3Transport(_Clients):
    """The calls of many threads, by boto3.

    Args:
        connection: Where AWS is, and who asks.

    Attributes:
        closed_because: Why it takes no more calls; None while it does.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._lock = threading.Lock()  # making clients is no affair of two threads
        self._closing = threading.Event()
        self._session: Any = connection.session or boto3.Session(
            profile_name=connection.profile, region_name=connection.region
        )

    @property
    def region(self) -> str | None:
        """The region that is asked; None where nothing says which."""
        region: str | None = self._connection.region or self._session.region_name
        return region

    def do(self, step: Step) -> Any:
        """Make a call, let time pass, or wait for the next event of a stream."""
        self._check_open()
        if isinstance(step, Pause):
            self._closing.wait(step.seconds)
            return None
        if isinstance(step, NextEvent):
            return self._next_event(step)
        method = self._method(step) or self._made(step)
        try:
            return method(**step.request)
        except _UNSENDABLE as error:
            self._check_sendable(step, error)
            raise

    def _made(self, call: Call) -> Any:
        with self._lock:
            self._check_open()
            if call.service not in self._clients:
                arguments = self._connection.arguments(
                    Config, has_credentials=self._session.get_credentials() is not None
                )
                self._clients[call.service] = self._session.client(call.service, **arguments)
            return self._method(call)

    @staticmethod
    def _next_event(step: NextEvent) -> Any:
        if step.iterator is None:
            step.iterator = iter(step.stream)
        try:
            return next(step.iterator, None)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ConnectionClosedError(endpoint_url=step.call.operation, error=error) from error

    def close(self, reason: str = "it was closed") -> None:
        """Take no more calls.  What is under way is answered; pauses end."""
        with self._lock:
            if self.closed_because is None:
                self.closed_because = reason
                self._closing.set()
                for client in self._clients.values():
                    client.close()


class AiobotocoreTransport(_Clients):
    """The calls of many tasks of one event loop, by aiobotocore.

    Args:
        connection: Where AWS is, and who asks.

    Attributes:
        closed_because: Why it takes no more calls; None while it does.
    """

    def __init__(self, connection: Connection) -> None:
        from aiobotocore.session import AioSession  # noqa: PLC0415 - only asyncio needs it

        super().__init__(connection)
        self._lock = asyncio.Lock()
        self._closing = asyncio.Event()
        self._exit = AsyncExitStack()
        self._session: Any = connection.session or AioSession(profile=connection.profile)

    @property
    def region(self) -> str | None:
        """The region that is asked; None where nothing says which."""
        region: str | None = self._connection.region or self._session.get_config_variable("region")
        return region

    async def do(self, step: Step) -> Any:
        """Make a call, let time pass, or wait for the next event of a stream."""
        self._check_open()
        if isinstance(step, Pause):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), step.seconds)
            return None
        if isinstance(step, NextEvent):
            return await self._next_event(step)
        method = self._method(step) or await self._made(step)
        try:
            return await method(**step.request)
        except _UNSENDABLE as error:
            self._check_sendable(step, error)
            raise

    async def _made(self, call: Call) -> Any:
        from aiobotocore.config import AioConfig  # noqa: PLC0415 - only asyncio needs it

        async with self._lock:
            self._check_open()
            if call.service not in self._clients:
                arguments = self._connection.arguments(
                    AioConfig, has_credentials=await self._session.get_credentials() is not None
                )
                client = self._session.create_client(call.service, **arguments)
                self._clients[call.service] = await self._exit.enter_async_context(client)
                self._clients[call.service].meta.events.register("before-send", _send_in_pieces)
            return self._method(call)

    @staticmethod
    async def _next_event(step: NextEvent) -> Any:
        from aiohttp import ClientError  # noqa: PLC0415 - what aiobotocore speaks HTTP with

        if step.iterator is None:
            step.iterator = aiter(step.stream)
        try:
            return await anext(step.iterator, None)
        except (ClientError, TimeoutError, OSError) as error:
            raise ConnectionClosedError(endpoint_url=step.call.operation, error=error) from error

    async def close(self, reason: str = "it was closed") -> None:
        """Take no more calls.  What is under way is broken off; pauses end."""
        if self.closed_because is None:
            self.closed_because = reason
            self._closing.set()
            async with self._lock:
                await self._exit.aclose()


def _send_in_pieces(request: AWSPreparedRequest, **_: Any) -> None:
    """Let a large body be sent piece by piece: as a whole it holds up the loop, of which aiohttp warns."""
    if isinstance(request.body, bytes) and len(request.body) >= _LARGE_BYTES:
        request.body = BytesIO(request.body)
