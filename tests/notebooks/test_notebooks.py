"""The notebooks: both files of each say the same, none carries outputs, and each runs from first to last cell."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell

import recipe

ROOT = Path(__file__).parents[2]
NAMES = ("01_first_mix", "02_explore_the_pool", "03_tune_the_balance", "04_guard_it_in_ci")
SOME = "llava/gqa.json"  # 1,440 real samples
VARIABLES = ("RECIPE_DATA", "RECIPE_IMAGES")  # choose what the notebooks read


def run(folder, name):
    """Run a notebook as `pytest --nbmake` does, apart from the settings of this test run."""
    file = str(ROOT / "notebooks" / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "--nbmake", "--nbmake-timeout=300", "-q", "-p", "no:cacheprovider"]
    path = os.pathsep.join(filter(None, (str(Path(recipe.__file__).parents[1]), os.environ.get("PYTHONPATH"))))
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    done = subprocess.run(
        [*command, f"--rootdir={folder}", "-c", str(folder / "pytest.ini"), file],
        cwd=folder,
        env={**kept, "PYTHONPATH": path, "IPYTHONDIR": str(folder / "ipython")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "1 passed" in done.stdout


@pytest.fixture
def folder(tmp_path):
    """A folder with no settings of pytest but those that are needed: none."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def test_all_notebooks_are_tested():
    """Each notebook is a script and a notebook of one name, and is among those that are run below."""
    found = sorted(path.name for path in (ROOT / "notebooks").iterdir() if path.suffix in (".py", ".ipynb"))
    assert found == sorted(f"{name}{ending}" for name in NAMES for ending in (".py", ".ipynb"))


@pytest.mark.parametrize("name", NAMES)
def test_script_and_notebook_say_the_same(name):
    """The cells of a notebook are those of its script, in kind and text; `jupytext --sync` makes them so."""
    script, notebook = (jupytext.read(ROOT / "notebooks" / f"{name}{ending}") for ending in (".py", ".ipynb"))
    cells = [[(cell.cell_type, cell.source) for cell in book.cells] for book in (script, notebook)]
    assert cells[0] == cells[1]
    assert script.metadata["kernelspec"] == notebook.metadata["kernelspec"]


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_carry_no_outputs(name):
    """A committed notebook is sound, and holds no output, no execution count and nothing of the machine that ran it."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
    assert set(notebook.metadata) <= {"jupytext", "kernelspec"}


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_run_on_the_demo_pool(name, folder):
    """Every cell of a notebook runs, without data and without a network."""
    run(folder, name)


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_run_on_real_samples(name, real_data, tmp_path, monkeypatch):
    """The same cells run on real samples, where these are available, and what they show can be shown."""
    monkeypatch.setenv("RECIPE_DATA", str(real_data / SOME))
    monkeypatch.delenv("RECIPE_IMAGES", raising=False)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.chdir(tmp_path)
    shell = InteractiveShell()  # in this process: no kernel has to start
    for cell in jupytext.read(ROOT / "notebooks" / f"{name}.ipynb").cells:
        if cell.cell_type == "code":
            shell.run_cell(cell.source).raise_error()
