"""`queuestream lab`, as somebody meets it who types it."""

import io
import json
import os
import re
import subprocess
import sys

import pytest

from queuestream.cli.main import main
from queuestream.lab.scenarios import SCENARIOS

SMALL = ("--set", "messages=12", "--set", "keys=3")
HISTORY = [
    {"operation": "send", "message": "order 1", "group": "a"},
    {"operation": "send", "message": "order 2", "group": "a"},
    {"operation": "receive", "message": "order 1", "actor": "worker"},
    {"operation": "delete", "message": "order 1", "actor": "worker"},
    {"operation": "receive", "message": "order 2", "actor": "worker"},
    {"operation": "delete", "message": "order 2", "actor": "worker"},
]


@pytest.fixture
def history(tmp_path):
    path = tmp_path / "history.jsonl"
    path.write_text("".join(f"{json.dumps(event)}\n" for event in HISTORY))
    return path


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_the_list_has_every_scenario_with_what_it_shows(capsys):
    assert main(["lab", "list"]) == 0
    printed = capsys.readouterr().out
    for name, scenario in SCENARIOS.items():
        assert f"{name}\n" in printed
        assert scenario.teaches().split()[0] in printed
    assert max(map(len, printed.splitlines())) <= 100


def test_the_list_of_one_scenario_has_its_knobs(capsys):
    assert main(["lab", "list", "email-queue"]) == 0
    printed = capsys.readouterr().out
    for name, knob in SCENARIOS["email-queue"].knobs().items():
        assert re.search(rf"^{name} .*{re.escape(knob.help)}", printed, re.MULTILINE)
    assert "queuestream lab run email-queue --set messages=" in printed

    assert main(["lab", "list", "email-queue", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["email-queue"]["knobs"]["messages"]["default"] == 400


def test_a_run_tells_what_it_has_shown_and_how_to_repeat_it(capsys):
    assert main(["lab", "run", "standard", "--seed", "3", *SMALL]) == 0
    printed, errors = capsys.readouterr()
    assert printed.startswith("standard, seed 3\n\n- 12 messages of 3 keys ")
    assert "\nHow much was out of order\n" in printed
    assert "\nValid: " in printed
    assert "Again:  queuestream lab run standard --seed 3 --set messages=12 --set keys=3\n" in printed
    assert errors == ""


def test_the_json_of_a_run_is_all_that_was_found(capsys):
    assert main(["lab", "run", "stream", "--json", *SMALL]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["scenario"], document["seed"], document["settings"]["messages"]) == ("stream", 7, 12)
    assert document["verdict"]["valid"] is True
    assert document["measures"]["key"]["total"]["order"]["reordered"] == 0


def test_a_run_with_a_trace_prints_every_decision_and_a_replay_nothing_else(capsys):
    assert main(["lab", "run", "fifo", "--trace", *SMALL]) == 0
    traced = capsys.readouterr().out
    assert main(["lab", "replay", "fifo", "7", *SMALL]) == 0
    replayed = capsys.readouterr().out
    assert len(replayed.splitlines()) > 12
    assert "consumer-1" in replayed
    assert traced.startswith(replayed)


def test_runs_are_compared_side_by_side(capsys):
    assert (
        main(["lab", "compare", "standard", "fifo:consumers=2", *SMALL, "--set", "visibility_timeout=40"])
        == 0
    )
    printed = capsys.readouterr().out
    assert re.search(r"^ +Standard queue +FIFO queue$", printed, re.MULTILINE)
    assert re.search(r"^messages sent +12 +12$", printed, re.MULTILINE)
    assert "FIFO queue: Valid" in printed


def test_a_scenario_is_compared_with_itself_under_other_settings(capsys):
    assert main(["lab", "compare", "fifo:consumers=1", "fifo:consumers=2,keys=1", *SMALL, "--json"]) == 0
    one, other = json.loads(capsys.readouterr().out)["runs"]
    assert (one["settings"]["consumers"], other["settings"]["consumers"]) == (1, 2)
    assert (one["settings"]["keys"], other["settings"]["keys"]) == (3, 1)

    assert main(["lab", "compare", "fifo:consumers=1", "fifo:consumers=2,keys=1", *SMALL]) == 0
    assert re.search(r"^ +keys=3, consumers=1 +keys=1, consumers=2$", capsys.readouterr().out, re.MULTILINE)


def test_a_sweep_has_a_row_for_each_value(capsys):
    arguments = [
        "lab",
        "sweep",
        "fifo",
        "--parameter",
        "consumers",
        "--values",
        "1, 2",
        "--seeds",
        "2",
        *SMALL,
    ]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "Means of 2 seeds" in printed
    assert re.search(r"^1 .* 2 of 2$", printed, re.MULTILINE)
    assert re.search(r"^2 .*±.* 2 of 2$", printed, re.MULTILINE)

    assert main([*arguments, "--json", "--figure", "wait_p50"]) == 0
    assert [point["value"] for point in json.loads(capsys.readouterr().out)["points"]] == [1, 2]


def test_a_history_of_any_queue_gets_a_verdict(capsys, history):
    assert main(["lab", "check", str(history)]) == 0
    assert capsys.readouterr().out.startswith("Valid: 6 events")


def test_a_history_that_breaks_the_promise_is_exit_status_1(capsys, monkeypatch):
    lines = "".join(f"{json.dumps(event)}\n" for event in HISTORY[:4])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    assert main(["lab", "check", "-", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["verdict"]["valid"], document["verdict"]["lost"]) == (False, 1)
    assert set(document["measures"]) == {"global", "group"}


def test_what_may_still_come_is_not_lost(capsys, tmp_path):
    path = tmp_path / "cut-off.jsonl"
    path.write_text("".join(f"{json.dumps(event)}\n" for event in HISTORY[:4]))
    assert main(["lab", "check", str(path), "--unfinished"]) == 0
    assert main(["lab", "check", str(path)]) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "nonsense"], "There is no scenario 'nonsense'; there are email-queue, "),
        (["list", "nonsense"], "There is no scenario 'nonsense'"),
        (["run", "email-que"], "There is no scenario 'email-que'; did you mean email-queue?"),
        (["replay", "nonsense", "7"], "There is no scenario 'nonsense'"),
        (
            ["run", "fifo", "--set", "colour=red"],
            "There is no knob 'colour'.  The knobs are:\n  messages=600",
        ),
        (["run", "fifo", "--set", "keys=0"], "keys=0 is not a whole number from 1 to 100,000."),
        (["compare", "fifo"], "there is nothing to compare"),
        (["compare", "fifo", "stream", "--set", "colour=red"], "None of these scenarios has a knob 'colour'"),
        (["compare", "fifo:colour=red", "stream"], "There is no knob 'colour'"),
        (["compare", "fifo:keys", "stream"], "In 'fifo:keys', a setting is KNOB=VALUE, and 'keys' is none."),
        (["check", "/nowhere/history.jsonl"], "/nowhere/history.jsonl: No such file or directory"),
    ],
)
def test_what_makes_no_sense_is_explained(capsys, arguments, sentence):
    assert main(["lab", *arguments]) == 2
    printed, errors = capsys.readouterr()
    assert printed == ""
    assert errors.startswith(f"queuestream lab {arguments[0]}: ")
    assert sentence in errors


def test_a_sweep_of_a_figure_that_is_none_names_those_there_are_and_plays_nothing(capsys, monkeypatch):
    monkeypatch.setattr("queuestream.lab.sweeps.sweep", None)
    arguments = ["sweep", "fifo", "--parameter", "consumers", "--values", "1", "--seeds", "1", *SMALL]
    assert main(["lab", *arguments, "--figure", "beauty"]) == 2
    assert "there is no figure 'beauty'; there are sent, " in capsys.readouterr().err


def test_one_seed_has_no_confidence_interval(capsys):
    arguments = ["sweep", "fifo", "--parameter", "consumers", "--values", "1", "--seeds", "1", *SMALL]
    assert main(["lab", *arguments, "--figure", "deliveries"]) == 0
    printed = capsys.readouterr().out
    assert "Seed 1\n" in printed
    assert re.search(r"^1 +12 +1 of 1$", printed, re.MULTILINE)


def test_where_no_report_can_be_written_nothing_is_played(capsys, tmp_path):
    file = tmp_path / "file"
    file.touch()
    for out in (file, file / "deep" / "report"):
        assert main(["lab", "run", "fifo", *SMALL, "--out", str(out)]) == 2
        printed, errors = capsys.readouterr()
        assert (printed, errors) == (
            "",
            f"queuestream lab run: {file}: that is a file, and a report is a folder\n",
        )


@pytest.mark.slow
def test_a_reader_who_leaves_ends_it_without_a_word():
    command = [sys.executable, "-m", "queuestream", "lab", "replay", "email-queue", "7"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as replaying:
        replaying.stdout.readline()
        replaying.stdout.close()
        assert replaying.stderr.read() == b""


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (b"", "there is no event in it; each line is to be one"),
        (b"{}\n", "Line 1 of the history: An event says which operation it is"),
        (b'{"operation": "send"}\nnonsense\n', "Line 2 of the history is no JSON"),
        (b'{"operation": "send", "colour": "red"}\n', "An event has no field 'colour'"),
    ],
)
def test_a_file_that_is_no_history_is_exit_status_2(capsys, tmp_path, lines, sentence):
    path = tmp_path / "history.jsonl"
    path.write_bytes(lines)
    assert main(["lab", "check", str(path)]) == 2
    assert sentence in capsys.readouterr().err


def test_a_slip_in_an_operation_is_told_and_so_is_what_to_do_about_a_history_that_was_cut_off(
    capsys, tmp_path
):
    path = tmp_path / "history.jsonl"
    path.write_text('{"operation": "send", "message": "a"}\n{"operation": "recieve", "message": "a"}\n')
    assert main(["lab", "check", str(path)]) == 1
    printed, errors = capsys.readouterr()
    assert errors.startswith(
        "queuestream lab check: 1 event of the operation 'recieve', which is none of send,"
    )
    assert "(If the history ends before everything was received, say --unfinished.)" in printed
    assert main(["lab", "check", str(path), "--unfinished"]) == 0
    assert "--unfinished" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["lab"],
        ["lab", "run"],
        ["lab", "run", "fifo", "--set", "keys"],
        ["lab", "sweep", "fifo", "--parameter", "keys", "--values", ","],
        ["lab", "sweep", "fifo", "--parameter", "keys", "--values", "1", "--seeds", "0"],
        ["lab", "run", "fifo", "--format", "gif"],
    ],
)
def test_a_command_line_without_sense_is_exit_status_2(capsys, arguments):
    with pytest.raises(SystemExit) as exited:
        main(arguments)
    assert exited.value.code == 2
    assert "usage: queuestream lab" in capsys.readouterr().err


def test_without_matplotlib_there_are_words_and_no_report(capsys, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["lab", "run", "fifo", *SMALL]) == 0
    assert "Valid" in capsys.readouterr().out

    assert main(["lab", "run", "fifo", *SMALL, "--out", str(tmp_path / "report")]) == 2
    printed, errors = capsys.readouterr()
    assert "pip install 'queuestream[lab]'" in errors
    assert printed == ""  # nobody waits for a run whose report cannot be written
    assert not (tmp_path / "report").exists()


@pytest.mark.parametrize("command", ["list", "run", "compare", "sweep", "check", "replay"])
def test_every_command_teaches_how_it_is_used(capsys, command):
    with pytest.raises(SystemExit) as exited:
        main(["lab", command, "--help"])
    assert exited.value.code == 0
    printed = capsys.readouterr().out
    assert "Examples:" in printed
    assert printed.count(f"queuestream lab {command}") >= 2


# --- what takes longer ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_report_has_the_page_the_pictures_and_the_data(capsys, tmp_path):
    folder = tmp_path / "deep" / "report"
    assert main(["lab", "run", "standard", *SMALL, "--out", str(folder), "--format", "svg", "--trace"]) == 0
    assert capsys.readouterr().out.endswith(f"Written: {folder / 'report.html'}\n")
    files = files_of(folder)
    assert set(files) == {
        "report.html",
        "run.json",
        "history.jsonl",
        "trace.txt",
        "places.svg",
        "displacement.svg",
        "lanes-by-consumer.svg",
        "lanes-by-key.svg",
        "waiting.svg",
        "backlog.svg",
    }
    html = files["report.html"].decode()
    assert "queuestream lab run standard --seed 7 --set messages=12 --set keys=3 --out report" in html
    assert html.count("<svg") == 6

    assert main(["lab", "check", str(folder / "history.jsonl"), "--json"]) == 0
    checked = json.loads(capsys.readouterr().out)
    assert checked["verdict"] == json.loads(files["run.json"])["verdict"]


@pytest.mark.slow
def test_a_report_is_the_same_bytes_in_any_process(tmp_path):
    def written(name, hash_seed):
        folder = tmp_path / name
        command = [sys.executable, "-m", "queuestream", "lab", "run", "stream", *SMALL]
        subprocess.run(
            [*command, "--out", str(folder)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
        )
        return files_of(folder)

    one, other = written("one", "1"), written("other", "2")
    assert one == other
    assert {"report.html", "run.json", "history.jsonl", "lanes-by-shard.png"} <= set(one)


@pytest.mark.slow
def test_a_comparison_a_sweep_and_a_history_have_reports_too(capsys, tmp_path, history):
    sweep = [
        "sweep",
        "fifo",
        "--parameter",
        "delivery",
        "--values",
        "strict,aws_like",
        "--seeds",
        "2",
        *SMALL,
    ]
    assert main(["lab", *sweep, "--out", str(tmp_path / "sweep")]) == 0
    assert set(files_of(tmp_path / "sweep")) == {"report.html", "sweep.json", "sweep.png"}

    assert main(["lab", "check", str(history), "--promise", "fifo", "--out", str(tmp_path / "verdict")]) == 0
    assert {"report.html", "verdict.json", "places.png"} <= set(files_of(tmp_path / "verdict"))
    assert "--promise fifo" in (tmp_path / "verdict" / "report.html").read_text()
