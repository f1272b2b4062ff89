"""One sample as a card for notebooks and as plain text; all text escaped, no style sheet."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from recipe.data.html import facts
from recipe.report.sample.boxes import split
from recipe.report.sample.image import data_uri

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from recipe.report.sample.boxes import Box

Frame = Literal["square", "keep"]

_CARD = "border:1px solid rgba(127,127,127,.4);border-radius:6px;padding:.8em 1em;max-width:60em"
_SIDES = "display:flex;flex-wrap:wrap;gap:1em"
_PICTURE = "max-width:100%;height:auto"
_TURN = "margin:.3em 0;white-space:pre-wrap;overflow-wrap:anywhere;text-align:left"
_MARK = "color:#fff;border-radius:3px;padding:0 .35em;font-weight:bold;background:"
_LINED = "text-decoration:underline 2px "


@dataclass(frozen=True, repr=False)
class Shown:
    """One sample: a card in a notebook, plain text elsewhere.

    Parameters
    ----------
    key, id
        The sample.
    turns
        Speaker and text of each turn, whole.
    labels
        Its labels: source, task, answer, cluster, concepts.
    why
        Its rank and gains; or the pick that represents it, or its problem.
    boxes
        The boxes in its turns, numbered.
    frame
        ``"square"`` if their coordinates refer to the square to which LLaVA-v1.5 pads the image, ``"keep"`` if to the
        image itself.
    name
        Path of its image below the image folder; None for text only.
    image
        A Pillow image with the boxes drawn, of the original size; None if it was not requested or cannot be shown.
    note
        What is unusual or wrong with the image; "" if nothing is.
    """

    key: str
    id: str
    turns: tuple[tuple[str, str], ...]
    labels: dict[str, Any]
    why: str
    boxes: tuple[Box, ...]
    frame: Frame
    name: str | None
    image: Image.Image | None
    note: str

    def __repr__(self) -> str:
        return plain(self)

    def _repr_html_(self) -> str:
        """Show a card in a notebook."""
        return card(self)


def card(shown: Shown) -> str:
    """Return a sample as HTML, with its image inline."""
    picture = ""
    if shown.image is not None:
        description = f"image {shown.name} with {len(shown.boxes)} boxes"
        picture = f'<div><img alt="{escape(description)}" src="{data_uri(shown.image)}" style="{_PICTURE}"></div>'
    turns = "".join(_turn(speaker, value, shown.boxes) for speaker, value in shown.turns)
    boxes = "".join(f"<div>{_mark(box)} {escape(box.phrase or 'no phrase')}</div>" for box in shown.boxes)
    about = facts(_lines(shown))
    return (
        f'<div style="{_CARD}"><div style="{_SIDES}">{picture}<div style="flex:1 1 20em">{turns}{boxes}</div></div>'
        f"{about}</div>"
    )


def plain(shown: Shown) -> str:
    """Return a sample as plain text, its boxes numbered."""
    boxes = [(f"box {box.number}", f"{list(box.corners)} {box.phrase}".strip()) for box in shown.boxes]
    return "\n".join(f"{name:<12} {value}" for name, value in [*shown.turns, *boxes, *_lines(shown)])


def _lines(shown: Shown) -> list[tuple[str, str]]:
    """Return names and values of everything except the text."""
    lines = [("key", shown.key), ("id", shown.id), ("image", shown.name or "none: text only")]
    if shown.note:
        lines.append(("note", shown.note))
    if shown.boxes:
        on = "the square to which LLaVA-v1.5 pads the image" if shown.frame == "square" else "the image itself"
        lines.append(("boxes", f"{len(shown.boxes)}, on {on}"))
    labels = (
        (name, ", ".join(value) if isinstance(value, list) else str(value)) for name, value in shown.labels.items()
    )
    return [*lines, *labels, ("why", shown.why)]


def _turn(speaker: str, value: str, boxes: Sequence[Box]) -> str:
    """Return one turn as HTML; each box has its number before it and is underlined in its color."""
    pieces = (
        escape(text) if box is None else f'{_mark(box)}<span style="{_LINED}{box.color}">{escape(text)}</span>'
        for text, box in split(value, boxes)
    )
    return f'<div style="{_TURN}"><b>{escape(speaker)}</b> {"".join(pieces)}</div>'


def _mark(box: Box) -> str:
    """Return the number of a box on its color as HTML."""
    return f'<span style="{_MARK}{box.color}">{box.number}</span>'
