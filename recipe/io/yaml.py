"""YAML of users: plain values only, bounded in size, and every fault in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from yaml.constructor import ConstructorError, SafeConstructor

from recipe.errors import InputError, RecipeError
from recipe.io.regular import regular

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable
    from pathlib import Path

MOST_BYTES = 2**20  # no recipe is longer
MOST_NODES = 100_000  # values after aliases are replaced by what they stand for
DEEPEST = 50  # brackets and indents within each other
PLAIN = ("null", "bool", "int", "float", "str", "seq", "map")
_MERGE = "tag:yaml.org,2002:merge"


class _Values(yaml.CSafeLoader):
    """Loads plain values: a date is text, every key is a text, and no key occurs twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Make a mapping; raise if a key is no text, or occurs twice."""
        seen = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True) if key.tag != _MERGE else key.value
            if not isinstance(name, str):
                got = f"{name!r:.60}" if isinstance(key, yaml.ScalarNode) else "a list or a mapping"
                raise ConstructorError(None, None, f"expected a name as a key, {got} is none; write it in quotes")
            if name in seen:
                raise ConstructorError(None, None, f"a key occurs twice: {name:.60}", node.start_mark)
            seen.add(name)
        return SafeConstructor.construct_mapping(self, node, deep)


class _Texts(_Values):
    """The same, with every scalar as the text that is written: `yes` may be a name, and is then no boolean."""


_TAGS = [f"tag:yaml.org,2002:{name}" for name in PLAIN]
_MADE: dict[Any, Any] = {tag: SafeConstructor.yaml_constructors[tag] for tag in _TAGS}
_Values.yaml_constructors = {**_MADE, None: SafeConstructor.construct_undefined}
_Values.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rsplit(":", 1)[-1] in (*PLAIN, "merge")]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Texts.yaml_implicit_resolvers = {}


def load_yaml(
    text: str, where: str, *, texts: bool = False, most: int = MOST_BYTES, kind: type[RecipeError] = InputError
) -> Any:
    """Parse a YAML document of a user.

    Parameters
    ----------
    text
        One document of mappings with text as keys, lists, texts, numbers, booleans and nulls; a date is a text.
    where
        The file or option, for an error.
    texts
        Whether every scalar stays the text that is written.
    most
        Its largest length in characters.
    kind
        The class of the error.

    Returns
    -------
    object
        The value; None for an empty document.

    Raises
    ------
    RecipeError
        If it is no such document, too long, nested too deep, or too large once its aliases are replaced.

    Examples
    --------
    >>> load_yaml("{size: 20, day: 2026-01-01}", "a.yaml")
    {'size': 20, 'day': '2026-01-01'}
    >>> load_yaml("[" * 100, "a.yaml")
    Traceback (most recent call last):
    recipe.errors.InputError: a.yaml: expected YAML, got more than 50 values within each other
    """
    if len(text) > most:
        raise kind(f"{where}: expected YAML of up to {most:,} characters, got {len(text):,}; shorten it")
    loader = _Texts if texts else _Values
    try:
        _check_events(yaml.parse(text, Loader=loader))
        made = loader(text)
        try:
            return made.get_single_data()
        finally:
            made.dispose()
    except (KeyError, TypeError, AttributeError):  # PyYAML's own, of a tag such as !!bool on another value
        raise kind(f"{where}: expected YAML, got a tag that does not fit its value; leave the tag out") from None
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise kind(f"{where}: expected YAML, got {_line(error)}") from None


def read_yaml(file: Path, what: str, **how: Any) -> Any:
    """Read a YAML file of a user, in UTF-8.

    Parameters
    ----------
    file
        Its path.
    what
        What it should hold, for an error: ``"the recipe"``.
    **how
        As for `load_yaml`.

    Returns
    -------
    object
        As `load_yaml`.

    Raises
    ------
    RecipeError
        If it cannot be read, or as `load_yaml`.

    Examples
    --------
    >>> from pathlib import Path
    >>> read_yaml(Path("no/such.yaml"), "the recipe")
    Traceback (most recent call last):
    recipe.errors.InputError: no/such.yaml: cannot read the recipe: No such file or directory
    """
    kind, most = how.get("kind", InputError), how.get("most", MOST_BYTES)
    where = f"{file!s:.200}: cannot read {what}"
    try:
        size = regular(file).st_size
        if size > 4 * most:  # characters of up to four bytes
            raise kind(f"{where}: expected YAML of up to {most:,} characters, got {size:,} bytes; shorten it")
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise kind(f"{where}: expected UTF-8 text, got other bytes; convert it, or name another file") from None
    except (OSError, ValueError) as error:  # a zero byte in a path is a ValueError
        raise kind(f"{where}: {getattr(error, 'strerror', None) or error}") from None
    return load_yaml(text, where, **how)


def _check_events(events: Iterable[yaml.Event]) -> None:
    """Raise if a document is nested too deep, or has too many values once its aliases are replaced."""
    sizes: dict[str, int] = {}  # values that each anchor stands for, once it is complete
    within: list[tuple[str | None, int]] = []
    count, aliases = 0, False
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in sizes:
                raise ValueError(f"the alias *{event.anchor:.60} without a value of its own")
            count, aliases = count + sizes[event.anchor], True
        elif isinstance(event, yaml.NodeEvent):  # a list or a mapping begins, or a scalar
            within.append((event.anchor, count))
            count += 1
        if isinstance(event, yaml.CollectionEndEvent | yaml.ScalarEvent):
            anchor, before = within.pop()
            sizes |= {anchor: count - before} if anchor else {}
        if len(within) > DEEPEST:
            raise ValueError(f"more than {DEEPEST} values within each other")
        if aliases and count > MOST_NODES:
            raise ValueError(f"aliases that stand for more than {MOST_NODES:,} values")


def _line(error: Exception) -> str:
    """Return the message of an error in one line."""
    said = " ".join(str(error).split())[:300]
    return "an integer of too many digits" if said.startswith("Exceeds the limit") else said
