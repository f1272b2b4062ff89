"""Every random choice, drawn from one seed and a name, never from global state."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


def draw(key: str, *, seed: int, label: str) -> int:
    """Return a uniform 64-bit integer that belongs to a key.

    The draw depends on nothing but its arguments, so a sample keeps its luck whatever stands beside it in the pool.

    Parameters
    ----------
    key
        The sample's key.
    seed
        Any integer.
    label
        What is drawn; two labels give independent draws.

    Returns
    -------
    int
        Uniform on 0..2**64-1.

    Examples
    --------
    >>> draw("a", seed=0, label="suffix") == draw("a", seed=0, label="suffix")
    True
    >>> draw("a", seed=0, label="suffix") == draw("a", seed=1, label="suffix")
    False
    """
    digest = blake2b(key.encode(), digest_size=8, key=f"{label}:{seed}".encode()[:64])
    return int.from_bytes(digest.digest(), "little")


def draws(keys: Iterable[str], *, seed: int, label: str) -> NDArray[np.uint64]:
    """Return `draw` of each key as one array; O(n).

    Parameters
    ----------
    keys
        n keys.
    seed, label
        As for `draw`.

    Returns
    -------
    ndarray
        (n,) uint64.
    """
    return np.fromiter((draw(key, seed=seed, label=label) for key in keys), dtype=np.uint64)


def generator(seed: int, label: str) -> np.random.Generator:
    """Return a named child generator of the recipe's one seed.

    Parameters
    ----------
    seed
        Any integer.
    label
        Who asks; two labels give independent streams.

    Returns
    -------
    numpy.random.Generator
        A PCG64 stream.

    Examples
    --------
    >>> generator(0, "embed").integers(10) == generator(0, "embed").integers(10)
    np.True_
    """
    return np.random.Generator(np.random.PCG64(draw(label, seed=seed, label="generator")))
