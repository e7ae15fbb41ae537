"""What of botocore and aiobotocore is replaced while a `mock_aws` is open, and put back when none is.

    BaseClient._make_api_call      a call: answered at once, or through botocore
    Endpoint._send                 the one place where botocore opens a socket
    Endpoint._needs_retry          sleeps before a retry
    Waiter.wait                    sleeps between two polls
    Session.create_client          looks for credentials, at last on the network

and their counterparts of aiobotocore, from the moment it is loaded.  The replacements are in the classes, so
they concern clients, waiters and sessions made before as well as inside; each asks which world is
meant, and is the original where there is none, or where it is not about SQS or Kinesis.

Who has put something of his own in one of these places (tracing does) is respected: calls then go through his
function, and botocore whole.
"""

from __future__ import annotations

import functools
import inspect
import sys
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from queuestream.aws.in_process import credentials
from queuestream.aws.in_process.adjustments import Adjustments
from queuestream.aws.in_process.connection import known_answer
from queuestream.aws.in_process.sleeping import sleep_async, sleeping_on
from queuestream.aws.in_process.worlds import current
from queuestream.aws.models import SERVICES
from queuestream.core.errors import QueuestreamError

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.aws.in_process.worlds import World
    from queuestream.core.clock import Clock

# Every original that was met so far, and what takes its place.
_made: list[tuple[Any, Any]] = []


class ServiceRefused(QueuestreamError):
    """A request to a service that is not mocked, where `mock_aws(other_services="refuse")` lets none out."""

    def __init__(self, service: str, url: str) -> None:
        super().__init__(
            f'mock_aws(other_services="refuse") lets no request out, and this one was for {service}: {url}. '
            "Mock that service, too (moto can be used together with this), or let it pass."
        )
        self.service = service
        self.url = url


class _Replaced(NamedTuple):
    owner: type
    name: str
    original: Any
    ours: Any


class Patches:
    """The replacements, in place while somebody holds them."""

    def __init__(self) -> None:
        self.adjustments = Adjustments()
        self._lock = threading.RLock()
        self._holders = 0
        self._replaced: list[_Replaced] = []
        self._has_aiobotocore = False

    def hold(self) -> None:
        """Have them in place until `release`."""
        with self._lock:
            self._holders += 1
            self.complete()

    def release(self) -> None:
        """Put back what was there before, if nobody else holds them."""
        with self._lock:
            self._holders -= 1
            if self._holders:
                return
            for owner, name, original, ours in reversed(self._replaced):
                # Who has replaced ours by his own has wrapped it, and goes on through it: nothing is open.
                if vars(owner).get(name) is ours:
                    setattr(owner, name, original)
            self._replaced.clear()
            self._has_aiobotocore = False
            self.adjustments.take_back()

    def complete(self) -> None:
        """Replace what has been loaded by now and is not replaced yet."""
        with self._lock:
            if self._holders and not self._replaced:
                self._botocore()
            if self._holders and not self._has_aiobotocore and "aiobotocore.session" in sys.modules:
                self._has_aiobotocore = True
                self._aiobotocore()

    def _botocore(self) -> None:
        from botocore.client import BaseClient  # noqa: PLC0415 - not before somebody mocks
        from botocore.endpoint import Endpoint  # noqa: PLC0415
        from botocore.session import Session  # noqa: PLC0415
        from botocore.waiter import Waiter  # noqa: PLC0415

        self._replace(BaseClient, "_make_api_call", self._make_api_call)
        self._replace(Endpoint, "_send", _send)
        self._replace(Endpoint, "_needs_retry", _needs_retry)
        self._replace(Waiter, "wait", _wait)
        self._replace(Session, "create_client", functools.partial(credentials.completing, _region_for))
        self._replace(Session, "__init__", self._begin_session)

    def _aiobotocore(self) -> None:
        from aiobotocore import endpoint, waiter  # noqa: PLC0415 - it is loaded
        from aiobotocore.client import AioBaseClient  # noqa: PLC0415
        from aiobotocore.session import AioSession  # noqa: PLC0415

        self._replace(AioBaseClient, "_make_api_call", self._make_api_call_async)
        self._replace(endpoint.AioEndpoint, "_send", _send_async)
        self._replace(
            AioSession, "_create_client", functools.partial(credentials.completing_async, _region_for)
        )
        if not hasattr(endpoint.AioEndpoint, "_sleep"):  # before version 3
            self._replace(endpoint.AioEndpoint, "_needs_retry", _needs_retry)
            self._replace(waiter.AIOWaiter, "wait", _wait)
        for module, clock_of in ((endpoint, _clock_of_endpoint), (waiter, _clock_of_waiter)):
            for kind in list(vars(module).values()):
                if isinstance(kind, type) and "_sleep" in vars(kind) and kind.__module__ == module.__name__:
                    self._replace(kind, "_sleep", functools.partial(_sleep_async, clock_of))

    def _replace(self, owner: type, name: str, replacement: Callable[[Any], Any]) -> None:
        # Ours may still be there: somebody has put back what he had found while we were in place.
        original = original_of(vars(owner)[name])
        ours = next((ours for theirs, ours in _made if theirs is original), None)
        if ours is None:
            ours = replacement(original)
            functools.update_wrapper(ours, original)
            _made.append((original, ours))
        self._replaced.append(_Replaced(owner, name, original, ours))
        setattr(owner, name, ours)

    # --- what takes their places ---

    def _begin_session(self, original: Any) -> Any:
        def begin(session: Any, *args: Any, **kwargs: Any) -> None:
            original(session, *args, **kwargs)
            self.complete()  # this may be aiobotocore's first

        return begin

    def _make_api_call(self, original: Any) -> Any:
        may_answer = is_botocores(original)

        def make_api_call(client: Any, operation_name: str, api_params: Any) -> Any:
            world = current()
            if world is None:
                return original(client, operation_name, api_params)
            connection = world.connections.get(id(client))
            if connection is None:
                if self._is_for_others(client, world):
                    return original(client, operation_name, api_params)
                connection = world.connect(client, self.adjustments, original, may_answer=may_answer)
            if connection.through_botocore is not original:  # who has wrapped us goes on through us
                return original(client, operation_name, api_params)
            return connection.call(client, operation_name, api_params)

        return make_api_call

    def _make_api_call_async(self, original: Any) -> Any:
        may_answer = is_botocores(original)

        async def make_api_call(client: Any, operation_name: str, api_params: Any) -> Any:
            world = current()
            if world is None:
                return await original(client, operation_name, api_params)
            connection = world.connections.get(id(client))
            if connection is None:
                if self._is_for_others(client, world):
                    return await original(client, operation_name, api_params)
                connection = world.connect(client, self.adjustments, original, may_answer=may_answer)
            if connection.through_botocore is not original:  # who has wrapped us goes on through us
                return await original(client, operation_name, api_params)
            return await connection.call_async(client, operation_name, api_params)

        return make_api_call

    def _is_for_others(self, client: Any, world: World) -> bool:
        """Whether a client is none of ours: of another service, or wired to something else."""
        if client.meta.service_model.service_name not in SERVICES:
            if world.refuses_others:  # when it is sent; until then it has to be signed
                self.adjustments.credentials(client)
            return True
        return "_make_api_call" in vars(client)


def original_of(function: Any) -> Any:
    """What stands behind a replacement; the function itself where it is none."""
    return next((original for original, ours in _made if ours is function), function)


def is_botocores(function: Any) -> bool:
    """Whether a function, and what it wraps, is the one that botocore or aiobotocore came with."""
    while inspect.isfunction(function):
        if function.__globals__.get("__name__", "").partition(".")[0] not in {"botocore", "aiobotocore"}:
            return False
        if not hasattr(function, "__wrapped__"):
            return True
        function = function.__wrapped__
    return False


def _send(original: Any) -> Any:
    def send(endpoint: Any, request: Any) -> Any:
        world = current()
        if world is None:
            return original(endpoint, request)
        if endpoint._endpoint_prefix not in SERVICES:
            _refuse(world, endpoint, request)
            return original(endpoint, request)
        known = known_answer(endpoint)
        return world.carrier.response(request, known) if known else world.carrier.send(request)

    return send


def _send_async(original: Any) -> Any:
    async def send(endpoint: Any, request: Any) -> Any:
        world = current()
        if world is None:
            return await original(endpoint, request)
        if endpoint._endpoint_prefix not in SERVICES:
            _refuse(world, endpoint, request)
            return await original(endpoint, request)
        known = known_answer(endpoint)
        if known is not None:
            return world.carrier.response_async(request, known)
        return await world.carrier.send_async(request)

    return send


def _refuse(world: World, endpoint: Any, request: Any) -> None:
    if world.refuses_others:
        raise ServiceRefused(endpoint._endpoint_prefix, request.url)


def _clock_of_endpoint(endpoint: Any) -> Clock | None:
    world = current() if endpoint._endpoint_prefix in SERVICES else None
    return None if world is None else world.carrier.sleeps_on


def _clock_of_waiter(waiter: Any) -> Clock | None:
    client = getattr(getattr(waiter._operation_method, "_client_method", None), "__self__", None)
    endpoint = getattr(client, "_endpoint", None)
    return None if endpoint is None else _clock_of_endpoint(endpoint)


def _needs_retry(original: Any) -> Any:
    def needs_retry(endpoint: Any, *args: Any, **kwargs: Any) -> Any:
        clock = _clock_of_endpoint(endpoint)
        function = original if clock is None else sleeping_on(original, clock)
        return function(endpoint, *args, **kwargs)

    return needs_retry


def _wait(original: Any) -> Any:
    def wait(waiter: Any, **kwargs: Any) -> Any:
        clock = _clock_of_waiter(waiter)
        function = original if clock is None else sleeping_on(original, clock)
        return function(waiter, **kwargs)

    return wait


def _sleep_async(clock_of: Callable[[Any], Clock | None], original: Any) -> Any:
    async def sleep(owner: Any, seconds: float) -> None:
        clock = clock_of(owner)
        await (original(owner, seconds) if clock is None else sleep_async(clock, seconds))

    return sleep


def _region_for(arguments: dict[str, Any]) -> str | None:
    world = current()
    if world is None or not (arguments.get("service_name") in SERVICES or world.refuses_others):
        return None
    return world.carrier.aws.region


PATCHES = Patches()
"""The one set of replacements in this process."""
