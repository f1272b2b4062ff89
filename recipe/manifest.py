"""What rebuilds a mix: recipe, versions, hashes of the sources, and keys in pick order."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from recipe.errors import InputError
from recipe.files import expand, file_hashes, sha256
from recipe.store import DECIDING
from recipe.write import side_file

if TYPE_CHECKING:
    from pathlib import Path

    from recipe.selection import Selection

FORMAT = 1


def make_manifest(mix: Selection) -> dict[str, Any]:
    """Say all that rebuilds a mix.

    Parameters
    ----------
    mix
        Any; its sources are hashed.

    Returns
    -------
    dict
        Plain values.
    """
    read = mix.pool.rows["source"].value_counts()
    samples = dict(zip(read["source"].to_list(), read["count"].to_list(), strict=True))
    given = [source.model_dump(exclude_none=True) for source in mix.recipe.sources]
    files = expand(given) if given else []  # a pool that was made in memory has none
    sources = [
        {
            "name": file.source,
            "bytes": file.path.stat().st_size,
            "sha256": sha256(file.path),
            "samples": samples.get(file.source, 0),
        }
        for file in sorted(files, key=lambda file: file.source)
    ]
    # Where the mix lies is no part of what it is.
    plan = mix.recipe.model_dump(mode="json", exclude={"write": {"path"}})
    plan["sources"] = sorted(plan["sources"], key=str)
    return {
        "format": FORMAT,
        "recipe": plan,
        "versions": {name: version(name) for name in DECIDING},
        "sources": sources,
        "files": _side_files(mix),
        "counts": mix.counts,
        "margins": mix.quotas.report.to_dicts(),
        "certificate": mix.certificate,
        "fidelity": {name: round(value, 6) for name, value in mix.fidelity.items()},
        "keys": mix.keys,
    }


def _side_files(mix: Selection) -> dict[str, str]:
    """Hash what is no source and decides what is picked: benchmarks that are kept out, and scores from elsewhere."""
    plan = mix.recipe
    told = [("exclude", plan.exclude.model_dump()), *((f"score {step.label}", step.knobs) for step in plan.score)]
    return {f"{where}: {name}": digest for where, knobs in told for name, digest in file_hashes(knobs).items()}


def read_manifest(file: Path) -> dict[str, Any]:
    """Read a manifest and check that it is one of this version.

    Parameters
    ----------
    file
        The file that was written beside a mix.

    Returns
    -------
    dict
        As `make_manifest` made it, with what `mix` says of the written file.

    Raises
    ------
    InputError
        If it cannot be read, or is something else.
    """
    try:
        told = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: cannot read the manifest: {' '.join(str(error).split())}") from None
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        got = told.get("format") if isinstance(told, dict) else type(told).__name__
        raise InputError(f"{file}: expected a manifest of format {FORMAT}, got format={got!r}; write the mix anew")
    return told


def manifest_of(mix: Path) -> dict[str, Any] | None:
    """Return the manifest beside a mix, if it can be read and is still that of the file's bytes."""
    file = side_file(mix, "manifest.json")
    if not (mix.is_file() and file.is_file()):
        return None
    try:
        told = read_manifest(file)
    except InputError:
        return None
    written = told.get("mix")
    return told if isinstance(written, dict) and written.get("sha256") == sha256(mix) else None
