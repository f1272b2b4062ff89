"""A run that is killed leaves the old mix or the new one. `python tests/mix/test_kill.py 20` kills twenty runs."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from recipe import demo


def select(pool, out, *, seed):
    """Start `recipe select` in a process of its own."""
    command = [sys.executable, "-m", "recipe", "select", str(pool), "--size", "1.0", "--select", "random"]
    return subprocess.Popen(
        [*command, "--seed", str(seed), "--out", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def finished(run):
    """Wait for a run and see that nothing went wrong."""
    _, said = run.communicate(timeout=120)
    assert run.returncode == 0, said.decode()


def listed(folder):
    """Return the names of all that lies in a folder."""
    return {path.name for path in folder.iterdir()}


def wait_for_writing(run, target):
    """Wait until the run has begun to write, beside the target or into it, or is over."""
    known, before = listed(target.parent), target.stat().st_mtime_ns
    while run.poll() is None and listed(target.parent) <= known and target.stat().st_mtime_ns == before:
        time.sleep(0.0002)


def kill_runs(folder, times, seed):
    """Kill so many runs over an older mix, half of them while they write; return how many left the new mix."""
    rng = random.Random(seed)
    demo.write_demo(folder / "pool", images=12)
    mixes = {}
    for name, at in (("old", 0), ("new", 1)):
        (folder / name).mkdir()
        start = time.perf_counter()
        finished(select(folder / "pool", folder / name / "mix.json", seed=at))
        mixes[name] = (folder / name / "mix.json").read_bytes()
    lasts = time.perf_counter() - start
    assert mixes["old"] != mixes["new"]
    target = folder / "old" / "mix.json"
    complete = listed(target.parent)
    renewed = 0
    for number in range(times):
        target.write_bytes(mixes["old"])
        run = select(folder / "pool", target, seed=1)
        if number % 2:
            wait_for_writing(run, target)
            time.sleep(0.03 * rng.random() ** 6)  # most often at once: a mix is written within milliseconds
        else:
            time.sleep(rng.uniform(0, lasts))
        run.kill()
        run.communicate()
        left = target.read_bytes()
        assert left in mixes.values(), f"run {number} left {len(left)} bytes that are neither mix"
        renewed += left == mixes["new"]
    finished(select(folder / "pool", target, seed=1))
    assert target.read_bytes() == mixes["new"]
    debris = listed(target.parent) - complete
    assert not debris, f"an undisturbed run left {sorted(debris)}"
    for name in complete:
        assert (target.parent / name).read_bytes() == (folder / "new" / name).read_bytes()
    return renewed


def test_a_killed_run_leaves_the_old_mix_or_the_new_one(tmp_path):
    """After SIGKILL at any moment the mix is one of the two, byte for byte, and the next run tidies up after it."""
    kill_runs(tmp_path, 4, seed=0)


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as scratch:
        new = kill_runs(Path(scratch), wanted, seed=time.time_ns())
    print(f"killed {wanted} runs: {wanted - new} left the old mix, {new} the new one, none anything else")  # noqa: T201  a script
