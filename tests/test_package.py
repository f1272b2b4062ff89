"""The package: it costs nothing until it is used, says what it does, and its folders are its registry."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import recipe
from recipe.config.registry import names

FOLDER = Path(recipe.__file__).parent
HEAVY = {"torch", "sklearn", "faiss", "polars", "numba", "scipy", "sentence_transformers", "rensa", "typer", "rich"}
HEAVY |= {"altair", "jinja2", "vl_convert", "PIL"}
FOUND = {module.name for module in pkgutil.walk_packages([str(FOLDER)], "recipe.")}
MODULES = sorted(FOUND - {"recipe.__main__"})  # which runs the command line


def run(code, cwd=None):
    """What a fresh interpreter prints, read as JSON."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=cwd)
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)


def test_import_is_light():
    """`import recipe`, and looking at its face, load none of the heavy libraries and no module of its own."""
    loaded = run("import json, sys, recipe; dir(recipe); print(json.dumps(sorted(sys.modules)))")
    assert not HEAVY & set(loaded)
    assert [name for name in loaded if name.startswith("recipe.")] == []


def test_heavy_libraries_wait_until_they_are_named():
    """All of the public names together load neither torch nor sklearn nor faiss nor numba."""
    loaded = run(
        "import json, sys\nimport recipe\nfor name in recipe.__all__:\n    getattr(recipe, name)\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    assert not (HEAVY - {"polars", "scipy"}) & set(loaded)
    assert "polars" in loaded


def test_face():
    """The public names are sorted, each is there, none other is listed, and what is not there is an AttributeError."""
    assert recipe.__all__ == sorted(recipe.__all__) == dir(recipe)
    for name in recipe.__all__:
        assert getattr(recipe, name).__name__ == name
    with pytest.raises(AttributeError, match="module 'recipe' has no attribute 'select_mxi'"):
        _ = recipe.select_mxi


def test_no_public_name_is_shadowed():
    """No exported name is that of a folder or a file of the package, which would take its place once imported."""
    inside = {path.stem for path in FOLDER.iterdir()}
    assert not inside & set(recipe.__all__)
    for module in MODULES:
        importlib.import_module(module)
    assert all(not inspect.ismodule(getattr(recipe, name)) for name in recipe.__all__)


@pytest.mark.parametrize("name", recipe.__all__)
def test_public_functions_tell_how_they_are_used(name):
    """Every exported name has a docstring of one sentence first, with an example or what it raises."""
    docstring = inspect.getdoc(getattr(recipe, name))
    first = docstring.splitlines()[0]
    assert first.endswith(".")
    assert first[0].isupper()
    assert "\nExamples\n---" in docstring or "\nRaises\n---" in docstring


@pytest.mark.parametrize("module", MODULES)
def test_public_parameters_are_told(module):
    """Every module has a docstring, and every parameter of a public function with sections is documented."""
    home = importlib.import_module(module)
    assert home.__doc__
    for name, function in inspect.getmembers(home, inspect.isfunction):
        docstring = inspect.getdoc(function) or ""
        if name.startswith("_") or function.__module__ != module or "Parameters\n---" not in docstring:
            continue
        words = set(docstring.replace(",", " ").replace("*", " ").split())
        assert set(inspect.signature(function).parameters) <= words, f"{module}.{name}"


def test_a_file_in_a_room_works_by_its_name(tmp_path):
    """A file dropped into a folder is listed, found and called with its knobs, with nothing else written down."""
    shutil.copytree(FOLDER, tmp_path / "recipe", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "recipe" / "stages" / "score" / "brevity.py").write_text(
        "import numpy as np\n\n\ndef score(pool, *, power=1.0):\n"
        "    return (1 / (1 + pool.rows['n_words'].to_numpy()) ** power).astype(np.float32)\n"
    )
    (tmp_path / "recipe" / "stages" / "score" / "_helper.py").write_text("score = None\n")
    found = run(
        "import json\n"
        "from recipe import demo_pool, score_pool\n"
        "from recipe.config.registry import names\n"
        "rows = score_pool(demo_pool(images=4), score=[{'brevity': {'power': 2}}]).rows\n"
        "print(json.dumps([names('score'), rows['brevity'].to_list(), rows['n_words'].to_list()]))",
        cwd=tmp_path,
    )
    assert found[0] == sorted([*names("score"), "brevity"])
    assert found[1] == pytest.approx([1 / (1 + words) ** 2 for words in found[2]])
