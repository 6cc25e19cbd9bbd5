"""Files and functions stay small enough to hold in the head."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("wire", "firmware", "appliance", "central", "web_ui", "lattrang", "benchmarks")
MAX_FILE_LINES = 400
MAX_TEST_FILE_LINES = 500
MAX_FUNCTION_STATEMENT_LINES = 60


def _sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("package", PACKAGES)
def test_no_file_is_longer_than_a_person_can_hold(package: str) -> None:
    long = {str(p.relative_to(ROOT)): n for p in _sources(package) if (n := _lines(p)) > MAX_FILE_LINES}
    assert long == {}


def test_no_test_file_is_longer_than_a_person_can_hold() -> None:
    long = {str(p.relative_to(ROOT)): n for p in _sources("tests") if (n := _lines(p)) > MAX_TEST_FILE_LINES}
    assert long == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_function_is_longer_than_a_screen(package: str) -> None:
    long = {}
    for path in _sources(package):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                and (n := _body_lines(node)) > MAX_FUNCTION_STATEMENT_LINES
            ):
                long[f"{path.relative_to(ROOT)}:{node.name}"] = n
    assert long == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_what_it_owns(package: str) -> None:
    silent = [
        str(p.relative_to(ROOT))
        for p in _sources(package)
        if ast.get_docstring(ast.parse(p.read_text("utf-8"))) is None
    ]
    assert silent == []


def _lines(path: Path) -> int:
    return path.read_text("utf-8").count("\n")


def _body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body without its docstring."""
    body = node.body[1:] if ast.get_docstring(node) is not None and len(node.body) > 1 else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1
