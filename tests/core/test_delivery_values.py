"""A delivery as a value, and who takes one."""

import attrs
import pytest

import queuestream
from queuestream import ADVERSARIAL, AWS_LIKE, STRICT, Broker, Delivery, Queue, Stream, connect
from queuestream.core.errors import InvalidParameterValue, NotSupportedByEngine


def test_a_delivery_of_which_nothing_is_said_is_the_strict_one():
    assert Delivery() == STRICT
    assert Broker().delivery == Broker(delivery=STRICT).delivery == STRICT


@pytest.mark.parametrize(
    ("name", "delivery"), [("strict", STRICT), ("aws_like", AWS_LIKE), ("adversarial", ADVERSARIAL)]
)
def test_a_delivery_may_be_given_by_its_name(name, delivery):
    assert Broker(delivery=name).delivery == delivery
    assert Queue("emails", delivery=name).broker.delivery == delivery
    assert Stream("events", delivery=delivery).broker.delivery == delivery


def test_connect_takes_a_delivery_beside_the_url_and_its_name_in_it(fast_folder):
    assert connect("memory://", delivery=AWS_LIKE).delivery == AWS_LIKE
    with connect(f"sqlite:///{fast_folder}/orders.db?durability=none&delivery=adversarial") as broker:
        assert broker.delivery == ADVERSARIAL
    with pytest.raises(NotSupportedByEngine):
        connect("aws://eu-west-1", delivery="aws_like")
    with pytest.raises(InvalidParameterValue):
        connect("memory://?delivery=kind")


@pytest.mark.parametrize("share", ["reordering", "duplicates", "returns", "reordered_puts"])
def test_a_share_is_from_0_to_1(share):
    for value in (0, 0.5, 1):
        check({share: value}, is_one=True)
    for value in (-0.01, 1.01):
        check({share: value}, is_one=False)


@pytest.mark.parametrize(
    ("number", "maximum"),
    [("hosts", 64), ("sampled_hosts", 64), ("overtaken_max", 1_000), ("back_after_receives", 1_000)],
)
def test_a_number_has_its_range(number, maximum):
    check({number: 1}, is_one=True)
    check({number: maximum}, is_one=True)
    check({number: 0}, is_one=False)
    check({number: maximum + 1}, is_one=False)


@pytest.mark.parametrize("value", [None, "1", True, float("nan"), [], 10**400])
@pytest.mark.parametrize("name", [field.name for field in attrs.fields(Delivery)])
def test_a_knob_of_another_kind_is_refused(name, value):
    check({name: value}, is_one=False)


@pytest.mark.parametrize("delivery", [None, "kind", "STRICT", 1, True, Delivery, {"hosts": 2}, queuestream])
def test_a_delivery_that_is_none_is_refused(delivery):
    with pytest.raises(InvalidParameterValue, match=r"Delivery is invalid.* strict, aws_like, adversarial"):
        Broker(delivery=delivery)


@pytest.mark.parametrize("made", [Queue, Stream])
@pytest.mark.parametrize("asked", [{"delivery": "aws_like"}, {"delivery": None}, {"seed": 0}])
def test_what_makes_a_broker_is_refused_beside_one(made, asked):
    broker = Broker()
    with pytest.raises(TypeError, match="there is one already"):
        made("emails", broker=broker, **asked)
    assert not broker.queues
    assert not broker.streams


def check(knobs, *, is_one):
    if is_one:
        [(name, value)] = knobs.items()
        assert getattr(Delivery(**knobs), name) == value
    else:
        with pytest.raises(InvalidParameterValue, match=next(iter(knobs))):
            Delivery(**knobs)
