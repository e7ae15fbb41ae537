"""Knobs: what can be turned on a scenario, with what it means, its unit, and what it may be.

A knob is a field of a scenario's class:

    consumers: int = knob(3, "how many workers", low=1, high=64)

Its type is the type of its default.  From a shell or a sweep it comes as text, so it is read and
checked here, and whoever gives a setting that is none is told which there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from queuestream.core.errors import QueuestreamError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_KEY = "queuestream knob"
_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class SettingError(QueuestreamError, ValueError):
    """A scenario has no such knob, or the knob no such position; the sentence lists those there are."""


@attrs.frozen(kw_only=True)
class Knob:
    """What a knob is.

    Attributes:
        name: As it is set.
        help: What it does, in a few words.
        default: Where it stands if nobody turns it; its type is the knob's.
        unit: What its numbers count, if that is not plain.
        low: The least it may be.
        high: The most it may be.
        choices: All that it may be, where they can be named.
    """

    name: str = ""
    help: str
    default: Any
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def range(self) -> str:
        """What it may be, for people."""
        if self.choices:
            return " | ".join(self.choices)
        if isinstance(self.default, bool):
            return "true | false"
        return "" if self.low is None or self.high is None else f"{_number(self.low)} to {_number(self.high)}"

    def read(self, value: object) -> Any:
        """A setting, from text or as it is.

        Raises:
            SettingError: It cannot stand there.
        """
        read = _read(type(self.default), value)
        if read is None or not self._takes(read):
            raise SettingError(f"{self.name}={value!s} is not {self._kind()}.")
        return read

    def _takes(self, value: Any) -> bool:
        if self.choices:
            return value in self.choices
        return self.low is None or self.high is None or self.low <= value <= self.high

    def _kind(self) -> str:
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if isinstance(self.default, bool):
            return "true or false"
        number = "a whole number" if isinstance(self.default, int) else "a number"
        return f"{number} from {self.range}" + (f" ({self.unit})" if self.unit else "")

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.name}={shown(self.default)}{unit}: {self.help} ({self.range})"


def knob(
    default: Any,
    help: str,  # noqa: A002 - what it is called wherever options are declared
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    choices: Sequence[str] = (),
) -> Any:
    """A field of a scenario that can be set.

    Args:
        default: An int, a float, a bool or a text; its type is the knob's.
        help: What it does, in a few words.
        unit: What its numbers count: `seconds`, `messages`.
        low: The least it may be; numbers need it, and `high`.
        high: The most it may be.
        choices: What a text may be; texts need it.
    """
    made = Knob(help=help, default=default, unit=unit, low=low, high=high, choices=tuple(choices))
    return attrs.field(default=default, metadata={_KEY: made})


def knobs_of(scenario: type) -> dict[str, Knob]:
    """A scenario's knobs, by name, in the order in which they are declared."""
    return {
        field.name: attrs.evolve(field.metadata[_KEY], name=field.name)
        for field in attrs.fields(scenario)
        if _KEY in field.metadata
    }


def read_settings(knobs: Mapping[str, Knob], settings: Mapping[str, object]) -> dict[str, Any]:
    """Settings as values.

    Raises:
        SettingError: One that is none, or out of its range; the sentence lists the knobs.
    """
    listed = "  The knobs are:" + "".join(f"\n  {each}" for each in knobs.values())
    if unknown := [name for name in settings if name not in knobs]:
        raise SettingError(f"There is no knob {unknown[0]!r}.{listed}")
    try:
        return {name: knobs[name].read(value) for name, value in settings.items()}
    except SettingError as error:
        raise SettingError(f"{error}{listed}") from None


def shown(value: object) -> str:
    """A setting as it is written in a shell."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,g}"


def _read(kind: type, value: object) -> Any:
    """A value of a kind, from a text that says it; None where it says none."""
    text = str(value).strip().lower()
    if kind is bool:
        return text in _YES if text in _YES + _NO else None
    if kind is str:
        return str(value)
    try:
        return kind(text)
    except ValueError:
        return None
