"""The commands of the command line, read from their signatures, and their exit codes, from what each says of itself."""

from __future__ import annotations

import inspect
import re
from textwrap import indent
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from made._knob import kind
from recipe.cli import app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typer import Typer

CODE = re.compile(r"exit (\d)(?: if| for)? ?([^;.]*)")
BAD = "an argument, a file, a recipe or a pool is not as expected; one line on standard error says what and where"


class Option(NamedTuple):
    """An argument or an option of a command."""

    names: list[str]
    kind: str
    text: str
    facts: list[str]

    def rst(self) -> str:
        """Write it as an entry of the reference."""
        head = ", ".join(f"{name} <{self.kind}>" if self.kind else name for name in self.names)
        facts = f"\n\n.. rst-class:: facts\n\n{', '.join(self.facts)}" if self.facts else ""
        return "\n".join([f".. option:: {head}", "", indent(self.text + facts, "   "), ""])


def made(what: str = "commands") -> str:
    """Write the reference of all commands, or the table of exit codes."""
    return "\n".join(_codes() if what == "codes" else _all())


def commands(typer: Typer = app, before: str = "") -> dict[str, Callable[..., Any]]:
    """Return every command by what is typed for it, in the order of the help."""
    found: dict[str, Callable[..., Any]] = {}
    for one in typer.registered_commands:
        if one.callback is not None:
            found[before + (one.name or one.callback.__name__.replace("_", "-"))] = one.callback
    for group in typer.registered_groups:
        if group.typer_instance is not None:
            found |= commands(group.typer_instance, f"{before}{group.name} ")
    return found


def options(command: Callable[..., Any]) -> list[Option]:
    """Return the arguments and options of a command, but former names, which its help does not show either."""
    hints = get_type_hints(command, include_extras=True)
    given = [one for one in inspect.signature(command).parameters.values() if get_origin(hints[one.name]) is Annotated]
    return [_option(one, hints[one.name]) for one in given if not _info(hints[one.name]).hidden]


def _info(hint: Any) -> ArgumentInfo | OptionInfo:
    """Return what typer knows of an argument or an option."""
    found: ArgumentInfo | OptionInfo = next(
        one for one in hint.__metadata__ if isinstance(one, ArgumentInfo | OptionInfo)
    )
    return found


def _option(parameter: inspect.Parameter, hint: Any) -> Option:
    """Read an argument or an option."""
    bare, info = get_args(hint)[0], _info(hint)
    some = [one for one in get_args(bare) if one is not type(None)]
    inner = some[0] if type(None) in get_args(bare) else bare
    repeats = get_origin(inner) is list
    inner = get_args(inner)[0] if repeats else inner
    said = {str: "text", bool: "", int: "int"}.get(inner, kind(inner).replace('"', "").replace(" or ", "|"))
    if info.min is not None:
        said += f" from {info.min}"
    facts = ["required"] * (parameter.default is parameter.empty) + ["repeatable"] * repeats
    if parameter.default not in {parameter.empty, None, False}:
        facts.append(f"default ``{parameter.default}``")
    return Option(_names(parameter.name, info, inner), said, info.help or "", facts)


def _names(name: str, info: ArgumentInfo | OptionInfo, inner: Any) -> list[str]:
    """Return what is typed for it."""
    if isinstance(info, ArgumentInfo):
        return [name]
    listed = [one for one in (info.default, *(info.param_decls or ())) if isinstance(one, str)]  # as typer reads them
    if listed:
        return listed
    long = name.replace("_", "-")
    return [f"--{long}", f"--no-{long}"] if inner is bool else [f"--{long}"]


def _all() -> Iterator[str]:
    """Write command after command."""
    for name, command in commands().items():
        title = f"recipe {name}"
        yield from (title, "=" * len(title), "", inspect.getdoc(command) or "", "")
        yield f".. program:: {title}\n"
        yield from (one.rst() for one in options(command))


def _codes() -> Iterator[str]:
    """Write what each exit code means, and of which command."""
    yield from (".. list-table::", "   :header-rows: 1", "   :widths: 10 30 60", "")
    rows = [("0", "every command", "all is well")]
    for name, command in commands().items():
        said = " ".join((inspect.getdoc(command) or "").split())
        rows += [(code, f"``recipe {name}``", what) for code, what in CODE.findall(said)]
    for code, who, what in (("Code", "Command", "When"), *rows, ("2", "every command", BAD)):
        yield from (f"   * - {code}", f"     - {who}", f"     - {what.strip()}")
    yield ""
