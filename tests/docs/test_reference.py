"""The reference is made from the code: every knob, option, preset, code and column is there, and builds into a site."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

import recipe
from recipe import Recipe, check_mix, select_mix
from recipe.cli import app
from recipe.config.files import PRESETS
from recipe.config.registry import STAGES
from recipe.data.problems import PROBLEMS
from recipe.demo import write_demo

pytest.importorskip("numpydoc", reason="the reference is made with numpydoc, an extra: docs")
ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS))
made, layers, knob, offline = (
    importlib.import_module(name) for name in ("made", "made.layers", "made._knob", "offline")
)
knobs_page = importlib.import_module("made.knobs")

ROOMS = [folder.name for folder in sorted(STAGES.iterdir()) if (folder / "__init__.py").is_file()]
RECORD = ("id", "image", "conversations")
STEPS = ("embed", "cluster", "score", "balance", "select")  # whose functions a recipe gives knobs to


def page(name):
    """A page as it is built."""
    return made.filled((DOCS / name).read_text("utf-8"))


def entries(text):
    """The knobs of a page: name to what is said of it."""
    found = re.split(r"^\.\. confval:: (.+)$", text, flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def paths(schema, node, prefix=""):
    """Every key of a recipe by its JSON schema, which the reference is not made from."""
    for name, value in node["properties"].items():
        known = [found.rpartition("/")[2] for found in re.findall(r'"\$ref": "([^"]+)"', json.dumps(value))]
        inner = schema["$defs"][known[0]] if known else None
        if inner is None or "anyOf" in value:
            yield prefix + name
        elif value.get("type") in {"array", "object"}:
            yield prefix + name
            yield from paths(schema, inner, f"{prefix}{name}.{'NAME.' if value['type'] == 'object' else ''}")
        else:
            yield from paths(schema, inner, f"{prefix}{name}.")


def functions(room):
    """The function of every file of a room, found by importing the files."""
    for file in sorted((STAGES / room).glob("[!_]*.py")):
        function = getattr(importlib.import_module(f"recipe.stages.{room}.{file.stem}"), room, None)
        if function is not None:
            yield file.stem, function


def test_every_key_of_a_recipe_is_in_the_reference():
    """Each key that a recipe file may have stands in one page, with its default and a text."""
    schema = Recipe.model_json_schema()
    text = "".join(page(f"reference/stages/{room}.rst") for room in ROOMS) + page("reference/recipe-file.rst")
    found = entries(text)
    wanted = set(paths(schema, schema))
    assert {"size", "read.boxes", "dedup.near", "parts.NAME.where", "sources.path", "balance.margins"} <= wanted
    assert wanted <= set(found)
    default = yaml.safe_load(Recipe().to_yaml())
    for name in wanted:
        value = default
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        assert len(found[name].strip().splitlines()) > 3, name
        if isinstance(value, float | int) and not isinstance(value, bool):
            assert f"default ``{value:g}``" in found[name].replace(".0``", "``"), name


@pytest.mark.parametrize("room", ROOMS)
def test_every_knob_of_a_room_is_in_the_reference(room):
    """Each keyword argument of each file has an entry with its default, and a number says its range."""
    found = entries(page(f"reference/stages/{room}.rst"))
    for name, function in functions(room):
        for one in inspect.signature(function).parameters.values():
            if one.kind is not one.KEYWORD_ONLY or one.name == "groups":
                continue
            entry = found[f"{room}.{name}.{one.name}" if room in STEPS else f"{name}({one.name}=)"]
            expected = "must be given" if one.default is one.empty else f"default ``{knob.plain(one.default)}``"
            assert expected in entry
            assert len(entry.strip().splitlines()) > 3, f"{room}.{name}.{one.name} says nothing of itself"


@pytest.mark.parametrize("room", ROOMS)
def test_every_number_says_its_range(room):
    """A knob that is a number says from where to where it goes, in the code's checks or in its docstring."""
    lacking = [one.name for one in knobs_page.entries(room) if one.number and not one.range]
    assert lacking == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Weight of concepts, from 0. At 0.02 more.", "from 0"),
        ("0..1: 1 minus lambda", "0..1"),
        ("Cosine from which two are the same, above 0 and up to 1.", "above 0 and up to 1"),
        ("Share, from 0 to below 1.", "from 0 to below 1"),
        ("Any integer: draws the samples.", "any integer"),
        ("Rounds of training.", ""),
    ],
)
def test_a_range_is_read_from_a_docstring(text, expected):
    """The words that give a range are found, and nothing is made of a text that has none."""
    assert knob.Knob("x", "float", "1", text).range == expected


def helps(typer, before=()):
    """Every command with the options that its own help lists."""
    shown = CliRunner().invoke(typer, [*before, "--help"], env={"COLUMNS": "200"}).stdout
    listed = re.findall(r"^  ([a-z]+)  ", shown.partition("Commands:")[2], flags=re.MULTILINE)
    if not listed:
        yield " ".join(before), set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", shown, flags=re.MULTILINE)) - {"--help"}
    for name in listed:
        yield from helps(typer, (*before, name))


def test_every_option_of_every_command_is_in_the_reference():
    """What `--help` prints is on the page, under its command."""
    text = page("reference/commands.rst")
    found = re.split(r"^\.\. program:: recipe (.+)$", text, flags=re.MULTILINE)
    sections = dict(zip(found[1::2], found[2::2], strict=True))
    listed = dict(helps(app))
    assert {"select", "cache list", "cache clear", "validate"} <= set(listed) == set(sections)
    for name, options in listed.items():
        said = {
            one.split()[0]
            for line in re.findall(r"^\.\. option:: (.+)$", sections[name], re.MULTILINE)
            for one in line.split(", ")
        }
        assert options <= said, name
        assert {one for one in said if one.startswith("--") and not one.startswith("--no-")} <= options, name


def test_presets_and_problem_codes_are_in_the_reference():
    """Every shipped recipe is there with its whole file, and every code with what it means."""
    presets, problems = page("reference/presets.md"), page("reference/problems.md")
    for file in PRESETS.glob("*.yaml"):
        assert f"## {file.stem}\n" in presets
        assert file.read_text("utf-8").splitlines()[-1] in presets
    for code, problem in PROBLEMS.items():
        assert f"| `{code}` |" in problems
        assert problem.fix.split("<")[0].split("\\")[0] in problems


def test_errors_are_in_the_reference():
    """Every error that is raised on purpose has a line."""
    text = page("reference/problems.md")
    for name, kind in vars(recipe.errors).items():
        if inspect.isclass(kind) and issubclass(kind, Exception) and kind.__module__ == "recipe.errors":
            assert f"`{name}`" in text


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The files of a mix in parts, of a pool with trouble in it."""
    folder = tmp_path_factory.mktemp("formats")
    parts = {"a": {"where": {"task": ["conversation"]}, "size": 5}, "b": {}}
    mix = select_mix(write_demo(folder, images=12), size=40, parts=parts, cache=folder / "cache")
    mix.write(folder / "mix.json")
    assert check_mix(folder / "mix.json") == []
    return folder, mix


def test_the_formats_say_what_is_written(written):
    """Every key of every file that a mix writes is a term of the page, and each of the manifest's terms is a key."""
    folder, mix = written
    text = page("reference/formats.rst")
    manifest = json.loads((folder / "mix.manifest.json").read_text())
    stats = json.loads((folder / "mix.stats.json").read_text())
    reject = json.loads((folder / "mix.rejects.jsonl").read_text().splitlines()[0])
    gains = {"gain_coverage", "gain_concepts", "gain_quality"}
    scores = set(mix.scores.columns) - {step.label for step in mix.recipe.score} - gains
    about = json.loads(next((folder / "cache").glob("*/about.json")).read_text())
    for name in {*manifest, *manifest["mix"], *stats, *stats["mix"], *reject, *RECORD, *scores, *about}:
        assert f"``{name}``" in text, name
    section = text.partition("The manifest\n")[2].partition("The statistics\n")[0]
    terms = {name for line in re.findall(r"^(``.+)$", section, re.MULTILINE) for name in re.findall(r"``(\w+)``", line)}
    seldom = {"copies", "functions", "files", "ending", "memory", "passed_over", "name", "reason"}
    assert terms - seldom <= {*manifest, *manifest["mix"]}


def test_the_picture_shows_the_contract():
    """Every package of the import contract is a box, and the rooms of the stages are boxes inside theirs."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    words = re.findall(r"[\w.]+", " ".join(layer for contract in contracts for layer in contract["layers"]))
    picture = layers.picture()
    boxes = {
        word: tuple(map(float, place))
        for *place, word in re.findall(
            r'x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)" rx="6"/><text[^>]*>(\w+)<', picture
        )
    }
    assert set(boxes) == {word.rpartition(".")[2] for word in words}
    x, y, width, height = boxes["stages"]
    for room in ROOMS:
        left, top, wide, high = boxes[room]
        assert x < left < left + wide < x + width
        assert y < top < top + high < y + height
    assert boxes["cli"][1] < boxes["mix"][1] < boxes["stages"][1] < boxes["data"][1] < boxes["errors"][1]


def test_what_a_page_loads_from_elsewhere_is_found(tmp_path):
    """A script, a picture, a style sheet or a font of another host is named with its page; a link to follow is not."""
    (tmp_path / "good.html").write_text('<link rel="canonical" href="https://a.org/"><a href="https://a.org">a</a>')
    assert offline.reached_for(tmp_path) == []
    (tmp_path / "bad.html").write_text('<link rel="stylesheet" href="//cdn.org/a.css"><img src="http://b.org/b.png">')
    (tmp_path / "bad.css").write_text("@font-face { src: url('https://fonts.org/c.woff') }")
    assert offline.reached_for(tmp_path) == [
        "bad.html: //cdn.org/a.css",
        "bad.html: http://b.org/b.png",
        "bad.css: https://fonts.org/c.woff",
    ]


def test_every_page_is_in_the_table_of_contents_and_every_room_has_one():
    """No page is lost, and a new room needs a page: the build itself refuses links that lead nowhere."""
    assert {file.stem for file in (DOCS / "reference" / "stages").glob("*.rst")} == set(ROOMS)
    contents = (DOCS / "index.md").read_text("utf-8") + (DOCS / "reference" / "recipe-file.rst").read_text("utf-8")
    for file in [*DOCS.rglob("*.md"), *DOCS.rglob("*.rst")]:
        assert file.stem == "index" or re.search(rf"^\s*[\w/]*\b{file.stem}$", contents, re.MULTILINE), file


def test_the_picture_of_the_readme_is_small():
    """It is there, and no larger than a page can bear."""
    assert 10_000 < (DOCS / "_static" / "report.png").stat().st_size < 200_000


def test_old_words_are_gone():
    """README, pages and notebooks speak the English of today."""
    old = re.compile(r"by lot|hangs on|anew|is told|stumble", re.IGNORECASE)
    files = [ROOT / "README.md", *DOCS.rglob("*.*"), *(ROOT / "notebooks").glob("*.*")]
    texts = {file: file.read_text("utf-8") for file in files if file.suffix in {".md", ".rst", ".py", ".css", ".ipynb"}}
    assert [file.name for file, text in texts.items() if old.search(text)] == []


def test_the_build_stops_at_a_page_that_loads_from_elsewhere(tmp_path):
    """The hook of the site raises for a page with a picture of another host."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "index.rst").write_text("Far\n===\n\n.. image:: https://example.org/far.png\n")
    (tmp_path / "in" / "conf.py").write_text(
        (DOCS / "conf.py").read_text().replace("HERE = Path(__file__).parent", f"HERE = Path({str(DOCS)!r})")
    )
    command = [sys.executable, "-m", "sphinx", "-q", str(tmp_path / "in"), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "https://example.org/far.png" in done.stderr
