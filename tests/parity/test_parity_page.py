"""The page of the parity table says what the tests say."""

import pytest
from drivers import WAYS
from parity_page import HEAD, PAGE, page, topics


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python tests/parity/parity_page.py"


def test_the_page_names_every_way_in():
    assert [line.split(" | ")[0] for line in HEAD.splitlines() if line.startswith("| ")][2:] == [
        f"| {way.name}" for way in WAYS
    ]


@pytest.mark.parametrize(("topic", "behaviours"), topics().items())
def test_every_behaviour_is_a_sentence_with_a_page(topic, behaviours):
    names = {way.name for way in WAYS}
    for behaviour in behaviours:
        assert behaviour.says.endswith(".")
        assert behaviour.page.startswith(topic.partition(":")[0])
        assert names.issuperset(behaviour.not_through)
