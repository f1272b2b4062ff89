"""A mix as a container of records: the i-th pick is the i-th record, as the file of the mix holds it."""

from __future__ import annotations

import json
from functools import cached_property
from operator import index
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from recipe.config.writers import WORDS
from recipe.data.selection import Selection
from recipe.errors import ConfigError, MissingExtra
from recipe.io.arrow import take
from recipe.io.families import FORMATS
from recipe.mix.originals import Originals
from recipe.mix.pictures import sizes_of
from recipe.mix.stored import Spool
from recipe.stages.write._chats import chats
from recipe.stages.write._conversations import record_of
from recipe.stages.write._records import lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    import datasets
    import pandas as pd
    import polars as pl
    from numpy.typing import NDArray

    from recipe.stages.write._chats import Chat

    Record = dict[str, Any]

COLUMNS = ("key", "source", "id", "image", "media", "turns", "extra")


class Container(Selection):
    """The records of the picks, in pick order, made when they are asked for.

    Each is what a file in LLaVA's format holds for this pick. A recipe that packs, shuffles or splits its picks
    (`write.pack`, `write.order`, `write.files`) changes their order and number in its files, not here; and one that
    writes for another trainer (`write.format`) gives LLaVA's records here too, with several pictures as a list.
    """

    def __iter__(self) -> Iterator[Record]:
        """Yield the record of each pick."""
        return self._records(self.picks.rows)

    @overload
    def __getitem__(self, at: int) -> Record: ...

    @overload
    def __getitem__(self, at: slice) -> list[Record]: ...

    def __getitem__(self, at: int | slice) -> Record | list[Record]:
        """Return the record of a pick, or of several; nothing else is converted."""
        if isinstance(at, slice):
            return list(self._records(self.picks.rows[at]))
        try:
            number = index(at)
        except TypeError:
            what = f"expected the number of a pick or a slice, got mix[{at!r:.60}]"
            raise ConfigError(f"{what}; `in` finds a key or an id, mix.why(key) explains one") from None
        if not -len(self) <= number < len(self):
            raise IndexError(f"expected the number of one of {len(self):,} picks, got mix[{number}]")
        return next(self._records(self.picks.rows[[number]]))

    def __contains__(self, sample: object) -> bool:
        """Return whether a sample was picked: its key, its id as a text or a number, or its record."""
        if isinstance(sample, dict):
            return any(record == sample for record in self)
        if isinstance(sample, int | np.integer) and not isinstance(sample, bool):
            return str(sample) in self._names
        return isinstance(sample, str) and sample in self._names

    @cached_property
    def _names(self) -> frozenset[str]:
        """The keys and the ids of the picks."""
        found = take(self.pool.rows, ("key", "id"), self.picks.rows)
        return frozenset(found["key"]).union(found["id"])

    def _records(self, rows: NDArray[np.int64]) -> Iterator[Record]:
        """Yield the record of each row, as the recipe writes it."""
        section = self.recipe.write
        if section.format is not None and section.format.name not in FORMATS.values():
            return (_shown(chat) for chat in chats(self.pool, rows, holds=WORDS, trainer="records"))
        given, sizes = self._given, sizes_of(self.recipe, self._pictures)
        limit = section.max_tokens
        made = lines(self.pool, rows, ids=section.ids, pack=False, max_tokens=limit, originals=given, sizes=sizes)
        return map(json.loads, made)

    @cached_property
    def _given(self) -> Originals | None:
        """The records as they were read, if the recipe writes those."""
        return Originals(self.pool, self.recipe) if self.recipe.write.records == "given" else None

    @cached_property
    def _pictures(self) -> Spool:
        """The bytes of pictures that lie in sources, read when they are asked for."""
        return Spool(self.pool, self.picks.rows, self.recipe)

    def to_records(self) -> list[Record]:
        """Return the records of all picks.

        Returns
        -------
        list of dict
            In pick order: `id`, `image` (no key for text only), `conversations`, and unknown keys as they were read.

        Examples
        --------
        >>> from recipe import demo_pool, select_mix
        >>> mix = select_mix(demo_pool(images=4), size=8)
        >>> mix.to_records() == list(mix), mix[-1] == mix.to_records()[7], mix.keys[0] in mix, "no such" in mix
        (True, True, True, False)
        """
        return list(self)

    def to_polars(self) -> pl.DataFrame:
        """Return the picks as a table that has the same columns for every mix.

        Returns
        -------
        polars.DataFrame
            In pick order: key, source, id, image, media (null where `image` says all), conversations, and extra, the
            unknown keys as a JSON object or null.

        Examples
        --------
        >>> from recipe import demo_pool, select_mix
        >>> select_mix(demo_pool(images=4), size=8).to_polars().columns
        ['key', 'source', 'id', 'image', 'media', 'conversations', 'extra']
        """
        return take(self.pool.rows, COLUMNS, self.picks.rows).rename({"turns": "conversations"})

    def to_pandas(self) -> pd.DataFrame:
        """Return the table of `to_polars` as pandas holds it.

        Returns
        -------
        pandas.DataFrame
            Conversations and media are arrays of dicts.

        Raises
        ------
        MissingExtra
            If pandas is not installed.
        """
        try:
            import pandas  # noqa: F401, ICN001, PLC0415  an extra
        except ImportError as error:
            raise MissingExtra.of("datasets", "mix.to_pandas() needs pandas") from error
        return self.to_polars().to_pandas()

    def to_dataset(self) -> datasets.Dataset:
        """Return the table of `to_polars` as a Hugging Face `Dataset`.

        Returns
        -------
        datasets.Dataset
            In memory, with a fingerprint of its own.

        Raises
        ------
        MissingExtra
            If datasets is not installed.
        """
        try:
            import datasets  # noqa: PLC0415  an extra
        except ImportError as error:
            raise MissingExtra.of("datasets", "mix.to_dataset() needs datasets") from error
        return datasets.Dataset(self.to_polars().to_arrow())


def _shown(chat: Chat) -> Record:
    """Return a sample as LLaVA's record, with whatever it shows."""
    sounds = chat.names("audio")
    return record_of(chat) | ({"audio": sounds if len(sounds) > 1 else sounds[0]} if sounds else {})
