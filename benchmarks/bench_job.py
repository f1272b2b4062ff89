"""Run the whole job, raw files to written mix, and time every stage of it.

    python benchmarks/bench_job.py --pool /tmp/svit_full --size 157712 --json benchmarks/results/job_full.json

The job runs in a process of its own, whose memory is looked at from outside, with the processes that it starts.

peak_gb: the largest sum of the proportional set sizes (PSS) of all processes of the job: a page that several of them
share counts once, and pages of mapped files count while they are in memory. peak_anonymous_gb leaves those pages out,
which the system may take back at any time. max_rss_gb is what `/usr/bin/time -v` says of the largest process.
total_seconds counts everything from reading to writing, not the start of Python; `other` is what no stage claims.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from _machine import GB, descendants, facts, save, share, table

LOOK = 0.25  # seconds between looks at the memory, at least
EASE = 10  # a look may take one part in so many of the time
OPTIONS = ("engine", "workers", "cache")  # passed on to select_mix where it takes them
PACKAGES = ("faiss-cpu", "msgspec", "numba", "polars", "scikit-learn", "scipy")
STAGES = {"name": "", "seconds": ".1f", "share": ".1%"}


def job(pool: Path, size: int, out: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Run the job in this process.

    Parameters
    ----------
    pool
        A folder of raw files.
    size
        Samples to pick.
    out
        Where the mix goes.
    options
        Knobs of `select_mix`.

    Returns
    -------
    dict
        stages, total_seconds, samples, picked, mix_mb, mix_sha256.
    """
    import recipe
    from recipe.engine.timing import timed

    begin = perf_counter()
    with timed() as stages:
        mix = recipe.select_mix(str(pool), size=size, **options)
        inner = len(stages)
        written = perf_counter()
        mix.write(out)
        seconds = perf_counter() - written
    total = perf_counter() - begin
    rows = [{"name": name, "seconds": seconds} for name, seconds in _summed(stages)]
    if len(stages) == inner:  # writing does not time itself
        rows.append({"name": "write", "seconds": seconds})
    rows.append({"name": "other", "seconds": max(0.0, total - sum(one["seconds"] for one in rows))})
    return {
        "stages": rows,
        "total_seconds": total,
        "samples": len(mix.pool),
        "picked": len(mix),
        "mix_mb": out.stat().st_size / 1e6,
        "mix_sha256": sha256(out.read_bytes()).hexdigest(),
    }


def _summed(stages: list[Any]) -> list[tuple[str, float]]:
    """Add up stages of one name, in the order in which they first ended."""
    seconds: dict[str, float] = {}
    for one in stages:
        seconds[one.name] = seconds.get(one.name, 0.0) + one.seconds
    return list(seconds.items())


def watched(command: list[str]) -> dict[str, float]:
    """Run a command, and return the largest memory of its processes, in GB, and its seconds.

    Raises
    ------
    SystemExit
        If the command fails.
    """
    begin, most = perf_counter(), {"Pss": 0, "Pss_Anon": 0}
    process = subprocess.Popen(command)  # noqa: S603  this script itself
    status, usage = 0, None
    while usage is None:
        look = perf_counter()
        found = [share(pid) for pid in (process.pid, *descendants(process.pid))]
        most = {name: max(value, sum(one.get(name, 0) for one in found)) for name, value in most.items()}
        sleep(max(LOOK, EASE * (perf_counter() - look)))
        done, status, times = os.wait4(process.pid, os.WNOHANG)
        usage = times if done else None
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"bench_job.py: the job ended with exit code {process.returncode}")
    return {
        "peak_gb": most["Pss"] / GB,
        "peak_anonymous_gb": most["Pss_Anon"] / GB,
        "max_rss_gb": usage.ru_maxrss * 1024 / GB,
        "process_seconds": perf_counter() - begin,
    }


def options_of(asked: argparse.Namespace) -> dict[str, Any]:
    """Return the knobs that were given, all of which `select_mix` must take."""
    from recipe import select_mix

    given = {name: getattr(asked, name) for name in OPTIONS if getattr(asked, name) is not None}
    unknown = set(given) - set(inspect.signature(select_mix).parameters)
    if unknown:
        raise SystemExit(f"bench_job.py: this version of select_mix does not take {', '.join(sorted(unknown))}")
    return {name: None if value == "off" else value for name, value in given.items()}


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=Path, required=True, help="a folder of raw files, as synth.py writes it")
    parser.add_argument("--size", type=int, required=True, help="samples to pick")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--engine", help="serial, processes or ray; what select_mix chooses by default")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--cache", help="a folder, or off")
    parser.add_argument("--mix", type=Path, help="where to leave the mix, a .json file; by default it is thrown away")
    parser.add_argument(
        "--inner", type=Path, help=argparse.SUPPRESS
    )  # where the process that does the job writes its figures
    return parser.parse_args()


def main() -> None:
    """Run the job, print its stages and write its figures."""
    asked = parsed()
    if asked.inner:
        save(asked.inner, job(asked.pool, asked.size, asked.mix, options_of(asked)))
        return
    with tempfile.TemporaryDirectory(prefix="bench_job_") as folder:
        inner, mix = Path(folder) / "inner.json", asked.mix or Path(folder) / "mix.json"
        command = [sys.executable, __file__, *sys.argv[1:], "--inner", str(inner), "--mix", str(mix)]
        memory = watched(command)
        figures = {**json.loads(inner.read_text(encoding="ascii")), **memory}
    figures["stages"] = [{**one, "share": one["seconds"] / figures["total_seconds"]} for one in figures["stages"]]
    figures |= {"size_asked": asked.size, "engine": asked.engine, "workers": asked.workers}
    figures |= {"cache": asked.cache is not None and asked.cache != "off", "machine": facts(PACKAGES)}
    whole = {"name": "total", "seconds": figures["total_seconds"], "share": 1.0}
    print(table([*figures["stages"], whole], STAGES))
    print(f"{figures['samples']:,} samples, {figures['picked']:,} picked, peak {figures['peak_gb']:.2f} GB", end="")
    print(f" ({figures['peak_anonymous_gb']:.2f} anonymous, largest process {figures['max_rss_gb']:.2f})")
    save(asked.json, figures)


if __name__ == "__main__":
    main()
