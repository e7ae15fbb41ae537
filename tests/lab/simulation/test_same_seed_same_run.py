"""A run is its seed: the same history and trace, byte for byte, in every process and on every Python."""

import os
import shutil
import subprocess
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

import attrs
import pytest
import sortedcontainers

import queuestream

PROGRAM = Path(__file__).with_name("everything_of_asyncio.py")
# What the program needs is plain Python, and so can be lent to any version.
LENT = [Path(module.__file__).parents[1] for module in (queuestream, attrs, sortedcontainers)]


def run_of(seed, *ways, hash_seed, python=sys.executable):
    """What the program prints."""
    done = subprocess.run(
        [python, "-W", "error", str(PROGRAM), str(seed), *ways],
        capture_output=True,
        check=False,
        env={
            **os.environ,
            "PYTHONHASHSEED": str(hash_seed),
            "PYTHONPATH": os.pathsep.join(map(str, LENT)),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )
    assert done.returncode == 0, done.stderr.decode()
    assert b'"got getter' in done.stdout
    return sha256(done.stdout).hexdigest()


@cache
def other_pythons():
    """The other versions that are installed here."""
    root = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    candidates = [shutil.which(f"python3.{minor}") for minor in range(11, 15)]
    candidates += sorted(str(python) for python in root.glob("versions/3.1[1-9]*/bin/python"))
    found = {sys.version_info[:2]: sys.executable}
    for candidate in filter(None, candidates):
        asked = subprocess.run(
            [candidate, "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True,
            check=False,
            text=True,
        )
        if asked.returncode == 0 and asked.stdout:
            found.setdefault(tuple(map(int, asked.stdout.split())), candidate)
    del found[sys.version_info[:2]]
    return found


def test_two_processes_with_different_hash_seeds_run_the_same():
    assert run_of(7, "together", hash_seed=1) == run_of(7, "together", hash_seed=2)


@pytest.mark.slow
def test_a_hundred_processes_run_the_same():
    assert len({run_of(7, "together", hash_seed=hash_seed) for hash_seed in range(1, 101)}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", [7, "a text"])
def test_every_python_runs_the_same(seed):
    if not other_pythons():
        pytest.skip("There is no other Python from 3.11 on here.")
    here = run_of(seed, hash_seed=1)
    for version, python in other_pythons().items():
        assert run_of(seed, hash_seed=2, python=python) == here, version
