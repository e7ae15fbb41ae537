"""Whether the files that are written to are still the ones that their names stand for.

An open file can be written to after somebody has removed it, or has put another in its place, and
nothing says that what is written will never be found.  Asking costs a few microseconds, so it is
asked before anything relies on what was written: once for each fold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from queuestream.storage.disk import Disk


class Presence:
    """Files, as they are now.

    Args:
        disk: The files.
        paths: Their names; a file that is not there is nobody's concern.
    """

    def __init__(self, disk: Disk, paths: Iterable[Path]) -> None:
        self._disk = disk
        self._files = {path: identity for path in paths if (identity := disk.identity(path)) is not None}

    def check(self) -> None:
        """Nothing, where all is as it was.

        Raises:
            FileNotFoundError: One was removed, or another one has its name.
            OSError: One cannot be asked for.
        """
        for path, identity in self._files.items():
            if self._disk.identity(path) != identity:
                raise FileNotFoundError(f"{path} was removed or replaced while it was in use")
