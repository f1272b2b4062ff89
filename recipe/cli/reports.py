"""The commands that describe a mix: recipe stats | report | gaps."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from recipe.cli._terminal import Printer, named, shown
from recipe.io.cache import DEFAULT

if TYPE_CHECKING:
    from recipe.report.stats import Stats

By = Literal["cluster", "concept"]
LINES = 20  # rows of the table of gaps
out = Printer(highlight=False, soft_wrap=True)


def stats(
    mix: Annotated[str, typer.Argument(help="A mix, or any file that can be read as a pool.")],
    pool: Annotated[str | None, typer.Argument(help="What to compare it with.")] = None,
    *,
    lenient: Annotated[bool, typer.Option("--lenient", help="Read the valid records of damaged files.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the statistics of a mix."""
    from recipe.mix.from_file import file_stats  # noqa: PLC0415  starts fast

    numbers = file_stats(mix, pool, lenient=lenient)
    if json:
        sys.stdout.write(numbers.to_json())
    else:
        _table(numbers)


def report(
    mix: Annotated[Path, typer.Argument(help="A mix that `recipe select` wrote, with the files beside it in place.")],
    *,
    out_path: Annotated[Path, typer.Option("-o", "--out", help="The page: .html.")] = Path("report.html"),
    cache: Annotated[str | None, typer.Option(help="As of `recipe select`: a folder, a URL, or off.")] = None,
    rows: Annotated[int, typer.Option(help="Picks to list; of more, a random sample is listed.", min=1)] = 3000,
    comparison: Annotated[Path | None, typer.Option(help="A file of `recipe compare --out`, for a section.")] = None,
) -> None:
    """Write one HTML page that describes a mix: it opens from disk and needs no network."""
    from recipe.mix.open import open_mix  # noqa: PLC0415
    from recipe.report.comparison import read_comparison  # noqa: PLC0415  starts fast
    from recipe.report.page import check_page  # noqa: PLC0415

    check_page(out_path, rows)  # before minutes are spent
    compared = None if comparison is None else read_comparison(comparison)
    page = open_mix(mix, cache=_found(cache)).report(out_path, rows=rows, comparison=compared)
    out.print(f"wrote {named(page)} ({page.stat().st_size / 1e6:.1f} MB)")


def gaps(
    mix: Annotated[Path, typer.Argument(help="A mix that `recipe select` wrote, with the files beside it in place.")],
    *,
    by: Annotated[By, typer.Option(help="What a cell is besides task and answer: cluster or concept.")] = "cluster",
    cache: Annotated[str | None, typer.Option(help="As of `recipe select`: a folder, a URL, or off.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the request to a data generator.")] = False,
) -> None:
    """List the cells that have fewer samples than the margins of the recipe want."""
    from recipe.mix.open import open_mix  # noqa: PLC0415  starts fast

    gaps_of_mix = open_mix(mix, cache=_found(cache)).gaps(by)
    if json:
        sys.stdout.write(gaps_of_mix.to_json())
        return
    out.print(shown(gaps_of_mix.summary))
    table = Table(*gaps_of_mix.table.columns, box=None)
    for line in gaps_of_mix.table.head(LINES).iter_rows():
        table.add_row(*("" if cell is None else shown(cell if isinstance(cell, str) else f"{cell:,}") for cell in line))
    if len(gaps_of_mix):
        out.print(table)
    if len(gaps_of_mix) > LINES:
        out.print(f"and {len(gaps_of_mix) - LINES:,} more; --json lists all")


def _found(cache: str | None) -> str | None:
    """Return the cache to read from: the named one, or the default one if it exists; None for no cache."""
    if cache is None:
        return DEFAULT if Path(DEFAULT).is_dir() else None
    return None if cache == "off" else cache


def _table(numbers: Stats) -> None:
    """Print statistics as a table."""
    lines = numbers.table()
    table = Table(box=None)
    for name in lines.columns:
        table.add_column(name, justify="left" if name == "what" else "right", no_wrap=name != "what")
    for what, *values in lines.iter_rows():
        table.add_row(shown(what), *("" if value is None else _number(value) for value in values))
    out.print(table)


def _number(value: float) -> str:
    """Write a count without decimals, and any other number with at most four."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4f}".rstrip("0")
