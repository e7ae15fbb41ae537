"""Each picture in README.md and docs/ has its command on the page, and what is quoted is what it prints.

A block such as

    ```console
    $ queuestream lab run email-queue --out email
    ```

writes a folder `email`; the page shows of it `images/email-places.png`, and quotes (`> `) what was found.
`images/drawn-from.json` remembers which data each command's pictures show, and what drew them: other data are
noticed anywhere, other pixels where the same matplotlib draws on the same kind of machine.  To draw the
pictures anew after a change:

    QUEUESTREAM_WRITE_PICTURES=1 python -m pytest tests/docs/test_pictures_of_the_docs.py
"""

import hashlib
import json
import os
import platform
import re
import shlex
import struct
from pathlib import Path

import matplotlib as mpl
import PIL
import pytest
from pages import PAGES, ROOT, name_of

from queuestream.cli.main import main

IMAGES = ROOT / "docs" / "explanation" / "images"
DRAWN_FROM = IMAGES / "drawn-from.json"
DRAWN_BY = {
    "matplotlib": mpl.__version__,
    "pillow": PIL.__version__,
    "platform": f"{platform.system()} {platform.machine()}",
}
DRAW_ANEW = "QUEUESTREAM_WRITE_PICTURES=1 python -m pytest tests/docs/test_pictures_of_the_docs.py"
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
    there = {image.resolve() for image in IMAGES.glob("*.png")}
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
    images = [image for image in images_of(page) if image.name.startswith(f"{folder}-")]
    if os.environ.get("QUEUESTREAM_WRITE_PICTURES"):
        for image in images:
            image.write_bytes(drawn[image.name].read_bytes())
        remember(folder)
    drawn_from = json.loads(DRAWN_FROM.read_text())[folder]
    assert drawn_from["data"] == digest_of(Path(folder)), f"other data: {DRAW_ANEW}"
    for image in images:
        assert size_of(image) == size_of(drawn[image.name]), f"{image.name} is drawn otherwise: {DRAW_ANEW}"
        if drawn_from["by"] == DRAWN_BY:
            assert image.read_bytes() == drawn[image.name].read_bytes(), f"{image.name}: {DRAW_ANEW}"

    _, _, below = page.read_text(encoding="utf-8").partition(f"--out {folder}\n")
    below, _, _ = below.partition("\n```console")
    findings = set(findings_in(Path(folder)))
    for quoted in re.findall(r"^> (.+)$", below, re.MULTILINE):
        assert quoted in findings


def remember(folder):
    """Note what this folder's pictures were drawn from, and by what."""
    known = json.loads(DRAWN_FROM.read_text()) if DRAWN_FROM.exists() else {}
    known[folder] = {"data": digest_of(Path(folder)), "by": DRAWN_BY}
    DRAWN_FROM.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")


def digest_of(folder):
    """What was seen in all runs of a report: their histories, or a sweep's figures."""
    paths = sorted(path for path in folder.rglob("*") if path.name in {"history.jsonl", "sweep.json"})
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def size_of(image):
    """Width and height of a PNG."""
    return struct.unpack(">II", image.read_bytes()[16:24])
