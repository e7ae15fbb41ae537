"""A run is its scenario, its settings and its seed; what it says is the same bytes whenever it is run."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import attrs
import pytest

from queuestream.core.errors import QueuestreamError
from queuestream.lab.actors import Consumer, Fixed, Message, Producer, Steady, drained
from queuestream.lab.running import UnknownScenario, replay, run
from queuestream.lab.scenarios import SCENARIOS, Scenario, SettingError, knob
from queuestream.lab.scenarios.scenario import Scenario as Base


def test_the_same_seed_gives_the_same_bytes():
    first, second = (run("email-queue", seed=3, settings={"messages": 40}) for _ in range(2))
    assert first.to_json() == second.to_json()
    assert first.history.to_json_lines() == second.history.to_json_lines()


def test_another_seed_gives_another_run():
    texts = {
        run("email-queue", seed=seed, settings={"messages": 40}).history.to_json_lines() for seed in range(5)
    }
    assert len(texts) == 5


def test_a_run_is_told_as_json():
    one = run("email-queue", seed=3, settings={"messages": "40", "consumers": 2})
    told = json.loads(one.to_json())
    assert told["scenario"] == "email-queue"
    assert told["seed"] == 3
    assert told["settings"]["consumers"] == 2
    assert told["findings"] == one.findings
    assert told["verdict"]["valid"] is True
    assert told["measures"].keys() == {"global", "key", "key_done"}
    assert told["history"]["events"] == len(one.history)
    assert told["figures"] == one.figures()


def test_the_command_repeats_the_run():
    one = run("noisy-neighbour", seed=12, settings={"fair": "no", "work_seconds": "0.5", "messages": 5})
    assert one.command == (
        "queuestream lab run noisy-neighbour --seed 12 --set fair=false --set messages=5 "
        "--set work_seconds=0.5"
    )


def test_a_replay_is_the_same_run_with_every_decision():
    one = run("consumer-crash", seed=5, settings={"messages": 20, "crash_rate": 0.2})
    again = replay("consumer-crash", 5, settings={"messages": 20, "crash_rate": 0.2})
    assert again.to_json() == one.to_json()
    assert one.trace == []
    assert [entry.what for entry in again.trace].count("crashes") == one.notes["crashes"] > 0


def test_progress_is_told():
    told = []
    run("standard", settings={"messages": 5}, progress=told.append)
    assert told == ["playing", "checking", "measuring"]


def test_a_scenario_that_does_not_exist_is_refused_by_naming_those_that_do():
    with pytest.raises(
        UnknownScenario, match="no scenario 'mail'; there are email-queue, short-visibility"
    ) as caught:
        run("mail")
    assert isinstance(caught.value, QueuestreamError)


def test_a_setting_that_is_none_is_refused_before_anything_is_played():
    with pytest.raises(SettingError, match="There is no knob 'workers'"):
        run("email-queue", settings={"workers": 3})


@attrs.frozen(kw_only=True)
class Relay(Scenario):
    """A message is handed from queue to queue."""

    name = "relay"
    stations: int = knob(3, "how many queues there are", low=1, high=100)

    async def play(self, world):
        queues = [await world.aio.create_queue(f"station-{number}") for number in range(self.stations)]

        def forward_to(queue):
            async def forward(message):
                await queue.send(message.body)

            return forward

        for here, there in pairwise(queues):
            Consumer(world, f"runner-{here.name}", here, work=Fixed(10), handle=forward_to(there)).start()
        Consumer(world, "last", queues[-1], work=Fixed(10)).start()
        await Producer(world, "start", queues[0], messages=[Message("baton 1")], pace=Steady(1)).start()
        for queue in queues:
            await drained(queue, every_seconds=0.5)
        return {"stations": self.stations}

    def findings(self, run):
        yield f"{run.notes['stations']} stations took {run.virtual_seconds:g} seconds."


@pytest.mark.parametrize("scenario", [Relay(stations=2), Relay], ids=["ready to be played", "as a class"])
def test_one_can_run_a_scenario_of_ones_own(scenario):
    one = run(scenario, settings={"stations": 4})
    assert one.findings == ["4 stations took 41 seconds."]
    assert sorted(one.verdict.tallies) == ["station-0", "station-1", "station-2", "station-3"]


def test_a_scenario_that_is_ready_keeps_its_settings():
    assert run(Relay(stations=2)).scenario == Relay(stations=2)


def test_a_base_without_findings_and_figures_has_none():
    one = run(Relay(stations=1))
    assert list(Base.findings(one.scenario, one)) == []
    assert Base.figures(one.scenario, one) == {}


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("consumer-crash", {"messages": 20, "keys": 1, "visibility_timeout": 43_200, "crash_rate": 0.9}),
        ("stream", {"messages": 50, "work_seconds": 3_600, "work": "fixed", "shards": 1, "consumers": 1}),
    ],
)
def test_what_a_run_that_was_cut_off_has_not_received_is_not_lost(name, settings):
    one = run(name, settings=settings)
    assert one.verdict.valid
    assert one.unreceived == one.figures()["unreceived"] > 0
    received = {
        event.message for event in one.history if event.operation in {"receive", "get"} and event.message
    }
    assert one.unreceived == settings["messages"] - len(received)
    assert one.findings[0].startswith(f"When the run was cut off, {one.unreceived} message")


@attrs.frozen(kw_only=True)
class Leaky(Scenario):
    """A queue that somebody empties whom nobody has seen."""

    name = "leaky"

    async def play(self, world):
        queue = await world.aio.create_queue("leaky")
        await Producer(world, "start", queue, messages=[Message("drop 1")], pace=Steady(1)).start()
        await queue.purge()


def test_what_is_lost_in_a_run_that_came_to_its_end_is_lost():
    one = run(Leaky())
    assert (one.verdict.lost, one.unreceived) == (1, 0)


# --- in other processes -------------------------------------------------------------------------------------

ROOT = Path(__file__).parents[3]
SMALL_RUNS = """
import sys
from queuestream.lab.running import run
from queuestream.lab.scenarios import SCENARIOS

sizes = {"messages": 30, "departures": 30, "burst": 20}
for name in sys.argv[1:] or SCENARIOS:
    settings = {knob: size for knob, size in sizes.items() if knob in SCENARIOS[name].knobs()}
    one = run(name, seed=11, settings=settings)
    sys.stdout.write(one.to_json() + one.history.to_json_lines())
"""


def begun(interpreter, hash_seed, *names, path=()):
    return subprocess.Popen(
        [interpreter, "-c", SMALL_RUNS, *names],
        stdout=subprocess.PIPE,
        env={"PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": ":".join(map(str, path))},
        cwd=ROOT,
    )


def outputs_of(processes):
    """What they wrote, once all of them have ended."""
    texts = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return texts


def test_a_run_is_the_same_in_a_process_with_another_hash_seed(capsys, monkeypatch):
    names = ["email-queue", "resharding"]
    elsewhere = begun(sys.executable, 1234, *names)
    monkeypatch.setattr(sys, "argv", ["-c", *names])
    exec(SMALL_RUNS, {})
    [there] = outputs_of([elsewhere])
    here = capsys.readouterr().out.encode()
    assert len(here) > 10_000
    assert there == here


@pytest.mark.slow
def test_a_hundred_fresh_processes_give_the_same_bytes():
    texts = set()
    for first in range(0, 100, 4):
        processes = [begun(sys.executable, seed, "standard") for seed in range(first, first + 4)]
        texts |= {*outputs_of(processes)}
    assert len(texts) == 1


def other_pythons():
    """Interpreters of other supported versions that are there, without any package of their own."""
    found = sorted(Path.home().glob(".pyenv/versions/3.1[1-9].*/bin/python"))
    return [each for each in found if f"/{sys.version_info[0]}.{sys.version_info[1]}." not in str(each)]


@pytest.mark.slow
@pytest.mark.skipif(not other_pythons(), reason="no other Python is installed by pyenv")
def test_every_scenario_is_the_same_on_other_pythons():
    packages = Path(attrs.__file__).parents[1]  # attrs and sortedcontainers are pure Python
    others = [begun(each, 5, path=(packages,)) for each in other_pythons()]
    here, *there = outputs_of([begun(sys.executable, 0), *others])
    assert there == [here] * len(others)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_no_promise_is_broken_under_other_seeds_either(name):
    for seed in range(100, 103):
        one = run(name, seed=seed)
        assert one.verdict.valid, f"{one.command}: {one.verdict}"
        assert one.verdict.lost == 0
        assert 2 <= len(one.findings) <= 5
