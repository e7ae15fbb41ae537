"""Who listens to a client's events: botocore itself, other mocks, or the user.

botocore has handlers of its own on most events; what they do for a request on the wire (signing, headers,
retries) does not concern a call that is answered at once.  A user's handler does: it wants to see
what it always sees.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# What happens to a call's parameters before they are a request, and all that comes after.
_TO_PARAMETERS = ("provide-client-params", "before-parameter-build")
_AFTER_PARAMETERS = (
    "before-endpoint-resolution",
    "before-call",
    "request-created",
    "choose-signer",
    "before-sign",
    "before-send",
    "response-received",
    "before-parse",
    "needs-retry",
    "after-call",
    "after-call-error",
)
# botocore's own that have nothing to do for SQS and Kinesis: none of their members is an idempotency token.
_IDLE = {"generate_idempotent_uuid", "_handle_request_validation_mode_member"}
_BOTOCORES_OWN = {"boto3", "botocore", "aiobotocore"}
_FOR_USERS = {"botocore.stub", "aiobotocore.stub"}


class Listeners(NamedTuple):
    """Who listens to one operation of one client.

    Attributes:
        to_parameters: Whether somebody wants to see the parameters, or to change them.
        to_the_wire: Whether somebody wants to see what comes after.
        to_success: botocore's own that count successes, for their quota of retries.
    """

    to_parameters: bool
    to_the_wire: bool
    to_success: tuple[Callable[..., Any], ...]


def listeners(emitter: Any, service: str, operation: str) -> Listeners:
    """Who listens to an operation, by the emitter's own index.

    Args:
        emitter: botocore's `HierarchicalEmitter`.
        service: As in events: `sqs`.
        operation: AWS's name.
    """

    def handlers(event: str) -> Iterable[Any]:
        return emitter._handlers.prefix_search(f"{event}.{service}.{operation}")  # type: ignore[no-any-return]

    return Listeners(
        any(
            getattr(handler, "__name__", None) not in _IDLE or not is_botocores(handler)
            for event in _TO_PARAMETERS
            for handler in handlers(event)
        ),
        any(
            not is_botocores(handler) or _limits_rate(handler)
            for event in _AFTER_PARAMETERS
            for handler in handlers(event)
        ),
        tuple(
            handler
            for handler in handlers("after-call")
            if getattr(handler, "__name__", None) == "release_retry_quota"
        ),
    )


def is_botocores(handler: Any) -> bool:
    """Whether a handler is botocore's (or boto3's, or aiobotocore's) own."""
    module = module_of(handler)
    return module.partition(".")[0] in _BOTOCORES_OWN and module not in _FOR_USERS


def motos(emitter: Any, service: str) -> list[Any]:
    """The handlers of moto's mocks, which every client has that was made since moto was imported."""
    found = emitter._handlers.prefix_search(f"before-send.{service}")
    return [handler for handler in found if module_of(handler).partition(".")[0] == "moto"]


def rate_limiters(emitter: Any, service: str) -> list[Any]:
    """What blocks before a request is sent, in the retry mode `adaptive`."""
    return [
        handler
        for handler in emitter._handlers.prefix_search(f"before-send.{service}")
        if _limits_rate(handler)
    ]


def module_of(handler: Any) -> str:
    """Where a handler was written: a function, a method, or an object that can be called."""
    function = getattr(handler, "func", handler)  # of a partial
    owner = getattr(function, "__self__", None)
    if owner is not None and not isinstance(owner, type):
        return type(owner).__module__
    return str(getattr(function, "__module__", None) or type(function).__module__)


def _limits_rate(handler: Any) -> bool:
    return module_of(handler).endswith(".retries.adaptive")
