"""The pages about engines say what the suite knows."""

from pathlib import Path

import differences_of_servers
import pytest

from queuestream.testing.conformance import QUEUE_CAPABILITIES, STREAM_CAPABILITIES, QueueConformance

DOCS = Path(__file__).parents[3] / "docs"


def test_every_known_difference_of_a_server_is_in_the_reference():
    page = (DOCS / "reference" / "engines.md").read_text(encoding="utf-8")
    known = [
        culprit
        for name, culprits in vars(differences_of_servers).items()
        if name.isupper() and isinstance(culprits, dict)
        for culprit in culprits
    ]
    assert known
    assert [culprit for culprit in known if f"- {culprit}\n" not in page] == []
    servers = page.partition("## What servers of others do otherwise")[2]
    assert servers.count("\n- ") == len(known)


def test_every_capability_is_on_the_page_that_says_how():
    page = (DOCS / "how-to" / "hold-an-engine-to-the-conformance-suite.md").read_text(encoding="utf-8")
    for name, meaning in {**QUEUE_CAPABILITIES, **STREAM_CAPABILITIES}.items():
        assert f"| `{name}` | {meaning} |" in page


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"capabilities": {"telepathy"}}, "telepathy is no capability"),
        ({"known_differences": {"test_nothing[1]": "nobody"}}, "differences of test_nothing.1., which is no"),
    ],
)
def test_what_a_class_says_about_its_engine_has_to_make_sense(said, sentence):
    with pytest.raises(TypeError, match=sentence):
        type("TestMine", (QueueConformance,), said)
