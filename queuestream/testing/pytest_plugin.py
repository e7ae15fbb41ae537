"""The pytest plugin: a clock, a broker, queues, streams and clients for each test, all on one seed.

    def test_a_message_comes_back(queuestream_queue, queuestream_clock):
        emails = queuestream_queue("emails", visibility_timeout=30)
        ...

    @pytest.mark.queuestream(delivery="aws_like", seeds=20)
    def test_order_does_not_matter(queuestream_sqs): ...

pytest finds it by its entry point.  It costs nothing where it is not used: this module imports nothing but
pytest, and what a fixture needs is imported when a test asks for it.

A fixture is made of others, so that any of them may be replaced: a `queuestream_clock` in a conftest.py is
the clock of everything else.  What a test was given is noted in its `Surroundings`, and shown where it fails,
together with its seed and the command that repeats it.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from queuestream import Broker, Queue, Stream, VirtualClock
    from queuestream.aio import AsyncBroker
    from queuestream.aws import Aws, FaultPlan
    from queuestream.lab import World
    from queuestream.lab.recording import Recorder
    from queuestream.testing.call_log import CallLog
    from queuestream.testing.marks import Seed
    from queuestream.testing.surroundings import Surroundings

_Part = TypeVar("_Part")

_MARK = "queuestream"
_SEED = "queuestream_seed"
_WORLD = "queuestream_world"
_CALLS = "queuestream_calls"
_SURROUNDINGS = pytest.StashKey["Surroundings"]()


class MakesQueues(Protocol):
    """What `queuestream_queue` is: makes a queue, or gives the one of that name."""

    def __call__(self, queue_name: str, **attributes: Any) -> Queue:
        """The queue; the arguments are those of `Broker.create_queue`."""


class MakesStreams(Protocol):
    """What `queuestream_stream` is: makes a stream, or gives the one of that name."""

    def __call__(self, name: str, **settings: Any) -> Stream:
        """The stream; the arguments are those of `Broker.create_stream`."""


# --- what pytest asks -------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("queuestream", "queues and streams (queuestream)")
    group.addoption(
        "--queuestream-seed",
        metavar="N",
        type=_seed_option,
        help="the seed of every test whose mark says none: a whole number; or 'random', another one for each "
        "test. Without it a test's seed is made of its name.",
    )
    group.addoption(
        "--queuestream-delivery",
        metavar="MODEL",
        choices=("strict", "aws_like", "adversarial"),
        help="how standard queues deliver in every test whose mark does not say.",
    )


def _seed_option(text: str) -> str:
    return text if text == "random" else str(int(text))


def pytest_configure(config: pytest.Config) -> None:
    """Let pytest know the mark."""
    config.addinivalue_line(
        "markers",
        "queuestream(seed=, seeds=, delivery=, consistency=, start=, ...): what the queuestream_* fixtures "
        "of a test are made with.",
    )


def pytest_report_header(config: pytest.Config) -> str | None:
    """Which options are in force."""
    options = _options(config)
    said = ", ".join(f"{option} {value}" for option, value in options.items())
    return f"queuestream: {said}" if said else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Check a test's mark where it is collected, and run it with each of its seeds."""
    if metafunc.definition.get_closest_marker(_MARK) is None:
        return
    said = _said_by(metafunc.definition)
    if "seeds" in said:
        from queuestream.testing.marks import seeds_of  # noqa: PLC0415 - few tests have a mark

        seeds = seeds_of(said["seeds"], metafunc.config.getoption("queuestream_seed"))
        if _SEED not in metafunc.fixturenames:
            metafunc.fixturenames.append(_SEED)
        metafunc.parametrize(_SEED, list(seeds.values()), ids=list(seeds), indirect=True)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is an `async def` and has a world in that world's time."""
    if _WORLD not in pyfuncitem.fixturenames:
        return None
    function = pyfuncitem.obj
    if type(pyfuncitem).__module__.startswith("pytest_asyncio"):  # which runs all tests, if it is told to
        function = getattr(function, "__wrapped__", function)
    if not inspect.iscoroutinefunction(function):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}

    async def test() -> None:
        await function(**arguments)

    world: Any = pyfuncitem.funcargs[_WORLD]
    world.run(test)
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a test that failed what it was given, and how to repeat it."""
    report = yield
    surroundings = item.stash.get(_SURROUNDINGS, None)
    if surroundings is not None and report.failed:
        report.sections.append(("queuestream", surroundings.described(_command(item, surroundings.seed))))
    return report


# --- fixtures ---------------------------------------------------------------------------------------------


@pytest.fixture
def queuestream_seed(request: pytest.FixtureRequest) -> int | str:
    """The test's seed: what its mark says, else --queuestream-seed, else a number made of its name.

    Every id and every choice of the other fixtures comes from it; use it for a chance of your own,
    as in `random.Random(queuestream_seed)`.
    """
    return _surroundings(request).seed.value


@pytest.fixture
def queuestream_clock(request: pytest.FixtureRequest) -> VirtualClock:
    """A VirtualClock: `queuestream_clock.advance(hours=12)` takes no time.

    It begins at 2025-01-01 in UTC, or where the mark says (`start=`).  The clock of all other fixtures:
    replace it, and you replace theirs.  In a test with a world it is the world's.
    """
    if _WORLD in request.fixturenames:
        clock: VirtualClock = request.getfixturevalue(_WORLD).clock
        return _noted(request, "clock", clock)
    from queuestream.core.virtual_clock import VirtualClock  # noqa: PLC0415 - only who asks pays

    return _noted(request, "clock", VirtualClock(**_surroundings(request).of_the_clock()))


@pytest.fixture
def queuestream_broker(
    request: pytest.FixtureRequest, queuestream_clock: VirtualClock, queuestream_seed: int | str
) -> Iterator[Broker]:
    """A Broker on the test's clock and seed, with the delivery and consistency that the mark says.

    It is closed after the test: a thread that still waits for a message gets BrokerClosed.
    """
    _seeded(request, queuestream_seed)
    if _WORLD in request.fixturenames:
        broker = request.getfixturevalue(_WORLD).broker
    else:
        from queuestream.core.broker import Broker  # noqa: PLC0415 - only who asks pays

        broker = Broker(
            clock=queuestream_clock, seed=queuestream_seed, **_surroundings(request).of_the_broker()
        )
    _noted(request, "broker", broker)
    yield _watched(request, broker)
    broker.close("the test is over")


@pytest.fixture
def queuestream_async_broker(queuestream_broker: Broker, request: pytest.FixtureRequest) -> AsyncBroker:
    """The same broker for asyncio: an AsyncBroker, whose operations are awaited."""
    from queuestream.aio import AsyncBroker  # noqa: PLC0415 - only who asks pays

    return _watched(request, AsyncBroker(queuestream_broker))


@pytest.fixture
def queuestream_queue(request: pytest.FixtureRequest, queuestream_broker: Broker) -> MakesQueues:
    """Make queues of the test's broker, or give the one of that name.

    `emails = queuestream_queue("emails", visibility_timeout=30)`; the arguments are those of `Queue`.
    """

    def queuestream_queue(queue_name: str, **attributes: Any) -> Queue:
        return _watched(request, queuestream_broker.create_queue(queue_name, **attributes))

    return queuestream_queue


@pytest.fixture
def queuestream_stream(request: pytest.FixtureRequest, queuestream_broker: Broker) -> MakesStreams:
    """Make streams of the test's broker, or give the one of that name where nothing else is said.

    `events = queuestream_stream("events", shard_count=4)`; the arguments are those of `Stream`.
    """

    def queuestream_stream(name: str, **settings: Any) -> Stream:
        is_there = name in queuestream_broker.streams and not settings
        make = queuestream_broker.stream if is_there else queuestream_broker.create_stream
        return _watched(request, make(name, **settings))

    return queuestream_stream


@pytest.fixture
def queuestream_faults(request: pytest.FixtureRequest, queuestream_seed: int | str) -> FaultPlan:
    """A FaultPlan on the test's seed: what goes wrong for the test's boto3 clients, nothing at first.

    `queuestream_faults.throttle("SendMessage", times=2)`.
    """
    from queuestream.aws.fault_plans import FaultPlan  # noqa: PLC0415 - only who asks pays

    _seeded(request, queuestream_seed)
    return _noted(request, "faults", FaultPlan(seed=queuestream_seed))


@pytest.fixture
def queuestream_aws(
    request: pytest.FixtureRequest, queuestream_broker: Broker, queuestream_seed: int | str
) -> Iterator[Aws]:
    """The accounts and regions behind the test's boto3 clients; the broker is the default account's.

    Python's own `random` is seeded for the test, too, because botocore's pauses before a retry come from it.
    """
    from queuestream.lab.simulation.chance import seeded_random  # noqa: PLC0415 - only who asks pays
    from queuestream.testing.in_process import AwsAround  # noqa: PLC0415 - as above

    arguments = _surroundings(request).of_the_broker()
    with seeded_random(queuestream_seed):
        yield _noted(request, "aws", AwsAround(queuestream_broker, seed=queuestream_seed, **arguments))


@pytest.fixture
def queuestream_sqs(
    request: pytest.FixtureRequest, queuestream_aws: Aws, queuestream_faults: FaultPlan
) -> Iterator[Any]:
    """A boto3 client of SQS that the test's broker answers; nothing else in the process is touched."""
    yield from _client(request, "sqs", queuestream_aws, queuestream_faults)


@pytest.fixture
def queuestream_kinesis(
    request: pytest.FixtureRequest, queuestream_aws: Aws, queuestream_faults: FaultPlan
) -> Iterator[Any]:
    """A boto3 client of Kinesis that the test's broker answers; nothing else in the process is touched."""
    yield from _client(request, "kinesis", queuestream_aws, queuestream_faults)


@pytest.fixture
def queuestream_mock_aws(
    request: pytest.FixtureRequest, queuestream_aws: Aws, queuestream_faults: FaultPlan
) -> Iterator[Aws]:
    """mock_aws around the test: the test's broker answers every client of SQS and Kinesis in the process.

    Of boto3 and aiobotocore, whoever makes them and whenever.  Gives the Aws behind them.
    """
    from queuestream.testing.in_process import answering  # noqa: PLC0415 - only who asks pays

    with answering(queuestream_aws, queuestream_faults, _calls(request)):
        yield queuestream_aws


@pytest.fixture
def queuestream_calls(request: pytest.FixtureRequest, queuestream_clock: VirtualClock) -> Iterator[CallLog]:
    """A CallLog of what the test's queues, streams and clients were asked, and what they answered.

    `queuestream_calls.assert_called("SendMessage", resource="emails")`.  Whatever the other fixtures give is
    watched; watch anything else by `queuestream_calls.watch(client)`.
    """
    from queuestream.testing.call_log import CallLog  # noqa: PLC0415 - only who asks pays

    calls = CallLog(queuestream_clock)
    if _WORLD in request.fixturenames:
        world = request.getfixturevalue(_WORLD)
        calls.watch(world.broker)
        calls.watch(world.aio)
    yield _noted(request, "calls", calls)
    calls.close()


@pytest.fixture
def queuestream_world(request: pytest.FixtureRequest, queuestream_seed: int | str) -> World:
    """A World of the lab on the test's seed: actors in virtual time, and chance decides who is next.

    A test that is an `async def` and has this fixture runs in the world's time.  The test's clock and broker
    are the world's.
    """
    from queuestream.lab import World  # noqa: PLC0415 - only who asks pays

    _seeded(request, queuestream_seed)
    surroundings = _surroundings(request)
    if surroundings.of_the_clock():
        names = ", ".join(surroundings.of_the_clock())
        pytest.fail(f"The clock of a test with a world is the world's, and takes no {names}.", pytrace=False)
    arguments = {**surroundings.of_the_world(), **surroundings.of_the_broker()}
    world = World(seed=queuestream_seed, **arguments)
    world._again = (
        "the section 'queuestream' says how to repeat it, and with trace=True in the mark the last decisions."
    )
    return _noted(request, "world", world)


@pytest.fixture
def queuestream_recorder(request: pytest.FixtureRequest, queuestream_clock: VirtualClock) -> Recorder:
    """A Recorder of the lab on the test's clock, whose `history` can be checked and measured.

    `emails = queuestream_recorder.queue(emails, actor="worker-1")`.  The world's, in a test with one.
    """
    if _WORLD in request.fixturenames:
        recorder: Recorder = request.getfixturevalue(_WORLD).recorder
    else:
        from queuestream.lab import History  # noqa: PLC0415 - only who asks pays
        from queuestream.lab.recording import Recorder  # noqa: PLC0415 - as above

        recorder = Recorder(History(), queuestream_clock)
    return _noted(request, "recorder", recorder)


# --- what they have in common -----------------------------------------------------------------------------


def _surroundings(request: pytest.FixtureRequest) -> Surroundings:
    """What the test of a fixture was given so far."""
    item: pytest.Item = request.node
    if _SURROUNDINGS not in item.stash:
        from queuestream.testing.surroundings import Surroundings  # noqa: PLC0415 - only who asks pays

        said = _said_by(item)
        delivery = item.config.getoption("queuestream_delivery")
        if delivery is not None:
            said.setdefault("delivery", delivery)
        item.stash[_SURROUNDINGS] = Surroundings(_seed_of(item, said), said)
    return item.stash[_SURROUNDINGS]


def _noted(request: pytest.FixtureRequest, name: str, part: _Part) -> _Part:
    """Note a part of the surroundings, for the report, and give it."""
    setattr(_surroundings(request), name, part)
    return part


def _seeded(request: pytest.FixtureRequest, seed: int | str) -> None:
    """Note the seed that the fixtures are made with: a fixture of the user's may be in the place of ours."""
    surroundings = _surroundings(request)
    if surroundings.seed.value != seed:
        from queuestream.testing.marks import Seed  # noqa: PLC0415 - few tests do that

        surroundings.seed = Seed(seed, f"said by a fixture {_SEED} of yours", must_be_said=False)


def _calls(request: pytest.FixtureRequest) -> CallLog | None:
    """The call log of a test that has one."""
    return request.getfixturevalue(_CALLS) if _CALLS in request.fixturenames else None


def _watched(request: pytest.FixtureRequest, thing: _Part) -> _Part:
    """A queue, stream, broker or client, whose calls are logged where the test has a log."""
    calls = _calls(request)
    return thing if calls is None else calls.watch(thing)


def _client(request: pytest.FixtureRequest, service: str, aws: Aws, faults: FaultPlan) -> Iterator[Any]:
    from queuestream.testing.in_process import client  # noqa: PLC0415 - only who asks pays

    made = client(service, aws, faults)
    yield _watched(request, made)
    made.close()


def _said_by(item: pytest.Item) -> dict[str, Any]:
    """What the marks of a test say."""
    from queuestream.testing.marks import MarkMistake, arguments_of  # noqa: PLC0415 - few tests have a mark

    try:
        return arguments_of(item.iter_markers(_MARK))
    except MarkMistake as error:
        mistake = str(error)
    pytest.fail(mistake, pytrace=False)


def _seed_of(item: pytest.Item, said: dict[str, Any]) -> Seed:
    from queuestream.testing.marks import Seed, seed_of  # noqa: PLC0415 - only who asks pays

    callspec = getattr(item, "callspec", None)
    if callspec is not None and _SEED in callspec.params:
        seed = callspec.params[_SEED]
        return seed if isinstance(seed, Seed) else Seed(seed, "one of the test's own", must_be_said=False)
    # Without the folders, which depend on where pytest was started.
    test = "::".join([item.path.name, *_names(item)])
    return seed_of(said, item.config.getoption("queuestream_seed"), test)


def _names(item: pytest.Item) -> list[str]:
    """A test's name within its file, and not what xdist may have added."""
    return [*(node.name for node in item.listchain() if isinstance(node, pytest.Class)), item.name]


def _command(item: pytest.Item, seed: Seed) -> str:
    """The command that repeats a test."""
    import os  # noqa: PLC0415 - only a failure needs it
    from shlex import join  # noqa: PLC0415 - as above

    from queuestream.testing.marks import RANDOM, as_one_of_several  # noqa: PLC0415 - as above

    try:
        path = os.path.relpath(item.path, item.config.invocation_params.dir)
    except ValueError:  # on another drive
        path = str(item.path)
    name = "::".join([path, *_names(item)])
    options = _options(item.config)
    options.pop("--queuestream-seed", None)
    if seed.must_be_said:
        options["--queuestream-seed"] = str(seed.value)
    callspec = getattr(item, "callspec", None)
    if (
        callspec is not None
        and callspec.params.get(_SEED) is seed
        and item.config.getoption("queuestream_seed") == RANDOM
    ):
        name = as_one_of_several(name, seed)
    return join(["pytest", name, *(word for option in options.items() for word in option)])


def _options(config: pytest.Config) -> dict[str, str]:
    """The options of ours that are in force, with their values."""
    options = {
        option: config.getoption(option.removeprefix("--").replace("-", "_"))
        for option in ("--queuestream-seed", "--queuestream-delivery")
    }
    return {option: value for option, value in options.items() if value is not None}
