"""The six places where you can plug in your own code, each with its contract and an example that runs.

Code that follows one of these protocols can be a file in its folder (``recipe/stages/score/brevity.py`` with a function
`score`), can be named as ``module:function`` in a recipe file or on the command line, or can be passed as an object in
Python. There is nothing to inherit from and nothing to register, and ``tests/laws`` tests every file of a folder by the
same laws; a file whose function needs a knob says in ``EXAMPLE = {...}`` with which knobs it can be called.
Keyword-only arguments are the knobs that a recipe may set; an argument called `seed` gets the recipe's seed. The result
must depend on the arguments alone. Arguments are lent: arrays are read-only, and tables and knobs are copies. What is
returned is checked, and what is raised becomes a `FunctionError` of one line. A cache knows code of your own by the
file of its module, by the local files that this imports, and by the files that knobs name; other files that it reads,
as images, it does not see.
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
    """Turns the records of one format into samples: ``recipe/stages/read/NAME.py`` with `read` and `confidence`.

    A function alone, without `confidence`, reads only files that name it as their format.

    Examples
    --------
    A format with one question and one answer per record, and a file in it:

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
        """Return the samples of one record.

        Parameters
        ----------
        record
            One record of the file, whatever container it lies in: an object of JSON, a row of Parquet or Arrow, the
            files of one key of a tar. A picture that lies in the file by its bytes stands in it as a
            `recipe.data.media.Medium`, which has their hash.
        context
            The file's path, how boxes are read, what is known of its images, and the folder that a list of files gives
            them.

        Returns
        -------
        iterable of Entry
            One or more. A record that is not a valid sample becomes an entry with a `problem`, so that it is counted;
            an exception stops the run.
        """
        ...

    def confidence(self, record: dict[str, Any]) -> float:
        """Return how sure the reader is that a record is of this format; the surest reader gets the file.

        Parameters
        ----------
        record
            One of a sample of records from the whole file: the reader that is surest of all of them together reads
            it. A record with which that one finds a problem is read by another that is surer of it.

        Returns
        -------
        float
            0 (it is not) to 1; about 0.9 for keys that only this format has, 0.5 for keys that others have too.
        """
        ...


class Embedder(Protocol):
    """Computes a vector for each sample, shard by shard: ``recipe/stages/embed/NAME.py`` with `fit`, `encode`, `embed`.

    `embed`, a function of a whole pool, calls `fit` and then `encode`, and documents the knobs; your own object does
    not need it. A single function ``embed(pool, *, ...)`` of the whole pool is an embedder too; it runs in one process.
    An optional `report` says how good the vectors are: it maps the learned arrays to named numbers for the manifest.

    Examples
    --------
    A vector of two numbers: the length of a sample relative to the mean of the pool, and one.

    >>> import numpy as np
    >>> from recipe import demo_pool, score_pool
    >>> class Lengths:
    ...     def fit(self, pool, *, seed=0):
    ...         return {"mean": np.array([pool.rows["n_words"].mean()], np.float32)}
    ...     def encode(self, shard, learned, *, seed=0):
    ...         words = shard.rows["n_words"].to_numpy() / learned["mean"][0]
    ...         vectors = np.stack([words, np.ones(len(shard))], axis=1).astype(np.float32)
    ...         return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    >>> score_pool(demo_pool(images=4), embed=Lengths(), score=[]).vectors.shape[1]
    2
    """

    def fit(self, pool: Pool, **knobs: Any) -> dict[str, NDArray[Any]]:
        """Learn what depends on the whole pool; optional.

        Parameters
        ----------
        pool
            n samples, with labels.
        **knobs
            As set in the recipe, and `seed`.

        Returns
        -------
        dict
            Name to array, of any shape; written to files that all workers memory-map.
        """
        ...

    def encode(self, shard: Pool, learned: Mapping[str, NDArray[Any]], **knobs: Any) -> NDArray[np.float32]:
        """Embed the samples of one shard of the pool, each independently of the others.

        Parameters
        ----------
        shard
            m samples as they were read: texts (`shard.texts`), images (`shard.rows["image"]`), all columns of
            `recipe.data.pool.SCHEMA`; no labels.
        learned
            What `fit` returned.
        **knobs
            As for `fit`.

        Returns
        -------
        ndarray
            (m, d) float32, finite, rows of length one (others are scaled, and a row of zeros becomes the first unit
            vector); a sample's vector must not depend on how the pool is sharded.
        """
        ...


class Score(Protocol):
    """Scores every sample: ``recipe/stages/score/NAME.py`` with a function `score`.

    A file that says ``COSTLY = True`` has its scores cached; such a score must not depend on quotas.

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
        """Score each sample of a pool.

        Parameters
        ----------
        pool
            n samples with labels, vectors, `cluster`, `cell`, `cell_quota`, and the scores listed before this one.
        **knobs
            As set in the recipe.

        Returns
        -------
        ndarray
            (n,) float32, finite, higher is better; usually 0..1, and 0 where `pool.eligible` is false.
        """
        ...


class Rule(Protocol):
    """Shares the size of a mix among the values of a column: ``recipe/stages/balance/NAME.py`` with `balance`.

    A rule with a knob `groups` is given the rows of each value and the vectors of the pool. A file may also have
    ``weights(counts, **knobs)``: the shares it would ask for if supply were unlimited, which `gaps` reports.

    Examples
    --------
    At most a third of the mix for each value, otherwise in proportion:

    >>> import numpy as np
    >>> from recipe.stages.balance.proportional import apportion
    >>> def third(counts, size):
    ...     most = np.minimum(counts, max(1, -(-size // 3)))
    ...     return apportion(counts, np.maximum(most, counts if most.sum() < size else 0), size)
    >>> third(np.array([90, 5, 5]), 12).tolist()
    [4, 4, 4]
    """

    def __call__(self, counts: NDArray[np.int64], size: int, **knobs: Any) -> NDArray[np.int64]:
        """Divide the size of the mix among the values.

        Parameters
        ----------
        counts
            (v,) int64, above 0: samples that each value can supply, values in ascending order.
        size
            Samples to share out, 0..sum(counts).
        **knobs
            As set in the recipe.

        Returns
        -------
        ndarray
            (v,) int64, 0..counts, sum exactly `size`.
        """
        ...


class Selector(Protocol):
    """Picks under quotas: ``recipe/stages/select/NAME.py`` with a function `select`.

    Picks must not depend on the order in which files and records were read, unless the file says ``ORDERED = True``.

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
        """Pick as many samples from each cell as its quota says.

        Parameters
        ----------
        pool
            n samples with labels, vectors and scores.
        quotas
            The cell of each row (-1 if it may not be picked), the quota of each cell, and the limit per image.
        **knobs
            As set in the recipe, and `seed`.

        Returns
        -------
        Picks
            Unique rows in pick order, ``quotas.size`` of them: as many of each cell as its quota says, unless a limit
            per image keeps them from that; gains by term, and an upper bound of the objective if it has one.
        """
        ...


class Writer(Protocol):
    r"""Writes samples to a file that a trainer reads: ``recipe/stages/write/NAME.py`` with a function `write`.

    A recipe names it with ``write: {format: NAME}``; by default the ending of the path decides. The file may say
    `HOLDS`, what its records can hold beside text and one picture (``"images"``, ``"video"``, ``"videos"``,
    ``"audio"``, ``"system"``, ``"bytes"``: see `recipe.config.writers`), by which samples are eligible; `ENDINGS` of
    its file; and `BESIDE`, the endings of files beside the mix, whose texts a function ``beside(records)`` returns. A
    writer of your own says it in attributes of its function.

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
        """Write some samples atomically: the complete file or none (see `recipe.io.atomic.atomic_write`).

        Parameters
        ----------
        pool
            n samples.
        rows
            (k,) rows to write, in the order in which the file should have them.
        path
            File to write.
        **knobs
            Any of `ids`, `pack`, `max_tokens`, `originals` (the records as they were read), `pictures` and `sizes`
            (pairs of source and `Medium` -> the bytes, or the width and height, of each; None where not known) that the
            function takes.

        Returns
        -------
        int
            Records written. The file must be there.
        """
        ...
