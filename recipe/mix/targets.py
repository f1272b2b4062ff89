"""The files that a recipe reads, which no output may replace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from recipe.config.resolve import complete, names_in
from recipe.config.writers import beside
from recipe.errors import InputError
from recipe.io.families import SIDE_FILES, family_of, side_file, unchanged_in
from recipe.io.outputs import check_output, foreign
from recipe.mix.manifest import recorded
from recipe.mix.rejects import is_rejects
from recipe.stages.read import companion, expand

if TYPE_CHECKING:
    from collections.abc import Iterable

    from recipe.config.recipe import Recipe
    from recipe.config.step import Step


def files_read(plan: Recipe) -> list[Path]:
    """List the files that a recipe reads: its sources, and every other file that a knob names.

    Parameters
    ----------
    plan
        Any.

    Returns
    -------
    list of Path
        Files that exist.
    """
    given = [source.model_dump(exclude_none=True) for source in plan.sources]
    sources = [file.path for file in expand(given)] if given else []
    sources += [beside for file in sources if (beside := companion(file))]  # found by the reader itself
    named = (Path(name) for name in names_in(plan.model_dump(mode="json", exclude={"sources", "write"})))
    return [*sources, *(file for file in named if _is_file(file))]


def check_targets(
    path: Path, plan: Recipe, *, overwrite: bool = False, reads: Iterable[Path] | None = None
) -> list[Path]:
    """Raise unless a mix and the files beside it can be written without replacing what is not theirs.

    A run may be repeated: what stands there stays, if the new bytes are the same. One that was killed may go on.

    Parameters
    ----------
    path
        The mix.
    plan
        Its recipe.
    overwrite
        Whether an earlier mix may be replaced.
    reads
        The files that are read; those of the recipe by default.

    Returns
    -------
    list of Path
        The files of the earlier mix that are to be replaced; none if there is none, or it is of the same recipe.

    Raises
    ------
    InputError
        As for `recipe.io.outputs.check_output`, if a file stands there that `recipe` did not write or that was changed
        since, or if an earlier mix stands there that may not be replaced.
    """
    family = family_of(side_file(path, "manifest.json")) or {}
    parts = plan.parts if plan.write.files == "parts" else ()
    names = [path.with_name(f"{path.stem}.{name}{path.suffix}") for name in parts] or [path]
    targets = [*names, *beside_of(path, plan.write.format)]
    targets = list(dict.fromkeys([*targets, *family]))
    known = files_read(plan) if reads is None else list(reads)
    for target in targets:
        check_output(target, known)
    older = unchanged_in(family)
    if not family and is_rejects(left := side_file(path, "rejects.jsonl")):  # of a run in which nothing was eligible
        older = [left]
    for target in targets:
        if target.exists() and target not in older:
            raise foreign(target)
    if not family or not older or overwrite:
        return older
    manifest = json.loads(side_file(path, "manifest.json").read_bytes())
    if manifest["recipe"] != recorded(complete(plan)):
        raise earlier_mix(path)
    return older if "unfinished" in manifest["mix"] else []


def earlier_mix(path: Path) -> InputError:
    """Return the error for a mix that stands in the place of another."""
    what = "expected nothing, got an earlier mix"
    return InputError(f"{path}: {what}; replace it with --force (overwrite=True), or name another")


def beside_of(path: Path, writer: Step | None = None) -> list[Path]:
    """List the files beside a mix of a writer, whether or not they exist."""
    return [side_file(path, name) for name in (*SIDE_FILES, *beside(writer), "manifest.json")]


def _is_file(path: Path) -> bool:
    """Return whether a text is the path of a file; any text may be asked about."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
