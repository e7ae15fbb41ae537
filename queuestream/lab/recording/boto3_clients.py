"""Clients of boto3, botocore and aiobotocore that write down what is done with them.

botocore has one method that every call of a client goes through, with the operation's name and the
parameters.  Around it a call is seen whole: its own retries are inside, and a task that is cancelled is
seen, too, which botocore's events do not tell.  What is written down of it is in `client_calls`.
"""

from __future__ import annotations

from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from queuestream.lab.recording.client_calls import ClientCalls

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.lab.recording.recorder import Recorder
    from queuestream.lab.recording.shapes import Shape


def record_client(recorder: Recorder, target: Any, actor: str, application: str) -> Callable[[], None]:
    """See `Recorder.boto3`."""
    client = getattr(getattr(target, "meta", None), "client", target)  # a resource has a client
    service = getattr(getattr(getattr(client, "meta", None), "service_model", None), "service_name", None)
    if service not in ("sqs", "kinesis"):
        raise TypeError(f"A client of SQS or Kinesis is recorded, not {target!r}.")
    calls = ClientCalls(recorder, actor, application)
    own = vars(client).get("_make_api_call")
    if own is not None:  # it is wired to something
        client._make_api_call = ours = _recorded(calls, own)

        def end() -> None:
            calls.ended = True
            if vars(client).get("_make_api_call") is ours:  # else somebody has wrapped us
                client._make_api_call = own

        return end
    kind = type(client)
    # In a class, and not in the client itself, which mock_aws would take for a wired one.
    recorded = type(kind.__name__, (kind,), {"_make_api_call": _recorded_method(calls, kind)})
    client.__class__ = recorded

    def end_class() -> None:
        calls.ended = True
        if type(client) is recorded:
            client.__class__ = kind

    return end_class


def _recorded(calls: ClientCalls, call: Callable[..., Any]) -> Callable[..., Any]:
    """One client's `_make_api_call`, recorded."""

    def make_api_call(operation: str, parameters: Shape) -> Any:
        return calls.perform(call, operation, parameters)

    async def make_api_call_async(operation: str, parameters: Shape) -> Any:
        return await calls.perform_async(call, operation, parameters)

    return make_api_call_async if iscoroutinefunction(call) else make_api_call


def _recorded_method(calls: ClientCalls, kind: Any) -> Callable[..., Any]:
    """The same of a class; what its base class has is asked for each time, since mock_aws changes it."""

    def make_api_call(client: Any, operation: str, parameters: Shape) -> Any:
        return calls.perform(partial(kind._make_api_call, client), operation, parameters)

    async def make_api_call_async(client: Any, operation: str, parameters: Shape) -> Any:
        return await calls.perform_async(partial(kind._make_api_call, client), operation, parameters)

    return make_api_call_async if iscoroutinefunction(kind._make_api_call) else make_api_call
