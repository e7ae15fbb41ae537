"""`mock_aws`: SQS and Kinesis, for the boto3 and aiobotocore code inside it, in this process.

    with mock_aws(clock=VirtualClock()) as aws:
        boto3.client("sqs").create_queue(QueueName="emails")
        aws.clock.advance(hours=12)
        aws.broker().queue("emails")

    @mock_aws
    def test_something(): ...

Each that is entered is a world of its own, empty at first and gone when it is left; only an inner one without
arguments joins the one around it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from queuestream.aws.accounts import Aws
from queuestream.aws.in_process.carrier import Carrier
from queuestream.aws.in_process.decorating import decorated
from queuestream.aws.in_process.entering import enter, leave
from queuestream.aws.in_process.worlds import World, innermost, mine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queuestream.aws.fault_plans import FaultPlan
    from queuestream.core.clock import Clock
    from queuestream.core.delivery import Delivery
    from queuestream.core.queues.consistency import Consistency
    from queuestream.core.queues.limits import QueueLimits

_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


class MockAws:
    """What `mock_aws` gives: to enter (`with`, `async with`, `start` and `stop`), or to decorate with."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self._arguments = arguments
        self._lock = threading.Lock()
        self._entered: list[World] = []

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self._arguments.items())
        return f"mock_aws({arguments})"

    def around(self) -> World | None:
        """The world that is joined, where there are no arguments; None where there has to be a new one."""
        return None if self._arguments else mine()

    def new_world(self) -> World:
        """A world that nobody has entered yet."""
        arguments = dict(self._arguments)
        faults = arguments.pop("faults", None)
        refuses_others = arguments.pop("other_services", "pass") == "refuse"
        return World(Carrier(Aws(**arguments), faults), refuses_others=refuses_others)

    def start(self) -> Aws:
        """Enter; every `start` has its `stop`."""
        world = self.around() or self.new_world()
        enter(world)
        with self._lock:
            self._entered.append(world)
        return world.carrier.aws

    def stop(self) -> None:
        """Leave what was entered last, here or in another thread.

        Raises:
            RuntimeError: Nothing was.
        """
        with self._lock:
            if not self._entered:
                raise RuntimeError("This mock_aws was not entered, or was left already.")
            # Several threads and tasks may be inside of one mock_aws; each leaves its own.
            world = innermost(self._entered)
            del self._entered[len(self._entered) - 1 - self._entered[::-1].index(world)]
        leave(world)

    def __enter__(self) -> Aws:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Aws:
        return self.start()

    async def __aexit__(self, *_: object) -> None:
        self.stop()

    def __call__(self, target: _Decorated) -> _Decorated:
        """A function, coroutine function, generator function or class that runs inside."""
        wrapped: _Decorated = decorated(target, self)
        return wrapped


@overload
def mock_aws(target: _Decorated, /) -> _Decorated: ...


@overload
def mock_aws(
    *,
    clock: Clock | None = None,
    seed: int | str | None = None,
    account_id: str | None = None,
    region: str | None = None,
    queue_limits: QueueLimits | None = None,
    consistency: Consistency | None = None,
    delivery: Delivery | str | None = None,
    stream_settings: Mapping[str, object] | None = None,
    faults: FaultPlan | None = None,
    other_services: Literal["pass", "refuse"] | None = None,
) -> MockAws: ...


def mock_aws(
    target: Any = None,
    /,
    *,
    clock: Clock | None = None,
    seed: int | str | None = None,
    account_id: str | None = None,
    region: str | None = None,
    queue_limits: QueueLimits | None = None,
    consistency: Consistency | None = None,
    delivery: Delivery | str | None = None,
    stream_settings: Mapping[str, object] | None = None,
    faults: FaultPlan | None = None,
    other_services: Literal["pass", "refuse"] | None = None,
) -> Any:
    """Answer boto3 and aiobotocore in this process, for SQS and Kinesis.

    A context manager (also `async with`) that gives the `Aws` inside, and a decorator, with or without
    arguments.  Clients, resources, waiters and sessions may have been made before.

    Args:
        target: What to decorate.
        clock: The time that everything obeys: timeouts, long polls, waiters, retries.  The machine's where
            none is given.
        seed: Makes every id repeatable.
        account_id: The account of clients whose access key names no other; 123456789012.
        region: The region of clients that name none; us-east-1.
        queue_limits: SQS's quotas; AWS's values where none are given.
        consistency: How long SQS takes until a change holds; it does at once where none is given.
        delivery: How messages and records are delivered, as for `Broker`: `"aws_like"`, say.
        stream_settings: What new streams are made with, besides what CreateStream says: see `Aws`.
        faults: What goes wrong on purpose.
        other_services: `"pass"` leaves clients of other services alone; `"refuse"` lets none of their
            requests out of the process.

    Raises:
        ValueError: `other_services` is something else.
    """
    if other_services not in {None, "pass", "refuse"}:
        raise ValueError(f'other_services is "pass" or "refuse", not {other_services!r}.')
    given = {
        "clock": clock,
        "seed": seed,
        "account_id": account_id,
        "region": region,
        "queue_limits": queue_limits,
        "consistency": consistency,
        "delivery": delivery,
        "stream_settings": stream_settings,
        "faults": faults,
        "other_services": other_services,
    }
    mock = MockAws({name: value for name, value in given.items() if value is not None})
    return mock if target is None else mock(target)
