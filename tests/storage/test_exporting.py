"""What a file keeps, as lines of JSON, and the file that they make again."""

import json
import shutil
import sqlite3
import threading
from contextlib import ExitStack

import pytest
from rich_files import make, seen, what_comes_next

from queuestream import VirtualClock
from queuestream.core.errors import StorageDamaged
from queuestream.storage import lines, schema
from queuestream.storage.exporting import export
from queuestream.storage.importing import CannotImport, Importing
from queuestream.storage.inspecting import inspect
from queuestream.storage.opening import open_broker


@pytest.fixture(scope="module")
def folder(lasting_folder):
    return lasting_folder / "rich"


@pytest.fixture(scope="module")
def now_ns(folder):
    return make(folder).now_ns()


@pytest.fixture(scope="module")
def closed(folder, now_ns):
    return exported(folder / "closed.db")


def exported(path):
    with ExitStack() as stack:
        return list(export(path, stack))


def imported(exported_lines, path):
    with Importing(path) as importing:
        for line in exported_lines:
            importing.add(line)
        importing.finish()
    return path


def opened(path, now_ns):
    clock = VirtualClock()
    clock.advance(nanoseconds=now_ns - clock.now_ns())
    return open_broker(path, clock=clock, seed="from here on", durability="none")


def objects(exported_lines, kind):
    found = [json.loads(line) for line in exported_lines]
    return [fields for fields in found if fields["kind"] == kind]


def test_an_export_imported_is_an_equal_broker(folder, closed, now_ns, fast_folder):
    imported(closed, fast_folder / "again.db")
    shutil.copyfile(folder / "closed.db", fast_folder / "closed.db")
    with (
        opened(fast_folder / "again.db", now_ns) as again,
        opened(fast_folder / "closed.db", now_ns) as broker,
    ):
        assert seen(again) == seen(broker)
        assert what_comes_next(again) == what_comes_next(broker)


def test_what_was_not_closed_is_exported_with_what_its_journal_has(folder, closed, now_ns):
    # But for what SQLite's readers tell each other.
    files = [file for file in folder.iterdir() if not file.name.endswith("-shm")]
    before = {file: file.read_bytes() for file in files}
    found = exported(folder / "killed.db")
    for kind in ("message", "record", "consumer", "move_task"):
        assert objects(found, kind) == objects(closed, kind)
    assert {file: file.read_bytes() for file in files} == before


def test_an_import_exported_is_the_same_lines(closed, fast_folder):
    assert exported(imported(closed, fast_folder / "again.db")) == closed


def test_lines_say_what_they_are_for_people_to_read(closed):
    first, last = (json.loads(closed[place]) for place in (0, -1))
    assert (first["kind"], first["format"], first["region"]) == ("queuestream", 1, "eu-west-1")
    assert last == {"kind": "end", "lines": len(closed), "lost": []}
    bodies = [message["body"] for message in objects(closed, "message")]
    assert {"hello", "Größe 𝄞 \u2028 \x7f", "poison", "order 5"} <= set(bodies)
    assert "never mind" not in bodies
    assert {"team": "mail"} in [queue["tags"] for queue in objects(closed, "queue")]
    assert {"text": "text"} in [record["data"] for record in objects(closed, "record")]
    kinds = {json.loads(line)["kind"] for line in closed}
    assert {
        "queue",
        "message",
        "stream",
        "shard",
        "record",
        "consumer",
        "move_task",
        "deduplication",
    } <= kinds


def test_the_columns_that_have_json_are_there(folder, now_ns):
    connection = sqlite3.connect(folder / "closed.db")
    for table, column in lines._JSON:
        assert column in [row[1] for row in connection.execute(f"pragma table_info({table})")], (
            table,
            column,
        )
    connection.close()


def test_what_is_on_its_way_out_is_not_exported(folder, now_ns, fast_folder):
    path = shutil.copyfile(folder / "closed.db", fast_folder / "file.db")
    connection = sqlite3.connect(path)
    keys = [key for (key,) in connection.execute("select key from messages order by key")]
    for first, last in ((keys[2], keys[3]), (keys[7], keys[-2])):
        connection.execute("insert into garbage values ('messages', ?, ?)", (first, last))
    connection.commit()
    connection.close()
    found = [message["key"] for message in objects(exported(path), "message")]
    assert found == [*keys[:2], *keys[4:7], keys[-1]]


@pytest.mark.slow
def test_an_export_of_a_file_in_use_is_of_one_instant(fast_folder):
    path = fast_folder / "file.db"
    put, ends = [0], threading.Event()

    def work():
        while not ends.wait(0.0002):
            queue.send(str(put[0] + 1))
            stream.put_record(str(put[0] + 1).encode(), "key")
            put[0] += 1
            if not put[0] % 40:
                broker.storage.fold()

    with open_broker(path, durability="none") as broker:
        queue, stream = broker.create_queue("emails"), broker.create_stream("events")
        worker = threading.Thread(target=work)
        worker.start()
        try:
            for _ in range(10):
                before = put[0]
                found = exported(path)
                numbers = [int(record["data"]["text"]) for record in objects(found, "record")]
                assert numbers == list(range(1, len(numbers) + 1))
                assert before <= len(numbers) <= put[0] + 1
                assert len(objects(found, "message")) - len(numbers) in {0, 1}
                assert objects(found, "end")[0]["lost"] == []
                assert inspect(path, 0).problems == []
        finally:
            ends.set()
            worker.join()


# --- damaged files ------------------------------------------------------------------------------------


def many_messages(path):
    """A file whose rows of messages take many pages."""
    with open_broker(path, durability="none") as broker:
        queue = broker.create_queue("emails")
        for number in range(60):
            queue.send_batch([f"{number} {'x' * 1_000}"] * 10)
    return path


def damage(path, page):
    with path.open("r+b") as file:
        file.seek(page * 8_192)
        file.write(b"\xff" * 8_192)


@pytest.mark.slow
def test_of_a_damaged_file_everything_around_the_damage_is_saved(fast_folder):
    path = many_messages(fast_folder / "file.db")
    whole = objects(exported(path), "message")
    damage(path, path.stat().st_size // 8_192 // 2)
    with pytest.raises(StorageDamaged):
        open_broker(path)

    saved = exported(path)
    [end] = objects(saved, "end")
    [sentence] = end["lost"]
    assert sentence.startswith("messages after the one with key ")
    messages = objects(saved, "message")
    assert len(whole) - 10 <= len(messages) < len(whole)
    assert all(message in whole for message in messages)
    with open_broker(imported(saved, fast_folder / "saved.db")) as broker:
        assert len(broker.queue("emails").peek()) == len(messages)


@pytest.mark.slow
def test_of_a_damaged_file_that_was_not_closed_the_journal_is_saved_too(fast_folder):
    many_messages(fast_folder / "file.db")
    broker = open_broker(fast_folder / "file.db", durability="none")
    with broker.storage._folding:
        broker.create_queue("late").send("just now")
        for file in fast_folder.glob("file.db*"):
            shutil.copyfile(file, fast_folder / file.name.replace("file", "killed"))
    broker.close()
    path = fast_folder / "killed.db"
    damage(path, path.stat().st_size // 8_192 // 2)
    assert "just now" in [message["body"] for message in objects(exported(path), "message")]


# --- what cannot be imported ------------------------------------------------------------------------------


FIRST = {"kind": "queuestream", "format": 1, "schema_version": schema.VERSION}
DELETED = {"kind": "deleted_queue", "name": "emails", "deleted_ns": 1}
TASK = {"kind": "move_task", "number": 1, "handle": "x"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ([], "There should be more after line 0"),
        (["no JSON"], "Line 1 cannot be imported: it is no JSON"),
        ([[FIRST]], "Line 1 cannot be imported: it is no object that has a kind"),
        ([DELETED], "Line 1 cannot be imported: this is not the beginning"),
        ([FIRST | {"format": 2}], "it has the format 2, and this is 1"),
        ([FIRST | {"schema_version": schema.VERSION + 1}], "it has the schema version"),
        ([FIRST | {"schema_version": "1"}], "it has the schema version 1"),
        ([FIRST, {"kind": "topic"}], "Line 2 cannot be imported: there is no 'topic'"),
        ([FIRST, {"kind": "meta", "name": "number", "value": "1"}], "there is no 'meta'"),
        ([FIRST, DELETED | {"colour": "red"}], "Line 2 cannot be imported: a deleted_queue has no colour"),
        ([FIRST, DELETED | {"deleted_ns": True}], "deleted_ns is neither true nor false"),
        ([FIRST, DELETED | {"deleted_ns": [1]}], "deleted_ns is neither a number nor text nor bytes"),
        ([FIRST, DELETED | {"deleted_ns": {"base64": "?"}}], "deleted_ns is no base64"),
        ([FIRST, DELETED], "There should be more after line 2"),
        (
            [FIRST, DELETED, {"kind": "end", "lines": 4}],
            "Line 3 cannot be imported: it says that there are 4",
        ),
        ([FIRST, {"kind": "end", "lines": 2}, DELETED], "there is something after the last line"),
        ([FIRST, TASK, {"kind": "end", "lines": 3}], "NOT NULL constraint failed: move_tasks"),
        ([FIRST, DELETED | {"deleted_ns": 2**70}, {"kind": "end", "lines": 3}], "Line 3"),
    ],
)
def test_lines_that_make_no_sense_are_refused_and_leave_nothing(fast_folder, given, sentence):
    def text(line):
        return line if isinstance(line, str) else json.dumps(line)

    with pytest.raises(CannotImport) as refused:
        imported([f"{text(line)}\n".encode() for line in given], fast_folder / "file.db")
    assert sentence in str(refused.value)
    assert list(fast_folder.iterdir()) == []


def test_lines_that_do_not_fit_together_are_refused(closed, fast_folder):
    shard = json.loads(next(line for line in closed if b'"kind":"shard"' in line))
    stranger = lines.written("shard", {**{name: shard[name] for name in shard if name != "kind"}, "id": 99})
    stranger = stranger.replace(b'"stream_id":1', b'"stream_id":98')
    end = lines.written("end", {"lines": len(closed) + 1, "lost": []})
    with pytest.raises(CannotImport, match="The lines do not fit together"):
        imported([*closed[:-1], stranger, end], fast_folder / "file.db")
    assert list(fast_folder.iterdir()) == []


def test_nothing_is_written_over(closed, fast_folder):
    (fast_folder / "file.db").write_text("precious")
    with pytest.raises(CannotImport, match=r"file\.db is there already"):
        imported(closed, fast_folder / "file.db")
    assert (fast_folder / "file.db").read_text() == "precious"
