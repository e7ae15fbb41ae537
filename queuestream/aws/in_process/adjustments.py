"""What has to be changed on a client so that it can be answered here, and how it is taken back.

Each is an attribute or a handler of one client; nothing is shared with other clients:

- stand-in credentials, where its own are absent or would be fetched over the network;
- moto's handler is taken away, which would answer SQS and Kinesis in our place while moto is active, too;
- botocore's rate limiter (retry mode `adaptive`) is taken away where waits obey a virtual clock: it
  blocks in real time;
- handlers that have seen a call's parameters are not asked again when the call goes on through botocore.
"""

from __future__ import annotations

import weakref
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from queuestream.aws.in_process.credentials import is_async, stand_in
from queuestream.aws.in_process.listeners import motos, rate_limiters

if TYPE_CHECKING:
    from collections.abc import Callable

built: ContextVar[Any] = ContextVar("queuestream_built_parameters", default=None)
"""The parameters that handlers have seen and that go on through botocore."""


class Adjustments:
    """What was changed on clients.  It keeps no client alive."""

    def __init__(self) -> None:
        self._undo = weakref.WeakKeyDictionary[Any, "list[Callable[[Any], object]]"]()

    def take_back(self) -> None:
        """Make every client what it was."""
        while self._undo:
            client, steps = self._undo.popitem()
            for step in reversed(steps):
                step(client)

    def _done(self, client: Any, undo: Callable[[Any], object]) -> None:
        self._undo.setdefault(client, []).append(undo)

    # --- what is changed ---

    def credentials(self, client: Any) -> None:
        """Let a client sign at once."""
        signer = client._request_signer
        before = signer._credentials
        after = stand_in(before, is_async=is_async(client))
        if after is not before:
            signer._credentials = after
            self._done(client, lambda client: setattr(client._request_signer, "_credentials", before))

    def handlers(self, client: Any, emitter: Any, service: str, *, waits_are_virtual: bool) -> None:
        """Take away who would answer, or block, in our place."""
        for handler in motos(emitter, service):
            self._unregister(client, handler)
        if waits_are_virtual:
            for handler in rate_limiters(emitter, service):
                self._unregister(client, handler)

    def _unregister(self, client: Any, handler: Any) -> None:
        client.meta.events.unregister("before-send", handler)
        self._done(client, lambda client: client.meta.events.register("before-send", handler))

    def parameters_once(self, client: Any) -> None:
        """Let parameters that handlers have seen go by them."""
        if "_emit_api_params" in vars(client):
            return
        client._emit_api_params = _once_async(client) if is_async(client) else _once(client)
        self._done(client, lambda client: vars(client).pop("_emit_api_params", None))


def _once(client: Any) -> Callable[..., Any]:
    reference = weakref.ref(client)

    def emit(api_params: Any, operation_model: Any, context: Any) -> Any:
        if built.get() is api_params:
            return api_params
        client: Any = reference()
        return type(client)._emit_api_params(client, api_params, operation_model, context)

    return emit


def _once_async(client: Any) -> Callable[..., Any]:
    reference = weakref.ref(client)

    async def emit(api_params: Any, operation_model: Any, context: Any) -> Any:
        if built.get() is api_params:
            return api_params
        client: Any = reference()
        return await type(client)._emit_api_params(client, api_params, operation_model, context)

    return emit
