"""A pipe, which never ends before a writer comes, and a device, which never ends, are refused by every reader."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

import pytest

from recipe.demo import write_demo
from recipe.mix.flow import select_mix

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes are POSIX")
LIMIT = 60  # seconds, far more than a command takes that waits for nobody

SELECT = "select pool --size 20 --cache off --out again.json"

READERS = {
    "a mix to validate": "validate pipe",
    "a mix to repair": "validate pipe --fix fixed.json",
    "a tokenizer": "validate mix.json --tokenizer pipe",
    "a manifest": "select --manifest pipe --out again.json",
    "a comparison": "report mix.json --comparison pipe",
    "questions": f"{SELECT} --exclude-questions pipe",
    "a table of questions": f"{SELECT} --exclude-questions pipe.csv",
    "images": f"{SELECT} --exclude-images pipe",
    "a source": "select pipe --size 20 --cache off --out again.json",
    "a recipe": "select pipe.yaml --cache off --out again.json",
    "statistics": "stats pipe",
    "a baseline": "check mix.json --baseline pipe",
    "tolerances": "check mix.json --baseline mix.stats.json --tolerance pipe",
    "vectors": f"{SELECT} --set 'embed={{cached: {{path: pipe.npy}}}}'",
    "keys": f"{SELECT} --set 'embed={{cached: {{path: v.npy, keys: pipe}}}}'",
    "ids": f"{SELECT} --set 'embed={{cached: {{path: v.npy, ids: pipe}}}}'",
    "numbers": f"{SELECT} --set 'score=[{{column: {{file: pipe.csv, column: x}}}}]'",
    "a device as a mix": "validate /dev/null",
    "a device as a tokenizer": "validate mix.json --tokenizer /dev/null",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a pool, a mix, and pipes without writers under the usual endings."""
    folder = tmp_path_factory.mktemp("pipes")
    (folder / "pool").mkdir()
    write_demo(folder / "pool", images=4)
    select_mix(folder / "pool", size=20).write(folder / "mix.json")
    (folder / "v.npy").write_bytes(b"")
    for name in ("pipe", "pipe.yaml", "pipe.npy", "pipe.csv"):
        os.mkfifo(folder / name)
    return folder


def run(line, folder):
    """Run a command in a process that is killed where it waits."""
    command = [sys.executable, "-m", "recipe", *shlex.split(line)]
    where = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(command, cwd=folder, env=where, capture_output=True, text=True, timeout=LIMIT, check=False)


@pytest.mark.parametrize("reader", READERS)
def test_a_pipe_is_refused_by_every_reader(reader, folder):
    """A pipe or a device is refused at once, in one line that says what it is, and nothing is written."""
    before = sorted(folder.iterdir())
    done = run(READERS[reader], folder)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done
    assert "pipe" in done.stderr
    assert sorted(folder.iterdir()) == before
