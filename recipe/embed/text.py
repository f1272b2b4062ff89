"""Any sentence-transformers model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from recipe.errors import ConfigError, MissingExtra

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.pool import Pool


def embed(
    pool: Pool,
    *,
    model: str = "sentence-transformers/all-MiniLM-L6-v2",
    batch_size: int = 64,
    device: str | None = None,
    seed: int = 0,  # noqa: ARG001  every embedder takes a seed; a trained model needs none
) -> NDArray[np.float32]:
    """Embed every sample by the text of all its turns with a sentence-transformers model.

    Texts are sorted by length before they are batched, so that short ones are not padded to long ones.

    Parameters
    ----------
    pool
        n samples.
    model
        Name of a model, or a local folder that holds one. Nothing is downloaded for a local folder.
    batch_size
        Texts a batch, from 1.
    device
        ``"cpu"``, ``"cuda"``, ...; the best one there is by default.
    seed
        Unused.

    Returns
    -------
    ndarray
        (n, d) float32 unit rows.

    Raises
    ------
    MissingExtra
        If sentence-transformers is not installed.
    ConfigError
        If the model cannot be loaded.
    """
    try:
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415  takes 7 s to load
    except ImportError as error:
        raise MissingExtra("embed.text needs sentence-transformers: pip install 'recipe[text]'") from error
    try:
        encoder = SentenceTransformer(model, device=device)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ConfigError(
            f"embed.text: cannot load model={model!r}: {reason}; name a local folder or a known model"
        ) from error
    vectors = encoder.encode(
        pool.texts.to_list(),
        batch_size=batch_size,
        normalize_embeddings=True,
        convert_to_numpy=True,
        show_progress_bar=None,
    )
    return np.ascontiguousarray(vectors, dtype=np.float32)
