"""What a forked process does first: let go of what its parent goes on with.

A child inherits open files, mappings and locks.  If it wrote, it would write over its
parent's entries; if it merely kept the owner's file open, the lock would outlive its
parent.  Whoever has such a thing gives it to `tell_child`.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol

FORKED = "it was opened before this process was forked from another one, and cannot be shared"


class Inherited(Protocol):
    """Something that a child must not use as its parent does."""

    def _forked(self) -> None:
        """Become harmless; called in the child, which has no other thread yet."""


_inherited: weakref.WeakSet[Inherited] = weakref.WeakSet()


def tell_child(thing: Inherited) -> None:
    """Have `thing._forked()` called in every process that is forked from this one."""
    _inherited.add(thing)


def _in_child() -> None:
    for thing in list(_inherited):
        thing._forked()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=_in_child)
