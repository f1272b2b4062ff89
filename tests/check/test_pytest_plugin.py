"""The pytest plugin, run as a user's pytest runs it: in a process of its own, in a project of its own."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import recipe
from recipe import demo_pool, select_mix

HOME = Path(recipe.__file__).parents[1]  # the checkout, or where the wheel is installed
ROOT = Path(__file__).parents[2]
TEST = """
import pytest

@pytest.mark.parametrize("which", ["mix.json"])
def test_mix(mix_regression, which):
    mix_regression.check(which)
"""
BASELINE = "test_it/test_mix_mix_json_.stats.json"


def run_pytest(project, *arguments, **environment):
    """Run pytest in a project with nothing but this plugin."""
    names = {"CI", "PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTHONPATH"}
    env = {name: value for name, value in os.environ.items() if name not in names}
    env |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(HOME), **environment}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "recipe.check.pytest_plugin",
        "-p",
        "no:cacheprovider",
        "-q",
        *arguments,
    ]
    return subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, env=env)


@pytest.fixture(scope="module")
def mixes(tmp_path_factory):
    """Return a folder with a mix, and with another one of other samples."""
    folder, pool = tmp_path_factory.mktemp("mixes"), demo_pool(images=20)
    select_mix(pool, size=100).write(folder / "mix.json")
    select_mix(pool, size=90, balance={"yes_share": 0.2}).write(folder / "other.json")
    return folder


@pytest.fixture
def project(mixes, tmp_path):
    """Return a project with one test of one mix, and no baseline yet."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-config --strict-markers\n")
    (tmp_path / "test_it.py").write_text(TEST)
    for file in mixes.glob("mix.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def swap(project, mixes):
    """Put the other mix in the place of the first."""
    for file in mixes.glob("other.*"):
        (project / file.name.replace("other", "mix")).write_bytes(file.read_bytes())


def test_a_missing_baseline_fails_with_the_line_to_run(project):
    """Without a baseline the test fails, says which line writes it, and writes nothing."""
    done = run_pytest(project)
    assert done.returncode == 1
    assert "pytest --update-mix-baselines 'test_it.py::test_mix[mix.json]'" in done.stdout
    assert not (project / "test_it").exists()


def test_update_then_pass_then_fail(project, mixes):
    """A baseline is written beside the test, the same mix passes, and another one fails with what moved."""
    assert run_pytest(project, "--update-mix-baselines").returncode == 0
    assert (project / BASELINE).read_bytes() == (project / "mix.stats.json").read_bytes()
    assert run_pytest(project).returncode == 0
    swap(project, mixes)
    done = run_pytest(project)
    assert done.returncode == 1
    assert "samples: baseline 100, got 90, exact" in done.stdout
    assert "yes: baseline 0.5" in done.stdout
    assert "Traceback" not in done.stdout
    assert "guard.py" not in done.stdout


def test_updates_are_refused_in_ci(project):
    """Where CI is set the option is a usage error, and no test runs."""
    done = run_pytest(project, "--update-mix-baselines", CI="true")
    assert done.returncode == 4
    assert "refused where CI is set" in done.stderr
    assert not (project / "test_it").exists()
    assert run_pytest(project, "--update-mix-baselines", CI="false").returncode == 0


def test_tolerances_names_and_mixes_in_memory(project, mixes):
    """A call takes tolerances and a name of its own, and a mix that was never written."""
    (project / "test_it.py").write_text(
        "from recipe import demo_pool, select_mix\n\n"
        "def test_two(mix_regression):\n"
        "    mix = select_mix(demo_pool(images=4), size=20)\n"
        "    mix_regression.check(mix, name='small')\n"
        "    mix_regression.check('mix.json', name='large', tolerances={'*': 'ignore', 'samples': {'within': '20%'}})\n"
    )
    assert run_pytest(project, "--update-mix-baselines").returncode == 0
    assert sorted(file.name for file in (project / "test_it").iterdir()) == ["large.stats.json", "small.stats.json"]
    swap(project, mixes)
    assert run_pytest(project).returncode == 0


def test_an_unreadable_baseline_is_no_drift(project):
    """A baseline that is none fails the test with the error that names it."""
    (project / "test_it").mkdir()
    (project / BASELINE).write_text("{}")
    done = run_pytest(project)
    assert done.returncode == 1
    assert "expected statistics of format" in done.stdout


def test_the_entry_point_is_declared():
    """An installed package brings the plugin along."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["entry-points"]["pytest11"] == {"recipe": "recipe.check.pytest_plugin"}


def test_the_plugin_costs_others_nothing():
    """The plugin loads nothing of the library, nor any heavy one, before a mix is checked."""
    code = (
        "import json, sys, pytest\nbefore = set(sys.modules)\nimport recipe.check.pytest_plugin\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=HOME)
    assert set(json.loads(done.stdout)) == {"recipe", "recipe.check", "recipe.check.pytest_plugin"}
