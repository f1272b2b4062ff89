"""The manifest, from which a mix can be rebuilt: recipe, versions, hashes of the sources, and keys in pick order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NotRequired, TypedDict

import msgspec
import numpy as np

from recipe.config.recipe import Recipe
from recipe.config.resolve import own_functions
from recipe.data.checkpoint import OWN_MIX
from recipe.errors import ConfigError, InputError
from recipe.io.families import side_file
from recipe.io.formats import Count, FileName, Sha256, read_versioned
from recipe.io.hashes import see, see_files, sha256
from recipe.io.versions import versions
from recipe.stages.parts import part_counts
from recipe.stages.read import expand

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from recipe.data.selection import Selection
    from recipe.io.hashes import Seen

FORMAT = 1
FIX = "write the mix again"


class SourceFile(TypedDict):
    """A file that samples were read from."""

    name: str
    bytes: Count
    sha256: Sha256
    samples: Count


class MixFile(TypedDict):
    """A file of the mix."""

    name: FileName
    records: Count
    sha256: Sha256


class Written(TypedDict):
    """What was written: one file, or one for each part."""

    format: str
    ending: NotRequired[Annotated[str, msgspec.Meta(pattern=r"^(\.[^/\\\x00]+)?$")]]
    records: Count
    sha256: NotRequired[Sha256]
    beside: NotRequired[dict[FileName, Sha256]]
    unfinished: NotRequired[dict[FileName, Sha256]]
    files: NotRequired[Annotated[list[MixFile], msgspec.Meta(min_length=1)]]


class Margin(TypedDict):
    """A line of the report of the quotas."""

    margin: str
    value: str | None
    supply: Count | None
    wanted: Count | None
    quota: Count | None


class Manifest(TypedDict):
    """The keys of a manifest; other keys are ignored."""

    format: int
    recipe: dict[str, Any]
    versions: dict[str, str]
    sources: list[SourceFile]
    memory: NotRequired[list[str]]
    files: dict[str, Sha256]
    functions: NotRequired[dict[str, Sha256 | None]]
    counts: dict[str, Count]
    margins: list[Margin]
    certificate: Annotated[float, msgspec.Meta(ge=0, le=1)] | None
    fidelity: dict[str, float]
    parts: NotRequired[dict[str, Count]]
    keys: list[str]
    copies: NotRequired[dict[Annotated[str, msgspec.Meta(pattern="^[0-9]{1,18}$")], Count]]
    mix: Written


def make_manifest(mix: Selection) -> dict[str, Any]:
    """Make the manifest of a mix.

    Parameters
    ----------
    mix
        Any; the hashes of its sources are those of the bytes that were read.

    Returns
    -------
    dict
        Plain values.
    """
    read = mix.pool.rows["source"].value_counts()
    samples = dict(zip(read["source"].to_list(), read["count"].to_list(), strict=True))
    sources = [
        {"name": name, "bytes": seen.size, "sha256": seen.sha256, "samples": samples.get(name, 0)}
        for name, seen in sorted(sources_of(mix).items())
    ]
    return {
        "format": FORMAT,
        "recipe": recorded(mix.recipe),
        "versions": versions(),
        "sources": sources,
        **_memory(mix),
        "files": _side_files(mix),
        **_passed_over(mix),
        **_functions(mix),
        "counts": mix.counts,
        "margins": mix.quotas.report.to_dicts(),
        "certificate": mix.certificate,
        "fidelity": {name: round(value, 6) for name, value in mix.fidelity.items()},
        **_parts(mix),
        "keys": mix.keys,
        **_copies(mix),
    }


def _passed_over(mix: Selection) -> dict[str, Any]:
    """Return what beside the sources holds no samples, and why; not what `recipe` wrote there itself."""
    passed = [(name, why) for name, why in mix.pool.checkpoint.passed if why != OWN_MIX]
    return {"passed_over": [{"name": name, "reason": reason} for name, reason in passed]} if passed else {}


def recorded(plan: Recipe) -> dict[str, Any]:
    """Return a recipe as its manifest states it, which does not depend on where the mix is written."""
    values = plan.model_dump(mode="json", exclude={"write": {"path"}})
    return values | {"sources": sorted(values["sources"], key=str)}


def sources_of(mix: Selection) -> Mapping[str, Seen]:
    """Return the sources of a mix as they were when they were read; none of a pool that was made in memory."""
    given = [source.model_dump(exclude_none=True) for source in mix.recipe.sources]
    if not given and not mix.pool.checkpoint.held:
        return {}
    files = expand(given) if given and not mix.pool.checkpoint.sources else []
    return mix.pool.checkpoint.sources or {file.source: see(file.path) for file in files}


def _memory(mix: Selection) -> dict[str, Any]:
    """Return the sources that were given in memory, which no manifest can name a file for."""
    held = mix.pool.checkpoint.held
    return {"memory": sorted(held.files)} if held else {}


def check_sources(manifest: Manifest, plan: Recipe, file: Path, fix: str) -> None:
    """Raise if samples of a mix were in memory, so that its files alone do not tell them.

    Parameters
    ----------
    manifest, plan
        The manifest, and the recipe in it.
    file
        What is opened, for the error.
    fix
        What to do instead.
    """
    if names := manifest.get("memory"):
        what = (
            f"some of its samples were in memory ({', '.join(names)})" if plan.sources else "its samples were in memory"
        )
        raise InputError(f"{file}: {what}, which its manifest cannot find again; {fix}, or write them to a file first")
    if not plan.sources:
        raise InputError(f"{file}: it was made from a pool in memory, of which its manifest names no source; {fix}")


def _functions(mix: Selection) -> dict[str, Any]:
    """Return the functions of your own that were used, with hashes of their sources; None where one is not found."""
    codes = own_functions(mix.recipe)
    return {"functions": {code.name: code.sha256 for code in codes}} if codes else {}


def _parts(mix: Selection) -> dict[str, Any]:
    """Return how many picks each part has; the picks are in the order of the parts."""
    counts = part_counts(mix.pool, mix.picks, mix.recipe)
    return {"parts": counts} if counts else {}


def _copies(mix: Selection) -> dict[str, Any]:
    """Return which of several samples of one key were picked: position among the picks to number among the key's rows.

    Only those that are not the first are listed. Rows are in key order, so the rows of a key are adjacent.
    """
    keys = mix.pool.rows["key"]
    first = keys.search_sorted(keys.gather(mix.picks.rows), side="left").to_numpy()
    nth = mix.picks.rows - first
    return {"copies": {str(at): int(nth[at]) for at in np.flatnonzero(nth)}} if nth.any() else {}


def _side_files(mix: Selection) -> dict[str, str]:
    """Return the hashes of the other files that the picks depend on: excluded benchmarks, and files of scores."""
    plan, known = mix.recipe, mix.pool.checkpoint.files
    sections = [("exclude", plan.exclude.model_dump()), *((f"score {step.label}", step.knobs) for step in plan.score)]
    return {f"{at}: {name}": seen.sha256 for at, knobs in sections for name, seen in see_files(knobs, known).items()}


def read_manifest(file: Path) -> Manifest:
    """Read a manifest and check that it is one of this version.

    Parameters
    ----------
    file
        The file that was written beside a mix.

    Returns
    -------
    dict
        As of `make_manifest`, with the hashes of the written files under `mix`.

    Raises
    ------
    InputError
        If it cannot be read, is something else, or a key is not what it must be; or if its mix was not written whole.
    """
    manifest = read_versioned(file, "a manifest", FORMAT, Manifest, fix=FIX)
    picks, written = len(manifest["keys"]), manifest["mix"]
    if "unfinished" in written:
        raise InputError(f"{file}: the run that wrote its mix was killed while it moved the files; run it again")
    if "sha256" not in written and "files" not in written:
        raise InputError(f"{file}: mix: expected the key 'sha256' or 'files'; {FIX}")
    if "parts" in manifest and sum(manifest["parts"].values()) != picks:
        raise InputError(f"{file}: parts: expected {picks} picks in all, got {sum(manifest['parts'].values())}; {FIX}")
    if any(int(place) >= picks for place in manifest.get("copies", {})):
        raise InputError(f"{file}: copies: expected places below the {picks} picks, got another; {FIX}")
    return manifest


def recipe_of(manifest: Manifest, file: Path) -> Recipe:
    """Return the recipe of a manifest; raise with the name of its file if it is not valid."""
    try:
        return Recipe.of(manifest["recipe"])
    except ConfigError as error:
        raise InputError(f"{file}: {error}; {FIX}") from None


def beside(mix: Path, name: str, manifest: Manifest) -> Path:
    """Return a file beside a mix; raise if it is not the one that was written with it.

    Parameters
    ----------
    mix
        The mix.
    name
        What the file is, as ``"stats.json"``.
    manifest
        Of the mix; those of version 0.1 and 0.2 do not name hashes of these files.

    Raises
    ------
    InputError
        If the file is missing, or has another hash.
    """
    file = side_file(mix, name)
    known = manifest["mix"].get("beside", {}).get(name)
    if known and sha256(file) != known:
        raise InputError(f"{file}: expected the file that was written with {mix.name}, got another; {FIX}")
    return file


def manifest_of(mix: Path) -> Manifest | None:
    """Return the manifest beside a mix, if it can be read and the mix is unchanged."""
    file = side_file(mix, "manifest.json")
    if not file.is_file():
        return None
    try:
        manifest = read_manifest(file)
    except InputError:
        return None
    return manifest if is_unchanged(mix, manifest) else None


def is_unchanged(mix: Path, manifest: Manifest) -> bool:
    """Return whether the files of a mix, one or one for each part, have the hashes in its manifest."""
    written = manifest["mix"]
    known: list[Any] = written.get("files") or [{"name": mix.name, "sha256": written["sha256"]}]
    return all((path := mix.with_name(one["name"])).is_file() and sha256(path) == one["sha256"] for one in known)


def files_of(mix: Path) -> list[Path]:
    """Return the files of a mix: itself, or those of its parts, as in its manifest."""
    manifest = None if mix.is_file() else manifest_of(mix)
    return [mix.with_name(one["name"]) for one in manifest["mix"]["files"]] if manifest else [mix]
