"""Clients that nobody here wrote, against a server of ours, each by a flow as its users write it.

The server checks signatures, so that each client proves its own.  Clients find it as users point
them at it: by AWS_ENDPOINT_URL and credentials in the environment.

A client needs its runtime: the packages of the extra `clients`; the AWS CLI, which pins a botocore
of its own; Node and what `node/package-lock.json` lists.  `.ci/run` sets them all up; where one is
missing, its tests are skipped and say how to get it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

ACCESS_KEY_ID = "AKIDQUEUESTREAMTESTS"
SECRET_ACCESS_KEY = "a secret that the server shares"
REGION = "us-east-1"
A_MINUTE = 60


@pytest.fixture
def server():
    """A server of its own for each test, which refuses who does not sign."""
    aws = pytest.importorskip("queuestream.aws")
    pytest.importorskip("uvicorn", reason="pip install -e '.[server]'")
    with aws.serve(port=0, access_keys={ACCESS_KEY_ID: SECRET_ACCESS_KEY}) as server:
        yield server


@pytest.fixture
def environment(server, tmp_path):
    """The environment of a program that is pointed at the server, with nothing of this machine's own AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_ENDPOINT_URL": server.endpoint_url,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": str(tmp_path / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "no-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "QUEUESTREAM_SIGNED": "yes",
    }


@pytest.fixture
def here(environment, monkeypatch):
    """The same environment for the clients that run in this process."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def worker(environment):
    """Starts worker processes, and stops each as its users do, by SIGTERM, when the test is over."""
    started = []

    def start(*command, cwd):
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=cwd,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
    for process in started:
        try:
            said, _ = process.communicate(timeout=A_MINUTE)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            pytest.fail(f"the worker did not stop:\n{said}")
        sys.stdout.write(said)  # pytest shows it where the test has failed


@pytest.fixture(scope="session")
def aws_cli():
    """The AWS CLI, in the environment that `.ci/run` makes for it, or the one on the PATH."""
    own = ROOT / ".venv-awscli" / "bin" / "aws"
    found = str(own) if own.exists() else shutil.which("aws")
    if found is None:
        pytest.skip("no AWS CLI: python3 -m venv .venv-awscli && .venv-awscli/bin/pip install awscli")
    return found


@pytest.fixture(scope="session")
def node():
    """Node, with the packages that the flows in `node/` use."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("no Node: install Node 20 or later, and npm")
    if not (HERE / "node" / "node_modules").exists():
        pytest.skip("no JavaScript clients: (cd tests/clients/node && npm ci)")
    return found
