"""The layout stays true: who may import whom, what the core may touch, and what a program pays for.

The rows are those of docs/explanation/architecture.md: each may import the rows below it,
never sideways or up.
"""

import ast
import importlib
import inspect
import subprocess
import sys
import types
import typing
from functools import cache
from pathlib import Path

import pytest

import queuestream
from queuestream import Broker, Queue

PACKAGE = Path(queuestream.__file__).parent

# Each part of the package, and the row it stands in: the lower, the less it knows.
ROWS = {
    "core": 0,
    "storage": 1,
    "aws": 2,
    "consumers": 2,
    "engines": 3,
    "aio": 4,
    "lab": 5,
    "testing": 6,
    "cli": 7,
    "demo": 7,
    "__main__": 8,
}
# Two parts of one row that may know each other, and which way.
SIDEWAYS = {("cli", "demo")}

# What the core needs of Python: nothing that reaches outside the process, and no time but the clock's.
CORE_LIBRARY = {
    "__future__",
    "base64",
    "binascii",
    "bisect",
    "collections",
    "contextlib",
    "decimal",
    "hashlib",
    "heapq",
    "importlib",
    "itertools",
    "json",
    "math",
    "operator",
    "re",
    "string",
    "threading",
    "types",
    "typing",
}
CORE_NEEDS = {"attrs", "sortedcontainers"}
# The few modules that may have more, and why.
CORE_EXCEPTIONS = {
    "core/clock.py": {
        "time",
        "datetime",
    },  # the machine's time is read here; freezegun shows its own as a date
    "core/virtual_clock.py": {"datetime", "asyncio"},  # dates in and out; which event loop runs
    "core/event_loops.py": {"asyncio"},  # how a task waits
    "core/waiting_room.py": {"asyncio"},  # the type of an event loop
    "core/bystanders.py": {"sys"},  # what the other threads are doing
    "core/ids.py": {"random", "os"},  # chance; a forked process begins anew
    "core/streams/hash_keys.py": {"_md5"},  # Python's own MD5, where OpenSSL's takes longer to begin
    "core/streams": {"datetime"},  # timestamps of Kinesis are dates
}
OUTSIDE = {"open", "print", "input", "exec", "eval", "compile", "breakpoint"}


def modules():
    return sorted(path for path in PACKAGE.rglob("*.py"))


@cache
def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def shown(path):
    return path.relative_to(PACKAGE).as_posix()


def part_of(path):
    return shown(path).partition("/")[0].removesuffix(".py")


def for_types_only(tree):
    """The nodes that stand under `if TYPE_CHECKING:`."""
    return {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for statement in node.body
        for child in ast.walk(statement)
    }


@cache
def imports(path, *, at_run_time=False):
    """The dotted names that a module imports."""
    tree = parsed(path)
    skipped = for_types_only(tree) if at_run_time else set()
    names = []
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{shown(path)} imports relatively"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def of_each(paths):
    """A test that looks at many files; as one, since a test for each costs more than the look."""

    def decorate(look):
        def test():
            wrong = {}
            for path in paths:
                try:
                    look(path)
                except AssertionError as error:
                    wrong[shown(path)] = str(error)
            assert not wrong

        test.__name__ = test.__qualname__ = look.__name__
        return test

    return decorate


def test_every_part_of_the_package_stands_in_a_row():
    assert {part_of(path) for path in modules()} - {"__init__"} <= ROWS.keys()


@of_each(modules())
def test_a_module_imports_only_its_own_part_and_lower_rows(path):
    part = part_of(path)
    if part == "__init__":
        return
    for name in imports(path):
        if name.startswith("queuestream."):
            other = name.split(".")[1]
            if other in {part, "__version__"} or (part, other) in SIDEWAYS:
                continue
            # What the package as a whole gives away is the core's.
            row = ROWS.get(other, 0 if other in queuestream.__all__ else None)
            assert row is not None, f"{shown(path)} imports {name}"
            assert row < ROWS[part], f"{shown(path)} is not above {name}"


# The rows of queuestream/storage, queuestream/aws and queuestream/lab, in the same way.
ROWS_WITHIN = {
    "storage": {
        "disk": 0,
        "findings": 0,
        "forks": 0,
        "gathered": 0,
        "lines": 0,
        "reading": 0,
        "values": 0,
        "codec": 1,
        "packed": 0,
        "commit_lock": 1,
        "group_commit": 1,
        "ownership": 1,
        "presence": 1,
        "queue_tables": 1,
        "records": 1,
        "segment": 1,
        "async_commit": 2,
        "journal": 2,
        "queue_loading": 2,
        "queue_gathering": 3,
        "stream_tables": 2,
        "schema": 3,
        "looking": 4,
        "queue_rows": 4,
        "stream_rows": 4,
        "tidying": 4,
        "store": 5,
        "opening": 6,
        "importing": 7,
        "inspecting": 7,
        "exporting": 8,
    },
    "aws": {
        "accounts": 0,
        "models": 0,
        "one_broker": 1,
        "calls": 1,
        "operations": 2,
        "faults": 0,
        "struck": 2,
        "fault_plans": 3,
        "front_end": 4,
        "in_process": 5,
        "server": 5,
        "remote": 5,
    },
    "lab": {
        "history": 0,
        "operation_names": 0,
        "departures": 0,
        "checkers": 1,
        "metrics": 1,
        "faults": 1,
        "recording": 1,
        "simulation": 2,
        "actors": 3,
        "scenarios": 4,
        "running": 5,
        "sweeps": 6,
        "report": 7,
    },
}
# A scenario says of a run what it has shown, so it knows the type.
TYPES_LOOK_UP = {"lab"}


@of_each([path for path in modules() if part_of(path) in ROWS_WITHIN])
def test_large_parts_have_rows_of_their_own(path):
    whole = part_of(path)
    rows = ROWS_WITHIN[whole]
    part = shown(path).split("/")[1].removesuffix(".py")
    if part == "__init__":
        return
    for name in imports(path, at_run_time=whole in TYPES_LOOK_UP):
        if name.startswith(f"queuestream.{whole}."):
            other = name.split(".")[2]
            assert other == part or rows[other] < rows[part], f"{shown(path)} imports {name}"


def test_storage_says_what_each_of_its_modules_is_for():
    storage = PACKAGE / "storage"
    described = ast.get_docstring(parsed(storage / "__init__.py"))
    assert {path.name for path in storage.glob("*.py")} - {"__init__.py"} == {
        word for word in described.split() if word.endswith(".py")
    }


CORE = [path for path in modules() if part_of(path) == "core"]


@of_each(CORE)
def test_the_core_imports_nothing_that_reaches_outside(path):
    allowed = CORE_LIBRARY | CORE_NEEDS | {"queuestream"}
    for place, more in CORE_EXCEPTIONS.items():
        if shown(path).startswith(place):
            allowed |= more
    assert {name.partition(".")[0] for name in imports(path)} <= allowed


@of_each(CORE)
def test_the_core_calls_nothing_that_reaches_outside(path):
    tree = parsed(path)
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & OUTSIDE


def test_the_cores_exceptions_are_needed():
    for place, more in CORE_EXCEPTIONS.items():
        used = {
            name.partition(".")[0] for path in CORE if shown(path).startswith(place) for name in imports(path)
        }
        assert more <= used, f"{place} does not use {more - used}"


def test_queues_know_no_streams_and_streams_no_queues():
    for path in CORE:
        for one, other in (("queues", "streams"), ("streams", "queues")):
            if f"/{one}/" in shown(path):
                assert not any(name.startswith(f"queuestream.core.{other}") for name in imports(path)), shown(
                    path
                )


@of_each(modules())
def test_a_module_says_what_it_is(path):
    tree = parsed(path)
    if path.name == "__init__.py" and not tree.body:
        return
    assert ast.get_docstring(tree), f"{shown(path)} does not say what it is"


# --- public names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", queuestream.__all__)
def test_a_public_name_can_be_imported(name):
    assert getattr(queuestream, name) is not None


def test_the_public_names_are_all_there_is():
    assert sorted(set(queuestream.__all__)) == sorted(queuestream.__all__)
    assert set(queuestream.__all__) <= set(dir(queuestream))
    with pytest.raises(AttributeError, match="module 'queuestream' has no attribute 'Topic'"):
        queuestream.Topic  # noqa: B018 - the question is the test


def test_type_checkers_see_the_same_names():
    tree = parsed(PACKAGE / "__init__.py")
    seen = {
        alias.asname or alias.name
        for node in for_types_only(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen | {"__version__", "aio"} == set(queuestream.__all__) | {"aio"}


def test_errors_are_one_tree():
    from queuestream import errors

    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    assert all(issubclass(error, errors.QueuestreamError) for error in classes)
    documented = errors.__doc__
    assert [error.__name__ for error in classes if error.__name__ not in documented] == []
    assert [error.__name__ for error in classes if not error.__doc__] == []
    codes = [error.code for error in classes if "code" in vars(error)]
    assert len(set(codes)) == len(codes)


def core_classes():
    """The classes that the core defines, by name."""
    names = [".".join(("queuestream", *Path(shown(path)).with_suffix("").parts)) for path in CORE]
    return {
        value.__name__: value
        for name in names
        for value in vars(importlib.import_module(name.removesuffix(".__init__"))).values()
        if isinstance(value, type) and value.__module__.startswith("queuestream.core")
    }


def test_an_operation_gives_values_that_have_a_public_name():
    classes = core_classes()
    for owner in (Queue, Broker):
        for name, operation in inspect.getmembers(owner, inspect.isfunction):
            # What only those who have streams are given stands with the streams.
            of_streams = "stream" in name or "AWS: Kinesis" in (operation.__doc__ or "")
            if name.startswith("_") or of_streams or "AWS: " not in (operation.__doc__ or ""):
                continue
            for node in ast.walk(ast.parse(operation.__annotations__["return"])):
                if isinstance(node, ast.Name) and node.id in classes:
                    public = getattr(queuestream, node.id, None)
                    assert public is classes[node.id], f"{owner.__name__}.{name} gives a {node.id}"


def test_annotations_of_the_public_classes_are_complete():
    for owner in (Queue, Broker):
        for name, operation in inspect.getmembers(owner, inspect.isfunction):
            if name.startswith("_"):
                continue
            signature = inspect.signature(operation)
            assert signature.return_annotation is not signature.empty, name
            assert all(
                parameter.annotation is not parameter.empty
                for parameter in signature.parameters.values()
                if parameter.name != "self"
            ), name


# --- what a program pays for ----------------------------------------------------------------------------

LOADED = """
import sys, attrs, sortedcontainers
before = set(sys.modules)
{program}
print(*sorted(set(sys.modules) - before))
"""


def loaded_by(program):
    """The modules that a program loads besides those that attrs and sortedcontainers load."""
    source = LOADED.format(program=program)
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_else():
    assert loaded_by("import queuestream") == {"queuestream"}


def test_using_a_queue_loads_what_a_queue_needs_and_no_more():
    modules = loaded_by(
        "from queuestream import Queue\n"
        "queue = Queue('emails')\n"
        "queue.send('hello')\n"
        "[message] = queue.receive()\n"
        "queue.delete(message)"
    )
    ours = {name for name in modules if name.startswith("queuestream")}
    foreign = {name for name in modules - ours if not name.startswith("_")}
    assert foreign <= {"hashlib", "heapq", "random"} | {"bisect", "math", "warnings", "statistics"}
    for name in ours:
        assert not name.startswith(
            (
                "queuestream.core.streams",
                "queuestream.aio",
                "queuestream.cli",
                "queuestream.demo",
                "queuestream.core.virtual_clock",
                "queuestream.core.event_loops",
                "queuestream.core.queues.changes",
                "queuestream.core.queues.batches",
                "queuestream.core.queues.move_tasks",
                "queuestream.core.queues.permissions",
                "queuestream.core.queues.redrive_policy",
                "queuestream.core.queues.attempts",
            )
        ), name


def test_no_name_loads_an_extra():
    names = "Queue, Stream, Broker, VirtualClock, connect, errors, aio"
    extras = {"boto3", "botocore", "rich", "matplotlib", "uvicorn", "cbor2", "hypothesis", "pytest"}
    assert not {module.partition(".")[0] for module in loaded_by(f"from queuestream import {names}")} & extras


def test_speaking_aws_loads_botocore_when_somebody_does():
    program = "from queuestream.aws import Aws, FaultPlan"
    foreign = {name.partition(".")[0] for name in loaded_by(program)}
    assert not foreign & {"boto3", "botocore", "aiobotocore", "uvicorn", "cbor2", "h2"}


CARRIERS = (
    "queuestream.storage",
    "queuestream.aws",
    "queuestream.aio",
    "sqlite3",
    "asyncio",
    "boto3",
    "botocore",
)


@pytest.mark.parametrize(
    ("url", "carriers"),
    [
        ("memory://", set()),
        ("sqlite:///orders.db", {"queuestream.storage", "sqlite3"}),
        ("aws://eu-west-1", {"queuestream.aws", "asyncio", "boto3", "botocore"}),
    ],
)
def test_a_broker_by_its_url_loads_its_own_engine_and_no_other(url, carriers, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    loaded = loaded_by(
        f"from queuestream import connect\nwith connect({url!r}) as broker:\n    broker.region"
    )
    assert {one for one in CARRIERS if one in loaded} == carriers


def test_answering_boto3_needs_no_server():
    program = "from queuestream.aws import mock_aws\nwith mock_aws():\n    pass"
    assert not {name.partition(".")[0] for name in loaded_by(program)} & {
        "uvicorn",
        "cbor2",
        "h2",
        "aiobotocore",
    }


def test_asyncio_is_loaded_for_those_who_use_it_only():
    assert "asyncio" not in loaded_by("from queuestream import Broker, Queue, Stream, VirtualClock, errors")


def test_the_package_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").exists()
    assert isinstance(queuestream, types.ModuleType)
    assert typing.get_type_hints(queuestream.__getattr__)["return"] is object
