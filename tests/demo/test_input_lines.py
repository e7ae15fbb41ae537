"""Lines of JSON: those that become records, and what is said of those that don't."""

import gzip
import io

import pytest

from queuestream.demo import flights
from queuestream.demo.records import (
    RECORD_BYTES_MAX,
    TaskRule,
    UnreadableInput,
    lines_of,
    read_records,
    second_by_second,
    seeded_tenth,
)


def read(*lines):
    return read_records(lines, "key", is_task=lambda _: False, at_ns=second_by_second)


def buffered(data):
    return io.BufferedReader(io.BytesIO(data))


def test_a_record_knows_its_line_its_key_and_its_text():
    [record], broken = read(b'{"key": "a", "n": 1}\n')

    assert (record.line, record.key, record.text) == (1, "a", '{"key": "a", "n": 1}')
    assert record.to_bytes() == b'{"line": 1, "record": {"key": "a", "n": 1}}'
    assert broken == []


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (b'{"key": 7}', "7"),
        (b'{"key": 7.50}', "7.5"),
        (b'{"key": true}', "true"),
        (b'{"key": " "}', " "),
        ('{"key": "Zürich ✓"}'.encode(), "Zürich ✓"),
        (b'{"key": "' + b"x" * 256 + b'"}', "x" * 256),
        (b'\xef\xbb\xbf{"key": "byte order mark"}\r\n', "byte order mark"),
    ],
)
def test_the_text_of_the_key_field_is_the_key(line, key):
    [record], broken = read(line)

    assert record.key == key
    assert broken == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"oops", "not JSON: Expecting value at column 1"),
        (b'{"key": "a"', "not JSON: Expecting ',' delimiter at column 12"),
        (b'["key"]', "not a JSON object"),
        (b'{"key": NaN}', "not JSON: NaN is no number"),
        (b'{"key": ' + b"1" * 5_000 + b"}", "not JSON that can be read: a number is too long"),
        (b'{"key": ' + b"[" * 100_000, "not JSON that can be read: nested too deeply"),
        (b"\xff\xfe", "not UTF-8"),
        (b"{}", "no key: 'key' is missing or null"),
        (b'{"key": null}', "no key: 'key' is missing or null"),
        (b'{"key": [1]}', "no key: 'key' is neither text nor a number"),
        (b'{"key": ""}', "its key has 0 characters; a partition key has 1 to 256"),
        (b'{"key": "' + b"x" * 257 + b'"}', "its key has 257 characters; a partition key has 1 to 256"),
        (b'{"key": "\\ud800"}', "its key is not valid Unicode"),
        (
            b'{"key": "a", "blob": "' + b"x" * RECORD_BYTES_MAX + b'"}',
            "too long: a stream takes records of up to 10 MiB",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_line_that_cannot_be_played_is_named_and_left_out(line, reason):
    records, [broken] = read(b'{"key": "before"}', line, b'{"key": "after"}')

    assert [record.key for record in records] == ["before", "after"]
    assert (broken.line, broken.reason) == (2, reason)


def test_blank_lines_are_counted_and_passed_over():
    [first, second], broken = read(b'{"key": 1}\n', b"\n", b"  \r\n", b'{"key": 2}')

    assert (first.line, second.line) == (1, 4)
    assert broken == []


def test_records_without_a_time_come_second_by_second():
    [first, second], _ = read(b'{"key": 1}', b'{"key": 2}')

    assert second.at_ns - first.at_ns == 1_000_000_000


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_lines_come_from_plain_and_from_packed_files(pack):
    assert list(lines_of(buffered(pack(b"one\ntwo")))) == [b"one\n", b"two"]


def test_an_empty_file_has_no_lines():
    assert list(lines_of(buffered(b""))) == []


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:10] + b"\xff" * 40])
def test_a_damaged_gzip_file_cannot_be_read(damage):
    with pytest.raises(UnreadableInput, match="its gzip data are damaged"):
        list(lines_of(buffered(damage(gzip.compress(b"some lines\n" * 1_000)))))


def test_a_file_that_fails_while_it_is_read_cannot_be_read():
    class Disk(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, _):
            raise OSError(5, "Input/output error")

    with pytest.raises(UnreadableInput, match="Input/output error"):
        list(lines_of(io.BufferedReader(Disk())))


@pytest.mark.parametrize(
    ("rule", "fields", "is_task"),
    [
        ("delay>=60", {"delay": 60}, True),
        ("delay>=60", {"delay": 59.9}, False),
        ("delay>=60", {"delay": "61"}, True),
        ("delay>=60", {"delay": "late"}, False),
        ("delay>=60", {"delay": True}, False),
        ("delay>=60", {"delay": None}, False),
        ("delay>=60", {}, False),
        (" delay > 60 ", {"delay": 60}, False),
        ("delay<=-1.5", {"delay": -1.5}, True),
        ("delay<0", {"delay": 0}, False),
        ("delay=60", {"delay": 60.0}, True),
        ("status=late", {"status": "late"}, True),
        ("status=late", {"status": "on time"}, False),
        ("delay>=60", {"delay": 10**400}, True),
    ],
)
def test_a_rule_chooses_the_tasks(rule, fields, is_task):
    assert TaskRule.parse(rule)(fields) is is_task


@pytest.mark.parametrize("text", ["", "delay", ">=60", "delay>=", "delay>=late", "delay>=nan"])
def test_what_is_no_rule_is_refused(text):
    with pytest.raises(ValueError, match="is not"):
        TaskRule.parse(text)


def test_a_tenth_is_chosen_the_same_for_the_same_seed_and_the_first_always():
    def chosen(seed):
        is_task = seeded_tenth(seed)
        return [is_task({}) for _ in range(1_000)]

    assert chosen(1) == chosen(1) != chosen(2)
    assert chosen(1)[0]
    assert 50 < sum(chosen(1)) < 150


def test_the_departures_are_complete_in_order_and_whole():
    records, broken = flights.read_flights()

    assert len(records) == 12_126
    assert len({record.key for record in records}) == 2_621
    assert sum(record.is_task for record in records) == 569
    assert [record.at_ns for record in records] == sorted(record.at_ns for record in records)
    assert broken == []
