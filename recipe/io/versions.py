"""The version of `recipe`, and those of the libraries that the bytes of a mix depend on."""

from __future__ import annotations

from importlib.metadata import version

__version__ = "0.2.0"  # defined only here: pyproject.toml and `recipe.__version__` read it
DECIDING = ("faiss-cpu", "numba", "numpy", "polars", "rensa", "scikit-learn", "scipy")


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
