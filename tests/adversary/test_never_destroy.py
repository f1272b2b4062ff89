"""The table of `docs/reference/outputs.md`, cell by cell: every command that writes, and what may stand in its way."""

from __future__ import annotations

import ctypes
import os
import re
import resource
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest

from recipe.check.drift.baseline import write_baseline
from recipe.cli import main
from recipe.demo import write_demo
from recipe.mix.flow import select_mix

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="takes rights away by Linux's capabilities")

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "outputs.md"


def table():
    """Read the table: command, what stands in the place of its output, and the word for what comes of it."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    head, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return [(row[0].strip("`"), what, word) for row in rows for what, word in zip(head[1:], row[1:], strict=True)]


class Command(NamedTuple):
    """How a command is started, what it reads, and where it writes."""

    line: str  # words; {out} is the output, {other} another value in the second run
    name: str  # of the output
    reads: str
    others: tuple[str, str]  # values that give different bytes


COMMANDS = {
    "select --out": Command(
        "select pool --size {other} --cache off --out {out}", "out.json", "pool/llava_mix.json", ("5", "6")
    ),
    "select --manifest": Command("select --manifest {other} --out {out}", "out.json", "a.manifest.json", ("a", "b")),
    "demo --out": Command(
        "demo --images 4 --size {other} --out {out.parent}", "demo/mix.json", "pool/llava_mix.json", ("5", "6")
    ),
    "score --out": Command(
        "score pool --cache off --score {other} --out {out}",
        "out.parquet",
        "pool/llava_mix.json",
        ("length", "balance"),
    ),
    "report --out": Command("report a.json --cache off --rows {other} --out {out}", "out.html", "a.json", ("1", "2")),
    "validate --fix": Command("validate {other}.json --fix {out}", "out.json", "a.json", ("a", "b")),
    "check --update": Command("check {other}.json --update --baseline {out}", "out.json", "a.json", ("a", "b")),
    "check --junit": Command(
        "check {other}.json --baseline base.json --junit {out}", "out.xml", "base.json", ("a", "b")
    ),
    "compare --out": Command(
        "compare pool --cache off --seeds 2 --size {other} --out {out}", "out.json", "pool/llava_mix.json", ("8", "9")
    ),
    "compare --chart": Command(
        "compare pool --cache off --seeds 2 --size {other} --chart {out}", "out.svg", "pool/llava_mix.json", ("8", "9")
    ),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with a pool, two mixes of it, and a baseline."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "pool").mkdir()
    write_demo(folder / "pool", images=12)
    for name, size in (("a", 20), ("b", 30)):
        select_mix(folder / "pool", size=size).write(folder / f"{name}.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CI", raising=False)
        write_baseline(folder / "a.json", folder / "base.json")
    return folder


class House:
    """A copy of that folder, in which a command is run."""

    def __init__(self, folder, command, monkeypatch, capsys):
        self.folder, self.command, self.monkeypatch, self.capsys = folder, command, monkeypatch, capsys
        self.out = folder / command.name
        self.out.parent.mkdir(exist_ok=True)

    def run(self, other=0, *more, out=None):
        """Run the command; return its exit code and the lines on standard error."""
        value = self.command.others[other]
        value = f"{value}.manifest.json" if "--manifest" in self.command.line else value
        words = [word.format(other=value, out=out or self.out) for word in self.command.line.split()]
        self.monkeypatch.setattr(sys, "argv", ["recipe", *words, *more])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        printed = self.capsys.readouterr()
        assert "Traceback" not in printed.err
        return code, printed

    def everything(self):
        """Return what stands where: the bytes of files, the targets of links, and folders."""
        found = {}
        for path in sorted(self.folder.rglob("*")):
            kind = path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else path.is_dir()
            found[path] = (kind, path.lstat().st_ino)
        return found

    def refuses(self, *arguments):
        """Return whether the command ends with one line that names its output, and leaves everything as it was."""
        before = self.everything()
        code, printed = self.run(*arguments)
        stem = self.command.name.rpartition("/")[2].partition(".")[0]
        assert "/." not in printed.err  # no name of a temporary file
        lines = [line for line in printed.err.splitlines() if "passed over" not in line]
        assert (code, len(lines)) == (2, 1), printed
        assert stem in lines[0] or "demo" in lines[0]
        after = self.everything()
        assert {path: kept for path, kept in after.items() if path in before} == before
        assert not [path for path in after.keys() - before.keys() if "demo/pool" not in str(path)]
        return True

    def writes(self, *arguments):
        """Return the bytes of all that the command writes, which must end well."""
        code, printed = self.run(*arguments)
        assert code in (0, 1), printed.err  # 1 is the word of a check
        stem = self.out.name.partition(".")[0]
        return {path.name: path.read_bytes() for path in self.out.parent.glob(f"{stem}*")}


@contextmanager
def without_rights():
    """Take away root's right to write where the mode of a folder forbids it."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # version 3, this thread
    before = (ctypes.c_uint32 * 6)()
    assert libc.capget(header, before) == 0
    fewer = (ctypes.c_uint32 * 6)(*before)
    fewer[0] &= ~0b110  # CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, of the effective ones
    assert libc.capset(header, fewer) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before) == 0


@contextmanager
def full_disk():
    """Let no file take another byte."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def stand_in_the_way(house, what):
    """Put something in the place of the output."""
    out = house.out
    if what == "a file that it reads":
        os.link(house.folder / house.command.reads, out)
    elif what == "another's file":
        out.write_text("[]")
    elif what == "a folder":
        out.mkdir()
    elif what == "a symbolic link":
        out.symlink_to("elsewhere")
    elif what == "a pipe":
        os.mkfifo(out)


@pytest.fixture
def house(made, tmp_path, monkeypatch, capsys, name):
    """The house of a command, which is the working directory."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    shutil.copytree(made, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return House(tmp_path / "here", COMMANDS[name], monkeypatch, capsys)


@pytest.mark.parametrize(("name", "what", "word"), table(), ids=lambda cell: re.sub(r"\W+", "-", cell).strip("-"))
def test_what_stands_in_the_way(house, what, word):
    """The page says what becomes of it, and so it is."""
    if what == "a read-only folder":
        house.out.parent.chmod(0o555)
        with without_rights():
            assert house.refuses()
    elif what == "a full disk":
        with full_disk():
            assert house.refuses()
    elif what == "a name with a line break":
        out = house.folder / f"new\n{house.command.name}"
        out.parent.mkdir(exist_ok=True)
        code, printed = house.run(out=out)
        assert code in (0, 1), printed.err
        assert out.is_file()
        assert "new\n" not in printed.out
    elif word == "refused":
        stand_in_the_way(house, what)
        assert house.refuses()
    else:
        an_earlier_one(house, word)


STRANGERS = {
    "page.html": "<html>pancakes are best made by recipe.</html>",
    "page.svg": "<svg><!-- made by recipe, 00000000000000000000000000000000 -->\n",
    "page.xml": "<testsuites/>\n<!-- made by recipe -->\n",
}


@pytest.mark.parametrize("name", ["report --out", "compare --chart", "check --junit"])
def test_a_page_that_was_edited_is_the_users(house, name):  # noqa: ARG001  of the fixture
    """What bears the words of the mark without its checksum, or was changed since, is not replaced."""
    house.out.write_text(STRANGERS[f"page{house.out.suffix}"])
    assert house.refuses(0)
    house.out.unlink()
    first = house.writes(0)
    house.out.write_bytes(first[house.out.name].replace(b"a", b"b", 1))
    assert house.refuses(0)


@pytest.mark.parametrize("name", ["score --out"])
def test_scores_that_another_program_wrote_are_the_users(house, name):  # noqa: ARG001  of the fixture
    """A table with the columns of scores and one more was made by the user, from a file of ours or not."""
    pl.read_parquet(house.folder / "a.scores.parquet").with_columns(mine=1.0).write_parquet(house.out)
    assert house.refuses(0)


@pytest.mark.parametrize("name", ["score --out", "check --update"])
def test_one_file_of_a_mix_is_never_replaced_alone(house, name):
    """Scores and statistics beside a mix belong to it; with others in their place it could not be opened any more."""
    side = {"score --out": "b.scores.parquet", "check --update": "b.stats.json"}[name]
    before = house.everything()
    code, printed = house.run(0, out=house.folder / side)
    assert code == 2
    assert "b.manifest.json" in printed.err or side in printed.err
    assert house.everything() == before


@pytest.mark.parametrize("name", ["demo --out"])
def test_a_demo_is_refused_before_its_pool_is_made(house, name):  # noqa: ARG001  of the fixture
    """What stands in the way of the mix is known before the pool is written."""
    house.out.with_name("mix.rejects.jsonl").write_text("mine")
    assert house.refuses(0)
    assert not (house.out.parent / "pool").exists()


def an_earlier_one(house, word):
    """Run the command twice for one result, and then for another."""
    first = house.writes(0)
    inodes = {path: path.stat().st_ino for path in house.out.parent.iterdir()}
    assert house.writes(0) == first
    if word == "replaced":
        assert house.writes(1) != first
        return
    assert {path: path.stat().st_ino for path in house.out.parent.iterdir()} == inodes
    assert house.refuses(1)
    if word == "`--force`":
        assert house.writes(1, "--force") != first
        house.out.write_text("[1]")
        assert house.refuses(0, "--force")  # it is the user's own by now
