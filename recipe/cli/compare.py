"""The command that compares recipes with random mixes: recipe compare."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003  typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from recipe.cli._terminal import Printer, named, shown
from recipe.cli.mixes import Cache, EngineName, Inputs, Workers, cache_of, count_or_share
from recipe.config.files import presets
from recipe.config.recipe import Recipe
from recipe.errors import ConfigError, SupplyError
from recipe.io.cache import DEFAULT

if TYPE_CHECKING:
    from recipe.report.comparison import Comparison

out = Printer(highlight=False, soft_wrap=True)


def compare(
    inputs: Inputs = None,
    *,
    recipe: Annotated[list[str] | None, typer.Option(help="A preset or a recipe file; repeatable.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every preset.")] = False,
    mix: Annotated[list[Path] | None, typer.Option(help="A mix picked from these sources; repeatable.")] = None,
    size: Annotated[list[str] | None, typer.Option(help="A count or a share; repeatable. 5 % by default.")] = None,
    seeds: Annotated[int, typer.Option(help="Seeds, each with other held-out images.", min=2)] = 5,
    hold_out: Annotated[float, typer.Option(help="Share of the images that are held out for evaluation.")] = 0.2,
    embed: Annotated[str | None, typer.Option(help="Embedder: hashing, distilled, text.")] = None,
    out_path: Annotated[Path | None, typer.Option("--out", help="All values, as .json.")] = None,
    chart: Annotated[Path | None, typer.Option(help="The chart: .html, .png or .svg.")] = None,
    cache: Cache = DEFAULT,
    engine: EngineName = "auto",
    workers: Workers = None,
    held: Annotated[float | None, typer.Option(hidden=True, help="Former name of --hold-out.")] = None,
) -> None:
    """Compare recipes with random mixes of the same size, on images that none of them may pick from."""
    from recipe.compare import check_names, compare_mixes  # noqa: PLC0415  starts fast
    from recipe.io.marks import has_mark  # noqa: PLC0415
    from recipe.io.outputs import check_output, open_output, read_by  # noqa: PLC0415
    from recipe.mix.targets import files_read  # noqa: PLC0415
    from recipe.report.comparison import BASELINES, read_comparison  # noqa: PLC0415

    _check(out_path, {".json"})
    _check(chart, {".html", ".png", ".svg"})
    check_names([one.stem for one in mix or ()])
    if held is not None:
        sys.stderr.write("recipe: --held is now called --hold-out; use the new name\n")
        hold_out = held
    if not inputs:
        raise ConfigError("nothing to compare on: name files, folders or globs")
    reads = [*files_read(Recipe(sources=tuple(inputs))), *(mix or ())]
    for target, own in ((out_path, read_by(read_comparison)), (chart, has_mark)):
        if target is not None:
            check_output(target, reads, own)
    found = compare_mixes(
        list(inputs),
        [*(presets() if every else ()), *(recipe or (() if every or mix else ("recipe-default",)))],
        mixes={one.stem: one for one in mix or ()},
        sizes=[count_or_share(one) for one in size or ["0.05"]],
        seeds=seeds,
        hold_out=hold_out,
        cache=cache_of(cache),
        engine=engine,
        workers=workers,
        **({} if embed is None else {"embed": embed}),
    )
    _show(found)
    if out_path is not None:
        with open_output(out_path, "w", own=read_by(read_comparison)) as file:
            file.write(found.to_json())
        out.print(f"wrote {named(out_path)}")
    if chart is not None:
        from recipe.report.charts.comparison import save_comparison  # noqa: PLC0415  altair is heavy

        out.print(f"wrote {named(save_comparison(found, chart))}")
    asked = found.about["recipes"].keys() - set(BASELINES)
    if asked and not asked & set(found.recipes):
        raise SupplyError("none of the recipes gave a mix; see why above")


def _check(path: Path | None, endings: set[str]) -> None:
    """Raise for a path that cannot be written, before minutes are spent."""
    if path is not None and (path.suffix not in endings or not path.parent.is_dir()):
        raise ConfigError(
            f"expected a file ending in {' or '.join(sorted(endings))} in a folder that exists, got {path}"
        )


def _show(found: Comparison) -> None:
    """Print a table for each size, and the mixes that could not be picked."""
    from recipe.report.comparison import BASELINES, METRICS  # noqa: PLC0415  starts fast

    for size in found.sizes:
        for against in BASELINES:
            signs = found.signs(size, against)
            table = Table(box=None, padding=(0, 1, 0, 0))
            for head in (f"against {against}", *map(str, range(1, signs.width))):
                table.add_column(head, no_wrap=True)
            for name, *line in signs.iter_rows():
                table.add_row(shown(name), *("" if sign is None else sign for sign in line))
            out.print(f"\n{size:,} samples")
            out.print(table)
    names = [name for name in METRICS if name in set(found.values["metric"])]
    out.print("\n+ better, - worse, = no difference, over the seeds, pair by pair (95 % interval)")
    for at, name in enumerate(names, 1):
        out.print(f"{at:>2} {name:<18} {METRICS[name].what}")
    for what, why in found.refused.items():
        out.print(f"no mix of {shown(what)}: {shown(why)}")
