"""`mock_aws` as a decorator: of functions, coroutine functions, generators, and classes of tests.

A decorated function is inside while it runs, a generator (such as a pytest fixture) until it is finished.

A class of tests is decorated method by method, and what makes up one test sees one world: `setUp` or
`setup_method`, the fixtures of the class, the test, `tearDown`.  The next test begins with an empty one,
whether it has an instance of its own or not.  Class methods, static methods and what begins with an
underscore are left alone.  Of a `unittest.TestCase` the whole run of a test is inside, inherited methods
and clean-ups included.
"""

from __future__ import annotations

import functools
import inspect
import sys
from contextlib import aclosing, contextmanager
from typing import TYPE_CHECKING, Any, Literal, Protocol

from queuestream.aws.in_process.entering import enter, leave

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Generator, Iterator
    from contextlib import AbstractContextManager

    from queuestream.aws.in_process.worlds import World

    # What is around a call, which is told the call's arguments.
    Inside = Callable[..., AbstractContextManager[object]]

_SETS_UP = {"setUp", "setup_method", "setup"}
_KEPT = "_queuestream_test"
_Part = Literal["run", "setup", "test", "other"]


class Mock(Protocol):
    """What decorating needs of a `mock_aws`."""

    def around(self) -> World | None:
        """The world that this one joins here and now; None where it needs one of its own."""

    def new_world(self) -> World:
        """A world that nobody has entered yet."""


def decorated(target: Any, mock: Mock) -> Any:
    """What a decorator makes of a function or a class."""

    @contextmanager
    def inside(*_: object) -> Iterator[None]:
        world = mock.around() or mock.new_world()
        enter(world)
        try:
            yield
        finally:
            leave(world)

    if inspect.isclass(target):
        return _decorated_class(target, mock)
    if isinstance(target, staticmethod | classmethod):
        return type(target)(decorated(target.__func__, mock))
    if not (callable(target) or _is_fixture(target)):
        raise TypeError(f"mock_aws decorates functions and classes, not {target!r}; its settings have names.")
    return _running(target, inside)


def _running(target: Any, inside: Inside) -> Any:
    """A function that runs inside of something, whatever kind of function it is."""
    if _is_fixture(target):
        target._fixture_function = _running(target._fixture_function, inside)
        return target
    wrapper: Any
    if inspect.isasyncgenfunction(target):

        async def wrapper(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            with inside(*args):
                async with aclosing(target(*args, **kwargs)) as values:
                    async for value in values:
                        yield value

    elif inspect.iscoroutinefunction(target):

        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with inside(*args):
                return await target(*args, **kwargs)

    elif inspect.isgeneratorfunction(target):

        def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            with inside(*args):
                return (yield from target(*args, **kwargs))

    else:

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with inside(*args):
                return target(*args, **kwargs)

    functools.update_wrapper(wrapper, target)
    return wrapper


def _is_fixture(value: Any) -> bool:
    """Whether something is what `pytest.fixture` makes of a function, which can only be called by pytest."""
    return inspect.isfunction(getattr(value, "_fixture_function", None))


# --- classes of tests -----------------------------------------------------------------------------------


class _Test:
    """What is kept on the instance that a test runs on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.is_set_up = False
        self.is_run = False

    def is_over(self, part: _Part) -> bool:
        """Whether this part belongs to the next test."""
        if self.world.holders:  # a part of this one calls it
            return False
        return part == "run" or (part == "setup" and self.is_set_up) or (part != "other" and self.is_run)


def _decorated_class(kind: type, mock: Mock) -> type:
    if _is_test_case(kind):
        kind.run = _running(kind.run, _inside_a_test(mock, "run"))  # type: ignore[attr-defined]
    for name, value in list(vars(kind).items()):
        if name.startswith("_") or (name == "run" and _is_test_case(kind)):
            continue
        if inspect.isclass(value):
            setattr(kind, name, _decorated_class(value, mock))
        elif inspect.isfunction(value) or _is_fixture(value):
            part: _Part = "setup" if name in _SETS_UP else "test" if name.startswith("test") else "other"
            setattr(kind, name, _running(value, _inside_a_test(mock, part)))
    return kind


def _is_test_case(kind: type) -> bool:
    unittest = sys.modules.get("unittest")
    return unittest is not None and issubclass(kind, unittest.TestCase)


def _inside_a_test(mock: Mock, part: _Part) -> Inside:
    """Inside the world of the test that an instance runs."""

    @contextmanager
    def inside(instance: Any = None, *_: object) -> Iterator[None]:
        around = mock.around()
        if around is not None:
            yield
            return
        kept: dict[str, Any] = getattr(instance, "__dict__", {})
        test: _Test | None = kept.get(_KEPT)
        if test is None or test.is_over(part):
            test = kept[_KEPT] = _Test(mock.new_world())
        test.is_set_up |= part == "setup"
        test.is_run |= part in {"run", "test"}
        enter(test.world)
        try:
            yield
        finally:
            # What is seen between the parts of a test is still there for the next one.
            leave(test.world, ends=part == "run")

    return inside
