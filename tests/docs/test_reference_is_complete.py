"""The reference names everything that a caller can reach, and its limits are the code's."""

import argparse
import inspect
import re
from importlib import import_module

import attrs
import pytest
from pages import ROOT, name_of, names_in

import queuestream
from queuestream import (
    ADVERSARIAL,
    AWS_LIKE,
    STRICT,
    Broker,
    QueueLimits,
    SystemClock,
    VirtualClock,
    aio,
    aws,
    errors,
    testing,
)
from queuestream.cli import serve
from queuestream.core.queues.attributes import AWS_NAMES
from queuestream.core.streams.limits import StreamLimits
from queuestream.testing import marks, pytest_plugin

REFERENCE = ROOT / "docs" / "reference"
QUEUE, STREAM, BROKER_AND_CLOCKS, ERRORS, LIMITS, SERVE = (
    REFERENCE / f"{page}.md" for page in ("queue", "stream", "broker-and-clocks", "errors", "limits", "serve")
)

DELIVERY, TESTING = REFERENCE / "delivery.md", REFERENCE / "testing.md"

VALUES = {
    QUEUE: {
        "queues.message": ["SentMessage", "ReceivedMessage", "PeekedMessage"],
        "queues.message_attributes": ["MessageAttribute"],
        "queues.batches": [
            "SendEntry",
            "DeleteEntry",
            "ChangeVisibilityEntry",
            "BatchFailure",
            "BatchResult",
        ],
        "queues.redrive_policy": ["RedrivePolicy", "RedriveAllowPolicy"],
        "queues.move_tasks": ["MessageMoveTask"],
    },
    STREAM: {
        "streams.entries": ["PutRecordsEntry"],
        "streams.record": ["RejectedRecord", "PutRecordsResult", "GetRecordsResult", "ChildShard"],
        "streams.listing": [
            "ShardFilter",
            "ListShardsResult",
            "StreamDescription",
            "StreamDescriptionSummary",
        ],
        "streams.shard": ["ShardDescription"],
        "streams.resharding": ["UpdateShardCountResult"],
        "streams.administration": ["ListTagsResult"],
        "streams.consumers": ["ConsumerDescription", "ListStreamConsumersResult"],
        "streams.fan_out": ["StartingPosition", "SubscribeToShardEvent"],
    },
    BROKER_AND_CLOCKS: {"streams.account": ["ListStreamsResult", "AccountLimits"]},
}


def public_names(thing):
    """What can be reached without an underscore: of an object its attributes, too."""
    names = {*dir(thing)} if inspect.isclass(thing) else {*dir(type(thing)), *getattr(thing, "__dict__", {})}
    return {name for name in names if not name.startswith("_")}


@pytest.mark.parametrize(
    ("page", "things"),
    [
        (QUEUE, [Broker().create_queue("emails")]),
        (STREAM, [Broker().create_stream("events")]),
        (BROKER_AND_CLOCKS, [Broker(), SystemClock(), VirtualClock()]),
    ],
    ids=lambda value: name_of(value) if not isinstance(value, list) else "",
)
def test_every_public_name_is_in_the_reference(page, things):
    assert set().union(*map(public_names, things)) - names_in(page) == set()


@pytest.mark.parametrize("page", VALUES, ids=name_of)
def test_every_field_of_what_goes_in_and_comes_out_is_in_the_reference(page):
    fields = set()
    for module, names in VALUES[page].items():
        for name in names:
            value_type = getattr(import_module(f"queuestream.core.{module}"), name)
            fields |= {name, *public_names(value_type)}
    assert fields - {"of", "to_json", "allows"} - names_in(page) == set()


def test_every_queue_attribute_is_in_the_reference_with_awss_name_for_it():
    text = QUEUE.read_text(encoding="utf-8")
    for name, aws_name in AWS_NAMES.items():
        assert re.search(rf"^\| `{name}` \|.*\| {aws_name} \|$", text, re.MULTILINE), name


def test_every_parameter_of_a_stream_is_in_the_reference():
    assert {*inspect.signature(queuestream.Stream).parameters} - names_in(STREAM) == set()


@pytest.mark.parametrize(
    ("core", "wrapped", "page"),
    [
        (Broker().create_queue("emails"), aio.AsyncQueue, QUEUE),
        (Broker().create_stream("events"), aio.AsyncStream, STREAM),
        (Broker(), aio.AsyncBroker, BROKER_AND_CLOCKS),
    ],
    ids=["queue", "stream", "broker"],
)
def test_asyncio_has_every_operation_but_those_that_the_reference_names(core, wrapped, page):
    operations = {name for name in public_names(core) if inspect.ismethod(getattr(core, name))}
    _, _, not_for_callers = page.read_text(encoding="utf-8").partition("## Between the parts of the package")
    not_for_callers = not_for_callers.partition("\n## ")[0]
    asked_of_core = {"counts", "next_event_ns", "check_invariants", "check_open", "find_queue", "listen"}
    assert operations - public_names(wrapped) - {*re.findall(r"`(\w+)`", not_for_callers)} <= asked_of_core


def test_what_helps_tests_is_in_the_reference():
    named = names_in(TESTING)
    assert {*testing.__all__} - named == set()
    for thing in (testing.Call, testing.CallLog, testing.ExpectedCall):
        assert public_names(thing) - named == set()
    fixtures = {name for name in vars(pytest_plugin) if name.startswith("queuestream_")}
    assert fixtures | set(marks.KNOWN) <= named


def test_every_error_is_in_the_reference():
    raised = {
        name
        for name, thing in vars(errors).items()
        if inspect.isclass(thing) and issubclass(thing, Exception)
    }
    assert raised - names_in(ERRORS) == set()


def test_every_public_name_of_the_package_is_in_the_reference():
    named = set().union(*(names_in(page) for page in REFERENCE.glob("*.md")))
    assert {*queuestream.__all__} - named - {"__version__"} == set()


def test_every_option_of_connect_and_of_a_server_is_in_the_reference():
    connecting = {*inspect.signature(queuestream.connect).parameters} - {"url"}
    assert connecting - names_in(BROKER_AND_CLOCKS) == set()

    parser = argparse.ArgumentParser(add_help=False)
    serve.add_arguments(parser)
    shown = set(re.findall(r"^\| `(--[a-z-]+)", SERVE.read_text(encoding="utf-8"), re.MULTILINE))
    assert {option for action in parser._actions for option in action.option_strings} == shown
    assert {*inspect.signature(aws.serve).parameters} - names_in(SERVE) == set()


@pytest.mark.parametrize("limits", [QueueLimits, StreamLimits])
def test_the_table_of_limits_is_that_of_the_code(limits):
    _, _, section = LIMITS.read_text(encoding="utf-8").partition(f"\n## {limits.__name__}\n")
    section = section.partition("\n## ")[0]
    shown = dict(re.findall(r"^\| `(\w+)` \| ([\w.,]+) \| \S.*\|$", section, re.MULTILINE))
    known = limits()._asdict() if limits is QueueLimits else attrs.asdict(limits())
    assert shown == {
        name: str(value) if isinstance(value, bool) else f"{value:,}" for name, value in known.items()
    }


def test_the_table_of_deliveries_is_that_of_the_code():
    shown = re.findall(
        r"^\| `(\w+)` \| \d+ to [\d,]+ \| (\S+) \| (\S+) \| (\S+) \| \S.*\|$",
        DELIVERY.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    named = [attrs.asdict(delivery) for delivery in (STRICT, AWS_LIKE, ADVERSARIAL)]
    assert shown == [(knob, *(str(values[knob]) for values in named)) for knob in named[0]]
