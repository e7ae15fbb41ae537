"""What every conformance test starts from: the hooks of an engine, names, clean-up, and how time passes.

A class of tests for an engine inherits from `QueueConformance` or `StreamConformance` and gives the fixture
`broker`.  Everything else here has a default that suits an engine in this process.
"""

from __future__ import annotations

import math
import secrets
import threading
import time
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from queuestream.core.errors import NotSupportedByEngine
from queuestream.core.virtual_clock import VirtualClock
from queuestream.testing.conformance.capabilities import NEEDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from queuestream.core.broker import Broker


_RUN = secrets.token_hex(4)
_NUMBERS = count(1)
_STEP_SECONDS = 0.05


class Conformance:
    """The hooks of an engine that is held to the suite.

    Attributes:
        capabilities: The names of what the engine can do; everything where nothing is said.  A test that
            needs another is skipped.
        known_differences: Where the engine differs, by the name of the test, with its parameters or without:
            a sentence that names the culprit.  Such a test has to fail: once it passes, it is reported.
        patience_seconds: How long a wait a test may ask for; those that need more are skipped.  For engines
            whose `advance` really waits.
        settling_seconds: How long the engine may take until what was changed is seen.
        receive_wait_seconds: How long a receive waits for messages that are there; for services whose short
            polls may miss some.
    """

    capabilities: ClassVar[AbstractSet[str]] = frozenset()
    known_differences: ClassVar[Mapping[str, str]] = {}
    patience_seconds: ClassVar[float] = math.inf
    settling_seconds: ClassVar[float] = 0
    receive_wait_seconds: ClassVar[int] = 0

    _all_capabilities: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        unknown = set(cls.capabilities) - cls._all_capabilities.keys()
        if unknown:
            raise TypeError(f"{cls.__name__}: {_listed(unknown)} is no capability.")
        tests = {name for name in dir(cls) if name.startswith("test_")}
        unknown = {name for name in cls.known_differences if name.partition("[")[0] not in tests}
        if unknown:
            raise TypeError(f"{cls.__name__} knows differences of {_listed(unknown)}, which is no test.")

    # --- for an engine to say ---

    @pytest.fixture
    def broker(self) -> Broker:
        """The engine's broker: `Broker`, or what has its operations."""
        raise NotImplementedError("A class of conformance tests has a fixture `broker`.")

    @pytest.fixture
    def advance(self, broker: Broker) -> Callable[[float], object] | None:
        """How so many seconds pass for the engine; None where its time cannot be moved."""
        try:
            clock = broker.clock
        except (AttributeError, NotSupportedByEngine):
            return None
        return (lambda seconds: clock.advance(seconds=seconds)) if isinstance(clock, VirtualClock) else None

    # --- for the tests ---

    @pytest.fixture(autouse=True)
    def _what_is_known(self, request: pytest.FixtureRequest) -> None:
        """Skips what the engine cannot do, and expects to fail what is known to differ."""
        for name in getattr(request.function, NEEDS, ()):
            if name not in self.capabilities:
                pytest.skip(f"the engine does without {name}: {self._all_capabilities[name]}")
        test = request.node.name
        culprit = self.known_differences.get(test) or self.known_differences.get(test.partition("[")[0])
        if culprit is not None:
            request.applymarker(pytest.mark.xfail(reason=culprit, strict=True))

    @pytest.fixture
    def pass_time(self, advance: Callable[[float], object] | None) -> Callable[[float], None]:
        """Lets so many seconds pass, or skips the test where they cannot."""

        def pass_time(seconds: float) -> None:
            if advance is None:
                pytest.skip("the engine's time cannot be moved")
            if seconds > self.patience_seconds:
                pytest.skip(f"{seconds:g} seconds are more than the engine is waited for")
            advance(seconds)

        return pass_time

    @pytest.fixture
    def unique(self) -> Callable[[str], str]:
        """Makes a name that nothing else has out of one that says what it is for."""

        def unique(stem: str) -> str:
            stem, dot, kind = stem.partition(".")
            return f"conformance-{_RUN}-{stem}-{next(_NUMBERS)}{dot}{kind}"

        return unique

    def becomes(self, read: Callable[[], object], expected: object) -> None:
        """Assert that something is so, or is so before the engine must have settled."""
        seen: list[object] = []

        def is_so() -> bool:
            seen[:] = [read()]
            return seen == [expected]

        self.settles(is_so)
        assert seen == [expected]

    def settles(self, is_so: Callable[[], bool]) -> None:
        """Ask until something is so, or the engine must have settled."""
        end = time.monotonic() + self.settling_seconds
        while not is_so() and time.monotonic() < end:
            self.pause()

    def pause(self) -> None:
        """Give a service that does things later a moment, before it is asked again."""
        threading.Event().wait(_STEP_SECONDS)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
