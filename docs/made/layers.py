"""The picture of the architecture and the table beside it, made from the import contract of `pyproject.toml`."""

from __future__ import annotations

import tomllib
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from made import ROOT
from recipe.config.registry import names

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH, ROW, GAP, EDGE, HEAD = 520, 44, 8, 12, 34
WIDE = 5  # boxes beside each other, at most
INSIDE = "recipe.stages"


class Box(NamedTuple):
    """A rectangle with a word in it."""

    word: str
    x: float
    y: float
    width: float
    height: float
    kind: str

    def svg(self) -> str:
        """Draw it."""
        middle = self.y + (22 if self.kind == "house" else self.height / 2 + 5)
        return (
            f'<rect class="{self.kind}" x="{self.x:g}" y="{self.y:g}" width="{self.width:g}" height="{self.height:g}" '
            f'rx="6"/><text x="{self.x + self.width / 2:g}" y="{middle:g}">{escape(self.word)}</text>'
        )


def made(what: str) -> str:
    """Draw the picture, or write a line for each package or for each room of the stages."""
    return picture() if what == "picture" else "\n".join(_table() if what == "table" else _rooms())


def contracts() -> dict[str, list[list[str]]]:
    """Return the layers of each contract, from the top: of the package, and of the containers inside it."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    found = {}
    for contract in listed:
        if contract["type"] == "layers":
            layers = [[_name(one) for one in _beside(layer)] for layer in contract["layers"]]
            found |= dict.fromkeys(contract.get("containers", ["recipe"]), layers)
    return found


def picture() -> str:
    """Draw the layers from the top, the rooms of the stages inside their box."""
    boxes: list[Box] = []
    bottom = _stack("recipe", Box("", EDGE, EDGE, WIDTH - 2 * EDGE, 0, "house"), boxes)
    drawn = "\n".join(box.svg() for box in boxes)
    said = "Layers of the package from the top; each imports only from those below it."
    return (
        f'<figure class="layers"><svg viewBox="0 0 {WIDTH} {bottom + EDGE - GAP:g}" role="img" aria-label="{said}">\n'
        f"{drawn}\n</svg><figcaption>{said}</figcaption></figure>\n"
    )


def _stack(house: str, room: Box, boxes: list[Box]) -> float:
    """Put the layers of a house below each other into a room, and return where the next thing goes."""
    houses, y = contracts(), room.y
    for layer in houses[house]:
        for line in (layer[at : at + WIDE] for at in range(0, len(layer), WIDE)):
            each, height = (room.width - GAP * (len(line) - 1)) / len(line), float(ROW)
            for at, name in enumerate(line):
                box = Box(name, room.x + at * (each + GAP), y, each, ROW, "inner" if house != "recipe" else "box")
                place = len(boxes)
                if f"{house}.{name}" in houses:
                    inside = box._replace(x=box.x + EDGE, y=y + HEAD, width=each - 2 * EDGE)
                    height = _stack(f"{house}.{name}", inside, boxes) - y - GAP + EDGE
                    box = box._replace(height=height, kind="house")
                boxes.insert(place, box)
            y += height + GAP
    return y


def _table() -> Iterator[str]:
    """Write what each package says of itself, layer by layer."""
    yield from ("| layer | package | what it is |", "|---|---|---|")
    for number, layer in enumerate(contracts()["recipe"], 1):
        for name in layer:
            first = (_doc(f"recipe.{name}") or "").splitlines()[0]
            yield f"| {number} | `{name}` | {first} |"
    yield ""


def _rooms() -> Iterator[str]:
    """Write what each room of the stages says of itself, with the page of its knobs."""
    yield from ("| stage | what it does |", "|---|---|")
    for name in (one for layer in contracts()[INSIDE] for one in layer if names(one)):
        yield f"| [`{name}`](../reference/stages/{name}.rst) | {(_doc(f'{INSIDE}.{name}') or '').splitlines()[0]} |"
    yield ""


def _doc(module: str) -> str | None:
    """Return the docstring of a module; the one that runs the command line is not imported for it."""
    return "`python -m recipe`." if module.endswith("__main__") else import_module(module).__doc__


def _beside(layer: str) -> list[str]:
    """Return the packages of one layer."""
    return [one.strip() for one in layer.replace(":", "|").split("|")]


def _name(package: str) -> str:
    """Return the last part of a dotted name, without the brackets of one that may be missing."""
    return package.strip("()").rpartition(".")[2]
