"""A broker by its URL: what a URL may be, and which options an engine has."""

import subprocess
import sys

import pytest

from queuestream import Broker, VirtualClock, connect
from queuestream.core.errors import InvalidParameterValue, NotSupportedByEngine
from queuestream.engines import Url, connect_async, parse_url


@pytest.mark.parametrize(
    ("url", "parsed"),
    [
        ("memory://", Url("memory", "", {})),
        ("memory:///", Url("memory", "", {})),
        ("MEMORY://", Url("memory", "", {})),
        ("sqlite:///orders.db", Url("sqlite", "orders.db", {})),
        ("sqlite:///data/orders.db", Url("sqlite", "data/orders.db", {})),
        ("sqlite:////var/lib/orders.db", Url("sqlite", "/var/lib/orders.db", {})),
        ("sqlite:///C:/data/orders.db", Url("sqlite", "C:/data/orders.db", {})),
        ("sqlite:///my%20orders%231.db", Url("sqlite", "my orders#1.db", {})),
        ("sqlite:///Bücher.db", Url("sqlite", "Bücher.db", {})),
        ("aws://eu-west-1", Url("aws", "eu-west-1", {})),
        ("aws://", Url("aws", "", {})),
        (
            "aws://us-east-1?endpoint_url=http://localhost:4566&wait=false",
            Url("aws", "us-east-1", {"endpoint_url": "http://localhost:4566", "wait": "false"}),
        ),
    ],
)
def test_a_url_names_an_engine_and_what_it_is_to_open(url, parsed):
    assert parse_url(url) == parsed


@pytest.mark.parametrize(
    "url",
    [
        "",
        "orders.db",
        "redis://localhost",
        "memory:",
        "memory://orders",
        "sqlite:",
        "sqlite://",
        "sqlite:///",
        "sqlite:orders.db",
        "sqlite:/orders.db",
        "sqlite://orders.db",
        "sqlite:///data/",
        "sqlite:///orders#1.db",
        "sqlite:///orders%00.db",
        "sqlite:///:memory:",
        "sqlite:///\ud800.db",
        "aws:eu-west-1",
        "aws://eu-west-1/orders",
        "aws://localhost:4566",
        "aws://key:secret@eu-west-1",
        "aws://[eu-west-1",
        "memory://?seed=7&seed=8",
        b"memory://",
        None,
    ],
)
def test_what_is_no_url_of_a_broker_is_refused_and_makes_no_file(url, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidParameterValue):
        connect(url)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("sqlite://orders.db", "three slashes"),
        ("sqlite:///orders#1.db", "%23"),
        ("sqlite:///:memory:", "memory://"),
        ("aws://localhost:4566", "endpoint_url=http://localhost:4566"),
    ],
)
def test_a_refusal_says_how_it_is_meant(url, advice):
    with pytest.raises(InvalidParameterValue, match=advice):
        connect(url)


def test_options_stand_beside_the_url_or_in_it():
    def first_id(broker):
        return broker.create_queue("emails").send("hello").message_id

    beside = connect("memory://", seed=7, account_id="111122223333", region="eu-west-1")
    within = connect("memory://?seed=7&account_id=111122223333&region=eu-west-1")
    assert repr(beside) == repr(within) == "<Broker of 111122223333 in eu-west-1: 0 queues, 0 streams>"
    assert first_id(beside) == first_id(within) == first_id(Broker(seed=7))
    assert first_id(connect("memory://?seed=seven")) == first_id(Broker(seed="seven"))


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("memory://?seed=7", {"seed": 7}),
        ("memory://?seed=", {}),
        ("memory://?sed=7", {}),
        ("memory://?clock=VirtualClock", {}),
        ("sqlite:///orders.db?sync_interval_ms=often", {}),
        ("sqlite:///orders.db?durability=always", {}),
        ("sqlite:///orders.db", {"sync_interval_ms": 0}),
        ("aws://eu-west-1?wait=1", {}),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(url, options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidParameterValue):
        connect(url, **options)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize(
    ("url", "options", "engine", "option"),
    [
        ("memory://", {"durability": "none"}, "memory", "durability"),
        ("memory://?endpoint_url=http://localhost", {}, "memory", "endpoint_url"),
        ("sqlite:///orders.db?profile=work", {}, "sqlite", "profile"),
        ("sqlite:///orders.db", {"wait": False}, "sqlite", "wait"),
        ("aws://eu-west-1", {"clock": VirtualClock()}, "aws", "clock"),
        ("aws://eu-west-1?durability=commit", {}, "aws", "durability"),
        ("aws://eu-west-1", {"region": "eu-west-1"}, "aws", "region"),
    ],
)
def test_the_option_of_another_engine_is_refused_with_that_engines_name(url, options, engine, option):
    with pytest.raises(NotSupportedByEngine, match="It belongs to") as refused:
        connect(url, **options)
    assert (refused.value.engine, refused.value.asked) == (engine, f"option {option}")


MISSING = """
import sys
sys.modules[{module!r}] = None
from queuestream import engines
try:
    engines.{call}("aws://eu-west-1")
except ModuleNotFoundError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("module", "call", "package"),
    [
        ("botocore", "connect", "'queuestream[aws]'"),
        pytest.param("aiobotocore", "connect_async", "aiobotocore", marks=pytest.mark.slow),
    ],
)
def test_what_aws_needs_and_is_not_installed_is_named(module, call, package):
    source = MISSING.format(module=module, call=call)
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert f"pip install {package} has what aws:// needs" in done.stdout


def test_asyncio_refuses_the_same():
    with pytest.raises(NotSupportedByEngine):
        connect_async("aws://eu-west-1", clock=VirtualClock())
