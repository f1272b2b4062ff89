"""How many bits an unseen answer takes, once a tiny transformer has read the mix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe.compare.proxy._budget import within_budget
from recipe.compare.proxy._figures import mean_over_tasks
from recipe.compare.proxy._layers import Transformer
from recipe.compare.proxy._pieces import pieces_of
from recipe.engine.seed import draw, generator
from recipe.errors import MissingExtra

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from recipe.compare.proxy._prepared import Prepared


def proxy(
    ready: Prepared,
    picked: NDArray[np.int64],
    held: NDArray[np.int64],
    *,
    tokens: int = 100_000,
    layers: int = 2,
    d: int = 128,
    seed: int = 0,
) -> dict[str, float]:
    """Train a transformer of bytes on the mix's answers in one pass, and tell what held answers cost under it.

    A piece is at most 256 bytes: the last 64 of a question, and as much of its answer as fits; a long answer makes
    several pieces. It runs on one thread, so that a seed gives one figure (on one version of torch).

    Parameters
    ----------
    ready, picked, held
        As for `proxy.language`.
    tokens
        How much of the mix is read, in units of `n_tokens`, from 1, as for `proxy.language`.
    layers, d
        Size of the transformer, each from 1; d is a multiple of 4, the number of heads.
    seed
        Draws what is read, the order in which it is read, and the first weights.

    Returns
    -------
    dict
        ``bits``: bits a byte, as those of `proxy.language`; lower is better.

    Raises
    ------
    MissingExtra
        If torch is not installed.
    ConfigError
        If there are no rows to learn from or to judge on, or `tokens` is below 1.

    Examples
    --------
    >>> from recipe import demo_pool, score_pool
    >>> from recipe.compare.proxy import Prepared
    >>> ready = Prepared.of(score_pool(demo_pool(images=20), score=[]))
    >>> proxy(ready, ready.rows, ready.rows, d=16)["bits"] < 8
    True
    """
    try:
        import torch  # noqa: PLC0415  takes seconds to load, and need not be there
    except ImportError as error:
        raise MissingExtra("proxy.transformer needs torch: pip install torch") from error
    learned, judged = ready.places(picked), ready.places(held)
    pairs, limit = within_budget(ready, learned, tokens=tokens, seed=seed)
    asked = ready.pairs(judged)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(draw("weights", seed=seed, label="proxy.transformer") >> 1)
            model = Transformer(torch, layers, d)
            model.train(pieces_of(ready, pairs, limit)[0], generator(seed, "proxy.transformer"))
        bits = model.bits(*pieces_of(ready, asked, len(ready.text) + 1), len(asked))
    finally:
        torch.set_num_threads(threads)
    sizes = ready.ends[2 * asked + 2] - ready.ends[2 * asked + 1] + 1
    return {"bits": mean_over_tasks(bits, sizes, ready.tasks[asked])}
