"""What one test was given by the fixtures, and how that is told where the test fails.

What is told is what one would ask next: the seed and the command that repeats the test, the time, what is
in each queue and stream, what a fault plan did, and the last calls.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from queuestream.testing.marks import OF_THE_BROKER, OF_THE_CLOCK, OF_THE_WORLD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from queuestream.aws import Aws, FaultPlan
    from queuestream.core.broker import Broker
    from queuestream.core.clock import Clock
    from queuestream.core.queues.queue import Queue
    from queuestream.lab import World
    from queuestream.lab.recording import Recorder
    from queuestream.testing.call_log import CallLog
    from queuestream.testing.marks import Seed

_THINGS_MAX = 20
_MESSAGES_MAX = 5
_LAST_MAX = 10
_BODY_MAX = 60


class Surroundings:
    """What one test was given.

    Args:
        seed: Its seed.
        said: What its marks say.

    Attributes:
        clock, broker, aws, faults, calls, recorder, world: What it was given; None for what it was not.
    """

    def __init__(self, seed: Seed, said: dict[str, Any]) -> None:
        self.seed = seed
        self.said = said
        self.clock: Clock | None = None
        self.broker: Broker | None = None
        self.aws: Aws | None = None
        self.faults: FaultPlan | None = None
        self.calls: CallLog | None = None
        self.recorder: Recorder | None = None
        self.world: World | None = None

    def of_the_clock(self) -> dict[str, Any]:
        """What the marks say of the clock."""
        return {name: value for name, value in self.said.items() if name in OF_THE_CLOCK}

    def of_the_broker(self) -> dict[str, Any]:
        """What the broker is made with: what the marks say, and the account of `mock_aws`."""
        from queuestream.aws.accounts import DEFAULT_ACCOUNT_ID  # noqa: PLC0415 - only who has a broker

        said = {name: value for name, value in self.said.items() if name in OF_THE_BROKER}
        return {"account_id": DEFAULT_ACCOUNT_ID, **said}

    def of_the_world(self) -> dict[str, Any]:
        """What the marks say of the world."""
        return {name: value for name, value in self.said.items() if name in OF_THE_WORLD}

    def described(self, command: str) -> str:
        """What there is to tell, in lines.

        Args:
            command: What repeats the test.
        """
        return "\n".join(self._lines(command))

    def _lines(self, command: str) -> Iterator[str]:
        yield f"seed {self.seed.value!r}, {self.seed.source}; to repeat this test:"
        yield f"  {command}"
        said = {name: value for name, value in self.said.items() if name not in {"seed", "seeds"}}
        if said:
            yield ", ".join(f"{name}={value!r}" for name, value in said.items())
        for lines in (self._broker_lines(), self._fault_lines(), self._call_lines(), self._lab_lines()):
            yield from _whatever_happens(lines)

    def _broker_lines(self) -> Iterator[str]:
        brokers = self._brokers()
        clock = brokers[0].clock if brokers else self.clock
        if clock is not None:
            yield repr(clock)
        for broker in brokers:
            yield from _broker_lines(broker)

    def _fault_lines(self) -> Iterator[str]:
        if self.faults is not None and self.faults.injected:
            yield repr(self.faults)
            for injected in self.faults.injected[-_LAST_MAX:]:
                resource = f" on {injected.resource!r}" if injected.resource else ""
                yield f"  call {injected.call}, {injected.operation}{resource}: {injected.fault.effect}"

    def _call_lines(self) -> Iterator[str]:
        if self.calls is not None:
            yield from self.calls.lines(_LAST_MAX)

    def _lab_lines(self) -> Iterator[str]:
        if self.recorder is not None:
            yield repr(self.recorder)
        if self.world is not None:
            yield repr(self.world)
            for entry in self.world.trace[-_LAST_MAX:]:
                yield f"  {entry}"

    def _brokers(self) -> list[Broker]:
        if self.aws is not None:
            return self.aws.brokers()
        return [] if self.broker is None else [self.broker]


def _broker_lines(broker: Broker) -> Iterator[str]:
    yield repr(broker)
    if broker.closed_because is not None:
        return
    for queue in islice(broker.queues.values(), _THINGS_MAX):
        yield from _whatever_happens(_queue_lines(queue))
    for stream in islice(broker.streams.values(), _THINGS_MAX):
        yield f"  {stream!r}"
    left_out = max(len(broker.queues) - _THINGS_MAX, 0) + max(len(broker.streams) - _THINGS_MAX, 0)
    if left_out:
        yield f"  and {left_out} more"


def _queue_lines(queue: Queue) -> Iterator[str]:
    yield f"  {queue!r}"
    messages = queue.peek()
    for message in messages[:_MESSAGES_MAX]:
        body = message.body if len(message.body) <= _BODY_MAX else f"{message.body[:_BODY_MAX]}..."
        group = "" if message.message_group_id is None else f" of group {message.message_group_id!r}"
        times = f", receive {message.receive_count}" if message.receive_count else ""
        yield f"    {body!r}{group}: {message.state.replace('_', ' ')}{times}"
    if len(messages) > _MESSAGES_MAX:
        yield f"    and {len(messages) - _MESSAGES_MAX} more"


def _whatever_happens(lines: Iterator[str]) -> Iterator[str]:
    """The lines, as far as they can be had: pytest gives up the whole run where a report raises."""
    try:
        yield from lines
    except Exception as error:  # noqa: BLE001 - as above
        yield f"    ({type(error).__name__}: {error})"
