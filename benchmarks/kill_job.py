"""Kill a job at random moments, start it again each time, and compare its mix with that of a job never killed.

    python benchmarks/kill_job.py --pool DIR --size N [--kills 10] [--seed 0]

Only the process that was started is killed, so its workers are left behind as after a crash. The moments are drawn
uniformly from a fifth of the undisturbed job's time, so that ten of them fall on all of its stages.
"""

from __future__ import annotations

import argparse
import filecmp
import random
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory


def start(pool: Path, size: int, folder: Path) -> subprocess.Popen[bytes]:
    """Start the job in a process of its own."""
    command = [sys.executable, "-m", "recipe", "select", str(pool), "--size", str(size)]
    where = ["--cache", str(folder / "cache"), "--out", str(folder / "mix.json")]
    return subprocess.Popen([*command, *where], stdout=subprocess.DEVNULL)  # noqa: S603  our own program


def main() -> int:
    """Run the job undisturbed, then killed, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=Path, required=True, help="a folder of samples")
    parser.add_argument("--size", type=int, required=True, help="samples to pick")
    parser.add_argument("--kills", type=int, default=10, help="how often the job is killed")
    parser.add_argument("--seed", type=int, default=0, help="draws the moments")
    given = parser.parse_args()
    moments = random.Random(given.seed)  # noqa: S311  no secret
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        whole, killed = Path(one), Path(other)
        began = time.perf_counter()
        if start(given.pool, given.size, whole).wait():
            return 1
        seconds = time.perf_counter() - began
        print(f"undisturbed: {seconds:.1f} s")
        for number in range(given.kills):
            moment = moments.uniform(0, seconds / 5)
            job = start(given.pool, given.size, killed)
            try:
                job.wait(moment)
                print(f"kill {number + 1}: was done before {moment:.1f} s")
            except subprocess.TimeoutExpired:
                job.kill()
                job.wait()
                begun = [path.name for path in (killed / "cache").glob("*-*") if path.is_dir()]
                stages = sorted(name.rpartition("-")[0] for name in begun)
                print(f"kill {number + 1}: after {moment:.1f} s, at {', '.join(stages) or 'the start'}")
        if start(given.pool, given.size, killed).wait():
            return 1
        names = sorted(path.name for path in whole.glob("mix*"))
        same = names == sorted(path.name for path in killed.glob("mix*")) and not any(
            filecmp.cmpfiles(whole, killed, names, shallow=False)[1:]
        )
        print(f"{len(names)} files, {'the same byte for byte' if same else 'NOT THE SAME'}")
        return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
