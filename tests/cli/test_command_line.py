"""The command line itself: help, version, mistakes, and readers who leave early."""

import subprocess
import sys

import pytest

import queuestream
from queuestream.cli import demo
from queuestream.cli.main import main


def test_the_version_is_the_package_s(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])

    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"queuestream {queuestream.__version__}\n"


def test_the_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])

    assert stopped.value.code == 0
    assert demo.SUMMARY[:30] in capsys.readouterr().out


def test_a_command_s_help_has_examples(capsys):
    with pytest.raises(SystemExit):
        main(["demo", "--help"])

    printed = capsys.readouterr().out
    assert "queuestream demo --input orders.jsonl --key customer_id" in printed
    assert "Exit status:" in printed


@pytest.mark.parametrize(
    "arguments", [[], ["demolish"], ["demo", "--seed", "x"], ["demo", "--task-when", "late"]]
)
def test_a_command_line_that_makes_no_sense_is_refused(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)

    assert stopped.value.code == 2
    assert "usage: queuestream" in capsys.readouterr().err


def test_ctrl_c_is_no_traceback(capsys, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "run", interrupt)

    assert main(["demo"]) == 130
    assert capsys.readouterr().err == "queuestream: interrupted\n"


def test_a_reader_who_leaves_is_no_traceback(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text('{"key": 1}\n')
    command = [sys.executable, "-m", "queuestream", "demo", "--input", str(path), "--key", "key", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""

    assert process.returncode == 1


def loaded_by(program, *names):
    """The modules of these packages that a program has loaded at its end."""
    program += f"; import sys; print([name for name in sys.modules if name.startswith({names})])"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout


def test_asking_for_help_loads_neither_queues_nor_streams():
    program = "from queuestream.cli.main import _parser; _parser().format_help()"

    assert loaded_by(program, "queuestream.core", "queuestream.demo", "attr", "rich") == "[]\n"


def test_importing_queuestream_loads_neither_the_demo_nor_the_command():
    program = "import queuestream; queuestream.Queue; queuestream.Stream"

    assert loaded_by(program, "queuestream.demo", "queuestream.cli", "rich") == "[]\n"
