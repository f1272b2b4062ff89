"""Any sentence-transformers model."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from recipe.data.vectors import unit_rows
from recipe.errors import ConfigError, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl
    from numpy.typing import NDArray

    from recipe.config.ranges import From1, Integer, Text
    from recipe.data.pool import Pool

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
Backend = Literal["torch", "onnx", "openvino"]


def fit(pool: Pool, **knobs: Any) -> dict[str, NDArray[np.float32]]:  # noqa: ARG001  a trained model needs no fit
    """Learn nothing from the pool, but fail before workers start if the model cannot be loaded.

    Returns
    -------
    dict
        Empty.

    Raises
    ------
    MissingExtra
        If sentence-transformers, or what the backend needs, is not installed.
    ConfigError
        If the model cannot be loaded, or there is no such backend.
    """
    load(knobs.get("model", MINILM), knobs.get("device"), knobs.get("backend", "torch"))
    return {}


def encode(
    shard: Pool,
    learned: Mapping[str, NDArray[np.float32]],  # noqa: ARG001  every embedder is given what `fit` learned
    *,
    model: Text = MINILM,
    batch_size: From1 = 64,
    device: Text | None = None,
    backend: Backend = "torch",
    seed: Integer = 0,  # noqa: ARG001  every embedder takes a seed; a trained model needs none
) -> NDArray[np.float32]:
    """Embed the samples of a shard by their texts.

    Parameters
    ----------
    shard
        m samples.
    learned
        Unused.
    model, batch_size, device, backend, seed
        As for `embed`.

    Returns
    -------
    ndarray
        (m, d) float32 unit rows. A vector may differ by some 1e-6 depending on the other texts of its batch.
    """
    return encode_texts(shard.texts, model=model, batch_size=batch_size, device=device, backend=backend)


def encode_texts(
    texts: pl.Series,
    *,
    model: str = MINILM,
    batch_size: int = 64,
    device: str | None = None,
    backend: Backend = "torch",
) -> NDArray[np.float32]:
    """Embed m texts, (m, d) float32 unit rows; the model is loaded once in each process."""
    vectors = load(model, device, backend).encode(
        texts.to_list(),
        batch_size=batch_size,
        normalize_embeddings=True,
        convert_to_numpy=True,
        show_progress_bar=None,
    )
    return unit_rows(np.array(vectors, dtype=np.float32))


def embed(
    pool: Pool,
    *,
    model: Text = MINILM,
    batch_size: From1 = 64,
    device: Text | None = None,
    backend: Backend = "torch",
    seed: Integer = 0,
) -> NDArray[np.float32]:
    """Embed every sample by the text of all its turns with a sentence-transformers model.

    Texts are sorted by length before they are batched, so that short ones are not padded to long ones.

    Parameters
    ----------
    pool
        n samples.
    model
        Name of a model, or a local folder with one. Nothing is downloaded for a local folder.
    batch_size
        Texts per batch, from 1.
    device
        ``"cpu"``, ``"cuda"``, ...; the best available one by default.
    backend
        What runs the model: ``"torch"``; ``"onnx"``, which needs ``sentence-transformers[onnx]``; ``"openvino"``,
        which needs ``sentence-transformers[openvino]``. A folder with a model that was exported and quantised for a
        backend is used as it is; benchmarks/EMBEDDERS.md says which ones are worth the effort.
    seed
        Any integer; unused.

    Returns
    -------
    ndarray
        (n, d) float32 unit rows.

    Raises
    ------
    MissingExtra
        If sentence-transformers, or what the backend needs, is not installed.
    ConfigError
        If the model cannot be loaded, or there is no such backend.
    """
    load(model, device, backend)
    return encode(pool, {}, model=model, batch_size=batch_size, device=device, backend=backend, seed=seed)


@lru_cache(maxsize=1)
def load(model: str, device: str | None = None, backend: Backend = "torch") -> Any:
    """Load a model, once in each process."""
    if backend not in get_args(Backend):
        raise ConfigError(f"embed.text: expected one of {', '.join(get_args(Backend))}, got backend={backend!r}")
    try:
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415  takes 7 s to load
    except ImportError as error:
        raise MissingExtra.of("text", "embed.text needs sentence-transformers") from error
    try:
        return SentenceTransformer(model, device=device, backend=backend)
    except ImportError as error:
        extra = f"sentence-transformers[{backend}]"
        raise MissingExtra.elsewhere(extra, f"embed.text with backend={backend!r} needs {extra}") from error
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(
            f"embed.text: cannot load model={model!r}: {reason}; name a local folder or a known model"
        ) from error
