"""A run: a scenario played under a seed, and everything that can be said about it.

    >>> one = run("short-visibility", seed=7, settings={"messages": "50"})
    >>> one.verdict.valid
    True

A run is its scenario, its settings and its seed; the same three give the same run in every process, so
`to_json` gives the same bytes, and `command` is all that somebody else needs to see it.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import shlex
from typing import TYPE_CHECKING, Any, cast

import attrs

from queuestream.core.clock import SECOND
from queuestream.core.errors import QueuestreamError
from queuestream.lab.checkers import check
from queuestream.lab.history import GET, PUT
from queuestream.lab.metrics import measure
from queuestream.lab.scenarios import SCENARIOS
from queuestream.lab.scenarios.knobs import shown
from queuestream.lab.scenarios.scenario import Scenario
from queuestream.lab.scenarios.seen import Seen, as_done, as_meant, by_key, counted, percentile
from queuestream.lab.simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from queuestream.lab.checkers import Verdict
    from queuestream.lab.history import History
    from queuestream.lab.metrics import Measures, ScopeKind
    from queuestream.lab.simulation.trace import Entry

_DIGITS = 6
_SCOPES_SHOWN = 32


class UnknownScenario(QueuestreamError, LookupError):
    """There is no scenario of that name; the sentence lists those there are."""

    def __init__(self, name: str) -> None:
        close = difflib.get_close_matches(name, SCENARIOS, n=1)
        perhaps = f"did you mean {close[0]}?  There are" if close else "there are"
        super().__init__(f"There is no scenario {name!r}; {perhaps} {', '.join(SCENARIOS)}.")
        self.name = name


@attrs.frozen(kw_only=True, eq=False)
class Run:
    """A scenario that was played.

    Attributes:
        scenario: As it was set.
        seed: What it was played under.
        history: What the clients saw.
        verdict: Whether the promises were kept, and what was lost or duplicated.
        measures: How much was out of order, by scope, as `Scenario.scopes` says.
        virtual_seconds: How long it took in the world.
        unreceived: How many messages were still waiting for their first delivery when the scenario ended: it
            waits for a day at most.  They are not lost.
        notes: What the actors knew besides.
        trace: Every decision, if it was asked for.
    """

    scenario: Scenario
    seed: int | str
    history: History = attrs.field(repr=False)
    verdict: Verdict = attrs.field(repr=False)
    measures: dict[str, Measures] = attrs.field(repr=False)
    virtual_seconds: float
    unreceived: int = 0
    notes: dict[str, Any] = attrs.field(repr=False)
    trace: list[Entry] = attrs.field(repr=False)

    @property
    def name(self) -> str:
        """The scenario's name."""
        return self.scenario.name

    @property
    def settings(self) -> dict[str, Any]:
        """Where all knobs stood."""
        return self.scenario.settings()

    @property
    def findings(self) -> list[str]:
        """What this run has shown, in sentences."""
        found = list(self.scenario.findings(self))
        if not self.unreceived:
            return found
        others = f"{counted(self.unreceived, 'message')} had not been received by anybody"
        return [f"When the run was cut off, {others}: no figure of order or waiting has them.", *found]

    @property
    def command(self) -> str:
        """What repeats it, in a shell."""
        knobs = self.scenario.knobs()
        turned = [
            f"--set {name}={shlex.quote(shown(value))}"
            for name, value in self.settings.items()
            if value != knobs[name].default
        ]
        return " ".join([f"queuestream lab run {self.name} --seed {shlex.quote(str(self.seed))}", *turned])

    def figures(self) -> dict[str, float]:
        """Numbers to compare runs by: what was sent and seen, how much out of order, how long it took.

        Those of the scenario itself are among them.
        """
        resources = dict.fromkeys(event.resource for event in self.history)
        seen = [Seen(self.history, resource) for resource in resources]
        waits = sorted(wait for each in seen for wait in each.waits())
        figures: dict[str, float] = {
            "sent": sum(len(each.sent_ns) for each in seen),
            "deliveries": sum(len(each.deliveries) for each in seen),
            "delivered_again": sum(each.repeats for each in seen),
            "lost": self.verdict.lost,
            "unreceived": self.unreceived,
            "wait_p50": percentile(waits, 50),
            "wait_p99": percentile(waits, 99),
            "virtual_seconds": self.virtual_seconds,
        }
        for scope, measures in self.measures.items():
            figures[f"reordered_ratio_{scope}"] = measures.reordered_ratio
            figures[f"max_extent_{scope}"] = measures.max_extent
            tau = measures.kendall_tau
            figures[f"kendall_tau_{scope}"] = 1.0 if tau is None else tau  # nothing to be out of order
        return {name: _rounded(value) for name, value in {**figures, **self.scenario.figures(self)}.items()}

    def as_dict(self) -> dict[str, Any]:
        """All of it but the events and the trace, ready for JSON; `history` says which events they were."""
        lines = self.history.to_json_lines().encode()
        return {
            "scenario": self.name,
            "teaches": self.scenario.teaches(),
            "seed": self.seed,
            "settings": self.settings,
            "command": self.command,
            "virtual_seconds": self.virtual_seconds,
            "findings": self.findings,
            "verdict": self.verdict.as_dict(),
            "figures": self.figures(),
            "measures": {scope: _shortened(measures.as_dict()) for scope, measures in self.measures.items()},
            "notes": self.notes,
            "history": {"events": len(self.history), "sha256": hashlib.sha256(lines).hexdigest()},
        }

    def to_json(self) -> str:
        """The same as text; the same run gives the same bytes."""
        return json.dumps(self.as_dict(), ensure_ascii=False, indent=2) + "\n"


def run(
    scenario: str | Scenario | type[Scenario],
    *,
    seed: int | str = 7,
    settings: Mapping[str, object] | None = None,
    trace: bool = False,
    progress: Callable[[str], object] | None = None,
) -> Run:
    """Play a scenario and judge it.

    Args:
        scenario: The name of one of `SCENARIOS`; or one of your own, as a class or ready to be played.
        seed: Everything that is left to chance.
        settings: Knobs to be turned, as text or values.
        trace: Whether to keep every decision.
        progress: Told what is being done: `playing`, `checking`, `measuring`.

    Raises:
        UnknownScenario: There is none of that name.
        SettingError: It has no such knob, or the knob cannot stand there.
    """
    told = progress or (lambda _: None)
    played = scenario_of(scenario, settings)
    told("playing")
    world = World(seed=seed, trace=trace, **played.world_arguments())
    began_ns = world.now_ns()

    async def main() -> Mapping[str, Any] | None:
        return await played.play(world)

    notes = world.run(main)
    took_ns = world.now_ns() - began_ns
    history = world.history
    told("checking")
    verdict, unreceived = check(history), 0
    if verdict.lost and _is_cut_off(world):
        unreceived, verdict = verdict.lost, check(history, finished=False)
        unreceived -= verdict.lost
    told("measuring")
    measures = {scope: _measured(history, scope) for scope in played.scopes}
    return Run(
        scenario=played,
        seed=seed,
        history=history,
        verdict=verdict,
        measures=measures,
        virtual_seconds=_rounded(took_ns / SECOND),
        unreceived=unreceived,
        notes=dict(notes or {}),
        trace=list(world.trace) if trace else [],
    )


def replay(
    scenario: str | Scenario | type[Scenario],
    seed: int | str,
    *,
    settings: Mapping[str, object] | None = None,
) -> Run:
    """The same run again, with its trace."""
    return run(scenario, seed=seed, settings=settings, trace=True)


def scenario_of(
    scenario: str | Scenario | type[Scenario], settings: Mapping[str, object] | None = None
) -> Scenario:
    """A scenario by its name, class or self, with its knobs turned.

    Raises:
        UnknownScenario: There is none of that name.
        SettingError: It has no such knob, or the knob cannot stand there.
    """
    if isinstance(scenario, Scenario):
        return type(scenario).from_settings({**scenario.settings(), **(settings or {})})
    if isinstance(scenario, str):
        if scenario not in SCENARIOS:
            raise UnknownScenario(scenario)
        scenario = SCENARIOS[scenario]
    return scenario.from_settings(settings or {})


def _is_cut_off(world: World) -> bool:
    """Whether the world ended while something was left to receive: in a queue, or at the end of a shard."""
    if any(any(queue.counts()) for queue in world.broker.queues.values()):
        return True
    read = {(event.resource, event.message) for event in world.history if event.operation == GET}
    last_put = {
        (event.resource, event.shard): event.message
        for event in world.history
        if event.operation == PUT and event.outcome == "ok"
    }
    return any((resource, message) not in read for (resource, _), message in last_put.items())


def _shortened(measures: dict[str, Any]) -> dict[str, Any]:
    """Measures without the scopes that nothing is out of order in, where there are many of them."""
    by_scope = measures["by_scope"]
    if len(by_scope) > _SCOPES_SHOWN:
        late = {name: one for name, one in by_scope.items() if one["order"] and one["order"]["reordered"]}
        worst = sorted(late, key=lambda name: -late[name]["order"]["reordered"])[:_SCOPES_SHOWN]
        by_scope = {name: by_scope[name] for name in worst}
    return {**measures, "by_scope": by_scope}


def _measured(history: History, scope: str) -> Measures:
    """How much was out of order; see `Scenario.scopes`."""
    match scope:
        case "key":
            return measure(by_key(history), "group")
        case "key_again":
            return measure(by_key(history), "group", deliveries="all")
        case "key_done":
            return measure(by_key(as_done(history)), "group")
        case "key_meant":
            return measure(by_key(as_meant(history)), "group")
        case _:
            return measure(history, cast("ScopeKind", scope))


def _rounded(value: float) -> float:
    return value if isinstance(value, int) else round(value, _DIGITS)
