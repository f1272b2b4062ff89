"""An output never replaces a file that the run reads, under whatever name, and never goes through a link or a pipe."""

import os
import sys

import pytest

from recipe.check import fix_mix
from recipe.cli import main
from recipe.demo import write_demo
from recipe.errors import InputError
from recipe.io.cache_contents import list_cache
from recipe.io.outputs import open_output
from recipe.mix.flow import select_mix


@pytest.fixture
def pool(tmp_path):
    """A folder with one file of samples, and the file."""
    write_demo(tmp_path, images=4)
    return min(tmp_path.rglob("*.json"))


def spellings(file):
    """Make other names of a file: relative, by a hard link, and by a symbolic link."""
    hard, soft = file.with_name("hard.json"), file.with_name("soft.json")
    os.link(file, hard)
    soft.symlink_to(file)
    return [file, file.parent / "." / ".." / file.parent.name / file.name, hard, soft]


def run(monkeypatch, capsys, *arguments):
    """Run a command; return its exit code and what it printed on standard error."""
    monkeypatch.setattr(sys, "argv", ["recipe", *map(str, arguments)])
    try:
        main()
    except SystemExit as stop:
        return stop.code, capsys.readouterr().err
    return 0, ""


@pytest.mark.parametrize("name", range(4))
def test_a_source_is_never_replaced(name, pool, tmp_path, monkeypatch, capsys):
    """Selecting, comparing and mending refuse to write over what they read, under any of its names."""
    before, target = pool.read_bytes(), spellings(pool)[name]
    commands = [
        ("select", pool, "--size", "2", "--cache", "off", "--out", target),
        ("compare", pool, "--cache", "off", "--out", target),
        ("validate", pool, "--fix", target),
    ]
    for command in commands:
        code, err = run(monkeypatch, capsys, *command)
        assert code == 2
        assert err.count("\n") == 1
        assert target.name in err
        assert pool.read_bytes() == before
    with pytest.raises(InputError, match=r"read|link"):
        select_mix(pool, size=2).write(target)
    with pytest.raises(InputError, match=r"read|link"):
        fix_mix(pool, target)
    assert pool.read_bytes() == before
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_file_of_a_knob_is_never_replaced(pool, tmp_path, monkeypatch, capsys):
    """A benchmark's questions are read too, so that no file of the mix may take their place."""
    questions = tmp_path / "mix.rejects.jsonl"
    questions.write_text('{"question": "Is it raining in the picture or not?"}\n')
    where = ("select", pool, "--size", "2", "--cache", "off", "--out", tmp_path / "mix.json")
    code, err = run(monkeypatch, capsys, *where, "--exclude-questions", questions)
    assert code == 2
    assert questions.name in err
    assert "raining" in questions.read_text()


@pytest.mark.skipif(os.name != "posix", reason="pipes are POSIX")
@pytest.mark.parametrize("kind", ["folder", "pipe", "dangling link"])
def test_what_is_no_file_is_never_replaced(kind, pool, tmp_path, monkeypatch, capsys):
    """A folder, a pipe or a link in the place of an output ends the command before anything is read."""
    target = tmp_path / "mix.json"
    {
        "folder": target.mkdir,
        "pipe": lambda: os.mkfifo(target),
        "dangling link": lambda: target.symlink_to(tmp_path / "nowhere.json"),
    }[kind]()
    code, err = run(monkeypatch, capsys, "select", pool, "--size", "2", "--cache", "off", "--out", target)
    assert code == 2
    assert kind.rpartition(" ")[2] in err
    assert not (tmp_path / "nowhere.json").exists()
    assert not list(tmp_path.glob("mix.*.*"))


def test_clearing_a_cache_leaves_what_is_not_its_own(pool, tmp_path, monkeypatch, capsys):
    """A thesis and a mix beside or inside the stages of a cache stay, whatever their names; the cache itself goes."""
    cache = tmp_path / "cache"
    select_mix(pool, size=2, cache=cache)
    stage = next(one for one in cache.iterdir() if one.is_dir())
    listed = list_cache(cache)
    kept = [cache / "mix.json", cache / "thesis" / "00001.npy", stage / "notes.json", cache / "data-1" / "about.json"]
    for file in kept:
        file.parent.mkdir(exist_ok=True)
        file.write_text("mine")
    assert list_cache(cache) == listed
    assert run(monkeypatch, capsys, "cache", "clear", "--cache", cache)[0] in {0, None}
    assert sorted(one for one in cache.rglob("*") if one.is_file()) == sorted(kept)


def test_sizes_of_images_that_the_reader_finds_are_never_replaced(tmp_path, monkeypatch, capsys):
    """Visual Genome's list beside SVIT's files is read without being named, and is kept too."""
    write_demo(tmp_path, images=4)
    sizes = next(tmp_path.rglob("image_data.json"))
    before = sizes.read_bytes()
    code, err = run(monkeypatch, capsys, "select", tmp_path, "--size", "9", "--cache", "off", "--out", sizes)
    assert code == 2
    assert sizes.name in err
    assert sizes.read_bytes() == before


def test_a_file_that_appears_during_a_run_stays(tmp_path):
    """What was free when a command began may be another's at its end; then it is the user's, and stays."""
    target = tmp_path / "numbers.txt"

    def write():
        with open_output(target, "w") as file:
            file.write("numbers")
            target.write_text("years of work")

    with pytest.raises(InputError, match=target.name):
        write()
    assert target.read_text() == "years of work"
    assert list(tmp_path.iterdir()) == [target]


def test_a_demo_replaces_no_other_pool(tmp_path):
    """The same pool may be written again; one of other images is refused, and the first stays as it is."""
    write_demo(tmp_path, images=2)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.json")}
    write_demo(tmp_path, images=2)
    with pytest.raises(InputError, match="another"):
        write_demo(tmp_path, images=3)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.json")} == before


def test_updating_a_baseline_replaces_nothing_but_a_baseline(pool, tmp_path, monkeypatch, capsys):
    """A file of tolerances, or any other that is no statistics, stays as it is; an older baseline is replaced."""
    monkeypatch.delenv("CI", raising=False)
    tolerance, baseline = tmp_path / "tolerance.yaml", tmp_path / "old.json"
    tolerance.write_text("samples: exact\n")
    code, err = run(monkeypatch, capsys, "check", pool, "--update", "--baseline", tolerance)
    assert code == 2
    assert tolerance.name in err
    assert tolerance.read_text() == "samples: exact\n"
    for _ in range(2):
        assert run(monkeypatch, capsys, "check", pool, "--update", "--baseline", baseline)[0] in {0, None}
