"""A run that is killed leaves each file old or new. `python tests/mix/test_kill.py 20` kills twenty runs."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from recipe import demo, open_mix, select_mix
from recipe.errors import InputError

SIDES = ("scores.parquet", "rejects.jsonl", "stats.json", "manifest.json")
FAMILY = ("mix.json", *(f"mix.{name}" for name in SIDES))


class Families:
    """A folder where the files of an old mix are replaced by those of a new one, of the same pool."""

    def __init__(self, folder):
        self.folder, self.pool, self.target = folder, folder / "pool", folder / "out" / "mix.json"
        demo.write_demo(self.pool, images=12)
        self.target.parent.mkdir()
        self.mix = self.select(seed=1, cache=folder / "undisturbed")
        self.mix.write(self.target)
        self.new = self.files()
        self.select(seed=0).write(self.target, overwrite=True)
        self.old = self.files()
        assert self.old.keys() == self.new.keys() == set(FAMILY)
        assert self.old["mix.json"] != self.new["mix.json"]

    def select(self, **knobs):
        """Pick all of the pool, in an order that the seed decides."""
        return select_mix(str(self.pool), size=1.0, select="random", engine="serial", **knobs)

    def files(self):
        """Return all that lies beside the mix, by name."""
        return {path.name: path.read_bytes() for path in self.target.parent.iterdir() if path.is_file()}

    def put(self, files):
        """Let these files lie beside the mix, and no others."""
        for path in self.target.parent.iterdir():
            path.unlink()
        for name, content in files.items():
            (self.target.parent / name).write_bytes(content)

    def ages(self, files):
        """Say of each file that differs whether it is the new one, once none is neither the old nor the new one."""
        if b'"unfinished"' in files["mix.manifest.json"]:  # it stands while the files are moved, and is not believed
            files = files | {"mix.manifest.json": self.old["mix.manifest.json"]}
        torn = [name for name in FAMILY if files.get(name) not in (self.old[name], self.new[name])]
        assert not torn, f"neither old nor new: {', '.join(torn)}"
        return tuple(files[name] == self.new[name] for name in FAMILY if self.old[name] != self.new[name])

    def check(self):
        """See that what a killed run left is whole, and believed only where all files are of one mix."""
        ages = self.ages(self.files())
        if len(set(ages)) == 1:
            assert open_mix(self.target).recipe.seed == ages[0]
        else:
            with pytest.raises(InputError, match=r"expected the file that its manifest describes|was killed while"):
                open_mix(self.target)


@pytest.fixture(scope="module")
def families(tmp_path_factory):
    return Families(tmp_path_factory.mktemp("killed"))


def watch(look, action):
    """Do something, and look before and after each call by which Python may change a file."""

    def hook(_, event, called):
        owner = getattr(called, "__self__", None) if event in ("c_call", "c_return") else None
        if isinstance(owner, io.IOBase) or owner is sys.modules[os.name]:
            look()

    before = sys.getprofile()
    sys.setprofile(hook)
    try:
        action()
    finally:
        sys.setprofile(before)


def test_no_moment_of_writing_is_a_bad_one(families):
    """Whenever a run dies while it writes, each file is whole, a mixture is not believed, and the next run mends it."""
    moments, looks = {}, []

    def look():
        files = families.files()
        looks.append(families.ages(files))
        moments.setdefault((looks[-1], len(files)), files)

    families.put(families.old)
    watch(look, lambda: families.mix.write(families.target, overwrite=True))
    assert len(looks) > 1000
    assert looks == sorted(looks)
    assert len(set(looks)) == len(looks[0]) + 1
    for files in moments.values():
        families.put(files)
        families.check()
        families.mix.write(families.target, overwrite=True)
        assert families.files() == families.new


def test_no_moment_of_a_first_writing_is_a_bad_one(families):
    """Where nothing stood, whatever a killed run has left is whole, and the same run goes on without `--force`."""
    moments = {}

    def look():
        files = {name: content for name, content in families.files().items() if not name.startswith(".")}
        whole = {name: content for name, content in families.new.items() if name in files}
        unfinished = b'"unfinished"' in files.get("mix.manifest.json", b"")
        assert files.items() >= {name: content for name, content in whole.items() if "manifest" not in name}.items()
        assert unfinished or files.keys() in (set(), set(FAMILY))
        moments.setdefault((frozenset(files), unfinished), files)

    families.put({})
    watch(look, lambda: families.mix.write(families.target))
    assert len(moments) == len(FAMILY) + 2  # nothing, the unfinished manifest, each of the others, the manifest
    for files in moments.values():
        families.put(files)
        families.mix.write(families.target)
        assert families.files() == families.new


def start(families, cache):
    """Start `recipe select` in a process of its own."""
    command = [sys.executable, "-m", "recipe", "select", str(families.pool), "--size", "1.0", "--select", "random"]
    command += ["--seed", "1", "--engine", "serial", "--cache", str(cache), "--out", str(families.target), "--force"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def artefacts(cache):
    """Return the names of the files of a cache."""
    return {path.relative_to(cache).as_posix() for path in cache.rglob("*") if path.is_file()}


def stamps(target):
    """Return what changes as soon as anything is written beside a file, or into it."""
    return target.parent.stat().st_mtime_ns, target.stat().st_mtime_ns


def kill_runs(families, times, seed):
    """Kill so many runs, half of them while they fill the cache and half while they write; count who left what.

    Each run goes on where the one before was killed; the last one is left alone.
    """
    rng, cache, counts = random.Random(seed), families.folder / f"cache {seed}", {}
    whole = artefacts(families.folder / "undisturbed")
    families.put(families.old)
    for number in range(times):
        if all(families.ages(families.files())):
            families.put(families.old)
        enough = max(len(artefacts(cache)) + 1, len(whole) * number * 2 // times)
        before = stamps(families.target)
        run = start(families, cache)
        while run.poll() is None:
            if stamps(families.target) != before or (number * 2 < times and len(artefacts(cache)) >= enough):
                break
            time.sleep(0.0002)
        time.sleep(0.03 * rng.random() ** 6)  # most often at once: a mix is written within milliseconds
        run.kill()
        run.communicate()
        families.check()
        left = sum(families.ages(families.files()))
        counts[left] = counts.get(left, 0) + 1
    run = start(families, cache)
    _, said = run.communicate(timeout=120)
    assert run.returncode == 0, said.decode()
    assert families.files() == families.new
    assert whole <= artefacts(cache)
    assert not [name for name in artefacts(cache) if name.endswith(".tmp")]
    return counts


def test_a_killed_run_goes_on_to_the_same_bytes(families):
    """After SIGKILL between the first artefact and the last file all that is there is whole, and a rerun is exact."""
    kill_runs(families, 4, seed=0)


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as scratch:
        found = kill_runs(Families(Path(scratch)), wanted, seed=time.time_ns())
    print(f"killed {wanted} runs; new files to runs that left so many: {dict(sorted(found.items()))}")  # noqa: T201  a script
