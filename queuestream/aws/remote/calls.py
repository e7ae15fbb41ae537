"""What an operation wants done, as values; and who does it, in a thread or in a task.

An operation over AWS is a generator: it yields a `Call` and is sent the answer, or has thrown into it what
the call raised; what it returns is the operation's result.  So it is written once, for threads and for
asyncio, and is tested without either:

    def purge(url: str) -> Steps[None]:
        yield Call("sqs", "PurgeQueue", {"QueueUrl": url})

    run(purge(url), transport)                  # blocks this thread
    await run_async(purge(url), transport)      # lets other tasks run

What a transport is, beyond these methods, is the transports' affair.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping

Service = Literal["sqs", "kinesis"]

R = TypeVar("R")


@attrs.define
class Call:
    """One request to AWS; its answer is botocore's parsed response.

    Attributes:
        service: Which of the two.
        operation: AWS's name: "SendMessage".
        request: What boto3 calls the keyword arguments.
    """

    service: Service
    operation: str
    request: Mapping[str, Any]


@attrs.define
class Pause:
    """A wait for nothing but time; its answer is None."""

    seconds: float


@attrs.define(eq=False)
class NextEvent:
    """The next event of an event stream; its answer is the event, and None at the stream's end.

    One object serves for the whole stream, because it remembers where it is.

    Attributes:
        call: What was answered by the stream.
        stream: The `EventStream` of the answer.
        iterator: Where it is; the transport's affair.
    """

    call: Call
    stream: Any
    iterator: Any = None


Step = Call | Pause | NextEvent
"""What an operation can want."""

Steps = Generator[Step, Any, R]
"""An operation over AWS that gives an R."""


class Transport(Protocol):
    """Who does what an operation wants, while a thread waits."""

    def do(self, step: Step) -> Any:
        """What came of it."""


class AsyncTransport(Protocol):
    """Who does what an operation wants, while other tasks run."""

    async def do(self, step: Step) -> Any:
        """What came of it."""


def run(steps: Steps[R], transport: Transport) -> R:
    """What an operation gives, after blocking this thread for as long as it takes."""
    try:
        step = next(steps)
        while True:
            try:
                answer = transport.do(step)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the operation's
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as done:
        result: R = done.value
        return result
    finally:
        steps.close()


async def run_async(steps: Steps[R], transport: AsyncTransport) -> R:
    """What an operation gives, while other tasks run; safe to cancel at every step."""
    try:
        step = next(steps)
        while True:
            try:
                answer = await transport.do(step)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the operation's
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as done:
        result: R = done.value
        return result
    finally:
        steps.close()


def present(**members: Any) -> dict[str, Any]:
    """A request without the members that are None, which stands for not given."""
    return {name: value for name, value in members.items() if value is not None}
