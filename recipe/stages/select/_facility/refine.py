"""Swap rounds: replace picks by samples of the same cell that raise the objective, for a given number of rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from recipe.data.groups import grouped_by_number
from recipe.data.vectors import rows_of
from recipe.stages.select._facility.tasks import UNLIMITED, look, per_block
from recipe.stages.select._kernels.lazy_greedy import quantise
from recipe.stages.select._kernels.swap import swap_once

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from recipe.data.vectors import Vectors
    from recipe.stages.select._facility.ground import Ground
    from recipe.stages.select._facility.terms import Terms


class Territory(NamedTuple):
    """All points whose nearest pick is in one block: their rows, which of them are picks, their terms and limits."""

    rows: NDArray[np.int64]
    picks: NDArray[np.int64]
    terms: Terms
    seen: NDArray[np.int64]
    room: NDArray[np.int64]


def refine(ground: Ground, picks: NDArray[np.int64], rounds: int, reach: int) -> NDArray[np.int64]:
    """Improve picks by rounds of swaps as in FasterPAM; the objective never falls.

    Every point is served by its nearest pick. The picks of a block and all points that they serve are a territory; each
    non-pick of it, in the order of places, is tried as a replacement of each pick of the same cell, and the best swap
    is made at once if it raises the objective of the territory. Territories are disjoint, so their gains add up, except
    in the concave term of concepts, which is evaluated with the counts before the round; a round that lowers the total
    objective is undone and ends the refinement. O(rounds n d (reach + block)).

    Parameters
    ----------
    ground
        The ground set.
    picks
        Places of the picks.
    rounds
        Maximum number of rounds.
    reach
        Picks that a point is compared with to find the nearest.

    Returns
    -------
    ndarray
        (k,) places, ascending; of each cell as many as before.

    References
    ----------
    Schubert and Rousseeuw 2021, Fast and eager k-medoids clustering (FasterPAM).
    """
    service = _serve(ground, np.sort(picks), reach)
    for _ in range(rounds):
        better = _swap_all(ground, service)
        found = _serve(ground, better.picks, reach)
        nearer = better.quanta > found.quanta  # the nearest pick may be beyond reach, and known only from the territory
        owner = np.where(nearer, better.owner, found.owner)
        found = Service(found.picks, owner, np.maximum(found.quanta, better.quanta))
        if _objective(ground.terms, found) <= _objective(ground.terms, service):
            break
        service = found
    return service.picks


class Service(NamedTuple):
    """(k,) picks, ascending; and for every place the number of its nearest pick, and their similarity."""

    picks: NDArray[np.int64]
    owner: NDArray[np.int32]
    quanta: NDArray[np.int16]


def _serve(ground: Ground, picks: NDArray[np.int64], reach: int) -> Service:
    """Find the nearest pick of every point."""
    views = ground.views(picks, reach, 1)
    owner = np.empty(len(ground.rows), np.int32)
    quanta = np.empty(len(ground.rows), np.int16)
    looks = per_block(look, ground.vectors, views, label="select: nearest")
    for places, (number, similarity) in zip(ground.cells, looks, strict=True):
        owner[places], quanta[places] = number[:, 0], similarity[:, 0]
    return Service(picks, owner, quanta)


def _objective(terms: Terms, service: Service) -> int:
    """Return the objective in quanta, with each increment of a concept's count rounded as in greedy."""
    seen = _seen(terms, service.picks)
    steps = np.arange(seen.max(initial=0), dtype=np.float64)
    root = np.sqrt(steps + 1) + np.sqrt(steps)
    worth = sum(int((terms.worth[u] / root[:count]).astype(np.int64).sum()) for u, count in enumerate(seen.tolist()))
    return int(service.quanta.sum(dtype=np.int64)) + int(terms.bonus[service.picks].sum()) + worth


def _seen(terms: Terms, picks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the picks of each concept."""
    return np.bincount(terms.take(picks).concepts, minlength=len(terms.worth)).astype(np.int64)


def _swap_all(ground: Ground, service: Service) -> Service:
    """Swap once in every territory."""
    places, territories = _territories(ground, service)
    swapped = per_block(swap, ground.vectors, territories, label="select: swaps")
    chosen = [where[taken] for where, (taken, _, _) in zip(places, swapped, strict=True)]
    picks = np.concatenate(chosen)
    first = np.cumsum([0, *(len(taken) for taken in chosen)])
    order = np.argsort(picks)
    number = np.empty(len(picks), np.int32)
    number[order] = np.arange(len(picks))
    owner, quanta = service.owner.copy(), service.quanta.copy()
    for at, (where, (_, nearest, best)) in enumerate(zip(places, swapped, strict=True)):
        owner[where], quanta[where] = number[first[at] + nearest], best
    return Service(picks[order], owner, quanta)


def _territories(ground: Ground, service: Service) -> tuple[list[NDArray[np.int64]], list[Territory]]:
    """List the places of each territory, and the territories.

    A pick is in its own territory even if an equal one serves it. New samples of an image may come into only one
    territory: that of the block of the image's first sample.
    """
    picks, home, image = service.picks, ground.home, ground.terms.image
    serves = home[picks][service.owner]
    serves[picks] = home[picks]
    served = grouped_by_number(np.arange(len(serves)), serves, len(ground.blocks))
    picked = np.bincount(image[picks], minlength=int(image.max()) + 1)
    keeper = np.empty(len(picked), np.int64)
    keeper[image[::-1]] = home[::-1]
    seen = _seen(ground.terms, picks)
    places, territories = [], []
    for b, (where, own) in enumerate(zip(served, ground.by_block(picks), strict=True)):
        if len(own) == 0:
            continue
        images, local = np.unique(image[where], return_inverse=True)
        room = np.full(len(images), UNLIMITED // 2)
        if ground.per_image is not None:
            room = np.where(keeper[images] == b, ground.per_image - picked[images], 0)
        terms = ground.terms.take(where).with_image(local.astype(np.int32))
        places.append(where)
        territories.append(Territory(ground.rows[where], np.searchsorted(where, own), terms, seen, room))
    return places, territories


def swap(vectors: Vectors, territory: Territory) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int16]]:
    """Swap once in one territory; return the new picks, the number of each place's nearest pick, and its quanta."""
    points = rows_of(vectors, territory.rows)
    terms = territory.terms
    concepts = (terms.concept_start, terms.concepts, terms.worth, territory.seen.copy())
    limits = (terms.cell, terms.image, territory.room.copy())
    picks = territory.picks.copy()
    nearest, best = swap_once(quantise(points @ points.T), picks, terms.bonus, *concepts, *limits)
    return picks, nearest, best
