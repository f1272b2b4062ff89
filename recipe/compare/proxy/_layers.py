"""A small transformer of bytes: how it is trained, and what it makes of a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from recipe.compare.proxy._pieces import WIDEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.compare.proxy._pieces import Piece

BATCH = 4  # pieces a step: with so little text many small steps learn more than a few large ones
RATE = 2e-3  # of Adam at its highest, from which it falls in a line to 0


class Transformer:
    """Layers of attention over bytes.

    Parameters
    ----------
    torch
        The package, which is imported only where it is asked for.
    layers, d
        Size of the transformer, each from 1; d is a multiple of 4, the number of heads.
    """

    def __init__(self, torch: Any, layers: int, d: int) -> None:
        layer = torch.nn.TransformerEncoderLayer(
            d, 4, 4 * d, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.torch = torch
        self.net = torch.nn.ModuleDict(
            {
                "byte": torch.nn.Embedding(256, d),
                "place": torch.nn.Embedding(WIDEST, d),
                "layers": torch.nn.TransformerEncoder(layer, layers, enable_nested_tensor=False),
                "out": torch.nn.Linear(d, 256),
            }
        )

    def cost(self, pieces: list[Piece]) -> Any:
        """Return the nats of each piece's answer, (pieces,)."""
        torch = self.torch
        width = max(len(said) for said, _ in pieces)
        said = np.zeros((len(pieces), width), np.int64)
        judged = np.zeros((len(pieces), width), np.float32)
        for i, (piece, begin) in enumerate(pieces):
            said[i, : len(piece)] = piece
            judged[i, begin : len(piece)] = 1
        known, mask = torch.from_numpy(said), torch.nn.Transformer.generate_square_subsequent_mask(width - 1)
        seen = self.net["byte"](known[:, :-1]) + self.net["place"].weight[: width - 1]
        told = self.net["out"](self.net["layers"](seen, mask=mask, is_causal=True))
        nats = torch.nn.functional.cross_entropy(told.transpose(1, 2), known[:, 1:], reduction="none")
        return (nats * torch.from_numpy(judged)[:, 1:]).sum(dim=1)

    def train(self, pieces: list[Piece], rng: np.random.Generator) -> None:
        """Read all pieces once, some of about one length at a time."""
        order = np.argsort([len(said) for said, _ in pieces], kind="stable")
        batches = [order[at : at + BATCH] for at in range(0, len(order), BATCH)]
        optimiser = self.torch.optim.Adam(self.net.parameters(), lr=RATE)
        for step, b in enumerate(rng.permutation(len(batches))):
            chosen = [pieces[i] for i in batches[b]]
            optimiser.param_groups[0]["lr"] = RATE * min((step + 1) / 20, 1 - step / len(batches))
            optimiser.zero_grad()
            (self.cost(chosen).sum() / sum(len(said) - begin for said, begin in chosen)).backward()
            optimiser.step()

    def bits(self, pieces: list[Piece], pairs: NDArray[np.int64], count: int) -> NDArray[np.float64]:
        """Return the bits of each of so many answers, whose pieces these are."""
        order = np.argsort([len(said) for said, _ in pieces], kind="stable")
        nats = np.zeros(len(pieces))
        with self.torch.no_grad():
            for at in range(0, len(order), BATCH):
                some = order[at : at + BATCH]
                nats[some] = self.cost([pieces[i] for i in some]).numpy()
        return np.asarray(np.bincount(pairs, weights=nats, minlength=count) / np.log(2))
