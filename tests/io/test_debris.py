"""Files and errors: full disks, read-only folders, killed writers, and files that `recipe` itself has left."""

import errno
import json
import os
import subprocess
import sys
from time import time

import pytest

from recipe.demo import write_demo
from recipe.errors import InputError, PassedOver
from recipe.io import atomic
from recipe.io.atomic import atomic_write
from recipe.io.families import family_of
from recipe.mix.flow import select_mix
from recipe.stages.read import expand

DEBRIS = ".mix.json.0123abcd.tmp"
KILLED = """
import os, signal, sys
from recipe.io.atomic import atomic_write
with atomic_write(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def names(folder):
    """List a folder."""
    return sorted(path.name for path in folder.iterdir())


def write(path, content=b"new"):
    """Write a file in one step."""
    with atomic_write(path) as file:
        file.write(content)


def test_a_killed_write_leaves_the_old_file_and_the_next_one_cleans_up(tmp_path):
    """SIGKILL in the middle of a write leaves the old file beside a temporary one, which the next write removes."""
    mix = tmp_path / "mix.json"
    mix.write_bytes(b"old")
    subprocess.run([sys.executable, "-c", KILLED, str(mix)], check=False)
    assert mix.read_bytes() == b"old"
    assert len(names(tmp_path)) == 2
    write(mix)
    assert (names(tmp_path), mix.read_bytes()) == (["mix.json"], b"new")


def test_a_write_in_progress_is_not_debris(tmp_path):
    """Of two writers of one file neither takes the other's temporary file away, and the later one to end wins."""
    mix = tmp_path / "mix.json"
    with atomic_write(mix) as slow:
        slow.write(b"slow")
        write(mix, b"fast")
        assert mix.read_bytes() == b"fast"
        assert len(names(tmp_path)) == 2
    assert (names(tmp_path), mix.read_bytes()) == (["mix.json"], b"slow")


def test_only_the_debris_of_the_same_target_goes(tmp_path):
    """Temporary files of other targets, and files that only look alike, stay."""
    others = [
        ".mix.jsonl.0123abcd.tmp",
        ".mix.json.0123abcg.tmp",
        ".mix.json.0123abcd.tmp.json",
        ".mixxjson.0123abcd.tmp",
    ]
    for name in [*others, DEBRIS]:
        (tmp_path / name).touch()
    write(tmp_path / "mix.json")
    assert names(tmp_path) == sorted([*others, "mix.json"])


@pytest.mark.parametrize(("age", "left"), [(10, [DEBRIS, "mix.json"]), (atomic.STALE + 10, ["mix.json"])])
def test_without_locks_age_tells(tmp_path, monkeypatch, age, left):
    """On a system without locks a temporary file is debris once nobody has written to it for a day."""
    monkeypatch.setattr(atomic, "fcntl", None)
    (tmp_path / DEBRIS).touch()
    os.utime(tmp_path / DEBRIS, (time() - age,) * 2)
    write(tmp_path / "mix.json")
    assert names(tmp_path) == left


def test_a_temporary_file_that_a_sweep_removed_is_made_again(tmp_path, monkeypatch):
    """A sweep between creating and locking costs a second attempt, and nothing else."""
    lock, taken = atomic.lock, []

    def late(file):
        if not taken:
            taken.append(file.name)
            os.unlink(file.name)  # noqa: PTH108  as another process would
        return lock(file)

    monkeypatch.setattr(atomic, "lock", late)
    write(tmp_path / "mix.json")
    assert taken
    assert (tmp_path / "mix.json").read_bytes() == b"new"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch, code):
    """Where the disk refuses the bytes, the error is one line, the old file is as it was, and no debris is left."""
    mix = tmp_path / "mix.json"
    mix.write_bytes(b"old")

    def full(_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(InputError, match=f"mix.json: cannot be written .{os.strerror(code)}") as caught:
        write(mix)
    assert "\n" not in str(caught.value)
    assert (names(tmp_path), mix.read_bytes()) == (["mix.json"], b"old")


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_a_read_only_folder_leaves_the_old_file(tmp_path, monkeypatch, code):
    """Where no temporary file can be made, the error is one line and the old file is as it was."""
    mix = tmp_path / "mix.json"
    mix.write_bytes(b"old")

    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(atomic, "open_temporary", refuse)
    with pytest.raises(InputError, match=r"mix\.json: cannot be written") as caught:
        write(mix)
    assert "\n" not in str(caught.value)
    assert (names(tmp_path), mix.read_bytes()) == (["mix.json"], b"old")


def test_a_folder_in_place_of_the_file_is_named(tmp_path):
    """A target that is a folder is refused in one line, and nothing is left beside it."""
    (tmp_path / "mix.json").mkdir()
    with pytest.raises(InputError, match=r"mix\.json: cannot be written"):
        write(tmp_path / "mix.json")
    assert names(tmp_path) == ["mix.json"]


def test_a_callers_own_error_stays_its_own(tmp_path):
    """An error that is not the disk's comes through as it was raised."""

    def reads_elsewhere():
        with atomic_write(tmp_path / "mix.json"):
            (tmp_path / "gone").read_bytes()

    with pytest.raises(FileNotFoundError):
        reads_elsewhere()
    assert names(tmp_path) == []


def test_side_files_of_a_mix_are_no_samples(tmp_path):
    """A folder and a glob skip the files beside a mix; the mix itself is read; a side file may be named."""
    for name in ("mix.json", "mix.manifest.json", "mix.stats.json", "mix.rejects.jsonl", "pool.json.zst"):
        (tmp_path / name).write_text("[]")
    assert [file.source for file in expand(tmp_path)] == ["mix.json", "pool.json.zst"]
    assert [file.source for file in expand(str(tmp_path / "*.json*"))] == ["mix.json", "pool.json.zst"]
    assert [file.source for file in expand(tmp_path / "mix.stats.json")] == ["mix.stats.json"]


def test_a_mix_in_a_folder_is_no_source(tmp_path):
    """A folder or a glob passes over what a manifest names, and says so; a name, or a glob of mixes alone, reads it."""
    folder = tmp_path / "pool"
    write_demo(folder, images=2)
    before = [file.path for file in expand(folder)]
    for name in ("a.json", "b.jsonl"):
        select_mix(folder, size=5).write(folder / name)
    with pytest.warns(PassedOver, match=r"passed over a\.json and 1 more"):
        assert [file.path for file in expand(folder)] == before
    with pytest.warns(PassedOver):
        assert [file.path for file in expand(f"{folder}/**/*.json*")] == before
    assert [file.source for file in expand(f"{folder}/[ab].json*")] == ["a.json", "b.jsonl"]
    assert [file.source for file in expand(folder / "a.json")] == ["a.json"]


def test_a_link_to_a_mix_is_a_mix(tmp_path):
    """A mix of another folder that is linked into a pool is passed over as well."""
    write_demo(tmp_path / "pool", images=2)
    before = [file.path for file in expand(tmp_path / "pool")]
    (tmp_path / "out").mkdir()
    select_mix(tmp_path / "pool", size=5).write(tmp_path / "out" / "a.json")
    (tmp_path / "pool" / "linked.json").symlink_to(tmp_path / "out" / "a.json")
    with pytest.warns(PassedOver, match="linked"):
        assert [file.path for file in expand(tmp_path / "pool")] == before


def test_an_edited_file_of_an_earlier_mix_is_not_left_behind(tmp_path):
    """A mix is replaced with all its files or not at all, also where the new one has no file of that name."""
    write_demo(tmp_path / "pool", images=2)
    parts = {"parts": {"a": {"size": 3}, "b": {}}, "write": {"files": "parts"}}
    select_mix(tmp_path / "pool", recipe=parts, size=6).write(tmp_path / "q.json")
    (tmp_path / "q.a.json").write_text("[1]")
    with pytest.raises(InputError, match=r"q\.a\.json"):
        select_mix(tmp_path / "pool", size=5).write(tmp_path / "q.json", overwrite=True)
    assert (tmp_path / "q.b.json").exists()


def test_a_folder_of_nothing_but_mixes_asks_for_their_names(tmp_path):
    """Nothing is read by accident, and the error says what is there."""
    write_demo(tmp_path / "pool", images=2)
    (tmp_path / "out").mkdir()
    select_mix(tmp_path / "pool", size=5).write(tmp_path / "out" / "a.json")
    with pytest.raises(InputError, match="only mixes that recipe wrote"):
        expand(tmp_path / "out")


def test_a_manifest_speaks_for_no_file_of_another_name(tmp_path):
    """A manifest of somebody else cannot make `recipe` pass over, or remove, a file that is not of its family."""
    write_demo(tmp_path / "pool", images=2)
    select_mix(tmp_path / "pool", size=5).write(tmp_path / "a.json")
    mine = tmp_path / "mine.json"
    mine.write_bytes((tmp_path / "a.json").read_bytes())
    manifest = tmp_path / "a.manifest.json"
    content = json.loads(manifest.read_bytes())
    content["mix"] |= {"files": [{"name": "mine.json", "records": 5, "sha256": content["mix"]["sha256"]}]}
    manifest.write_text(json.dumps(content))
    assert mine not in family_of(manifest)
