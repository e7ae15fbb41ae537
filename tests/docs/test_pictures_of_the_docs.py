"""Each picture in README.md and docs/ has its command on the page, and what is quoted is what it prints.

A block such as

    ```console
    $ queuestream lab run email-queue --out email
    ```

writes a folder `email`; the page shows of it `images/email-places.png`, and quotes (`> `) what was found.
To draw the pictures anew after a change:

    QUEUESTREAM_WRITE_PICTURES=1 python -m pytest tests/docs/test_pictures_of_the_docs.py
"""

import json
import os
import re
import shlex
import struct
from pathlib import Path

import pytest
from pages import PAGES, ROOT, name_of

from queuestream.cli.main import main

IMAGES = ROOT / "docs" / "explanation" / "images"
_COMMAND = re.compile(r"^\$ queuestream (?P<arguments>lab .* --out (?P<folder>\S+))$", re.MULTILINE)
_IMAGE = re.compile(r"!\[[^\]]+\]\((?P<path>[^)]+\.png)\)")

WITH_PICTURES = [page for page in PAGES if _IMAGE.search(page.read_text(encoding="utf-8"))]


def commands_of(page):
    """The arguments of each command that writes a report, by its folder."""
    text = page.read_text(encoding="utf-8")
    return {match["folder"]: shlex.split(match["arguments"]) for match in _COMMAND.finditer(text)}


def images_of(page):
    return [page.parent / match["path"] for match in _IMAGE.finditer(page.read_text(encoding="utf-8"))]


def findings_in(folder):
    """The findings of every run that a report is made of."""
    for path in folder.rglob("run.json"):
        yield from json.loads(path.read_text(encoding="utf-8"))["findings"]


COMMANDS = [(page, folder) for page in WITH_PICTURES for folder in commands_of(page)]


def test_there_are_pages_with_pictures():
    assert {name_of(page) for page in WITH_PICTURES} >= {"README.md", "docs/explanation/ordering.md"}


@pytest.mark.parametrize("page", WITH_PICTURES, ids=name_of)
def test_every_picture_has_its_command_on_the_page(page):
    folders = commands_of(page)
    for image in images_of(page):
        assert image.name.startswith(tuple(f"{folder}-" for folder in folders)), image.name


def test_pictures_are_small_and_none_is_left_over():
    shown = {image.resolve() for page in WITH_PICTURES for image in images_of(page)}
    there = {image.resolve() for image in IMAGES.iterdir()}
    assert shown == there
    assert max(image.stat().st_size for image in there) < 100_000
    assert sum(image.stat().st_size for image in there) < 1_000_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "folder"), COMMANDS, ids=[f"{name_of(page)} {out}" for page, out in COMMANDS]
)
def test_a_command_draws_what_the_page_shows_and_finds_what_it_quotes(
    page, folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(commands_of(page)[folder]) in {0, 1}

    drawn = {
        f"{folder}-{path.relative_to(folder).as_posix().replace('/', '-')}": path
        for path in Path(folder).rglob("*.png")
    }
    for image in images_of(page):
        if image.name.startswith(f"{folder}-"):
            if os.environ.get("QUEUESTREAM_WRITE_PICTURES"):
                image.write_bytes(drawn[image.name].read_bytes())
            assert size_of(image) == size_of(drawn[image.name]), f"{image.name} is not what is drawn today"

    _, _, below = page.read_text(encoding="utf-8").partition(f"--out {folder}\n")
    below, _, _ = below.partition("\n```console")
    findings = set(findings_in(Path(folder)))
    for quoted in re.findall(r"^> (.+)$", below, re.MULTILINE):
        assert quoted in findings


def size_of(image):
    """Width and height of a PNG."""
    return struct.unpack(">II", image.read_bytes()[16:24])
