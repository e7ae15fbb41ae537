"""Blobs as text: base64, which is most of what reading and writing records costs.

The extra `server` brings pybase64, which decodes six times as fast as the standard library and takes
and refuses the same texts; without it the standard library does.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64

try:
    import pybase64
except ModuleNotFoundError:  # pragma: no cover - a matter of what is installed
    pybase64 = None  # type: ignore[assignment]


def _standard_text_of(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode("ascii")


def _standard_data_of(text: str) -> bytes:
    return a2b_base64(text, strict_mode=True)


def _quick_data_of(text: str) -> bytes:
    return pybase64.b64decode(text, validate=True)


text_of = _standard_text_of if pybase64 is None else pybase64.b64encode_as_string
"""Some bytes as base64."""

data_of = _standard_data_of if pybase64 is None else _quick_data_of
"""The bytes that base64 says; a ValueError where it is none."""
