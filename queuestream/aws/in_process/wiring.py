"""`wire`: one client, or one session with the clients it makes, answered in this process, and nothing else.

    sqs = wire(boto3.client("sqs", region_name="us-east-1"), broker)

What `mock_aws` puts into botocore's classes stands here in the attributes of one client, its endpoint and
its waiters.  A wired client goes its own way inside a `mock_aws`, too.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

from queuestream.aws.accounts import Aws
from queuestream.aws.in_process import credentials
from queuestream.aws.in_process.adjustments import Adjustments
from queuestream.aws.in_process.carrier import Carrier
from queuestream.aws.in_process.connection import Connection, known_answer
from queuestream.aws.in_process.patches import is_botocores, original_of
from queuestream.aws.in_process.sleeping import sleep_async, sleeping_on
from queuestream.aws.models import SERVICES
from queuestream.aws.one_broker import OneBroker
from queuestream.core.broker import Broker

if TYPE_CHECKING:
    from queuestream.aws.fault_plans import FaultPlan
    from queuestream.core.clock import Clock

_Wired = TypeVar("_Wired")


def wire(target: _Wired, aws: Aws | Broker | None = None, *, faults: FaultPlan | None = None) -> _Wired:
    """Answer one client, or those of SQS and Kinesis that one session makes from now on, in this process.

    Args:
        target: A client or a resource of boto3, a client of botocore or aiobotocore; or a session of theirs.
        aws: What answers: accounts and regions, each with a broker; or one broker, whoever calls and from
            whatever region.  New accounts and regions where None.
        faults: What goes wrong on purpose.

    Returns:
        The target.

    Raises:
        TypeError: It is none of these, or a client of another service.
    """
    if isinstance(aws, Broker):
        aws = OneBroker(aws)
    carrier = Carrier(Aws() if aws is None else aws, faults)
    session = getattr(target, "_session", target)  # boto3's has botocore's
    if hasattr(session, "create_client"):
        _wire_session(session, carrier)
        return target
    client = getattr(getattr(target, "meta", None), "client", target)  # a resource has a client
    model = getattr(getattr(client, "meta", None), "service_model", None)
    if getattr(model, "service_name", None) not in SERVICES:
        raise TypeError(f"wire() takes a session, or a client or resource of SQS or Kinesis, not {target!r}.")
    _wire_client(client, carrier)
    return target


def _wire_session(session: Any, carrier: Carrier) -> None:
    def begin(base_classes: list[type], **_: object) -> None:
        base_classes.insert(0, _wired_class(carrier))

    def region_for(arguments: dict[str, Any]) -> str | None:
        return carrier.aws.region if arguments.get("service_name") in SERVICES else None

    for service in SERVICES:
        session.register(f"creating-client-class.{service}", begin)
    kind = type(session)
    if hasattr(session, "_create_client"):  # aiobotocore's
        complete = credentials.completing_async(region_for, kind._create_client)
        session._create_client = functools.partial(complete, session)
    else:
        complete = credentials.completing(region_for, kind.create_client)
        session.create_client = functools.partial(complete, session)


def _wired_class(carrier: Carrier) -> type:
    """A base class of clients that are wired from the beginning."""

    class Wired:
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            _wire_client(self, carrier)

    return Wired


def _wire_client(client: Any, carrier: Carrier) -> None:
    original = original_of(type(client)._make_api_call)
    connection = Connection(client, carrier, Adjustments(), original, may_answer=is_botocores(original))
    if credentials.is_async(client):
        client._make_api_call = functools.partial(connection.call_async, client)
        _wire_endpoint_async(client._endpoint, carrier)
    else:
        client._make_api_call = functools.partial(connection.call, client)
        _wire_endpoint(client._endpoint, carrier)
    if carrier.sleeps_on is not None:
        _wire_waiters(client, carrier.sleeps_on)


def _wire_endpoint(endpoint: Any, carrier: Carrier) -> None:
    def send(request: Any) -> Any:
        known = known_answer(endpoint)
        return carrier.send(request) if known is None else carrier.response(request, known)

    endpoint._send = send
    if carrier.sleeps_on is not None:
        _wire_retries(endpoint, carrier.sleeps_on)


def _wire_endpoint_async(endpoint: Any, carrier: Carrier) -> None:
    async def send(request: Any) -> Any:
        known = known_answer(endpoint)
        if known is not None:
            return carrier.response_async(request, known)
        return await carrier.send_async(request)

    endpoint._send = send
    if carrier.sleeps_on is None:
        return
    if hasattr(endpoint, "_sleep"):
        endpoint._sleep = functools.partial(sleep_async, carrier.sleeps_on)
    else:  # aiobotocore before version 3
        _wire_retries(endpoint, carrier.sleeps_on)


def _wire_retries(endpoint: Any, clock: Clock) -> None:
    needs_retry = sleeping_on(original_of(type(endpoint)._needs_retry), clock)
    endpoint._needs_retry = functools.partial(needs_retry, endpoint)


def _wire_waiters(client: Any, clock: Clock) -> None:
    def get_waiter(waiter_name: str) -> Any:
        waiter = type(client).get_waiter(client, waiter_name)
        if hasattr(waiter, "_sleep"):
            waiter._sleep = functools.partial(sleep_async, clock)
        else:
            documented: Any = type(waiter)  # the waiter's own class only documents the function of its base
            wait = original_of(documented.__base__.wait)
            waiter.wait = functools.partial(sleeping_on(wait, clock), waiter)
        return waiter

    client.get_waiter = get_waiter
