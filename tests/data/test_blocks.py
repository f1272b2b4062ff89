"""Laws of cutting a pool into blocks of neighbours."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from strategies import unit_rows

from recipe.data.blocks import centres_of, cut_blocks, near_blocks


@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 120),
    clusters=st.integers(1, 30),
    most=st.integers(1, 60),
    same=st.booleans(),
)
def test_every_row_stands_in_one_block(seed, n, clusters, most, same):
    """Blocks are ascending, not empty, no larger than asked for, and hold each row once, even of equal vectors."""
    vectors, cluster = unit_rows(seed, n, 4, clusters=clusters)
    blocks = cut_blocks(np.ones_like(vectors) / 2 if same else vectors, cluster, most=most)
    assert sorted(np.concatenate(blocks).tolist()) == list(range(n))
    for rows in blocks:
        assert 1 <= len(rows) <= most
        assert (np.diff(rows) > 0).all()


def test_one_huge_cluster_is_cut():
    """A cluster of 1,000 with blocks of at most 100 is cut into no more than 20 parts."""
    vectors, cluster = unit_rows(0, 1000, 8)
    blocks = cut_blocks(vectors, cluster, most=100)
    assert 10 <= len(blocks) <= 20


def test_many_tiny_clusters_are_grouped():
    """Clusters of about three are joined into blocks of at least a third of the limit on average, each one whole."""
    vectors, cluster = unit_rows(1, 1500, 8, clusters=500)
    blocks = cut_blocks(vectors, cluster, most=100)
    assert len(vectors) / len(blocks) >= 100 / 3
    block = np.zeros(len(vectors), np.int64)
    for number, rows in enumerate(blocks):
        block[rows] = number
    assert all(len(set(block[cluster == c].tolist())) == 1 for c in np.unique(cluster))


def test_half_of_the_pool_in_one_cluster():
    """A cluster of half the pool beside 100 small ones leaves blocks of at least a third of the limit on average."""
    vectors, cluster = unit_rows(2, 1000, 8, clusters=100)
    cluster[:500] = 100
    vectors[:500] = unit_rows(3, 500, 8)[0]
    assert len(vectors) / len(cut_blocks(vectors, cluster, most=100)) >= 100 / 3


def test_blocks_hold_neighbours():
    """Two samples of one block are more alike than two samples of the pool."""
    vectors, cluster = unit_rows(4, 1000, 8, clusters=100)
    blocks = cut_blocks(vectors, cluster, most=100)
    inside = np.mean([(vectors[rows] @ vectors[rows].T).mean() for rows in blocks])
    assert inside > (vectors @ vectors.T).mean() + 0.2


@given(
    seed=st.integers(0, 10**6),
    weights=st.lists(st.integers(0, 9), min_size=1, max_size=12),
    reach=st.integers(1, 60),
)
def test_near_blocks_reach_far_enough_and_no_farther(seed, weights, reach):
    """A block sees itself and the nearest others: enough weight, or all there is, and none that could be left out."""
    weights = np.array(weights)
    centres, _ = unit_rows(seed, len(weights), 3)
    for b, near in enumerate(near_blocks(centres, weights, reach=reach)):
        assert b in near
        assert (np.diff(near) > 0).all()
        assert weights[near].sum() >= min(reach, weights.sum())
        far = np.setdiff1d(np.arange(len(weights)), near)
        likeness = centres @ centres[b]
        others = near[near != b]
        if len(others):
            last = others[np.argmin(likeness[others])]
            assert weights[near].sum() - weights[last] < reach
            assert likeness[far].max(initial=-2) <= likeness[last] + 1e-6


def test_a_block_always_sees_itself():
    """Of two blocks with no direction at all (opposite vectors cancel), each is still the nearest to itself."""
    near = near_blocks(np.zeros((2, 3), np.float32), np.array([5, 5]), reach=5)
    assert [blocks.tolist() for blocks in near] == [[0], [1]]


def test_centres_are_unit_means():
    """The centre of (1, 0) and (0, 1) is their middle at length 1, rounded; opposite ones have none: zeros."""
    vectors = np.array([[1, 0], [0, 1], [0, -1]], np.float32)
    centres = centres_of(vectors, [np.array([0, 1]), np.array([1, 2])])
    assert (centres[0] * 2**11).tolist() == [round(0.5**0.5 * 2**11)] * 2
    assert centres[1].tolist() == [0, 0]


def test_blocks_of_some_rows_of_a_mapped_matrix(tmp_path):
    """Blocks of every second row of a file of float16 are those of the same rows in memory, by their places."""
    vectors, cluster = unit_rows(6, 900, 8, clusters=5)
    np.save(tmp_path / "vectors.npy", vectors.astype(np.float16))
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    rows = np.arange(0, 900, 2)
    there = cut_blocks(mapped, cluster[rows], most=60, rows=rows)
    here = cut_blocks(np.asarray(mapped[rows], np.float32), cluster[rows], most=60)
    assert [block.tolist() for block in there] == [block.tolist() for block in here]
    assert sorted(np.concatenate(there).tolist()) == list(range(450))
