"""A link from one page to another leads somewhere."""

import re

import pytest
from pages import PAGES, ROOT, name_of, prose_of

_LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_to_a_file_of_ours_leads_to_a_file_and_its_heading(page):
    for target in _LINK.findall(prose_of(page)):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, heading = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), f"{target} leads nowhere"
        if heading:
            assert heading in headings(file), f"there is no heading {heading} in {file.name}"


def test_every_page_is_on_the_map():
    linked = {
        (ROOT / "docs" / target).resolve() for target in _LINK.findall(prose_of(ROOT / "docs" / "index.md"))
    }
    docs = {page for page in PAGES if page.is_relative_to(ROOT / "docs")} - {ROOT / "docs" / "index.md"}
    assert docs <= linked


def headings(file):
    """The anchors that GitHub makes of a page's headings."""
    titles = re.findall(r"^#+ +(.+?)\s*$", prose_of_markdown(file), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def prose_of_markdown(file):
    """The text that may hold headings; no file but Markdown has any."""
    return prose_of(file) if file.suffix == ".md" else ""
