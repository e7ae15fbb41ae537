"""The plugin as pytest sees it: seeds, marks, options, what a failure says, and what it costs."""

import re
import shlex
import subprocess
import sys

import pytest

# Once, and not anew in each run of pytest within a test.
import queuestream.aws.in_process.wiring
import queuestream.lab.simulation.world
import queuestream.testing.surroundings  # noqa: F401
from queuestream.testing import pytest_plugin
from queuestream.testing.marks import KNOWN, MarkMistake, arguments_of, seed_of, seeds_of

pytest_plugins = ["pytester"]

SHOWS_SEEDS = """
    import pytest

    def test_one(queuestream_seed, record):
        record(queuestream_seed)

    class TestClass:
        @pytest.mark.parametrize("place", ["a", "b"])
        def test_two(self, queuestream_seed, record, place):
            record(queuestream_seed)

    @pytest.mark.queuestream(seed=7)
    def test_marked(queuestream_seed, record):
        record(queuestream_seed)

    @pytest.mark.queuestream(seeds=3)
    def test_three_times(queuestream_broker, record, queuestream_seed):
        record(queuestream_seed)

    @pytest.mark.queuestream(seeds=2)
    def test_twice():
        pass
"""
RECORDS = """
    import pathlib
    import pytest

    @pytest.fixture
    def record(request):
        def record(seed):
            with pathlib.Path("SEEN").open("a") as file:
                print(request.node.name, seed, file=file)
        return record
"""


@pytest.fixture
def run(pytester):
    """Runs pytest in this process, with warnings as errors."""
    return lambda *args: pytester.runpytest_inprocess("-W", "error", "-p", "no:cacheprovider", *args)


@pytest.fixture
def seeds(pytester, run):
    """Runs tests that write their seeds down, and gives them by the tests' names."""
    pytester.makeconftest(RECORDS.replace("SEEN", str(pytester.path / "seen")))

    def seeds(*args, folder="."):
        path = pytester.path / folder / "test_seeds.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(re.sub("^    ", "", SHOWS_SEEDS, flags=re.MULTILINE))
        (pytester.path / "seen").unlink(missing_ok=True)
        result = run(*args, str(path))
        assert result.ret == 0
        lines = (pytester.path / "seen").read_text().splitlines()
        return {line.split()[0]: int(line.split()[1]) for line in lines}

    return seeds


@pytest.mark.slow
def test_a_seed_is_made_of_the_tests_name_wherever_the_file_lies(seeds):
    first = seeds()
    assert len({first["test_one"], first["test_two[a]"], first["test_two[b]"]}) == 3
    assert first["test_marked"] == 7
    assert [first[f"test_three_times[seed={number}]"] for number in range(3)] == [0, 1, 2]
    assert seeds(folder="elsewhere") == first


def test_a_seed_that_is_said_is_everybodys_but_of_marks(seeds):
    assert seeds("--queuestream-seed", "417") == {
        "test_one": 417,
        "test_two[a]": 417,
        "test_two[b]": 417,
        "test_marked": 7,
        "test_three_times[seed=417]": 417,
    }


@pytest.mark.slow
def test_random_seeds_are_others_each_time(seeds):
    first, second = seeds("--queuestream-seed", "random"), seeds("--queuestream-seed", "random")
    assert first.keys() == second.keys() > {"test_three_times[random-1]", "test_three_times[random-3]"}
    assert sum(first[name] != second[name] for name in first if name != "test_marked") >= 4
    assert first["test_marked"] == second["test_marked"] == 7


@pytest.mark.slow
def test_workers_of_xdist_give_the_same_seeds(seeds):
    pytest.importorskip("xdist")
    alone = seeds()
    assert seeds("-n", "2", "--dist", "loadgroup") == alone
    assert seeds("-n", "2", "--queuestream-seed", "random").keys() > {"test_three_times[random-3]"}


FAILS = """
    import random
    import pytest
    from queuestream import Consistency

    class TestOrders:
        @pytest.mark.parametrize("lamp", ["it's big"])
        def test_fails(self, queuestream_queue, queuestream_stream, queuestream_clock, queuestream_calls,
                       queuestream_faults, queuestream_sqs, queuestream_seed, lamp):
            orders = queuestream_queue("orders.fifo", fifo_queue=True, content_based_deduplication=True)
            orders.send("2 lamps", message_group_id="ada")
            orders.send("x" * 100, message_group_id="bob")
            orders.receive()
            queuestream_stream("events", shard_count=2).put_record(b"one", "key")
            queuestream_clock.advance(seconds=7)
            queuestream_faults.throttle("ListQueues", times=1)
            queuestream_sqs.list_queues()
            assert not f"chance {random.Random(queuestream_seed).random()}"

    @pytest.mark.queuestream(seeds=2)
    def test_one_of_several(queuestream_seed):
        assert queuestream_seed == 0

    def test_not_of_ours():
        assert False

    @pytest.fixture
    def broken(queuestream_queue):
        queuestream_queue("emails")
        raise OSError

    def test_set_up(broken):
        pass

    @pytest.mark.queuestream(consistency=Consistency(creation_seconds=1))
    def test_too_early(queuestream_queue):
        queuestream_queue("late").send("hello")
"""


def test_a_failure_says_its_seed_and_what_was_there(pytester, run):
    pytester.makepyfile(test_orders=FAILS)
    result = run("--tb=short", "test_orders.py")
    result.assert_outcomes(failed=4, passed=1, errors=1)
    result.stdout.re_match_lines_random(
        [
            r"seed \d+, made of the test's name; to repeat this test:",
            r"<VirtualClock 2025-01-01 00:00:0[78].*>",
            r"<Broker of 123456789012 in us-east-1: 1 queues, 1 streams>",
            r"  <Queue 'orders.fifo': 1 visible, 1 in flight, 0 delayed>",
            r"    '2 lamps' of group 'ada': in flight, receive 1",
            r"    'x{60}\.\.\.' of group 'bob': visible",
            r"  <Stream 'events': 2 shards open, 0 closed, 1 record>",
            r"<FaultPlan: 1 rules, struck 1 times>",
            r"  call 1, ListQueues: throttle",
            r"7 calls:",
            r"  2\. SendMessage orders\.fifo\(message_body='2 lamps', message_group_id='ada'\) -> <Sent.*>",
            r"seed 1, one of the test's own; to repeat this test:",
            r"  <Queue 'emails': 0 visible, 0 in flight, 0 delayed>",
            r"  <Queue 'late': not there yet>",
            r"    \(QueueDoesNotExist: The specified queue does not exist\.\)",
        ]
    )
    assert str(result.stdout).count("- queuestream -") == 4


def test_a_failure_says_the_seed_that_somebody_else_has_given(pytester, run):
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("queuestream_seed", [1, 2])
        def test_parameters(queuestream_seed, queuestream_queue):
            assert queuestream_seed == 1

        @pytest.mark.parametrize("queuestream_seed", [3], indirect=True)
        def test_parameters_of_ours(queuestream_seed):
            assert queuestream_seed != 3

        class TestOfMyOwn:
            @pytest.fixture
            def queuestream_seed(self):
                return 99

            async def test_fixture(self, queuestream_world):
                assert queuestream_world.seed != 99
        """
    )
    result = run()
    result.assert_outcomes(failed=3, passed=1)
    result.stdout.fnmatch_lines(
        [
            "seed 2, one of the test's own; to repeat this test:",
            "  pytest 'test_*.py::test_parameters[[]2]'",
            "seed 3, one of the test's own; to repeat this test:",
            "*world of seed 99; the section 'queuestream' says how to repeat it, *",
            "seed 99, said by a fixture queuestream_seed of yours; to repeat this test:",
            "  pytest test_*.py::TestOfMyOwn::test_fixture",
        ]
    )


SHOWS_ITS_CHANCE = """
    import random
    import pytest

    class TestOrders:
        @pytest.mark.queuestream(seeds=1)
        @pytest.mark.parametrize("lamp", ["it's big"])
        def test_lamp(self, queuestream_seed, lamp):
            assert not f"lamp {random.Random(queuestream_seed).random()}"

    def test_chair(queuestream_seed):
        assert not f"chair {random.Random(queuestream_seed).random()}"
"""


@pytest.mark.parametrize(
    "options",
    [[], ["--queuestream-seed", "random"]],
    ids=["", "random"],
)
@pytest.mark.slow
def test_the_commands_in_failures_repeat_them(pytester, run, options):
    folder = pytester.mkdir("tests")
    pytester.makepyfile(test_orders=SHOWS_ITS_CHANCE).rename(folder / "test_orders.py")

    def failures(*args):
        return re.findall(
            r"^E .*((?:lamp|chair) 0\.\d+)", run("--tb=short", *args).stdout.str(), re.MULTILINE
        )

    output = run("--tb=short", *options, "tests").stdout.str()
    commands = re.findall(r"^  pytest (\W?tests/.*)$", output, re.MULTILINE)
    before = re.findall(r"^E .*((?:lamp|chair) 0\.\d+)", output, re.MULTILINE)
    assert [failures(*shlex.split(command)) for command in commands] == [[failure] for failure in before]
    assert len(before) == 2


def test_a_mark_with_an_unknown_argument_is_refused_where_it_is_collected(pytester, run):
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.queuestream(delivry="aws_like")
        def test_orders():
            pass
        """
    )
    result = run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*queuestream has no argument 'delivry'; did you mean 'delivery'?"])
    result.stdout.no_fnmatch_line("*Traceback*")


DELIVERIES = """
    import pytest
    import unittest

    from queuestream import ADVERSARIAL, AWS_LIKE

    def test_plain(queuestream_broker, queuestream_aws, queuestream_world):
        assert queuestream_broker.delivery == queuestream_world.broker.delivery == ADVERSARIAL
        assert queuestream_aws.broker(region="eu-west-1").delivery == ADVERSARIAL

    @pytest.mark.queuestream(delivery="aws_like")
    def test_marked(queuestream_broker):
        assert queuestream_broker.delivery == AWS_LIKE

    class TestCase(unittest.TestCase):
        @pytest.fixture(autouse=True)
        def _give(self, queuestream_seed):
            pass

        @pytest.mark.queuestream(sedd=7)
        def test_case(self):
            pass
"""


def test_a_delivery_that_is_said_is_everybodys_but_of_marks(pytester, run):
    pytester.makepyfile(DELIVERIES)
    result = run("--queuestream-delivery", "adversarial", "--queuestream-seed", "3")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        [
            "queuestream: --queuestream-seed 3, --queuestream-delivery adversarial",
            "*queuestream has no argument 'sedd'; did you mean 'seed'?",
        ]
    )


def test_a_world_has_a_clock_of_its_own_and_tells_its_decisions(pytester, run):
    pytester.makepyfile(
        """
        import asyncio
        import pytest

        @pytest.mark.queuestream(start=0)
        def test_start(queuestream_world):
            pass

        @pytest.mark.queuestream(seed=7, trace=True)
        async def test_trace(queuestream_world):
            await asyncio.sleep(5)
            assert False
        """
    )
    result = run()
    result.assert_outcomes(failed=1, errors=1)
    result.stdout.re_match_lines_random(
        [
            ".*The clock of a test with a world is the world's, and takes no start.",
            r"<World of seed 7: 5 s, \d+ decisions>",
            r" +5\.0+ s  main .*",
        ]
    )


def test_every_fixture_explains_itself(run):
    result = run("--fixtures")
    shown = str(result.stdout).partition("fixtures defined from queuestream.testing.pytest_plugin")[2]
    explained = dict(re.findall(r"^(queuestream_\w+) -- .*\n    (.+)", shown, re.MULTILINE))
    assert explained.keys() == {name for name in vars(pytest_plugin) if name.startswith("queuestream_")}
    assert "no docstring available" not in explained.values()


@pytest.mark.slow
def test_nothing_is_imported_before_a_test_asks_for_it(tmp_path):
    (tmp_path / "test_nothing.py").write_text(
        "import sys\n"
        "def test_nothing():\n"
        "    ours = {name for name in sys.modules if name.startswith('queuestream')}\n"
        "    parts = {'queuestream', 'queuestream.testing', 'queuestream.testing.pytest_plugin'}\n"
        "    assert ours == parts\n"
        "    assert not sys.modules.keys() & {'attrs', 'attr', 'boto3', 'botocore', 'asyncio'}\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [*command, "-p", "queuestream.testing.pytest_plugin", tmp_path],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stdout


# --- marks ------------------------------------------------------------------------------------------------


def mark(*args, **kwargs):
    return pytest.mark.queuestream(*args, **kwargs).mark


def test_marks_add_up_and_the_nearest_wins():
    assert arguments_of([mark(seed=7), mark(seed=8, delivery="strict")]) == {"seed": 7, "delivery": "strict"}
    assert arguments_of([mark(seeds=3), mark(seed=8)]) == {"seeds": 3}
    assert arguments_of([mark(seed=8), mark(seeds=3)]) == {"seed": 8}
    assert arguments_of([]) == {}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (mark(7), "by name, as in seed=7, and not 7"),
        (mark(order="any"), f"has no argument 'order'; it has {', '.join(KNOWN)}"),
        (mark(seed=7, seeds=3), "not both"),
        (mark(seed=0.5), "a whole number or a text, not 0.5"),
        (mark(seeds=0), "seeds is how many there are, not 0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mark_that_says_what_it_cannot_is_told_so(wrong, says):
    with pytest.raises(MarkMistake, match=re.escape(says)):
        arguments_of([wrong])


def test_a_seed_is_always_the_same():
    assert seed_of({}, None, "test_orders.py::test_one").value == 212_900
    assert [seed.value for seed in seeds_of(2, None).values()] == [0, 1]
