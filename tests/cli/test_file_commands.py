"""`queuestream inspect`, `export` and `import`, as somebody meets them who types them."""

import io
import json
import sys

import pytest

from queuestream import connect
from queuestream.cli import inspect as inspect_command
from queuestream.cli import tables
from queuestream.cli.main import main


@pytest.fixture(scope="module")
def path(lasting_folder):
    path = lasting_folder / "orders.db"
    with connect(f"sqlite:///{path}", durability="none") as broker:
        broker.create_queue("dead")
        policy = {"deadLetterTargetArn": broker.queue("dead").arn, "maxReceiveCount": 3}
        queue = broker.create_queue("emails", redrive_policy=policy)
        queue.send_batch(["hello", "world"])
        queue.receive()
        broker.create_queue("orders.fifo", fifo_queue=True)
        broker.create_stream("events", shard_count=2).put_record(b"x" * 1_998, "id")
    return path


@pytest.fixture
def damaged(path, fast_folder):
    damaged = fast_folder / "damaged.db"
    damaged.write_bytes(path.read_bytes()[:-8_192] + b"\xff" * 8_192)
    return damaged


def test_inspect_shows_queues_and_streams(path, capsys):
    assert main(["inspect", str(path)]) == 0
    printed = capsys.readouterr().out
    rows = [line.split() for line in printed.splitlines()]
    assert ["emails", "standard", "1", "1", "0", "0", "0", "s", "0", "dead"] in rows
    assert ["orders.fifo", "FIFO", "0", "0", "0", "0", "-", "0", "-"] in rows
    assert ["events", "ACTIVE", "PROVISIONED", "2", "0", "1", "0", "2.0", "KiB", "0", "s", "-"] in rows
    assert "Nobody has it open." in printed
    assert printed.endswith("\nNothing is damaged.\n")


def test_inspect_tells_programs_in_json(path, capsys):
    assert main(["inspect", str(path), "--json", "--quick"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["is_whole"], found["schema_version"], found["owner"]) == (True, 1, None)
    assert [(queue["name"], queue["visible"]) for queue in found["queues"]] == [
        ("dead", 0),
        ("emails", 1),
        ("orders.fifo", 0),
    ]
    assert sum(shard["records"] for shard in found["streams"][0]["shards"]) == 1


def test_inspect_says_who_has_it_open_and_what_is_not_in_the_database_yet(fast_folder, capsys):
    path = fast_folder / "orders.db"
    with connect(f"sqlite:///{path}", durability="none") as broker:
        broker.create_queue("emails")
        assert main(["inspect", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "In use by another broker of this process." in printed
    assert "The journal has 1 call beyond the database" in printed


def test_inspect_tells_damage_and_what_to_do(damaged, capsys):
    assert main(["inspect", str(damaged)]) == 1
    printed = capsys.readouterr().out
    assert "Damaged: " in printed
    assert f"`queuestream export {damaged}` saves what can be read." in printed


@pytest.mark.parametrize("command", ["inspect", "export"])
def test_a_file_that_is_not_there_is_not_made(fast_folder, capsys, command):
    assert main([command, str(fast_folder / "no.db")]) == 2
    assert capsys.readouterr().err == f"queuestream {command}: there is no file {fast_folder / 'no.db'}\n"
    assert list(fast_folder.iterdir()) == []


def test_export_and_import_make_an_equal_file(path, fast_folder, capsysbinary):
    lines, again = fast_folder / "orders.jsonl", fast_folder / "again.db"
    assert main(["export", str(path), "--out", str(lines)]) == 0
    assert main(["import", str(lines), str(again)]) == 0
    assert sorted(file.name for file in fast_folder.iterdir()) == ["again.db", "orders.jsonl"]
    assert main(["export", str(again)]) == 0
    assert capsysbinary.readouterr() == (lines.read_bytes(), b"")


def test_import_takes_what_another_program_writes(path, fast_folder, capsysbinary, monkeypatch):
    main(["export", str(path)])
    exported = capsysbinary.readouterr().out
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(exported)))
    assert main(["import", "-", str(fast_folder / "again.db")]) == 0
    with connect(f"sqlite:///{fast_folder}/again.db") as broker:
        assert broker.queue("emails").approximate_number_of_messages == 1


def test_import_says_what_makes_no_sense(fast_folder, capsys):
    lines = fast_folder / "orders.jsonl"
    assert main(["import", str(lines), str(fast_folder / "new.db")]) == 2
    lines.write_text("hello\n")
    assert main(["import", str(lines), str(fast_folder / "new.db")]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"queuestream import: cannot read {lines}: No such file or directory"
    assert second.startswith("queuestream import: Line 1 cannot be imported: it is no JSON")
    assert [file.name for file in fast_folder.iterdir()] == ["orders.jsonl"]


def test_import_writes_nothing_over(path, fast_folder, capsys):
    main(["export", str(path), "--out", str(fast_folder / "orders.jsonl")])
    assert main(["import", str(fast_folder / "orders.jsonl"), str(path)]) == 2
    assert "is there already, and is not written over" in capsys.readouterr().err


def test_export_of_something_else_is_refused(fast_folder, capsys):
    path = fast_folder / "notes.txt"
    path.write_text("It was a dark and stormy night.\n" * 100)
    assert main(["export", str(path)]) == 1
    assert "file is not a database" in capsys.readouterr().err


def test_export_tells_what_was_lost(damaged, capsysbinary):
    assert main(["export", str(damaged)]) == 1
    printed, complaints = capsysbinary.readouterr()
    assert json.loads(printed.splitlines()[-1])["lost"]
    assert complaints.startswith(b"queuestream export: lost: ")


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 B"), (1_023, "1023 B"), (1_024, "1.0 KiB"), (600 * 1_024, "600.0 KiB"), (2**50, "1024.0 TiB")],
)
def test_sizes_are_said_in_units_that_people_use(size, said):
    assert inspect_command._bytes(size) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min 0 s"), (3_599, "59 min 59 s"), (90_000, "1 d 1 h"), (-5, "0 s")],
)
def test_ages_are_said_in_units_that_people_use(seconds, said):
    assert inspect_command._age(0, seconds * 1_000_000_000) == said


def test_on_a_terminal_tables_are_rich_and_names_are_no_markup(capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    columns = [tables.Column("queue"), tables.Column("visible", is_number=True)]
    tables.show(tables.Table("1 queue", columns, [["[red]emails", "1"]]))
    printed = capsys.readouterr().out
    assert "[red]emails" in printed
    assert "─" in printed

    monkeypatch.setitem(sys.modules, "rich", None)
    tables.show(tables.Table("1 queue", columns, [["[red]emails", "1"]]))
    assert capsys.readouterr().out.splitlines() == [
        "1 queue",
        "",
        "queue         visible",
        "---------------------",
        "[red]emails         1",
    ]
