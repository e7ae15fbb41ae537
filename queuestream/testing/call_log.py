"""Which operations a program called, with what, and what came back.

    calls = CallLog(clock)
    sqs = calls.watch(boto3.client("sqs"))              # or a Queue, a Stream, a Broker, an AsyncQueue ...
    place_order(sqs)

    calls.last.answer["MessageId"]
    calls.assert_called("SendMessage", resource="orders", MessageBody="2 lamps")

Operations and resources have AWS's names, for our own queues and streams as for boto3's clients.  A call is
one call of the program's: botocore's retries are within it, and what boto3 makes our own queues do for it
is no other call.  How a thing is watched is in `watching.py`, what a call is compared with in `expecting.py`.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar, overload

from queuestream.core.clock import SECOND, Clock, SystemClock, Wakeup, duration_ns
from queuestream.testing.expecting import (
    ExpectedCall,
    assert_nothing_else,
    assigned,
    matched,
    shown_pairs,
    shown_value,
    times_in_words,
)
from queuestream.testing.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self

_Watched = TypeVar("_Watched")

_SHOWN_MAX = 20
# What the resource says already.
_NAMES_OF_RESOURCES = {"QueueUrl", "QueueName", "StreamName", "StreamARN", "queue_name", "name"}


class Call:
    """One call of one operation.  Read it, don't change it.

    Attributes:
        number: Which call of the log it is, counted from 1.
        operation: AWS's name: `SendMessage`.
        resource: The name of the queue or stream; empty where the call names none.
        parameters: What it was called with, under the names that the caller used.
        answer: What came back; None until then, and where nothing did.
        error: What was raised instead; None where nothing was.
        started_ns: When it began, in nanoseconds since the epoch on the log's clock.
        ended_ns: When it was over; None until then.
    """

    __slots__ = ("answer", "ended_ns", "error", "number", "operation", "parameters", "resource", "started_ns")

    def __init__(
        self, number: int, operation: str, resource: str, parameters: dict[str, Any], started_ns: int
    ) -> None:
        self.number = number
        self.operation = operation
        self.resource = resource
        self.parameters = parameters
        self.answer: Any = None
        self.error: BaseException | None = None
        self.started_ns = started_ns
        self.ended_ns: int | None = None

    def __repr__(self) -> str:
        return f"<{self.number}. {self}>"

    def __str__(self) -> str:
        on = f" {self.resource}" if self.resource else ""
        told = {name: value for name, value in self.parameters.items() if name not in _NAMES_OF_RESOURCES}
        return f"{self.operation}{on}({shown_pairs(told)}) -> {self._outcome()}"

    def _outcome(self) -> str:
        if self.error is not None:
            return f"{type(self.error).__name__}: {self.error}"
        if self.ended_ns is None:
            return "still going on"
        answer = self.answer
        if isinstance(answer, dict):
            answer = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
        return shown_value(answer)


class CallLog:
    """The calls of what is watched, in the order in which they began.  Safe to share between threads.

    Args:
        clock: The time of the calls, and of `wait_for`; the machine's where None.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = SystemClock() if clock is None else clock
        self._calls: list[Call] = []
        self._lock = threading.Lock()
        self._waiting: list[Wakeup] = []
        self._watching = Watching(self)

    # --- what is watched ---

    def watch(self, thing: _Watched) -> _Watched:
        """Log every call of this object from now on; gives the object.

        Args:
            thing: A client or resource of boto3, a client of botocore or aiobotocore; a queue, a stream or a
                broker of ours, of any engine, for threads or for asyncio.  With a broker, also the queues and
                streams that it gives from now on.

        Raises:
            TypeError: It is none of these.
        """
        self._watching.watch(thing)
        return thing

    def close(self) -> None:
        """Watch nothing any more; the log stays."""
        self._watching.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def begin(self, operation: str, resource: str, parameters: dict[str, Any]) -> Call:
        """A call begins: for whoever watches something of his own."""
        started_ns = self.clock.now_ns()
        with self._lock:
            call = Call(len(self._calls) + 1, operation, resource, parameters, started_ns)
            self._calls.append(call)
        return call

    def end(self, call: Call, answer: Any = None, error: BaseException | None = None) -> None:
        """A call is over: for whoever watches something of his own."""
        call.answer, call.error = answer, error
        call.ended_ns = self.clock.now_ns()
        with self._lock:
            waiting = list(self._waiting)
        for wakeup in waiting:
            wakeup.set()

    # --- what was called ---

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(list(self._calls))

    @overload
    def __getitem__(self, place: int) -> Call: ...

    @overload
    def __getitem__(self, place: slice) -> list[Call]: ...

    def __getitem__(self, place: int | slice) -> Call | list[Call]:
        return self._calls[place]

    def __repr__(self) -> str:
        times = Counter(self.operations)
        return f"<CallLog: {', '.join(f'{count} {name}' for name, count in times.items()) or 'no calls'}>"

    def __str__(self) -> str:
        return "\n".join(self.lines())

    @property
    def operations(self) -> list[str]:
        """The names of the operations, in the order of the calls."""
        return [call.operation for call in self]

    @property
    def last(self) -> Call:
        """The call that began last.

        Raises:
            LookupError: There is none.
        """
        if not self._calls:
            raise LookupError("Nothing was called yet.")
        return self._calls[-1]

    @property
    def failed(self) -> list[Call]:
        """The calls that raised something."""
        return [call for call in self if call.error is not None]

    def of(
        self,
        operation: str = "*",
        *,
        resource: str = "*",
        where: Callable[[Call], bool] | None = None,
        **parameters: Any,
    ) -> list[Call]:
        """The calls of an operation.

        Args:
            operation: AWS's name, or a pattern: `Send*`.
            resource: The name of the queue or stream, or a pattern.
            where: What else must be true of a call.
            **parameters: What it must have been called with; more is fine.  Names are the same in AWS's
                spelling and in Python's.
        """
        return matched(ExpectedCall(operation, resource=resource, where=where, **parameters), self)

    def clear(self) -> None:
        """Forget the calls; watch on."""
        with self._lock:
            self._calls.clear()

    def lines(self, last: int = _SHOWN_MAX) -> Iterator[str]:
        """The last calls for people, a line each, and how many there were."""
        calls = self._calls[-last:]
        counted = f"{len(self._calls)} call{'s' * (len(self._calls) != 1)}"
        yield (
            f"{counted}, the last {last}:"
            if len(self._calls) > last
            else f"{counted}:"
            if calls
            else "no calls"
        )
        for call in calls:
            yield f"  {call.number}. {call}"

    # --- what should have been called ---

    def assert_called(
        self,
        operation: str,
        *,
        times: int | None = None,
        resource: str = "*",
        where: Callable[[Call], bool] | None = None,
        **parameters: Any,
    ) -> list[Call]:
        """Assert that an operation was called.

        Args:
            operation: As for `of`.
            times: How often exactly; once at least where None.
            resource: As for `of`.
            where: As for `of`.
            **parameters: As for `of`.

        Returns:
            Those calls.

        Raises:
            AssertionError: It was not; the sentence says which calls came near, and what differs.
        """
        __tracebackhide__ = True
        expected = ExpectedCall(operation, resource=resource, where=where, **parameters)
        found = matched(expected, self)
        if (not found) if times is None else (len(found) != times):
            raise AssertionError(expected.missed(self, found, times_in_words(times) if found else ""))
        return found

    def assert_not_called(
        self,
        operation: str = "*",
        *,
        resource: str = "*",
        where: Callable[[Call], bool] | None = None,
        **parameters: Any,
    ) -> None:
        """Assert that an operation was not called; nothing at all where none is named.

        Raises:
            AssertionError: It was.
        """
        __tracebackhide__ = True
        self.assert_called(operation, times=0, resource=resource, where=where, **parameters)

    def assert_called_in_any_order(self, *expected: ExpectedCall, only: bool = False) -> list[Call]:
        """Assert that each of these was called, by a call of its own, in whatever order.

        Args:
            *expected: What should have been called.
            only: Whether nothing else may have been.

        Returns:
            Their calls, in the order of the arguments.

        Raises:
            AssertionError: Some were not, or there were others.
        """
        __tracebackhide__ = True
        calls = list(self)
        found = assigned(expected, calls)
        missed = [expectation for expectation, call in zip(expected, found, strict=True) if call is None]
        if missed:
            once_more = ", and is expected once more"
            told = [(expectation, matched(expectation, calls)) for expectation in missed]
            raise AssertionError(
                "\n".join(one.missed(self, fitting, once_more if fitting else "") for one, fitting in told)
            )
        assert_nothing_else(calls, found if only else calls)
        return [call for call in found if call is not None]

    def assert_called_in_order(self, *expected: ExpectedCall) -> list[Call]:
        """Assert that these were called one after the other; others may have been called between them.

        Returns:
            Their calls.

        Raises:
            AssertionError: They were not, or in another order.
        """
        __tracebackhide__ = True
        found: list[Call] = []
        for expectation in expected:
            fitting = matched(expectation, self)
            after = found[-1] if found else None
            call = next((call for call in fitting if after is None or call.number > after.number), None)
            if call is None:
                but = f", but not after call {after.number}, {after.operation}" if after and fitting else ""
                raise AssertionError(expectation.missed(self, fitting, but))
            found.append(call)
        return found

    # --- what will be called ---

    def wait_for(
        self,
        operation: str,
        *,
        times: int = 1,
        timeout_seconds: float = 60,
        resource: str = "*",
        where: Callable[[Call], bool] | None = None,
        **parameters: Any,
    ) -> Call:
        """Block until an operation was called and has answered; at once where that is so already.

        No real time passes on a virtual clock: it goes on when everybody waits.

        Args:
            operation: As for `of`.
            times: How often it must have been called.
            timeout_seconds: How long to wait, on the log's clock.
            resource: As for `of`.
            where: As for `of`.
            **parameters: As for `of`.

        Returns:
            The call, the last of them where it is to be several.

        Raises:
            AssertionError: It was not called in time.
        """
        __tracebackhide__ = True
        expected = ExpectedCall(operation, resource=resource, where=where, **parameters)
        wait = _Wait(self, expected, times, timeout_seconds)
        while (call := wait.attempt()) is None:
            self.clock.wait(wait.wakeup, wait.until_ns)
        return call

    async def wait_for_async(
        self,
        operation: str,
        *,
        times: int = 1,
        timeout_seconds: float = 60,
        resource: str = "*",
        where: Callable[[Call], bool] | None = None,
        **parameters: Any,
    ) -> Call:
        """The same for an asyncio task, without a thread."""
        __tracebackhide__ = True
        expected = ExpectedCall(operation, resource=resource, where=where, **parameters)
        wait = _Wait(self, expected, times, timeout_seconds)
        while (call := wait.attempt()) is None:
            await self.clock.wait_async(wait.wakeup, wait.until_ns)
        return call


class _Wait:
    """Waits until a call was made so many times, or it is too late."""

    def __init__(self, log: CallLog, expected: ExpectedCall, times: int, timeout_seconds: float) -> None:
        self._log = log
        self._expected = expected
        self._times = times
        self._timeout_seconds = timeout_seconds
        self.until_ns = log.clock.now_ns() + duration_ns(timeout_seconds, SECOND)
        self.wakeup = Wakeup()

    def attempt(self) -> Call | None:
        """The call; None while it is worth waiting, with a new wakeup that the next call sets."""
        __tracebackhide__ = True
        log, before = self._log, self.wakeup
        self.wakeup = Wakeup()
        with log._lock:  # before looking, so that no call comes in between
            log._waiting = [*(wakeup for wakeup in log._waiting if wakeup is not before), self.wakeup]
        found = [call for call in matched(self._expected, log) if call.ended_ns is not None]
        is_over = log.clock.now_ns() >= self.until_ns
        if len(found) >= self._times or is_over:
            with log._lock:
                log._waiting.remove(self.wakeup)
        if len(found) >= self._times:
            return found[self._times - 1]
        if is_over:
            waited = f"Within {self._timeout_seconds:g} seconds: "
            but = times_in_words(self._times) if found else ""
            raise AssertionError(waited + self._expected.missed(log, found, but))
        return None
