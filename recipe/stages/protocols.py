"""The six places where code of your own fits in, each with its promises and an example that runs.

Whatever keeps one of these protocols can be a file of its folder (``recipe/stages/score/brevity.py`` with a function
`score`), be named as ``module:function`` in a recipe file or on the command line, or be given as it is in Python. There
is nothing to inherit from and nothing to register, and ``tests/laws`` holds whatever stands in a folder to the same
laws; a file that cannot be called without a knob says in ``EXAMPLE = {...}`` with which ones it can be. Keyword-only
arguments are the knobs that a recipe may set; one that is called `seed` is given the recipe's. All of them depend on
nothing but what they are given, and change none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from recipe.data.picks import Picks
    from recipe.data.pool import Pool
    from recipe.data.quotas import Quotas
    from recipe.stages.read import Context, Entry


class Reader(Protocol):
    """Makes samples of the records of one format: ``recipe/stages/read/NAME.py`` with `read` and `confidence`.

    A function alone, without `confidence`, reads the files that name it as their format.

    Examples
    --------
    A format of a question and an answer a record, and a file of it:

    >>> import json, tempfile
    >>> from pathlib import Path
    >>> from recipe import read_pool
    >>> from recipe.stages.read import Entry
    >>> def read(record, context):
    ...     yield Entry([("human", record["q"]), ("gpt", record["a"])], image=record.get("picture"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "quiz.json")
    ...     _ = file.write_text(json.dumps([{"q": "What is it?", "a": "A jay.", "picture": "jay.jpg"}]))
    ...     read_pool(file, format=read).rows["image"].to_list()
    ['jay.jpg']
    """

    def read(self, record: dict[str, Any], context: Context) -> Iterable[Entry]:
        """Make the samples of one record.

        Parameters
        ----------
        record
            One JSON object of the file.
        context
            The file's path, how boxes are read, and what is known of its images.

        Returns
        -------
        iterable of Entry
            One or more; what is no sample is an entry with a `problem`, so that it is counted. Never an exception.
        """
        ...

    def confidence(self, record: dict[str, Any]) -> float:
        """Say how sure it is that a record is of this format; the surest reader gets the file.

        Parameters
        ----------
        record
            The first object of a file that any reader knows.

        Returns
        -------
        float
            0 (it is not) to 1; about 0.9 for keys that only this format has, 0.5 for those that others have too.
        """
        ...


class Embedder(Protocol):
    """Makes a vector of each sample, part by part: ``recipe/stages/embed/NAME.py`` with `fit`, `encode` and `embed`.

    `embed`, a function of a whole pool, is `encode` after `fit`, and documents the knobs; an object of your own need
    not have it. A function of the whole pool alone, ``embed(pool, *, ...)``, is an embedder too; it runs at once, in
    one process. `report` may say how far the vectors can be trusted: learned arrays -> name to number, for the
    manifest.

    Examples
    --------
    A vector of two numbers: how long a sample is against the mean of the pool, and one.

    >>> import numpy as np
    >>> from recipe import demo_pool, score_pool
    >>> class Lengths:
    ...     def fit(self, pool, *, seed=0):
    ...         return {"mean": np.array([pool.rows["n_words"].mean()], np.float32)}
    ...     def encode(self, part, learned, *, seed=0):
    ...         words = part.rows["n_words"].to_numpy() / learned["mean"][0]
    ...         vectors = np.stack([words, np.ones(len(part))], axis=1).astype(np.float32)
    ...         return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    >>> score_pool(demo_pool(images=4), embed=Lengths(), score=[]).vectors.shape[1]
    2
    """

    def fit(self, pool: Pool, **knobs: Any) -> dict[str, NDArray[Any]]:
        """Learn what must be known of the whole pool; may be left out.

        Parameters
        ----------
        pool
            n samples, with labels.
        **knobs
            As the recipe says, and `seed`.

        Returns
        -------
        dict
            Name to array, of any shape; written to files that all workers map.
        """
        ...

    def encode(self, part: Pool, learned: Mapping[str, NDArray[Any]], **knobs: Any) -> NDArray[np.float32]:
        """Embed the samples of a part of the pool, each by itself.

        Parameters
        ----------
        part
            m samples as they were read: texts (`part.texts`), images (`part.rows["image"]`), all columns of
            `recipe.data.pool.SCHEMA`; no labels.
        learned
            What `fit` returned.
        **knobs
            As for `fit`.

        Returns
        -------
        ndarray
            (m, d) float32, finite, rows of length one; the same whatever the part is cut from.
        """
        ...


class Score(Protocol):
    """Rates every sample: ``recipe/stages/score/NAME.py`` with a function `score`.

    What a file makes that says ``COSTLY = True`` is kept by the checkpoint; it must not depend on quotas.

    Examples
    --------
    >>> import numpy as np
    >>> from recipe import demo_pool, score_pool
    >>> def brevity(pool, *, half=50):
    ...     words = pool.rows["n_words"].to_numpy()
    ...     return (half / (half + words)).astype(np.float32)
    >>> pool = score_pool(demo_pool(images=4), score=[brevity])
    >>> bool((pool.rows["brevity"] <= 1).all())
    True
    """

    def __call__(self, pool: Pool, **knobs: Any) -> NDArray[np.float32]:
        """Rate each sample of a pool.

        Parameters
        ----------
        pool
            n samples with labels, vectors, `cluster`, `cell`, `cell_quota`, and the scores that stand before this one.
        **knobs
            As the recipe says.

        Returns
        -------
        ndarray
            (n,) float32, finite, higher = wanted; usually 0..1, and 0 where `pool.eligible` is false.
        """
        ...


class Rule(Protocol):
    """Shares the size of a mix among the values of a column: ``recipe/stages/balance/NAME.py`` with `balance`.

    A rule with a knob `groups` is given the rows of each value and the vectors of the pool. A file may also have
    ``weights(counts, **knobs)``: the shares it would ask for if supply were no limit, so that `gaps` can say them.

    Examples
    --------
    At most a third of the mix for each value, in proportion otherwise:

    >>> import numpy as np
    >>> from recipe.stages.balance.proportional import apportion
    >>> def third(counts, size):
    ...     most = np.minimum(counts, max(1, -(-size // 3)))
    ...     return apportion(counts, np.maximum(most, counts if most.sum() < size else 0), size)
    >>> third(np.array([90, 5, 5]), 12).tolist()
    [4, 4, 4]
    """

    def __call__(self, counts: NDArray[np.int64], size: int, **knobs: Any) -> NDArray[np.int64]:
        """Share the size.

        Parameters
        ----------
        counts
            (v,) int64, above 0: samples that each value can supply, values in ascending order.
        size
            Samples to share out, 0..sum(counts).
        **knobs
            As the recipe says.

        Returns
        -------
        ndarray
            (v,) int64, 0..counts, sum exactly `size`.
        """
        ...


class Selector(Protocol):
    """Picks under quotas: ``recipe/stages/select/NAME.py`` with a function `select`.

    A file that says ``ORDERED = True`` may pick by the order in which files and records were read; no other may.

    Examples
    --------
    The longest samples of each cell:

    >>> import numpy as np
    >>> from recipe import demo_pool, select_mix
    >>> from recipe.data.picks import Picks
    >>> def longest(pool, quotas, *, seed=0):
    ...     words = pool.rows["n_words"].to_numpy().astype(int)
    ...     order = np.lexsort((np.arange(len(pool)), -words))  # ties go to the smaller row, and so to the smaller key
    ...     of_cell = [order[quotas.cell[order] == cell][:quota] for cell, quota in enumerate(quotas.quota)]
    ...     return Picks(np.concatenate(of_cell))
    >>> len(select_mix(demo_pool(images=4), size=20, select=longest))
    20
    """

    def __call__(self, pool: Pool, quotas: Quotas, **knobs: Any) -> Picks:
        """Pick as many samples of each cell as its quota says.

        Parameters
        ----------
        pool
            n samples with labels, vectors and scores.
        quotas
            The cell of each row (-1: it may not be picked), how many of each cell, and the most of one image.
        **knobs
            As the recipe says, and `seed`.

        Returns
        -------
        Picks
            Unique rows in pick order, ``quotas.size`` of them; gains by term and a bound of the objective if it has
            one.
        """
        ...


class Writer(Protocol):
    r"""Writes samples as the file of a trainer: ``recipe/stages/write/NAME.py`` with a function `write`.

    It is named by ``write: {format: NAME}``; without that the ending of the path names one.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from recipe import demo_pool, select_mix
    >>> from recipe.io.atomic import atomic_write
    >>> def write(pool, rows, path):
    ...     with atomic_write(path, "w") as file:
    ...         file.writelines(f"{key}\n" for key in pool.rows["key"].gather(rows))
    ...     return len(rows)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mix = select_mix(demo_pool(images=4), size=20, write={"format": write})
    ...     _ = mix.write(Path(folder, "keys.txt"))
    ...     len(Path(folder, "keys.txt").read_text().splitlines())
    20
    """

    def __call__(self, pool: Pool, rows: NDArray[np.int64], path: Path, **knobs: Any) -> int:
        """Write some samples, whole or not at all (`recipe.io.atomic.atomic_write`).

        Parameters
        ----------
        pool
            n samples.
        rows
            (k,) rows; the file keeps their order.
        path
            File to write.
        **knobs
            Those of `ids`, `pack`, `max_tokens` and `originals` (the records as they were read) that it has.

        Returns
        -------
        int
            Records written.
        """
        ...
