"""A process that was started without standard streams (``>&-``) does its work, or says in one line why not."""

import os
import shlex
import subprocess
import sys

import pytest

from recipe.demo import write_demo
from recipe.mix.flow import select_mix

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a shell closes streams on POSIX")
RECIPE = f"{shlex.quote(sys.executable)} -m recipe"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a pool and a mix."""
    folder = tmp_path_factory.mktemp("closed")
    (folder / "pool").mkdir()
    write_demo(folder / "pool", images=4)
    select_mix(folder / "pool", size=20).write(folder / "mix.json")
    return folder


def shell(line, folder):
    """Run a line of a shell."""
    where = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(["sh", "-c", line], cwd=folder, env=where, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("what", ["stats mix.json", "--help"])
def test_a_command_does_its_work_without_streams(what, closed, folder):
    """What is closed gets nothing, what is open gets what it gets otherwise, and the exit code is 0."""
    whole = shell(f"{RECIPE} {what}", folder)
    done = shell(f"{RECIPE} {what} {closed}", folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ("" if ">&-" in closed.replace("2>&-", "") else whole.stdout)


def test_an_error_is_one_line_without_an_output(folder):
    """Standard error has the one line where only the output is closed, and the exit code is 2 in every case."""
    for closed, lines in ((">&-", 1), ("2>&-", 0), ("<&- >&- 2>&-", 0)):
        failed = shell(f"{RECIPE} stats nothing.json {closed}", folder)
        assert (failed.returncode, failed.stdout, failed.stderr.count("\n")) == (2, "", lines)
        assert "Traceback" not in failed.stderr


def test_a_mix_is_the_same_without_streams(folder):
    """Nothing that is printed gets into a file that is written, whose number might be that of a closed stream."""
    for name, closed in (("open", ""), ("closed", "<&- >&- 2>&-")):
        (folder / name).mkdir()
        line = f"{RECIPE} select pool --size 20 --cache off --out {name}/mix.json --engine processes --workers 2"
        assert shell(f"{line} {closed}", folder).returncode == 0
    ours, theirs = (sorted((folder / name).iterdir()) for name in ("open", "closed"))
    assert [file.name for file in ours] == [file.name for file in theirs]
    assert ours[0].name == "mix.json"
    assert ours[0].read_bytes() == theirs[0].read_bytes()


def test_the_library_shows_no_bar_where_nothing_can_be_printed(folder):
    """A program without a console, as one that a desktop starts, can select."""
    (folder / "program.py").write_text(
        "import sys, recipe\n"
        "assert sys.stderr is None\n"
        "recipe.select_mix('pool', size=20, cache=None).write('library.json')\n"
    )
    assert shell(f"{shlex.quote(sys.executable)} program.py <&- >&- 2>&-", folder).returncode == 0
    assert (folder / "library.json").exists()
