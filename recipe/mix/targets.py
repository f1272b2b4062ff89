"""The files that a recipe reads, which no output may replace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from recipe.config.resolve import names_in
from recipe.io.outputs import check_output
from recipe.stages.read import SIDE_DATA, expand
from recipe.stages.write import side_file

if TYPE_CHECKING:
    from recipe.config.recipe import Recipe

BESIDE = ("manifest.json", "stats.json", "scores.parquet", "rejects.jsonl")


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
    sources += [file.with_name(name) for file in sources for name in SIDE_DATA]  # found by the reader itself
    named = (Path(name) for name in names_in(plan.model_dump(mode="json", exclude={"sources", "write"})))
    return [*sources, *(file for file in named if _is_file(file))]


def check_targets(path: Path, plan: Recipe) -> None:
    """Raise unless a mix and the files beside it can be written without replacing what its recipe reads.

    Parameters
    ----------
    path
        The mix.
    plan
        Its recipe.

    Raises
    ------
    InputError
        As for `recipe.io.outputs.check_output`.
    """
    reads = files_read(plan)
    parts = plan.parts if plan.write.files == "parts" else ()
    targets = [path.with_name(f"{path.stem}.{name}{path.suffix}") for name in parts] or [path]
    for target in [*targets, *beside_of(path)]:
        check_output(target, reads)


def beside_of(path: Path) -> list[Path]:
    """List the files beside a mix, whether or not they exist."""
    return [side_file(path, name) for name in BESIDE]


def _is_file(path: Path) -> bool:
    """Return whether a text is the path of a file; any text may be asked about."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
