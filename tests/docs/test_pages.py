"""What the README and the pages say can be done is done, page by page, each in a folder of its own."""

from __future__ import annotations

import importlib
import json
import shlex
import sys
from pathlib import Path

import pytest
import yaml

from recipe import Recipe
from recipe.check.drift.tolerance_files import load_tolerances
from recipe.cli import app

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs"))
pages = importlib.import_module("follow")

README = (ROOT / "README.md").read_text("utf-8")
SAYS = {
    "select": "wrote",
    "score": "eligible",
    "report": "wrote",
    "gaps": "gaps|samples are missing",
    "diff": "added",
    "check": "0 moved|wrote",
    "compare": "against random",
    "stats": "yes answers",
    "validate": "findings",
    "recipes": "svit-core-150k",
    "cache": "stage|removed",
}


@pytest.mark.parametrize("page", pages.pages(), ids=lambda page: page.stem)
def test_a_page_can_be_followed(page, tmp_path):
    """Its recipes are understood, its Python runs, its commands end well and print what the page says."""
    pages.prepare(tmp_path)
    for block, printed in pages.follow(page.read_text("utf-8"), tmp_path):
        if block.kind == "console":
            assert printed == block.text, "if that is wanted: python docs/follow.py"
        for line in pages.commands(block):
            words = shlex.split(line, comments=True)
            if "--json" not in words:
                assert any(said in printed for said in SAYS[words[1]].split("|")), line
    for name in ("report.html", "found.json"):
        file = tmp_path / name
        if file.is_file():
            text = file.read_text("utf-8")
            assert text[:200].lower().startswith("<!doctype html>") if name.endswith("html") else json.loads(text)


def test_a_page_that_promises_too_much_is_found(tmp_path):
    """A command that fails, Python that answers otherwise and a transcript that drifted do not pass."""
    pages.prepare(tmp_path)
    with pytest.raises(ValueError, match="nowhere"):
        list(pages.follow("```bash\nrecipe stats nowhere.json\n```\n", tmp_path))
    with pytest.raises(ValueError, match="otherwise"):
        list(pages.follow("```pycon\n>>> 1 + 1\n3\n```\n", tmp_path))
    [(block, printed)] = pages.follow("```console\n$ recipe recipes\nnothing\n```\n", tmp_path)
    assert printed != block.text
    assert "svit-core-150k" in printed
    assert list(pages.follow("<!-- not run: it fails -->\n```bash\nrecipe stats nowhere.json\n```\n", tmp_path)) == []


def recipes_of(page):
    """The recipe files and tolerance files of a page."""
    for block in pages.blocks(page.read_text("utf-8")):
        if block.kind == "yaml" and not block.text.startswith("# .github"):
            yield block.text.partition("\n")[0], yaml.load(block.text, yaml.BaseLoader), yaml.safe_load(block.text)


@pytest.mark.parametrize("page", pages.pages(), ids=lambda page: page.stem)
def test_recipes_and_tolerances_of_a_page_are_understood(page, tmp_path, monkeypatch):
    """Each is a file with a name, so that the commands below it can use it, and holds no unknown key."""
    monkeypatch.chdir(tmp_path)
    for name, text, loaded in recipes_of(page):
        assert pages.FILE.match(name), f"{page.name}: a recipe begins with its file's name"
        if "tolerances" in name:
            load_tolerances(text)
        else:
            assert Recipe.of(loaded).sources


def test_the_pages_show_every_command():
    """Each command of the command line is run by the README or by a page."""
    shown = set()
    for page in pages.pages():
        for block in pages.blocks(page.read_text("utf-8")):
            lines = pages.commands(block) + [
                line[2:] for line in block.text.splitlines() if line.startswith("$ recipe ")
            ]
            shown |= {shlex.split(line, comments=True)[1] for line in lines}
    commands = {command.callback.__name__ for command in app.registered_commands}
    assert {*commands, *(group.name for group in app.registered_groups)} <= shown


def test_the_readme_is_one_page():
    """At most 120 lines, with a picture that is there, links that lead somewhere, and how to test."""
    assert len(README.splitlines()) <= 120
    for target in pages.re.findall(r"\]\((?!https:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    assert ".venv/bin/pip install '.[test]' && .venv/bin/python -m pytest -n 2 --dist loadscope" in README
