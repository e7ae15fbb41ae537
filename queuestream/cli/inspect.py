"""Show what a file keeps (connect("sqlite:///orders.db")), and whether it is whole.

It shows queues and streams with their counts, the oldest message of each, dead letters, shards, records and
consumers; how far the database is behind its journal; who has the file open; and it checks the file, SQLite's
pages and indexes as well as what queues and streams need.  It changes nothing: the file may be in use,
and it may be damaged, and is shown as far as it can be read.

What has outlived its retention period is counted as expired as long as it is in the file.

Examples:
  queuestream inspect orders.db
  queuestream inspect orders.db --json | jq '.queues[] | select(.visible > 1000)'
  queuestream inspect orders.db --quick      (leaves the slowest check away)

Exit status: 0 where the file is whole, 1 where it is damaged, 2 where there is none.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from queuestream.cli.tables import Column, Table, say, show

if TYPE_CHECKING:
    import argparse

    from queuestream.storage.findings import QueueFindings, StreamFindings
    from queuestream.storage.inspecting import Inspection

SUMMARY = "show what a file keeps, and check that it is whole"

_WHOLE, _DAMAGED, _NO_FILE = range(3)
_SECOND = 1_000_000_000
_KIB = 1_024
_UNITS = ("KiB", "MiB", "GiB", "TiB")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("file", metavar="FILE", type=Path, help="the SQLite file that keeps a broker")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="check that pages are in order, but not that indexes have what the tables have",
    )


def run(options: argparse.Namespace) -> int:
    """Look, and tell.

    Returns:
        The exit status.
    """
    if not options.file.is_file():
        print(f"queuestream inspect: there is no file {options.file}", file=sys.stderr)
        return _NO_FILE
    from queuestream.storage.inspecting import inspect  # noqa: PLC0415 - for `queuestream --help`

    now_ns = time.time_ns()
    inspection = inspect(options.file, now_ns, thoroughly=not options.quick)
    if options.json:
        print(json.dumps(_document(inspection), indent=2))
    else:
        _tell(inspection, options.file, now_ns)
    return _DAMAGED if inspection.problems else _WHOLE


# --- for people --------------------------------------------------------------------------------------


def _tell(inspection: Inspection, path: Path, now_ns: int) -> None:
    for line in _heading(inspection, path, now_ns):
        say(line)
    if inspection.queues:
        print()
        show(_queues(inspection.queues, now_ns))
    if inspection.streams:
        print()
        show(_streams(inspection.streams, now_ns))
    print()
    if inspection.problems:
        say(f"Damaged: {len(inspection.problems)} found.")
        for problem in inspection.problems:
            say(f"  {problem}")
        say(f"`queuestream export {path}` saves what can be read.")
    else:
        say("Nothing is damaged.")


def _heading(inspection: Inspection, path: Path, now_ns: int) -> list[str]:
    (_, size), *beside = inspection.files.items()
    lines = [", ".join([f"{path}: {_bytes(size)}", *(f"{name} {_bytes(size)}" for name, size in beside)])]
    meta = inspection.meta
    if meta is not None:
        lines.append(
            f"Account {meta.account_id} in {meta.region}; schema version {meta.schema_version}; "
            f"last written {_age(inspection.latest_ns, now_ns)} ago ({_instant(inspection.latest_ns)})"
        )
    owner = inspection.owner
    lines.append(f"In use by {owner}." if owner is not None else "Nobody has it open.")
    if inspection.journal_calls:
        lines.append(
            f"The journal has {_count(inspection.journal_calls, 'call')} beyond the database, "
            f"{_bytes(inspection.journal_bytes)}, which are counted here."
        )
    return lines


def _queues(queues: Any, now_ns: int) -> Table:
    columns = [
        Column("queue"),
        Column("kind"),
        Column("visible", is_number=True),
        Column("in flight", is_number=True),
        Column("delayed", is_number=True),
        Column("expired", is_number=True),
        Column("oldest", is_number=True),
        Column("dead letters", is_number=True),
        Column("its dead letters go to"),
    ]
    return Table(_count(len(queues), "queue"), columns, [_queue(queue, now_ns) for queue in queues])


def _queue(queue: QueueFindings, now_ns: int) -> list[str]:
    target = queue.dead_letter_queue
    return [
        queue.name,
        "FIFO" if queue.is_fifo else "standard",
        f"{queue.visible:,}",
        f"{queue.in_flight:,}",
        f"{queue.delayed:,}",
        f"{queue.expired:,}",
        _age(queue.oldest_sent_ns, now_ns),
        f"{queue.dead_letters:,}" + (", moving" if queue.move_tasks else ""),
        "-" if target is None else target.rpartition(":")[2],
    ]


def _streams(streams: Any, now_ns: int) -> Table:
    columns = [
        Column("stream"),
        Column("status"),
        Column("mode"),
        Column("open shards", is_number=True),
        Column("closed", is_number=True),
        Column("records", is_number=True),
        Column("expired", is_number=True),
        Column("size", is_number=True),
        Column("oldest", is_number=True),
        Column("consumers"),
    ]
    return Table(_count(len(streams), "stream"), columns, [_stream(stream, now_ns) for stream in streams])


def _stream(stream: StreamFindings, now_ns: int) -> list[str]:
    opened = sum(shard.is_open for shard in stream.shards)
    return [
        stream.name,
        stream.status,
        stream.mode,
        f"{opened:,}",
        f"{len(stream.shards) - opened:,}",
        f"{stream.records:,}",
        f"{sum(shard.expired for shard in stream.shards):,}",
        _bytes(stream.bytes),
        _age(stream.oldest_arrival_ns, now_ns),
        ", ".join(stream.consumers) or "-",
    ]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _bytes(size: int) -> str:
    if size < _KIB:
        return f"{size} B"
    power = min((size.bit_length() - 1) // 10, len(_UNITS))
    return f"{size / _KIB**power:.1f} {_UNITS[power - 1]}"


def _age(at_ns: int | None, now_ns: int) -> str:
    """How long ago it was, in the two largest units that say something."""
    if at_ns is None:
        return "-"
    seconds = max(0, now_ns - at_ns) // _SECOND
    for unit, length, smaller, part in (
        ("d", 86_400, "h", 3_600),
        ("h", 3_600, "min", 60),
        ("min", 60, "s", 1),
    ):
        if seconds >= length:
            return f"{seconds // length} {unit} {seconds % length // part} {smaller}"
    return f"{seconds} s"


# --- for programs ------------------------------------------------------------------------------------


def _document(inspection: Inspection) -> dict[str, Any]:
    meta = inspection.meta
    return {
        "file": str(inspection.path),
        "is_whole": not inspection.problems,
        "problems": list(inspection.problems),
        "files": dict(inspection.files),
        "schema_version": None if meta is None else meta.schema_version,
        "account_id": None if meta is None else meta.account_id,
        "region": None if meta is None else meta.region,
        "last_written": _instant(inspection.latest_ns) if inspection.latest_ns else None,
        "owner": inspection.owner,
        "journal": {"calls": inspection.journal_calls, "bytes": inspection.journal_bytes},
        "queues": [
            {
                "name": queue.name,
                "kind": "FIFO" if queue.is_fifo else "standard",
                "visible": queue.visible,
                "in_flight": queue.in_flight,
                "delayed": queue.delayed,
                "expired": queue.expired,
                "oldest_sent": _instant(queue.oldest_sent_ns),
                "dead_letters": queue.dead_letters,
                "dead_letter_queue": queue.dead_letter_queue,
                "move_tasks": queue.move_tasks,
            }
            for queue in inspection.queues
        ],
        "streams": [
            {
                "name": stream.name,
                "status": stream.status,
                "mode": stream.mode,
                "retention_period_hours": stream.retention_period_hours,
                "consumers": list(stream.consumers),
                "records": stream.records,
                "bytes": stream.bytes,
                "shards": [
                    {
                        "shard_id": shard.shard_id,
                        "is_open": shard.is_open,
                        "records": shard.records,
                        "bytes": shard.bytes,
                        "expired": shard.expired,
                        "oldest_arrival": _instant(shard.oldest_arrival_ns),
                    }
                    for shard in stream.shards
                ],
            }
            for stream in inspection.streams
        ],
    }


def _instant(at_ns: int | None) -> str | None:
    if at_ns is None:
        return None
    return datetime.fromtimestamp(at_ns / _SECOND, UTC).isoformat(timespec="milliseconds")
