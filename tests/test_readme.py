"""The README: what it says can be done is done, line by line, in a folder of its own."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recipe import compare_mixes, select_mix
from recipe.demo import write_demo

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINES = [line for kind, text in BLOCK.findall(README) if kind == "bash" for line in text.splitlines()]
COMMANDS = [
    shlex.split(line, comments=True)
    for line in LINES
    if re.match(r"recipe (report|gaps|diff|check|compare|stats|validate mix\.json +#|select --manifest)", line)
]
SAYS = {
    "report": "wrote",
    "gaps": "samples are missing",
    "diff": "added",
    "check": "0 moved",
    "compare": "against random",
    "stats": "yes answers",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with what the README's lines name: two mixes of the demo pool, numbers of one, and a comparison."""
    folder = tmp_path_factory.mktemp("readme")
    pool = write_demo(folder / "svit", images=30)
    select_mix(pool, size=20, seed=1).write(folder / "old.json")
    select_mix(pool, size=300).write(folder / "mix.json")
    shutil.copy(folder / "mix.json", folder / "new.json")
    shutil.copy(folder / "mix.stats.json", folder / "good.stats.json")
    (folder / "my.yaml").write_text("yes: {within: 0.05}\n")
    (folder / "my_recipe.yaml").write_text("select: concepts\n")
    shutil.copy(folder / "mix.json", folder / "llava_mix.json")
    (folder / "found.json").write_text(compare_mixes(pool, [], seeds=2).to_json())
    return folder


def test_the_readme_has_a_line_for_each():
    """Report, gaps, diff, check and compare stand in the README as commands."""
    assert {"report", "gaps", "diff", "check", "compare"} <= {command[1] for command in COMMANDS}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_line_of_the_readme_does_what_it_says(folder, command):
    """Each line ends well and says what it should."""
    env = {name: value for name, value in os.environ.items() if name not in {"CI", "GITHUB_ACTIONS"}}
    done = subprocess.run(
        [sys.executable, "-m", "recipe", *command[1:]], cwd=folder, capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 0, done.stderr
    if "--json" in command:
        json.loads(done.stdout)
    elif "--update" not in command:
        assert SAYS.get(command[1], "") in done.stdout
    if command[1] == "report":
        assert "<!doctype html>" in (folder / "report.html").read_text("utf-8")[:200].lower()
