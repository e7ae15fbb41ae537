"""How the calls of an object come into a call log: the object stays what it is, and its operations tell.

A client of botocore has one method that all its operations go through; it gets a class of its own in which
that method tells.  Our queues, streams and brokers get a telling function in the place of each operation.
Both are taken back when the log is closed.

A call that is made inside of another one is no call of the program's: what boto3's client makes our queue
do for it, what a queue asks its broker.
"""

from __future__ import annotations

import functools
import inspect
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from queuestream.aws.struck import resource_of
from queuestream.lab.operation_names import GIVING, OF_BROKERS, OF_QUEUES, OF_STREAMS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from queuestream.testing.call_log import CallLog

_inside: ContextVar[bool] = ContextVar("queuestream_inside_a_logged_call", default=False)
_ABSENT = object()


class Watching:
    """What a log watches.

    Args:
        log: Who is told.
    """

    def __init__(self, log: CallLog) -> None:
        self._log = log
        # By identity; they are kept, so that nobody else gets it.
        self._watched: dict[int, object] = {}
        self._undo: list[Callable[[], object]] = []

    def watch(self, thing: Any) -> None:
        """Tell the log of every call from now on; nothing where that is so already.

        Raises:
            TypeError: Nobody knows how.
        """
        client = getattr(getattr(thing, "meta", None), "client", thing)  # a resource of boto3's has one
        if id(client) in self._watched:
            return
        if hasattr(client, "_make_api_call"):
            self._watch_client(client)
        elif hasattr(thing, "create_queue"):
            self._watch_methods(thing, OF_BROKERS)
            self._watch_what_is_given(thing)
        elif hasattr(thing, "send") and hasattr(thing, "receive"):
            self._watch_methods(thing, OF_QUEUES)
        elif hasattr(thing, "put_record"):
            self._watch_methods(thing, OF_STREAMS)
        else:
            raise TypeError(f"A call log watches clients, queues, streams and brokers, not {thing!r}.")
        self._watched[id(client)] = client

    def close(self) -> None:
        """Make everything what it was."""
        while self._undo:
            self._undo.pop()()
        self._watched.clear()

    # --- botocore's clients ---

    def _watch_client(self, client: Any) -> None:
        own = vars(client).get("_make_api_call")
        if own is not None:  # the client is wired to something
            method = telling_method(
                self._log, lambda _, *call: own(*call), is_async=inspect.iscoroutinefunction(own)
            )
            self._replace(client, "_make_api_call", functools.partial(method, client))
            return
        kind = type(client)

        def original(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
            return kind._make_api_call(
                client, operation, parameters
            )  # mock_aws may have put another one there

        # In a class, and not in the client itself, which mock_aws would take for a wired one.
        is_async = inspect.iscoroutinefunction(kind._make_api_call)
        telling = telling_method(self._log, original, is_async=is_async)
        client.__class__ = type(kind.__name__, (kind,), {"_make_api_call": telling})
        self._undo.append(lambda: setattr(client, "__class__", kind))

    # --- ours ---

    def _watch_methods(self, thing: Any, operations: dict[str, str]) -> None:
        for method, operation in operations.items():
            original = getattr(thing, method, None)
            if original is not None:
                self._replace(thing, method, _telling(self._log, thing, original, operation))

    def _watch_what_is_given(self, broker: Any) -> None:
        for method in GIVING:
            original = getattr(broker, method, None)
            if original is not None:
                self._replace(broker, method, self._watching_answers(original))

    def _watching_answers(self, original: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(original):

            @functools.wraps(original)
            async def giving_async(*args: Any, **kwargs: Any) -> Any:
                return self._given(await original(*args, **kwargs))

            return giving_async

        @functools.wraps(original)
        def giving(*args: Any, **kwargs: Any) -> Any:
            return self._given(original(*args, **kwargs))

        return giving

    def _given(self, answer: Any) -> Any:
        """A queue, a stream, a page of queues, or nothing: what a broker has given to the program."""
        if answer is not None and not _inside.get():
            for thing in answer if isinstance(answer, list) else [answer]:
                self.watch(thing)
        return answer

    def _replace(self, thing: Any, name: str, replacement: object) -> None:
        before = vars(thing).get(name, _ABSENT)
        setattr(thing, name, replacement)
        undo = functools.partial(delattr, thing, name)
        self._undo.append(undo if before is _ABSENT else functools.partial(setattr, thing, name, before))


def telling_method(log: CallLog, original: Callable[..., Any], *, is_async: bool) -> Callable[..., Any]:
    """What makes the calls of clients, and tells a log.

    Args:
        log: Who is told.
        original: Takes a client, AWS's name of an operation, and parameters.
        is_async: Whether it is to be awaited.

    Returns:
        Takes the same.
    """
    if is_async:

        async def method_async(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
            work = functools.partial(original, client, operation, parameters)
            return await _told_async(log, work, operation, resource_of(parameters), parameters)

        return method_async

    def method(client: Any, operation: str, parameters: dict[str, Any]) -> Any:
        work = functools.partial(original, client, operation, parameters)
        return _told(log, work, operation, resource_of(parameters), parameters)

    return method


def _telling(log: CallLog, thing: Any, original: Callable[..., Any], operation: str) -> Callable[..., Any]:
    """A method of ours, which tells a log."""
    signature = inspect.signature(original)

    def asked(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        parameters = _named(signature, args, kwargs)
        resource = getattr(thing, "name", None) or parameters.get("queue_name") or parameters.get("name")
        return str(resource or ""), parameters

    if inspect.iscoroutinefunction(original):

        @functools.wraps(original)
        async def telling_async(*args: Any, **kwargs: Any) -> Any:
            work = functools.partial(original, *args, **kwargs)
            return await _told_async(log, work, operation, *asked(args, kwargs))

        return telling_async

    @functools.wraps(original)
    def telling(*args: Any, **kwargs: Any) -> Any:
        return _told(log, functools.partial(original, *args, **kwargs), operation, *asked(args, kwargs))

    return telling


def _told(
    log: CallLog, work: Callable[[], Any], operation: str, resource: str, parameters: dict[str, Any]
) -> Any:
    if _inside.get():
        return work()
    with _logged(log, operation, resource, parameters) as answered:
        return answered(work())


async def _told_async(
    log: CallLog,
    work: Callable[[], Awaitable[Any]],
    operation: str,
    resource: str,
    parameters: dict[str, Any],
) -> Any:
    if _inside.get():
        return await work()
    with _logged(log, operation, resource, parameters) as answered:
        return answered(await work())


@contextmanager
def _logged(
    log: CallLog, operation: str, resource: str, parameters: dict[str, Any]
) -> Iterator[Callable[[Any], Any]]:
    """A call in the log, to which belongs what happens inside; to be told the answer, which it gives back."""
    call = log.begin(operation, resource, dict(parameters))
    answers: list[Any] = []

    def answered(answer: Any) -> Any:
        answers.append(answer)
        return answer

    _inside.set(True)
    try:
        yield answered
    except BaseException as error:
        log.end(call, error=error)
        raise
    finally:
        _inside.set(False)
    log.end(call, *answers)


def _named(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a call by their names; as they are where they do not fit, which the call will say."""
    try:
        given = signature.bind(*args, **kwargs).arguments
    except TypeError:
        return {**{f"argument {place}": value for place, value in enumerate(args, 1)}, **kwargs}
    named: dict[str, Any] = {}
    for name, value in given.items():
        if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            named |= value
        else:
            named[name] = value
    return named
