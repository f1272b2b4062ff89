"""The command line: each file of this folder holds related commands; `recipe --help` lists them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from recipe.cli._environment import check_threads
from recipe.cli._failures import one_line
from recipe.cli._signals import ends_promptly
from recipe.cli._streams import open_closed
from recipe.cli._terminal import CLOSED
from recipe.cli.caches import caches
from recipe.cli.checks import check, diff, validate
from recipe.cli.compare import compare
from recipe.cli.mixes import demo, recipes, score, select
from recipe.cli.reports import gaps, report, stats
from recipe.errors import RecipeError


class _Commands(TyperGroup):
    """All commands; a closed output is an error like any other, where typer would exit without a word."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise RecipeError(CLOSED) from error


UsageError: Any = typer.BadParameter.__base__  # of click, or of the copy of it that typer has had since 0.26
app = typer.Typer(
    cls=_Commands,
    help="Pick the samples that are worth training on.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (select, score, stats, report, gaps, validate, check, compare, diff, recipes, demo):
    app.command()(command)
app.add_typer(caches, name="cache")


@app.callback()
def _options(
    *,
    debug: Annotated[bool, typer.Option("--debug", help="Print the traceback of an error.")] = False,
) -> None:
    """Pick the samples that are worth training on."""


def main() -> None:
    """Run the command line: an error is one line on standard error and exit code 2; `--debug` adds the traceback.

    A function of your own, ``module:function``, is searched for in the installed packages, then in the working
    directory.
    """
    open_closed()
    debug = "--debug" in sys.argv
    with one_line(debug=debug), ends_promptly():
        check_threads()
        sys.path.append(str(Path.cwd()))
        arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]  # at any place
        try:
            code = app(arguments, standalone_mode=False)
        except typer.Exit as stop:
            code = stop.exit_code
        except UsageError as error:
            if error.ctx is None or error.message != error.ctx.get_help():  # which it is where no command is named
                raise RecipeError(_usage(error)) from error
            error.show()
            code = error.exit_code
        if code:
            raise SystemExit(code)


def _usage(error: Any) -> str:
    """Say in one line what is wrong with the options of a command, and where they are listed."""
    context, names = error.ctx, list[str]()
    while context is not None and context.parent is not None:
        names.insert(0, str(context.info_name))
        context = context.parent
    said = " ".join(error.format_message().split()).rstrip(".")
    return f"{said[:1].lower()}{said[1:]}; see `{' '.join(['recipe', *names, '--help'])}`"
