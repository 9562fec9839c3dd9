"""``docs/promises.md`` keeps its own promise: twenty rows, and every test it names is there and runs."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "promises.md"
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", re.M)
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def rows() -> dict[int, tuple[str, str, str]]:
    """Number -> promise, the tests that keep it, the command that shows it."""
    return {int(number): (promise, tests, command) for number, promise, tests, command in ROW.findall(text())}


@cache
def text() -> str:
    return PAGE.read_text()


@cache
def functions_of(path: str) -> dict[str, ast.FunctionDef]:
    body = ast.parse((ROOT / path).read_text()).body
    return {each.name: each for each in body if isinstance(each, ast.FunctionDef)}


def marks_of(path: str, function: ast.FunctionDef) -> str:
    """What is written over a test and over its whole file, as code."""
    own = [ast.unparse(mark) for mark in function.decorator_list]
    module = ast.parse((ROOT / path).read_text()).body
    own += [
        ast.unparse(each)
        for each in module
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "pytestmark"
    ]
    return " ".join(own)


def test_there_are_twenty_rows_each_with_a_promise_tests_and_a_command() -> None:
    assert sorted(rows()) == list(range(1, 21))
    for number, (promise, tests, command) in rows().items():
        assert promise.startswith("**"), number
        assert NAMED.search(tests), number
        assert re.search(r"`\./run test [^`]+`", command), number


@pytest.mark.parametrize("number", range(1, 21))
def test_every_test_of_a_row_exists_and_is_not_skipped(number: int) -> None:
    _promise, tests, _command = rows()[number]
    for path, name in NAMED.findall(tests):
        assert name, f"{path}: which test?"
        assert name in functions_of(path), f"{path}::{name}"
        assert not re.search(r"skip|xfail", marks_of(path, functions_of(path)[name])), f"{path}::{name}"


@pytest.mark.parametrize("number", range(1, 21))
def test_the_command_of_a_row_runs_the_tests_it_names(number: int) -> None:
    _promise, tests, command = rows()[number]
    run = [ROOT / path for path in re.findall(r"tests/[\w/.]+", command)]
    assert all(path.exists() for path in run), command
    for path, _name in NAMED.findall(tests):
        assert any((ROOT / path).is_relative_to(each) for each in run), f"{number}: {path} is not run"


def test_what_was_broken_on_purpose_names_tests_that_exist() -> None:
    broken = text().split("## Broken on purpose")[1]
    named = [(path, name) for path, name in NAMED.findall(broken) if name]
    assert len(named) >= 5
    assert all(name in functions_of(path) for path, name in named)
