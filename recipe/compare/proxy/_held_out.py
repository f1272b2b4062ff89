"""The samples that every learner is evaluated on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.data.groups import grouped_by_number
from recipe.engine.seed import shuffled
from recipe.errors import ConfigError, SupplyError
from recipe.io.arrow import take

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.pool import Pool


def draw_held_out(
    pool: Pool, held_out: NDArray[np.int64], *, per_task: int = 200, fewest: int = 10, seed: int = 0
) -> NDArray[np.int64]:
    """Sample held-out rows at random, as many of each task, so that a mean over tasks is meaningful.

    Of a task that has fewer, all are taken; one that has almost none is left out, since a value from three samples
    would weigh as much as one from two hundred. O(m log m).

    Parameters
    ----------
    pool
        n samples with the column `task`.
    held_out
        (m,) rows of the held-out part. Rows that may not be selected, or have no task, are not drawn.
    per_task
        Samples of each task, at most; from 1.
    fewest
        Samples that a task must have, else it is left out; from 1.
    seed
        Any integer; whether a row is drawn before another depends on the two keys alone.

    Returns
    -------
    ndarray
        Rows of the pool, int64, ascending.

    Raises
    ------
    ConfigError
        If a knob is below 1.
    SupplyError
        If no task has `fewest` samples in the held-out part.

    Examples
    --------
    >>> import numpy as np
    >>> from recipe import demo_pool, score_pool
    >>> pool = score_pool(demo_pool(images=20), score=[])
    >>> held_out = draw_held_out(pool, np.arange(len(pool)), per_task=5, fewest=5)
    >>> set(pool.rows[held_out]["task"].value_counts()["count"])
    {5}
    """
    if min(per_task, fewest) < 1:
        raise ConfigError(f"draw_held_out: expected counts from 1, got per_task={per_task}, fewest={fewest}")
    rows = np.unique(held_out)
    rows = rows[pool.eligible[rows]]
    table = take(pool.rows, ["key", "task"], rows)
    tasks, task = np.unique(table["task"].fill_null("").to_numpy().astype(str), return_inverse=True)
    counts = np.bincount(task, minlength=len(tasks))
    counts[tasks == ""] = 0
    if not (counts >= fewest).any():
        most = int(counts.max(initial=0))
        raise SupplyError(
            f"draw_held_out: expected a task with {fewest} samples in the held-out part, got at most {most}; "
            "hold out more, or compare on more samples"
        )
    order = shuffled(np.arange(len(rows)), table["key"], seed=seed, label="proxy.held")
    of_tasks = grouped_by_number(order, task[order], len(tasks))
    kept = [places[:per_task] for places, count in zip(of_tasks, counts, strict=True) if count >= fewest]
    return np.sort(rows[np.concatenate(kept)])
