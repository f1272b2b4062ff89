"""The command line: each file of this folder holds related commands; `recipe --help` lists them."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from recipe.cli._signals import ends_promptly
from recipe.cli._terminal import CONTROL
from recipe.cli.caches import caches
from recipe.cli.checks import check, diff, validate
from recipe.cli.compare import compare
from recipe.cli.mixes import demo, recipes, score, select
from recipe.cli.reports import gaps, report, stats
from recipe.errors import RecipeError

app = typer.Typer(
    help="Pick the samples that are worth training on.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (select, score, stats, report, gaps, validate, check, compare, diff, recipes, demo):
    app.command()(command)
app.add_typer(caches, name="cache")


def main() -> None:
    """Run the command line: an error of `recipe.errors` is one line on standard error and exit code 2.

    A function of your own, ``module:function``, is searched for in the installed packages, then in the working
    directory.
    """
    sys.path.append(str(Path.cwd()))
    try:
        with ends_promptly():
            app()
    except RecipeError as error:
        line = " ".join(str(error).split())
        sys.stderr.write(f"recipe: {CONTROL.sub('?', line)}\n")
        raise SystemExit(2) from None
