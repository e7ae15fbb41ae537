"""The database: what is ours, what is too new, and how an older one becomes a newer one."""

import contextlib
import sqlite3

import pytest

from queuestream.core.errors import StorageDamaged, StorageError, StorageTooNew
from queuestream.storage import schema
from queuestream.storage.gathered import Gathered


@pytest.fixture
def path(tmp_path):
    return tmp_path / "orders.db"


def opened(path, **arguments):
    return schema.open_database(path, **arguments)


def pragma(connection, name):
    [value] = connection.execute(f"pragma {name}").fetchone()
    return value


def test_a_new_file_says_what_it_is_and_how_it_is_kept(path):
    connection = opened(path)
    assert pragma(connection, "application_id") == schema.APPLICATION_ID
    assert pragma(connection, "user_version") == schema.VERSION
    assert pragma(connection, "journal_mode") == "wal"
    assert pragma(connection, "synchronous") == 2, "full: a power cut takes nothing that was written"
    assert pragma(connection, "auto_vacuum") == 2, "incremental: space is given back a little at a time"
    assert pragma(connection, "page_size") == 8_192
    connection.close()
    assert list(path.parent.iterdir()) == [path]


def test_every_table_and_view_can_be_read(path):
    connection = opened(path)
    names = [name for (name,) in connection.execute("select name from sqlite_schema where type != 'index'")]
    assert {"queues", "messages", "queue_messages", "streams", "records", "stream_records"} <= set(names)
    for name in names:
        assert connection.execute(f'select * from "{name}"').fetchall() == []
    connection.close()


def test_what_is_known_of_the_file_stays(path):
    connection = opened(path)
    assert schema.meta(connection, "region") is None
    schema.set_meta(connection, "region", "eu-west-1")
    schema.set_meta(connection, "region", "eu-central-1")
    connection.close()
    connection = opened(path)
    assert schema.meta(connection, "region") == "eu-central-1"
    connection.close()


def test_what_is_gathered_is_written_as_a_whole_or_not_at_all(path):
    connection = opened(path)
    good = Gathered([("insert into garbage values (?, ?, ?)", [("messages", 1, 2)])], None)
    bad = Gathered([("insert into garbage values (?, ?, ?)", [("messages", None, None)])], None)
    with pytest.raises(sqlite3.IntegrityError):
        schema.write(connection, [good, bad], folded_epoch=1, saved_ns=10)
    assert connection.execute("select * from garbage").fetchall() == []
    assert schema.meta(connection, "folded_epoch") is None
    schema.write(connection, [good], folded_epoch=2, saved_ns=20)
    assert connection.execute("select * from garbage").fetchall() == [("messages", 1, 2)]
    assert (schema.meta(connection, "folded_epoch"), schema.meta(connection, "saved_ns")) == ("2", "20")
    connection.close()


# --- versions ---


def add_a_table(connection):
    connection.execute("create table notes (text text not null)")


SECOND = """
alter table queues add column note text not null default 'none';
update meta set value = value || '!';
"""


def test_an_older_file_becomes_a_newer_one_step_by_step(path):
    connection = opened(path)
    schema.set_meta(connection, "region", "eu-west-1")
    connection.close()

    connection = opened(path, migrations=[*schema.MIGRATIONS, SECOND])
    assert pragma(connection, "user_version") == schema.VERSION + 1
    assert schema.meta(connection, "region") == "eu-west-1!"
    connection.close()

    connection = opened(path, migrations=[*schema.MIGRATIONS, SECOND, add_a_table])
    assert pragma(connection, "user_version") == schema.VERSION + 2
    assert schema.meta(connection, "region") == "eu-west-1!", "a step is taken once"
    assert connection.execute("select * from notes").fetchall() == []
    connection.close()


def test_several_steps_are_taken_at_once_and_a_new_file_needs_none(path):
    opened(path).close()
    migrations = [*schema.MIGRATIONS, SECOND, add_a_table]
    connection = opened(path, migrations=migrations)
    assert pragma(connection, "user_version") == len(migrations) + 1
    connection.close()
    other = path.with_name("new.db")
    connection = opened(other, migrations=migrations)
    assert pragma(connection, "user_version") == len(migrations) + 1
    connection.close()


def test_a_step_that_fails_leaves_the_file_as_it_was(path):
    connection = opened(path)
    schema.set_meta(connection, "region", "eu-west-1")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StorageDamaged, match="no such table: missing"):
        opened(path, migrations=[*schema.MIGRATIONS, SECOND, "drop table missing;"])
    assert path.read_bytes() == before
    connection = opened(path)
    assert schema.meta(connection, "region") == "eu-west-1"
    connection.close()


@pytest.mark.parametrize("how", [schema.open_database, schema.open_for_reading])
def test_a_newer_file_is_refused(path, how):
    opened(path, migrations=[*schema.MIGRATIONS, SECOND]).close()
    before = path.read_bytes()
    with pytest.raises(StorageTooNew) as refused:
        how(path)
    assert (refused.value.found, refused.value.known) == (schema.VERSION + 1, schema.VERSION)
    assert path.read_bytes() == before


def test_an_older_file_is_not_only_read(path, monkeypatch):
    opened(path).close()
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    with pytest.raises(StorageError, match="when it is opened to be used"):
        schema.open_for_reading(path)


# --- files that are none of ours ---


def test_another_programs_database_is_refused_and_left_alone(path):
    connection = sqlite3.connect(path)
    connection.execute("create table customers (name text)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StorageDamaged, match="none that queuestream has made"):
        opened(path)
    assert path.read_bytes() == before


def test_what_is_no_database_is_refused_and_left_alone(path):
    path.write_text("These are my notes of the last meeting.\n" * 100)
    before = path.read_bytes()
    for how in (schema.open_database, schema.open_for_reading):
        with pytest.raises(StorageDamaged, match="not an SQLite database"):
            how(path)
    assert path.read_bytes() == before


def test_a_file_that_was_cut_off_is_damaged(path):
    connection = opened(path)
    rows = [("messages", number, number) for number in range(2_000)]
    many = Gathered([("insert into garbage values (?, ?, ?)", rows)], None)
    schema.write(connection, [many], folded_epoch=1, saved_ns=10)
    connection.close()
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)

    def count():
        with schema.translated(path), contextlib.closing(opened(path)) as connection:
            connection.execute("select count(*) from garbage").fetchone()

    with pytest.raises(StorageDamaged, match="malformed"):
        count()


def test_an_empty_file_becomes_a_database_but_there_is_nothing_to_read_in_it(path):
    path.touch()
    with pytest.raises(StorageDamaged, match="nothing in it"):
        schema.open_for_reading(path)
    opened(path).close()
    schema.open_for_reading(path).close()


def test_what_was_opened_for_reading_cannot_be_written(path):
    opened(path).close()
    connection = schema.open_for_reading(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        schema.set_meta(connection, "region", "eu-west-1")
    connection.close()


def test_a_file_that_cannot_be_opened_is_not_called_damaged(tmp_path):
    for path in (tmp_path, tmp_path / "missing" / "orders.db"):
        with pytest.raises(StorageError, match="cannot be opened") as refused:
            opened(path)
        assert not isinstance(refused.value, StorageDamaged)
