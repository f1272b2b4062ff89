"""The bytes and the sizes of the pictures of a pool: from its sources, or from files below its folder of images."""

from __future__ import annotations

import warnings
from functools import cached_property
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from recipe.errors import PassedOver
from recipe.stages.read import Images, expand
from recipe.stages.read._images import header_size, image_number
from recipe.stages.read._sources.aside import SIDE_DATA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from recipe.config.recipe import Recipe
    from recipe.data.boxes import Size
    from recipe.data.media import Medium

    Wanted = tuple[str, Medium]
    Bytes = Callable[[Sequence[Wanted]], Iterator[bytes | None]]


def pictures_of(plan: Recipe, inside: Bytes | None = None) -> Bytes:
    """Return what yields the bytes of pictures.

    Parameters
    ----------
    plan
        Its `read.images` is the folder of the files.
    inside
        Yields the bytes of pictures that lie in sources, in the order in which they are asked for; None where no source
        has any.

    Returns
    -------
    callable
        Takes pairs of source and picture, and yields the bytes of each, None where nothing has them.

    Examples
    --------
    >>> from recipe.config.recipe import Recipe
    >>> from recipe.data.media import Medium
    >>> list(pictures_of(Recipe())([("a.json", Medium(path="a.jpg"))]))
    [None]
    """

    def pictures(wanted: Sequence[Wanted]) -> Iterator[bytes | None]:
        """Yield the bytes of each picture."""
        lying = [one for one in wanted if one[1].place is not None]
        found = iter(inside(lying)) if inside is not None and lying else iter([None] * len(lying))
        for _, picture in wanted:
            if picture.place is not None:
                yield next(found)
                continue
            file = _file(plan, picture)
            yield None if file is None else file.read_bytes()

    return pictures


def sizes_of(plan: Recipe, inside: Bytes | None = None) -> Callable[[Sequence[Wanted]], Iterator[Size | None]]:
    """Return what yields the sizes of pictures in files or inside of sources, by their first bytes; None if unknown.

    Where there is no file, the size of a picture of Visual Genome is the one in `image_data.json`.
    """
    stated = _Stated(plan)

    def sizes(wanted: Sequence[Wanted]) -> Iterator[Size | None]:
        """Yield the size of each picture."""
        for source, picture in wanted:
            if picture.place is not None:
                content = next(inside([(source, picture)])) if inside is not None else None
                yield None if content is None else header_size(BytesIO(content))
                continue
            file = _file(plan, picture)
            yield (None if file is None else header_size(file)) or stated.size(source, picture)

    return sizes


class _Stated:
    """The sizes of Visual Genome's pictures, from `image_data.json` of the recipe or beside a source."""

    def __init__(self, plan: Recipe) -> None:
        self.plan = plan

    def size(self, source: str, picture: Medium) -> Size | None:
        """Return the size of a picture that a reader of SVIT's files has named; None if nothing states it."""
        number = image_number(PurePosixPath(picture.name).name) if picture.name.startswith("vg/") else None
        images = None if number is None else self._images.get(source)
        return None if number is None or images is None else images.size(number, picture.name)

    @cached_property
    def _images(self) -> dict[str, Images]:
        """What is known of pictures, by source; each file is read once, when the first size is asked for."""
        given = [source.model_dump(exclude_none=True) for source in self.plan.sources]
        found: dict[str, Images] = {}
        known: dict[Path, Images] = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PassedOver)  # it was said when they were read
            files = expand(given) if given else []
        for file in files:
            beside = self.plan.read.image_data or file.path.with_name(SIDE_DATA[0])
            if Path(beside).is_file():
                found[file.source] = known.setdefault(Path(beside), Images(Path(beside)))
        return found


def _file(plan: Recipe, picture: Medium) -> Path | None:
    """Return the file of a picture below the folder of images, if there is one; no name leads out of the folder."""
    name = PurePosixPath(picture.name)
    if plan.read.images is None or name.is_absolute() or ".." in name.parts or ":" in picture.name.split("/")[0]:
        return None
    try:
        file = Path(plan.read.images, name)
        return file if file.is_file() else None
    except (OSError, ValueError):
        return None
