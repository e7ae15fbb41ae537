"""Blobs as text: whichever decoder is installed takes and refuses the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuestream.aws.front_end import blobs

DECODERS = [blobs._standard_data_of, blobs._quick_data_of]


@given(st.binary())
def test_what_was_written_is_read(data):
    assert {decode(blobs.text_of(data)) for decode in DECODERS} == {data}
    assert blobs.text_of(data) == blobs._standard_text_of(data)


def outcome(decode, text):
    try:
        return decode(text)
    except ValueError:
        return "refused"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "QQ==",
        "QR==",
        "QUJ=",
        "QQ=",
        "QQ",
        "Q",
        "Q===",
        "=",
        "====",
        "QQ==QQ==",
        "Q Q=",
        "QQ==\n",
        "é",
        "QQ-_",
    ],
)
def test_both_decoders_agree_on(text):
    assert outcome(DECODERS[0], text) == outcome(DECODERS[1], text)


@given(st.text(alphabet="QRa0+/=- \n\x00é\ud800", max_size=12))
def test_both_decoders_agree_on_whatever_comes(text):
    assert outcome(DECODERS[0], text) == outcome(DECODERS[1], text)
