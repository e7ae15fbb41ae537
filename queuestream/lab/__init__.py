"""The lab: what order and delivery does one really get?

Three things, each usable alone.  A *simulation* (`World`) runs ordinary `async def` programs on
one virtual clock; what runs next is chosen by a seed.  A *history* (`History`) is what clients saw, a
flat list of events, recorded beside our own queues and streams, beside boto3 on any endpoint, or
read from JSON lines that anybody wrote.  *Verdicts and metrics* (`check`, `measure`) say of a
history whether something was lost or out of order, and how much.

`queuestream lab` plays scenarios and draws what came out; docs/explanation/ordering.md tells what
was learnt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from queuestream.lab.checkers.checking import check as check
    from queuestream.lab.checkers.verdicts import Anomaly as Anomaly
    from queuestream.lab.checkers.verdicts import Verdict as Verdict
    from queuestream.lab.faults import faulty as faulty
    from queuestream.lab.history import Event as Event
    from queuestream.lab.history import History as History
    from queuestream.lab.metrics import Measures as Measures
    from queuestream.lab.metrics import measure as measure
    from queuestream.lab.recording import Recorder as Recorder
    from queuestream.lab.running import Run as Run
    from queuestream.lab.running import replay as replay
    from queuestream.lab.running import run as run
    from queuestream.lab.scenarios import SCENARIOS as SCENARIOS
    from queuestream.lab.scenarios.knobs import SettingError as SettingError
    from queuestream.lab.scenarios.knobs import knob as knob
    from queuestream.lab.scenarios.scenario import Scenario as Scenario
    from queuestream.lab.simulation.forking import fork_broker as fork_broker
    from queuestream.lab.simulation.world import World as World
    from queuestream.lab.simulation.world import simulate as simulate
    from queuestream.lab.sweeps import Sweep as Sweep
    from queuestream.lab.sweeps import sweep as sweep

# Each name is imported when it is first asked for.
_HOMES = {
    "Anomaly": "checkers.verdicts",
    "Event": "history",
    "History": "history",
    "Measures": "metrics",
    "Recorder": "recording.recorder",
    "Run": "running",
    "SCENARIOS": "scenarios",
    "Scenario": "scenarios.scenario",
    "SettingError": "scenarios.knobs",
    "Sweep": "sweeps",
    "Verdict": "checkers.verdicts",
    "World": "simulation.world",
    "check": "checkers.checking",
    "faulty": "faults",
    "fork_broker": "simulation.forking",
    "knob": "scenarios.knobs",
    "measure": "metrics",
    "replay": "running",
    "run": "running",
    "simulate": "simulation.world",
    "sweep": "sweeps",
}

__all__ = [*_HOMES]  # noqa: PLE0604 - names, all of them


def __getattr__(name: str) -> object:
    from importlib import import_module  # noqa: PLC0415 - only where a name is asked for

    if name not in _HOMES:
        raise AttributeError(f"module 'queuestream.lab' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"queuestream.lab.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
