"""The servers that are compared over HTTP, each a process of its own, and what they spend.

Ours is `queuestream serve`; the others are moto_server, and from npm kinesalite and kinesis-local.
npm's are installed when they are first wanted, into a folder of the user's cache; where there is no Node, or
npm cannot have them, they are said to be missing.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

QUEUESTREAM, MOTO_SERVER = "queuestream serve", "moto_server"
COUNTS_CPU = sys.platform == "linux"
"""Whether the CPU time of another process can be read."""

_HOST = "127.0.0.1"
_PATIENCE_SECONDS = 30
_STEP_SECONDS = 0.05
_NPM = {"kinesalite": "3.3.3", "kinesis-local": "0.6.2"}


@attrs.frozen
class Server:
    """A server that runs.

    Args:
        name: What it is called in the table.
        process: Its process.
        port: Where it listens.
    """

    name: str
    process: subprocess.Popen[bytes]
    port: int

    @property
    def endpoint_url(self) -> str:
        """What clients are given."""
        return f"http://{_HOST}:{self.port}"

    def cpu_ns(self) -> int:
        """The CPU time that it has used since it started, that of all of its threads together."""
        return time.clock_gettime_ns(_cpu_clock(self.process.pid))


def why_not(name: str) -> str | None:
    """Why a server cannot be measured here; None where it can."""
    if name == QUEUESTREAM:
        return None
    if name == MOTO_SERVER:
        return None if find_spec("moto") and find_spec("flask") else "not installed"
    return _why_not_from_npm(name)


@contextmanager
def running(name: str) -> Iterator[Server]:
    """Start a server, and stop it."""
    port = _free_port()
    command, folder, environment = _COMMANDS[name](port)
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_it_listens(name, process, port)
        yield Server(name, process, port)
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


_Command = tuple[list[str], Path, "Mapping[str, str]"]


def _queuestream(port: int) -> _Command:
    return [sys.executable, "-m", "queuestream", "serve", "--port", str(port)], Path(__file__).parents[1], {}


def _moto_server(port: int) -> _Command:
    return [sys.executable, "-m", "moto.server", "-H", _HOST, "-p", str(port)], Path.cwd(), {}


def _kinesalite(port: int) -> _Command:
    at_once = [
        "--createStreamMs",
        "0",
        "--deleteStreamMs",
        "0",
        "--updateStreamMs",
        "0",
        "--shardLimit",
        "100",
    ]
    folder = _package("kinesalite")
    return [_node(), str(folder / "cli.js"), "--port", str(port), *at_once], folder, {}


def _kinesis_local(port: int) -> _Command:
    folder = _package("kinesis-local")
    settings = {
        "KINESIS_MOCK_PLAIN_PORT": str(port),
        "KINESIS_MOCK_TLS_PORT": str(_free_port()),
        "SHARD_LIMIT": "100",
        "CREATE_STREAM_DURATION": "0ms",
        "DELETE_STREAM_DURATION": "0ms",
        "LOG_LEVEL": "ERROR",
    }
    return [_node(), str(folder / "main.js")], folder, settings


_COMMANDS: dict[str, Callable[[int], _Command]] = {
    QUEUESTREAM: _queuestream,
    MOTO_SERVER: _moto_server,
    "kinesalite": _kinesalite,
    "kinesis-local": _kinesis_local,
}


# --- from npm ---


def _package(name: str) -> Path:
    cached = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cached) / "queuestream-benchmarks" / f"{name}-{_NPM[name]}" / "node_modules" / name


def _node() -> str:
    return shutil.which("node") or "node"


@cache
def _why_not_from_npm(name: str) -> str | None:
    npm = shutil.which("npm")
    if shutil.which("node") is None or npm is None:
        return "no Node here"
    folder = _package(name)
    if not (folder / "package.json").exists():
        home = folder.parents[1]
        home.mkdir(parents=True, exist_ok=True)
        # Its binaries come ready with it, so that nothing has to be built.
        options = ["--ignore-scripts", "--no-audit", "--no-fund"]
        finished = subprocess.run(
            [npm, "install", "--prefix", str(home), *options, f"{name}@{_NPM[name]}"],
            cwd=home,
            capture_output=True,
            check=False,
        )
        if finished.returncode:
            return "npm cannot install it"
    return None


# --- processes ---


def _cpu_clock(pid: int) -> int:
    """The clock of another process' CPU time, as Linux numbers them (`man clock_getcpuclockid`)."""
    return (~pid << 3) | 2


def _free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind((_HOST, 0))
        port: int = found.getsockname()[1]
        return port


def _wait_until_it_listens(name: str, process: subprocess.Popen[bytes], port: int) -> None:
    for _ in range(int(_PATIENCE_SECONDS / _STEP_SECONDS)):
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended with exit status {process.returncode}")
        try:
            socket.create_connection((_HOST, port), timeout=1).close()
        except OSError:
            time.sleep(_STEP_SECONDS)
        else:
            return
    raise RuntimeError(f"{name} does not listen")
