"""Every example in README.md, docs/ and the docstrings does what it says.

The blocks of one page share one namespace, from top to bottom, as a reader would type them.
A session (`>>>`) is a doctest, in which `...` stands for anything.  In other blocks a
statement may say what comes out, the value of an expression or what it prints:

    queue.receive()  # -> []

A page whose blocks define tests is run by pytest as well.
"""

import ast
import contextlib
import doctest
import io
import re
from importlib import import_module

import pytest
from pages import PAGES, ROOT, blocks_of, name_of

pytest_plugins = ["pytester"]

_SAYS = re.compile(r"#\s*->\s*(?P<output>.*)$")
_OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL

# They play hundreds of seeds, or whole processes.
SLOW_PAGES = {
    "docs/how-to/find-what-local-order-hides.md",
    "docs/how-to/rehearse-a-handler.md",
    "docs/reference/lab.md",
    "docs/tutorial/an-online-shop.md",
}


def in_turn(pages):
    """The pages as parameters of a test."""
    return [
        pytest.param(page, id=name, marks=[pytest.mark.slow] if name in SLOW_PAGES else [])
        for page, name in ((page, name_of(page)) for page in pages)
    ]


PAGES_WITH_CODE = [page for page in PAGES if blocks_of(page)]
PAGES_WITH_TESTS = [
    page for page in PAGES_WITH_CODE if any("def test_" in block.code for block in blocks_of(page))
]
DOCSTRINGS = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "queuestream").rglob("*.py"))
    if ">>> " in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("page", in_turn(PAGES_WITH_CODE))
def test_what_a_page_shows_is_what_happens(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    for block in blocks_of(page):
        if block.is_session:
            run_session(block, page, namespace)
        else:
            run_block(block, page, namespace)


@pytest.mark.parametrize("page", in_turn(PAGES_WITH_TESTS))
def test_the_tests_that_a_page_shows_pass(page, pytester):
    code = "\n".join(block.code for block in blocks_of(page) if not block.is_session)
    pytester.makepyfile(test_page=code)
    result = pytester.runpytest_inprocess("-W", "error", "-p", "no:cacheprovider")
    outcomes = result.parseoutcomes()
    assert outcomes.keys() == {"passed"}
    assert outcomes["passed"] >= code.count("def test_")  # a mark may have one run several times


@pytest.mark.parametrize("module", DOCSTRINGS)
def test_what_a_docstring_shows_is_what_happens(module):
    result = doctest.testmod(import_module(module), optionflags=_OPTIONS)
    assert result.attempted
    assert not result.failed


def run_session(block, page, namespace):
    """What was typed gives what is shown."""
    test = doctest.DocTestParser().get_doctest(block.code, {}, name_of(page), name_of(page), block.line)
    test.globs = namespace
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=_OPTIONS, verbose=False)
    runner.run(test, out=report.write, clear_globs=False)
    assert not runner.failures, report.getvalue()


def run_block(block, page, namespace):
    """The code runs, and each statement that says what comes out is right."""
    lines = block.code.splitlines()
    for statement in ast.parse(block.code).body:
        says = _SAYS.search(lines[statement.end_lineno - 1]) if isinstance(statement, ast.Expr) else None
        ast.increment_lineno(statement, block.line)
        where = f"{name_of(page)}:{statement.lineno}"
        if says is None:
            exec(compile(ast.Module([statement], []), where, "exec"), namespace)
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            value = eval(compile(ast.Expression(statement.value), where, "eval"), namespace)
        got = printed.getvalue().rstrip("\n") if value is None and printed.getvalue() else repr(value)
        as_shown = doctest.OutputChecker().check_output(says["output"] + "\n", got + "\n", _OPTIONS)
        assert as_shown, f"{where} says {says['output']}, and got {got}"
