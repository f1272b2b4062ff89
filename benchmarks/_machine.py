"""What all benchmarks share: facts of the machine, memory of processes, results as files, tables on the terminal."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recipe import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MB, GB = 1e6, 1e9
AUTO = "auto"  # a number whose format depends on its size only


def facts(packages: Iterable[str] = ()) -> dict[str, Any]:
    """Return what the figures depend on, and nothing that identifies the machine.

    Parameters
    ----------
    packages
        Distributions whose versions matter; those that are not installed are left out.

    Returns
    -------
    dict
        cpu, cores, memory_gb, system, python, and versions of packages.
    """
    versions = {"recipe": __version__, **{name: installed(name) for name in ("numpy", *packages)}}
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GB, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: found for name, found in versions.items() if found},
    }


def installed(package: str) -> str | None:
    """Return the version of a distribution, or None if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cpu() -> str:
    """Return the model of the processor, with its widest vector instructions."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    entries = dict(line.split(":", 1) for line in lines if ":" in line)
    entries = {key.strip(): value.strip() for key, value in entries.items()}
    flags = entries.get("flags", "").split()
    widest = next((name for name in ("avx512f", "avx2") if name in flags), "")
    return " ".join(filter(None, (entries.get("model name", platform.machine()), widest)))


def status(pid: int, *fields: str) -> int:
    """Return the sum of fields of /proc/<pid>/status in bytes, 0 if the process has gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return 0
    entries = dict(line.split(":", 1) for line in lines if ":" in line)
    return sum(1024 * int(entries[field].split()[0]) for field in fields if field in entries)


def share(pid: int) -> dict[str, int]:
    """Return the proportional set size of a process in bytes, whole (`Pss`) and without files (`Pss_Anon`)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    except OSError:  # it has gone
        return {}
    fields = (line.split() for line in lines)
    return {words[0].rstrip(":"): 1024 * int(words[1]) for words in fields if words[0] in {"Pss:", "Pss_Anon:"}}


def descendants(pid: int) -> list[int]:
    """Return the processes below a process, without itself."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(folder.name))
    found, new = [], parents.get(pid, [])
    while new:
        found += new
        new = [child for parent in new for child in parents.get(parent, [])]
    return found


def available() -> int:
    """Return how many bytes of memory are free for use."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable"):
            return 1024 * int(line.split()[1])
    return 0


def save(path: Path, figures: Any) -> None:
    """Write results as JSON, floats to eight digits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rounded = json.loads(json.dumps(figures), parse_float=lambda text: float(f"{float(text):.8g}"))
    path.write_text(json.dumps(rounded, indent=1) + "\n", encoding="ascii")


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> str:
    """Lay rows out as a Markdown table.

    Parameters
    ----------
    rows
        What to show; a missing value is left blank.
    columns
        Key, which is the heading, to format specification, as ``{"seconds": ".2f"}``; `AUTO`, or nothing for a text.

    Examples
    --------
    >>> print(table([{"name": "a", "seconds": 1.0}, {"name": "bc"}], {"name": "", "seconds": ".2f"}))
    | name | seconds |
    |------|--------:|
    | a    |    1.00 |
    | bc   |         |
    """
    cells = [[_cell(row.get(key), spec) for key, spec in columns.items()] for row in rows]
    heads = [key.replace("_", " ") for key in columns]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    numeric = [bool(spec) for spec in columns.values()]
    rule = [
        f"{'-' * (width + 1)}:" if right else "-" * (width + 2) for width, right in zip(widths, numeric, strict=True)
    ]
    lines = [_line(heads, widths, numeric), f"|{'|'.join(rule)}|", *(_line(row, widths, numeric) for row in cells)]
    return "\n".join(lines)


def _cell(value: Any, spec: str) -> str:
    """Write one value."""
    if value is None or isinstance(value, str):
        return value or ""
    if spec == AUTO:
        spec = ",.0f" if abs(value) >= 1000 else ".3g"  # noqa: PLR2004  three digits of a fraction, all of a count
    return format(value, spec)


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    """Write one line of a table."""
    cells = (
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, numeric, strict=True)
    )
    return f"| {' | '.join(cells)} |"
