"""What is installed: one name, one version, all files, typed, and hints that install it and no stranger."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

import recipe
from recipe.errors import DISTRIBUTION, MissingExtra
from recipe.io.versions import DECIDING, versions

FOLDER = Path(recipe.__file__).parent
ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CODE = sorted(FOLDER.rglob("*.py"))
HINT = re.compile(r"pip[ \"',]+install")
STRANGER = re.compile(r"pip install (-\S+ )*['\"]?recipe\b(?!/)")  # on PyPI that name is a construction kit for SQL
SAID = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "recipe", "docs", "notebooks", "benchmarks", ".github"]
TEXTS = {".md", ".py", ".ipynb", ".yml", ".yaml", ".j2"}


def test_the_version_stands_in_one_place():
    """What the package says is what manifests record, pyproject reads, and changelog and citation begin with."""
    assert recipe.__version__ == versions()["recipe"]
    assert set(versions()) == {"recipe", *DECIDING}
    assert "version" in PROJECT["dynamic"]
    newest = re.search(r"^## \[(\d.*?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == recipe.__version__
    assert yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["version"] == recipe.__version__


def test_workflows_try_each_python_that_is_promised():
    """The matrix holds the classifiers' versions, what is run from elsewhere has a version, and no token may write."""
    promised = [name.rpartition(" ")[2] for name in PROJECT["classifiers"] if "Python :: 3." in name]
    for file in (ROOT / ".github" / "workflows").glob("*.yml"):
        flow = yaml.safe_load(file.read_text("utf-8"))
        assert flow["permissions"] == {}
        assert all(job["permissions"] == {"contents": "read"} for job in flow["jobs"].values())
        used = [step["uses"] for job in flow["jobs"].values() for step in job["steps"] if "uses" in step]
        assert all(re.fullmatch(r"actions/[\w-]+@v\d+", one) for one in used)
    tests = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text("utf-8"))
    assert tests["jobs"]["checkout"]["strategy"]["matrix"]["python"] == promised
    assert PROJECT["requires-python"] == f">={promised[0]}"


def test_children_import_what_is_tested(tmp_path):
    """Processes that tests start, in a folder of their own or where pytest was started, take the same `recipe`."""
    for cwd in (tmp_path, None):
        command = [sys.executable, "-c", "import json, recipe; print(json.dumps(recipe.__file__))"]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True)
        assert Path(json.loads(done.stdout)).samefile(recipe.__file__)


@pytest.mark.skipif("RECIPE_WHEEL" not in os.environ, reason="needs a wheel, which RECIPE_WHEEL names")
def test_the_wheel_is_installed_and_whole():
    """Each file of the checkout's package is in the wheel and nothing else, and what is tested has the same bytes."""
    with ZipFile(os.environ["RECIPE_WHEEL"]) as wheel:
        held = {name: wheel.read(name) for name in wheel.namelist() if name.startswith("recipe/")}
    made = [path for path in (ROOT / "recipe").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert set(held) == {path.relative_to(ROOT).as_posix() for path in made}
    assert {name: FOLDER.parent.joinpath(name).read_bytes() for name in held} == held


USE = """
from recipe import Mix, __version__, open_mix, select_mix

version: str = __version__
mix: Mix = select_mix(["pool.json"], size=10, seed=0)
reveal_type(mix.keys)
size: int = open_mix("mix.json").certificate
select_mix(["pool.json"], 10)
"""


def test_a_users_file_sees_the_types(tmp_path):
    """Types of the package reach a file that calls it: mypy knows what a mix holds, and finds a wrong use of it."""
    pytest.importorskip("mypy")
    (tmp_path / "use.py").write_text(USE)
    # Other libraries are left out: what they say is theirs, and reading polars and numpy takes a minute.
    (tmp_path / "mypy.ini").write_text("[mypy]\nfollow_imports = skip\n[mypy-recipe.*]\nfollow_imports = normal\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", os.devnull, "use.py"]
    env = os.environ | {"PYTHONPATH": str(FOLDER.parent)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    said = dict(line.removeprefix("use.py:").split(": ", 1) for line in done.stdout.splitlines())
    assert said.keys() == {"6", "7", "8"}, done.stdout + done.stderr
    assert said["6"] == 'note: Revealed type is "list[str]"'
    assert 'has type "float | None", variable has type "int"' in said["7"]
    assert "select_mix" in said["8"]


def test_hints_are_made_in_one_place():
    """No file of the package but errors.py says how something is installed."""
    said = [file for file in FOLDER.rglob("*") if file.suffix in TEXTS and HINT.search(file.read_text("utf-8"))]
    assert said == [FOLDER / "errors.py"]


def test_hints_name_extras_that_there_are():
    """Each extra that an error names is one of pyproject's, and the line installs this distribution."""
    calls = [
        node for file in CODE for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)
    ]
    named = [ast.literal_eval(call.args[0]) for call in calls if ast.unparse(call.func) == "MissingExtra.of"]
    assert {"ray", "text", "zstd", "images", "tokenizer"} <= set(named) <= set(PROJECT["optional-dependencies"])
    assert str(MissingExtra.of("ray", "it needs Ray")) == f"it needs Ray: pip install '{PROJECT['name']}[ray]'"
    assert PROJECT["name"] == DISTRIBUTION


def test_nothing_that_is_said_installs_a_stranger():
    """No page, notebook, script or workflow installs PyPI's `recipe`, which is another project."""
    files = [path for name in SAID for path in (ROOT / name, *(ROOT / name).rglob("*")) if path.suffix in TEXTS]
    assert len(files) > len(CODE)
    found = [path for path in files if path.is_file() and STRANGER.search(path.read_text("utf-8"))]
    assert [path.relative_to(ROOT).as_posix() for path in found] == []


def test_the_search_for_strangers_finds_them():
    """The pattern finds the old name with an extra and without, and lets the new one and a checkout pass."""
    assert all(map(STRANGER.search, ("pip install recipe", "pip install 'recipe[ray]'", "pip install -U recipe")))
    assert not any(map(STRANGER.search, ("pip install vlm-recipe", "pip install '.[test]'", "pip install recipe/")))
