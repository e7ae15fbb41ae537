"""The page of a report: everything is in it, nothing is asked for from elsewhere, nothing can break out."""

import re
from html.parser import HTMLParser

from queuestream.lab import run
from queuestream.lab.report import page, reports, style, tables
from queuestream.lab.report.pictures import Picture


class Balance(HTMLParser):
    """Notes what is opened and not closed, and each id."""

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.asked_for = [], [], []

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in {"src", "href", "xlink:href"} and not value.startswith(("#", "data:")):
                self.asked_for.append(value)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def drawn():
    """A drawing in little."""
    figure = style.new_figure(2, 2)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=style.INK)
    return figure


def shown(name):
    """It, as it stands in a page."""
    picture = Picture(name, "It rises.", drawn)
    return page.figure(picture, picture.to_bytes("svg").decode())


def read(html):
    balance = Balance()
    balance.feed(html)
    assert balance.open == []
    return balance


def test_what_is_said_is_said_and_not_obeyed():
    evil = "<script>alert('x')</script> & \"co\""
    html = page.page(
        evil,
        [
            page.heading(evil),
            page.paragraph(evil),
            page.items([evil]),
            page.code(evil),
            page.begin_details(evil),
            page.END_DETAILS,
            page.table(tables.Table(evil, [(evil, False), ("n", True)], [[evil, "1"]])),
        ],
    )
    read(html)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 9


def test_pictures_stand_in_the_page_with_ids_of_their_own_and_the_pages_ink():
    html = page.page("Two", [page.BEGIN_FIGURES, shown("one"), shown("two"), page.END_FIGURES])
    balance = read(html)
    assert len(balance.ids) == len(set(balance.ids)) > 10
    for used in re.findall(r'(?:href="|url\()#([^")]+)', html):
        assert used in balance.ids
    assert "var(--ink)" in html
    assert "#24292f" not in html.partition("</style>")[2]
    assert html.count("It rises.") == 4  # to be read and to be heard


def test_a_page_asks_for_nothing_from_elsewhere():
    html = page.page("One", [shown("one")])
    assert read(html).asked_for == []
    assert "<script" not in html
    assert "default-src 'none'" in html
    assert not re.search(r"@import|url\((?!#)", html)


def test_numbers_stand_to_the_right():
    html = page.table(tables.Table("T", [("name", False), ("count", True)], [["a", "1"]]))
    assert '<td>a</td><td class="number">1</td>' in html


def test_where_a_producer_reorders_pictures_count_from_its_first_try():
    one = run("hot-shard", settings={"messages": 200, "lost_answers": 0, "shard_per_second": 10})
    report = reports.of_run(one)
    assert "A message counts as sent when its producer first tried" in "".join(
        piece for piece in report.body if isinstance(piece, str)
    )
    flow = reports.largest_flow(reports._drawn(one))
    assert sum(each.is_late_in_key for each in flow.deliveries) == one.measures["key_meant"].reordered > 0
    assert one.measures["shard"].reordered == 0
