"""`queuestream demo`, as somebody meets it who types it."""

import gzip
import io
import json
import os
import subprocess
import sys

import pytest

from queuestream.cli.main import main
from queuestream.cli.progress import progress_bar
from queuestream.core.streams.stream import Stream

LINES = [f'{{"user": "user {number % 7}", "amount": {number}}}' for number in range(60)]


@pytest.fixture
def events(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(LINES))
    return str(path)


def terminal(monkeypatch):
    """Make standard error a terminal; gives what is written to it."""
    screen = io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", screen)
    return screen


@pytest.fixture
def lossy_stream(monkeypatch):
    put_record = Stream.put_record

    def lossy(stream, data, key):
        return None if data.startswith(b'{"line": 13,') else put_record(stream, data, key)

    monkeypatch.setattr(Stream, "put_record", lossy)


def test_the_departures_prove_every_claim(capsys):
    assert main(["demo"]) == 0

    printed, errors = capsys.readouterr()
    assert printed.startswith("12,126 departures of 2,621 aircraft from New York, January 2013; seed 7\n")
    assert printed.count("✓") == 10
    assert "✗" not in printed
    assert "Virtual time: 15 days" in printed
    assert "Wall time: " in printed
    assert max(map(len, printed.splitlines())) <= 80
    assert errors == ""


@pytest.mark.slow
def test_another_field_may_be_the_key(capsys):
    assert main(["demo", "--key", "carrier", "--task-when", "departure_delay_minutes>=240"]) == 0
    assert capsys.readouterr().out.startswith("12,126 departures of 15 keys ")


def test_own_records_prove_every_claim(capsys, events):
    assert main(["demo", "--input", events, "--key", "user"]) == 0
    assert capsys.readouterr().out.startswith(f"60 records of 7 keys from {events}; seed 7".split("/")[0])


@pytest.mark.slow
def test_the_json_is_the_same_for_the_same_seed_in_any_process(events):
    def printed(seed, hash_seed):
        command = [sys.executable, "-m", "queuestream", "demo", "--json", "--input", events, "--key", "user"]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        return subprocess.run(
            [*command, "--seed", seed], capture_output=True, check=True, env=environment
        ).stdout

    assert printed("1", "0") == printed("1", "1") != printed("2", "0")


def test_the_json_has_every_verdict_with_its_figures(capsys, events):
    assert main(["demo", "--json", "--input", events, "--key", "user", "--task-when", "amount>=50"]) == 0

    document = json.loads(capsys.readouterr().out)
    assert document["holds"] is True
    assert (document["records"], document["keys"], document["seed"]) == (60, 7, 7)
    assert document["flows"]["fifo_queue"]["sent"] == 10
    assert [verdict["name"] for verdict in document["verdicts"]] == [
        "stream_in_order",
        "stream_complete",
        "standard_complete",
        "standard_order",
        "twelve_hours",
        "dead_letters",
        "redriven",
        "fifo_in_order",
        "fifo_holds_up",
        "fifo_complete",
    ]
    assert all(
        verdict["holds"] and verdict["sentence"] and verdict["figures"] for verdict in document["verdicts"]
    )


def test_a_verdict_that_does_not_hold_is_a_cross_and_exit_status_1(capsys, events, lossy_stream):
    assert main(["demo", "--input", events, "--key", "user"]) == 1

    printed = capsys.readouterr().out
    assert "✗  Stream: lost: 1 line (13)." in printed
    assert printed.count("✗") == 1


def test_json_says_so_too(capsys, events, lossy_stream):
    assert main(["demo", "--json", "--input", events, "--key", "user"]) == 1
    assert json.loads(capsys.readouterr().out)["holds"] is False


def test_quiet_says_nothing_where_all_is_well(capsys, events):
    assert main(["demo", "--quiet", "--input", events, "--key", "user"]) == 0
    assert capsys.readouterr() == ("", "")


def test_quiet_says_what_does_not_hold(capsys, events, lossy_stream):
    assert main(["demo", "--quiet", "--input", events, "--key", "user"]) == 1
    assert capsys.readouterr().out == "✗  Stream: lost: 1 line (13).\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_records_come_through_standard_input(capsys, monkeypatch, pack):
    data = pack("\n".join(LINES).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(data))))

    assert main(["demo", "--input", "-", "--key", "user"]) == 0
    assert "from standard input" in capsys.readouterr().out


def test_broken_lines_are_reported_by_number_and_skipped(capsys, events, tmp_path):
    broken = tmp_path / "broken.jsonl"
    broken.write_text("\n".join([LINES[0], "oops", LINES[1], "{}", "{}", "{}", LINES[2]]))

    assert main(["demo", "--input", str(broken), "--key", "user"]) == 0
    printed, errors = capsys.readouterr()
    assert errors.splitlines() == [
        f"{broken}: line 2 skipped: not JSON: Expecting value at column 1",
        f"{broken}: lines 4 to 6 skipped: no key: 'user' is missing or null",
    ]
    assert "4 lines skipped" in " ".join(printed.split())


def test_broken_lines_are_in_the_json(capsys, tmp_path):
    broken = tmp_path / "broken.jsonl"
    broken.write_text("\n".join([LINES[0], "[]"]))

    assert main(["demo", "--json", "--input", str(broken), "--key", "user"]) == 0
    assert json.loads(capsys.readouterr().out)["skipped"] == [{"line": 2, "reason": "not a JSON object"}]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "there is no record in FILE"),
        (b"\n\n", "there is no record in FILE"),
        (b"oops\n", "there is no record in FILE that could be played"),
        (gzip.compress(b"x" * 999)[:-9], "cannot read FILE: its gzip data are damaged"),
        (None, "cannot read FILE: No such file or directory"),
    ],
)
def test_an_input_without_a_record_is_an_error(capsys, tmp_path, content, complaint):
    path = tmp_path / "input"
    if content is not None:
        path.write_bytes(content)

    assert main(["demo", "--input", str(path), "--key", "user"]) == 2
    printed, errors = capsys.readouterr()
    assert printed == ""
    assert errors.splitlines()[-1].startswith("queuestream demo: " + complaint.replace("FILE", str(path)))


def test_a_directory_is_no_input(capsys, tmp_path):
    assert main(["demo", "--input", str(tmp_path), "--key", "user"]) == 2
    assert "Is a directory" in capsys.readouterr().err


def test_own_records_need_a_key(capsys, events):
    assert main(["demo", "--input", events]) == 2
    assert "--input needs --key FIELD" in capsys.readouterr().err


def test_a_rule_that_makes_no_task_is_an_error(capsys, events):
    assert main(["demo", "--input", events, "--key", "user", "--task-when", "amount>1000"]) == 2
    assert "no record in" in capsys.readouterr().err


def test_a_terminal_that_knows_ascii_only_gets_ascii(monkeypatch, tmp_path):
    path = tmp_path / "fälle.jsonl"
    path.write_text(LINES[0])
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", screen)

    assert main(["demo", "--input", str(path), "--key", "user"]) == 0
    printed = screen.buffer.getvalue().decode("ascii")
    assert "\nok Stream: in order" in printed
    assert "\n-----" in printed
    assert "\\xe4lle.jsonl" in "".join(printed.split())


def test_a_terminal_gets_colour_unless_it_says_no(capsys, monkeypatch, events):
    arguments = ["demo", "--input", events, "--key", "user"]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    main(arguments)
    assert "\x1b[32m✓\x1b[0m  Stream" in capsys.readouterr().out

    monkeypatch.setenv("NO_COLOR", "1")
    main(arguments)
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize("rich_is_installed", [True, False])
def test_a_terminal_sees_progress(monkeypatch, rich_is_installed):
    if not rich_is_installed:
        monkeypatch.setitem(sys.modules, "rich", None)
    screen = terminal(monkeypatch)

    with progress_bar(200, "departures", wanted=True) as show:
        show(100)
        assert "100" in screen.getvalue()
        assert "departures" in screen.getvalue()


def test_nobody_else_sees_progress(monkeypatch, capsys):
    with progress_bar(200, "departures", wanted=True) as show:
        show(100)
    assert capsys.readouterr().err == ""

    screen = terminal(monkeypatch)
    with progress_bar(200, "departures", wanted=False) as show:
        show(100)
    assert screen.getvalue() == ""
