"""Boxes in the frame that a trainer wants; those that cannot be converted without a guess stay as they are."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from recipe.data.frames import converted, has_boxes, needs_size, rewritten, within, written
from recipe.errors import BoxesLeft

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from recipe.data.boxes import Size
    from recipe.data.frames import Box
    from recipe.stages.write._chats import Chat, Sizes


def size_of(chat: Chat, sizes: Sizes | None) -> Size | None:
    """Return the size that all pictures of a sample have; None if it is not known, or they differ.

    Parameters
    ----------
    chat
        A sample; a picture whose record states its size is not looked up.
    sizes
        Looks sizes up, or None.
    """
    found = set(sizes_of(chat, sizes))
    return found.pop() if len(found) == 1 else None


def sizes_of(chat: Chat, sizes: Sizes | None) -> list[Size | None]:
    """Return the size of each picture of a sample, None where it is not known."""
    pictures = chat.of("image")
    stated = [(one.width, one.height) if one.width and one.height else None for one in pictures]
    unknown = [i for i, size in enumerate(stated) if size is None]
    if sizes is not None and unknown:
        looked_up = sizes([(chat.source, pictures[i]) for i in unknown])
        for i, size in zip(unknown, looked_up, strict=True):
            stated[i] = size
    return stated


def in_frames(
    some: Iterable[Chat], frames: Sequence[str], sizes: Sizes | None, dress: Callable[[list[Box]], str] | None = None
) -> Iterator[Chat]:
    """Yield samples as `in_frame` returns them, and say at the end how many kept boxes in a frame of their own.

    Warns
    -----
    BoxesLeft
        If some did, since the sizes of their pictures are not known or several, or they lie beyond their pictures.
    """
    left = 0
    for chat in some:
        found = in_frame(chat, frames, sizes, dress)
        left += found.turns == chat.turns and is_left(chat, frames)
        yield found
    say_left(left)


def is_left(chat: Chat, frames: Sequence[str]) -> bool:
    """Return whether a sample that was not converted has boxes in a frame that its trainer does not take."""
    return chat.frame is not None and chat.frame not in frames and any(has_boxes(said) for _, said in chat.turns)


def say_left(count: int) -> None:
    """Warn of boxes that were not converted."""
    if count:
        what = (
            f"boxes of {count:,} samples stay in their frame, since the size of their image is not known or too small"
        )
        warnings.warn(f"{what}; name the folder of the images (--images)", BoxesLeft, stacklevel=4)


def in_frame(
    chat: Chat, frames: Sequence[str], sizes: Sizes | None, dress: Callable[[list[Box]], str] | None = None
) -> Chat:
    """Return a sample whose boxes are in a frame that its trainer takes.

    Parameters
    ----------
    chat
        A sample. Where the frame of its boxes is not known, or the conversion depends on a size that is not known, it
        is returned as it is.
    frames
        What the trainer takes: a sample in one of them is left in it, and any other gets the first to which it can be
        converted.
    sizes
        Looks up the sizes of pictures whose records do not state them, or None.
    dress
        How boxes in the wanted frame are written, and then also those that need no conversion; by default as
        ``[x1, y1, x2, y2]``.

    Returns
    -------
    Chat
        The same sample where nothing had to change.
    """
    if chat.frame is None:
        return chat
    if chat.frame in frames and dress is None:
        return chat
    order = (chat.frame, *frames) if chat.frame in frames else frames
    size = size_of(chat, sizes) if needs_size(chat.frame, order[0]) else None
    wanted = next((frame for frame in order if size is not None or not needs_size(chat.frame, frame)), None)
    if wanted is None:
        return chat
    return chat.saying([(who, moved(text, chat.frame, wanted, size, dress)) for who, text in chat.turns])


def moved(text: str, frame: str, wanted: str, size: Size | None, dress: Callable[[list[Box]], str] | None) -> str:
    """Return a text with its boxes in another frame.

    Examples
    --------
    >>> moved("the cat <box>[[0, 250, 500, 1000]]</box>", "thousand", "unit", None, None)
    'the cat [0, 0.25, 0.5, 1]'
    """

    def write(boxes: list[Box]) -> str | None:
        """Return the text of some boxes."""
        found = [converted(box, frame, wanted, size) for box in boxes]
        known = [kept for box in found if box is not None and (kept := within(box, wanted, size)) is not None]
        if len(known) < len(found):
            return None
        if dress is not None:
            return dress(known)
        return ", ".join(written(box, wanted) for box in known)

    return rewritten(text, frame, size, write)


def marked(boxes: list[Box]) -> str:
    """Write boxes as InternVL marks them.

    Examples
    --------
    >>> marked([(0.0, 250.4, 500.0, 1000.0)])
    '<box>[[0, 250, 500, 1000]]</box>'
    """
    return f"<box>[{', '.join(written(box, 'thousand') for box in boxes)}]</box>"


def described(chat: Chat, sizes: Sizes | None) -> tuple[Chat, dict[str, Any]]:
    """Return a sample with ``<bbox>`` in the place of its boxes, and the boxes as ms-swift's `objects`.

    Pixels are written as ``real`` and everything else as ``norm1``, 0..1 of the image. In which of several pictures a
    box in pixels lies is not known, so those stay in the text.
    """
    found: list[list[float]] = []
    kind = "real" if chat.frame == "pixels" else "norm1"
    wanted = "pixels" if kind == "real" else "unit"

    def keep(boxes: list[Box]) -> str:
        """Put boxes aside."""
        digits = 6  # of a share: a millionth of an image is below any pixel
        found.extend([round(v, digits) + 0.0 for v in box] for box in boxes)
        return ", ".join("<bbox>" for _ in boxes)

    alone = kind == "norm1" or len(chat.of("image")) == 1
    bare = in_frame(chat, (wanted,), sizes, keep) if alone else chat
    return bare, {"ref": [], "bbox": found, "bbox_type": kind if found else "real"}
