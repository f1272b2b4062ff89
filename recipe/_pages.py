"""The command line of the page: recipe report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from recipe.store import DEFAULT

out = Console(highlight=False, soft_wrap=True)


def report(
    mix: Annotated[Path, typer.Argument(help="A mix that `recipe select` wrote, the files beside it in place.")],
    *,
    out_path: Annotated[Path, typer.Option("-o", "--out", help="The page: .html.")] = Path("report.html"),
    cache: Annotated[str | None, typer.Option(help="As of `recipe select`: a folder, a URL, or off.")] = None,
    rows: Annotated[int, typer.Option(help="The most picks to list; they are drawn by lot.", min=1)] = 3000,
) -> None:
    """Write one page that shows a mix: it opens from disk and needs no network."""
    from recipe.reopen import open_mix  # noqa: PLC0415  starts fast
    from recipe.report.page import check_page, write_page  # noqa: PLC0415

    check_page(out_path, rows)  # before minutes are spent
    page = write_page(open_mix(mix, cache=_found(cache)), out_path, rows=rows)
    out.print(f"wrote {escape(str(page))} ({page.stat().st_size / 1e6:.1f} MB)")


def _found(cache: str | None) -> str | None:
    """Return the cache to read from: the named one, or the usual one if it is here; None for nowhere."""
    if cache is None:
        return DEFAULT if Path(DEFAULT).is_dir() else None
    return None if cache == "off" else cache
