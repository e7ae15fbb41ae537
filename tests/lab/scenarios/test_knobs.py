"""Knobs: read from text, checked, and listed to who gives one that is none."""

import attrs
import pytest

from queuestream.lab.scenarios import SCENARIOS, Scenario, SettingError, knob
from queuestream.lab.scenarios.email_queue import EmailQueue


@attrs.frozen(kw_only=True)
class Kettle(Scenario):
    """A kettle boils water."""

    name = "kettle"

    litres: int = knob(1, "how much water", unit="litres", low=1, high=3)
    degrees: float = knob(100.0, "how hot", low=20, high=100)
    whistles: bool = knob(default=True, help="whether it is heard")
    colour: str = knob("red", "how it looks", choices=("red", "blue"))


def test_knobs_are_read_from_text():
    settings = {"litres": "2", "degrees": "95.5", "whistles": "no", "colour": "blue"}
    assert Kettle.from_settings(settings) == Kettle(litres=2, degrees=95.5, whistles=False, colour="blue")


def test_knobs_are_as_their_defaults_are():
    assert Kettle(degrees=80).settings() == {"litres": 1, "degrees": 80.0, "whistles": True, "colour": "red"}
    assert type(Kettle(degrees=80).degrees) is float


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"litres": 0}, r"litres=0 is not a whole number from 1 to 3 \(litres\)\."),
        ({"litres": 4}, "litres=4 is not"),
        ({"litres": "1.5"}, "litres=1.5 is not a whole number"),
        ({"litres": True}, "litres=True is not a whole number"),
        ({"degrees": 19.9}, "degrees=19.9 is not a number from 20 to 100"),
        ({"degrees": "nan"}, "degrees=nan is not"),
        ({"degrees": "hot"}, "degrees=hot is not"),
        ({"whistles": "perhaps"}, "whistles=perhaps is not true or false"),
        ({"colour": "green"}, "colour=green is not one of red, blue"),
        ({"lid": 1}, "There is no knob 'lid'"),
    ],
)
def test_a_setting_that_is_none_is_refused_and_the_knobs_are_listed(settings, why):
    with pytest.raises(SettingError, match=why) as caught:
        Kettle.from_settings(settings)
    assert "The knobs are:\n  litres=1 litres: how much water (1 to 3)\n" in str(caught.value)
    assert "whistles=true: whether it is heard (true | false)" in str(caught.value)


def test_bounds_are_within():
    assert Kettle(litres=1, degrees=20).litres == 1
    assert Kettle(litres=3, degrees=100).litres == 3


def test_a_scenario_that_is_made_directly_is_checked_as_well():
    with pytest.raises(SettingError, match=r"consumers=0 is not(.|\n)*how many workers"):
        EmailQueue(consumers=0)


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_every_knob_says_what_it_does_and_what_it_may_be(scenario):
    for each in scenario.knobs().values():
        assert each.help
        assert not each.help.endswith(".")
        assert each.range, each.name
        assert each.read(str(each.default)) == each.default


def test_a_scenario_without_a_story_says_so():
    from queuestream.lab.running import run

    with pytest.raises(NotImplementedError, match="Kettle does not say what happens"):
        run(Kettle)
