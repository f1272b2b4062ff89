"""The commands of the cache: recipe cache list | clear."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from recipe.cli._terminal import Printer, shown
from recipe.io.cache import DEFAULT
from recipe.io.cache_contents import clear_cache, left_in, list_cache

caches = typer.Typer(help="List or clear the results that earlier runs have cached.", no_args_is_help=True)
out = Printer(highlight=False, soft_wrap=True)

Folder = Annotated[str, typer.Option("--cache", help="The folder or URL of the cache.")]


@caches.command("list")
def list_stages(folder: Folder = DEFAULT) -> None:
    """List what a cache holds: stage, files, megabytes, and when it was last written."""
    table = Table("stage", "files", "MB", "written", box=None)
    for entry in list_cache(folder):
        when = datetime.fromtimestamp(entry.used, tz=UTC).strftime("%Y-%m-%d %H:%M UTC")
        table.add_row(escape(entry.folder), f"{entry.files:,}", f"{entry.size / 1e6:,.1f}", when)
    out.print(table)


@caches.command("clear")
def clear(folder: Folder = DEFAULT) -> None:
    """Remove what a cache holds; files that are not its own stay, and are counted."""
    out.print(f"removed {clear_cache(folder) / 1e6:,.1f} MB from {escape(folder)}")
    if left := left_in(folder):
        out.print(f"left {len(left):,} files that are no part of the cache, as {shown(left[0])}")
