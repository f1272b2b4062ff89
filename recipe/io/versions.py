"""The version of `recipe`, and those of the libraries that the bytes of a mix depend on."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path

__version__ = "0.2.0"  # defined only here: pyproject.toml and `recipe.__version__` read it
DECIDING = ("faiss-cpu", "numba", "numpy", "polars", "rensa", "scikit-learn", "scipy")


@cache
def source_hash() -> str:
    """Return a hash of the files of this package, so that a cache serves nothing that another code has made.

    Examples
    --------
    >>> len(source_hash())
    32
    """
    root, digest = Path(__file__).parents[1], blake2b(digest_size=16)
    for path in sorted(one for one in root.rglob("*") if one.suffix in {".py", ".yaml"}):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()} {len(content)} ".encode() + content)
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """Return the versions that the bytes of artefacts and mixes depend on, as caches and manifests record them.

    Returns
    -------
    dict
        ``recipe``, the version of this code whether or not it is installed, and the distributions of `DECIDING`.

    Examples
    --------
    >>> versions()["recipe"] == __version__
    True
    """
    return {"recipe": __version__, **{name: version(name) for name in DECIDING}}
