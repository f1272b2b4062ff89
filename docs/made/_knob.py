"""One knob, wherever it stands in the code: its name, type, default, range and what is said of it."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from textwrap import indent
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import yaml

from recipe.config.knobs import limits
from recipe.config.step import Step

NUMBER = r"-?\d+(?:[.,]\d+)*"
RANGE = re.compile(
    rf"\b(?:any (?:integer|finite number)|{NUMBER}\.\.{NUMBER}"
    rf"|(?:from|above|up to|below) {NUMBER}(?:,? (?:and )?(?:to below|up to|below|to) {NUMBER})?)(?![\w%])",
    re.IGNORECASE,
)


class Knob(NamedTuple):
    """What can be set, and how."""

    name: str
    kind: str
    default: str | None
    """As it would be written; None if it must be given."""
    text: str
    limits: str = ""
    """The range of a number, in words."""

    @property
    def number(self) -> bool:
        """Whether it is a number, so that it has a range."""
        return self.kind.removesuffix(" or null") in {"int", "float"}

    @property
    def range(self) -> str:
        """The range of a number: as the code checks it, else as its docstring says it."""
        if self.limits or not (self.number or self.kind == "mapping of str to float"):
            return self.limits
        found = RANGE.search(self.text)
        return found[0].lower() if found else ""

    def rst(self) -> str:
        """Write it as an entry of the reference."""
        facts = [f"``{self.kind}``", "must be given" if self.default is None else f"default ``{self.default}``"]
        facts += [self.range] if self.range else []
        head = [f".. confval:: {self.name}", "", "   .. rst-class:: facts", "", f"   {', '.join(facts)}"]
        body = self.text
        return "\n".join([*head, "", indent(body, "   "), "", ""])


def plain(value: object) -> str:
    """Write a value as a recipe file would, in one line."""
    if isinstance(value, Path):
        value = str(value)
    if isinstance(value, tuple):
        value = list(value)
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def kind(annotation: Any) -> str:
    """Say a type in the words of a recipe file.

    Examples
    --------
    >>> kind(float | None), kind(tuple[str, ...]), kind(Literal["a", "b"]), kind(Mapping[str, float])
    ('float or null', 'list of str', '"a" or "b"', 'mapping of str to float')
    """
    origin, inner = get_origin(annotation), get_args(annotation)
    for origins, say in ORIGINS:
        if origin in origins:
            return say(inner)
    return NAMES.get(annotation) or getattr(annotation, "__name__", str(annotation))


def range_of(annotation: Any) -> str:
    """Say the range of the number in an annotation, as the code checks it; nothing if it has none.

    Examples
    --------
    >>> from recipe.config.ranges import From1, Integer, Similarity
    >>> range_of(Similarity), range_of(From1 | None), range_of(Integer), range_of(str)
    ('above 0 and up to 1', 'from 1', '', '')
    """
    if get_origin(annotation) is Annotated:
        return limits(annotation.__metadata__)
    if get_origin(annotation) in {Union, types.UnionType, Mapping, Sequence}:
        return next((found for inner in get_args(annotation) if (found := range_of(inner))), "")
    return ""


NAMES = {Step: "name or {name: {knob: value}}", None: "null", types.NoneType: "null", Path: "path", PathLike: "path"}
ORIGINS: tuple[tuple[tuple[Any, ...], Callable[[tuple[Any, ...]], str]], ...] = (
    ((Annotated,), lambda inner: kind(inner[0])),
    ((Literal,), lambda inner: " or ".join(f'"{value}"' for value in inner)),
    ((Union, types.UnionType), lambda inner: " or ".join(dict.fromkeys(map(kind, inner)))),
    ((tuple, list, Sequence), lambda inner: f"list of {kind(inner[0])}"),
    ((dict, Mapping), lambda inner: f"mapping of {kind(inner[0])} to {kind(inner[1])}"),
    ((PathLike,), lambda _: "path"),
    ((Callable,), lambda _: "function"),
)
