"""Boxes that a record states beside its turns, and what the coordinates of boxes in texts refer to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from recipe.stages.read._entry import Turns

REF, BOX = "<ref-object>", "<bbox>"  # ms-swift's placeholders
_FRAMES = {"real": "pixels", "norm1": "unit", "norm1000": "thousand"}  # by its `bbox_type`
_HOLDERS = re.compile(f"{REF}|{BOX}")
_PIXELS = re.compile(r'"bbox_2d"\s*:\s*\[([^\]]*)\]')  # Qwen2.5-VL
_THOUSAND = re.compile(  # InternVL, Qwen-VL, Qwen2-VL
    r"<box>\s*\[?\[([\d\s,\[\]]*)\]\]?\s*</box>|<box>(\([\d\s,()]*\))</box>|<\|box_start\|>(\([\d\s,()]*\))<\|box_end\|>"
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_MOST = 1000  # of a coordinate in thousandths


def fill_objects(turns: Turns, objects: object) -> tuple[Turns, str | None, str | None]:
    """Put the names and boxes of `objects` in the places that the texts leave for them, as ms-swift does.

    Parameters
    ----------
    turns
        Speaker and text.
    objects
        ``{"ref": [str], "bbox": [[x1, y1, x2, y2]], "bbox_type"?: "real" | "norm1"}``.

    Returns
    -------
    turns
        With boxes as ``[x1, y1, x2, y2]``.
    frame
        What they refer to; None if there is no box.
    problem
        ``bad_box:...`` if there are more places than objects, or an object is no box; None if all is well.

    Source: ms-swift, `docs/source_en/Customization/Custom-dataset.md`, grounding.

    Examples
    --------
    >>> fill_objects([("gpt", "<ref-object> at <bbox>")], {"ref": ["jay"], "bbox": [[1, 2, 3, 4]]})
    ([('gpt', 'jay at [1, 2, 3, 4]')], 'pixels', None)
    """
    if not isinstance(objects, dict) or not any(_HOLDERS.search(text) for _, text in turns):
        return turns, None, None
    refs, boxes = _texts(objects.get("ref")), _boxes(objects.get("bbox"))
    try:
        filled = [
            (who, _HOLDERS.sub(lambda found: next(refs if found[0] == REF else boxes), text)) for who, text in turns
        ]
    except RuntimeError:  # a StopIteration inside `sub`
        return turns, None, "bad_box:placeholders"
    except StopIteration:
        return turns, None, "bad_box:placeholders"
    except ValueError:
        return turns, None, "bad_box:malformed"
    frame = _FRAMES.get(str(objects.get("bbox_type", "real")))
    return filled, frame if objects.get("bbox") else None, None


def frame_of(turns: Turns) -> str | None:
    """Return what the boxes in some texts refer to where their markup and their numbers prove it; None where not.

    Examples
    --------
    >>> frame_of([("gpt", '{"bbox_2d": [9, 9, 1016, 672]}')]), frame_of([("gpt", "<box>[[9, 9, 99, 99]]</box>")])
    ('pixels', 'thousand')
    >>> frame_of([("gpt", "[0.1, 0.2, 0.3, 0.4]")])
    """
    for _, text in turns:
        if "bbox_2d" in text and any(_largest(match[1]) > _MOST for match in _PIXELS.finditer(text)):
            return "pixels"
        if "box>" in text or "<|box_start|>" in text:
            found = ["".join(filter(None, match.groups())) for match in _THOUSAND.finditer(text)]
            if found and all(1 < _largest(one) <= _MOST for one in found):
                return "thousand"
    return None


def _largest(numbers: str) -> float:
    """Return the largest number in a text."""
    return max((float(number) for number in _NUMBER.findall(numbers)), default=0)


def _texts(given: object) -> Iterator[str]:
    """Yield texts."""
    for one in given if isinstance(given, list) else []:
        if not isinstance(one, str):
            raise ValueError(one)  # noqa: TRY004  caught above
        yield one


def _boxes(given: object) -> Iterator[str]:
    """Yield boxes as they are written in a text."""
    for box in given if isinstance(given, list) else []:
        if not isinstance(box, list) or len(box) not in (2, 4) or not all(_is_number(one) for one in box):
            raise ValueError(box)
        yield f"[{', '.join(map(str, box))}]"


def _is_number(given: Any) -> bool:
    """Return whether a value is a finite number."""
    return isinstance(given, int | float) and not isinstance(given, bool) and abs(given) < 1e9  # noqa: PLR2004  no picture has as many pixels


def has_objects(record: Mapping[str, Any]) -> bool:
    """Return whether a record states boxes beside its turns."""
    return isinstance(record.get("objects"), dict)
