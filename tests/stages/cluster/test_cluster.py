"""Clusters: blobs are found, odd pools are survived, and threads and runs change nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import faiss
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe import engine
from recipe.data.means import nearest_mean
from recipe.data.vectors import unit, unit_rows
from recipe.errors import ConfigError
from recipe.stages.cluster import _closure, kmeans
from recipe.stages.cluster.kmeans import cluster, default_k

DRAW_AND_CLUSTER = """
import numpy as np
from recipe.stages.cluster.kmeans import cluster
from recipe.data.vectors import unit_rows
points = unit_rows(np.random.default_rng(5).standard_normal((3000, 32)).astype(np.float32))
print(cluster(points, k=24).tolist())
"""


def blobs(sizes, d=16, seed=0):
    """Unit points around far apart centres, shuffled, with the number of their blob."""
    rng = np.random.default_rng(seed)
    blob = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    points = np.eye(d, dtype=np.float32)[blob] + 0.05 * rng.standard_normal((len(blob), d)).astype(np.float32)
    return unit_rows(points), blob


def partition(labels):
    """The sets of rows with the same label."""
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


@pytest.mark.parametrize("sizes", [[50, 50], [100, 30, 70], [60, 60, 60, 60]])
def test_blobs_are_found(sizes):
    """Far apart blobs, equal or not, become the clusters, whatever their numbers."""
    points, blob = blobs(sizes)
    labels = cluster(points, k=len(sizes))
    assert labels.dtype == np.int32
    assert partition(labels) == partition(blob)


def test_blobs_are_not_torn_apart_by_a_large_one():
    """With half the pool in one blob and clusters to spare, no cluster holds points of two blobs."""
    points, blob = blobs([500, 60, 60, 60, 60, 60, 60, 60, 60])
    labels = cluster(points, k=16)
    assert all(len(set(blob[labels == label])) == 1 for label in np.unique(labels))


@pytest.mark.parametrize("k", [1, 2, 7, 40, 200])
def test_labels_are_numbers_below_k(k):
    """Every label is in 0..k-1, even if k is larger than the pool."""
    points, _ = blobs([20, 20])
    labels = cluster(points, k=k)
    assert labels.shape == (40,)
    assert labels.min() >= 0
    assert labels.max() < min(k, 40)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_tiny_pools(n):
    """A pool of hardly any points is one cluster by default."""
    assert cluster(np.ones((n, 1), np.float32)).tolist() == [0] * n


def test_identical_points_share_a_cluster():
    """Equal points get the same label, for any number of clusters."""
    points = np.zeros((100, 8), np.float32)
    points[:, 3] = 1
    assert len(set(cluster(points, k=5).tolist())) == 1


def test_every_point_is_with_its_nearest_centre():
    """After many rounds no point is markedly nearer to the mean of another cluster than to that of its own."""
    points, _ = blobs([80, 80, 80, 80])
    labels = cluster(points, k=4, iterations=50)
    means = unit_rows(np.stack([points[labels == label].mean(axis=0) for label in range(4)]))
    assert ((points @ means.T).argmax(axis=1) == labels).all()


def test_second_run_is_the_same():
    """The same points and seed give the same labels."""
    points, _ = blobs([300, 300, 300], seed=2)
    assert (cluster(points, k=12, seed=4) == cluster(points, k=12, seed=4)).all()


def test_seed_decides_where_the_data_does_not():
    """Where nothing is clustered, other seeds find other clusters."""
    points = unit_rows(np.random.default_rng(0).standard_normal((400, 16)).astype(np.float32))
    assert len({frozenset(partition(cluster(points, k=10, seed=seed))) for seed in range(3)}) == 3


def test_threads_change_nothing():
    """One OpenMP thread and two give the same labels."""
    runs = [
        subprocess.run(
            [sys.executable, "-c", DRAW_AND_CLUSTER],
            env=os.environ | {"OMP_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert len(set(runs[0].strip("[]\n").split(", "))) > 12


def test_thread_count_is_given_back():
    """After clustering faiss has the number of threads that was set before."""
    before = faiss.omp_get_max_threads()
    try:
        faiss.omp_set_num_threads(3)
        cluster(blobs([30, 30])[0], k=2)
        assert faiss.omp_get_max_threads() == 3
    finally:
        faiss.omp_set_num_threads(before)


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 30))
def test_the_nearest_mean_is_the_first_of_the_largest_products(seed, n, k):
    """As numpy finds it, of equal means the first, for few points and for many."""
    rng = np.random.default_rng(seed)
    means = unit(rng.standard_normal((k, 5)))[rng.integers(0, k, 2 * k)]
    points = np.concatenate([means, unit(rng.standard_normal((n, 5)))])
    assert (nearest_mean(points, means) == np.argmax(points @ means.T, axis=1)).all()


@pytest.fixture
def few_at_once(monkeypatch):
    """Two levels from nine clusters on, and small blocks."""
    monkeypatch.setattr(kmeans, "FLAT", 8)
    monkeypatch.setattr(kmeans, "BLOCK", 100)
    monkeypatch.setattr(_closure, "BLOCK", 70)
    monkeypatch.setattr(_closure, "NEAR", 6)


@pytest.mark.usefixtures("few_at_once")
def test_two_levels_lose_little(monkeypatch):
    """Sought in two levels, clusters are all used, and as tight as those sought at once, but for two percent."""
    points = unit_rows(np.random.default_rng(3).standard_normal((2000, 6)).astype(np.float32))

    def tightness(labels):
        return sum(np.linalg.norm(points[labels == label].sum(axis=0)) for label in np.unique(labels)) / len(points)

    parted = cluster(points, k=40)
    assert len(np.unique(parted)) == 40
    monkeypatch.setattr(kmeans, "FLAT", 256)
    assert tightness(parted) > 0.98 * tightness(cluster(points, k=40))


@pytest.mark.usefixtures("few_at_once")
def test_two_levels_find_blobs():
    """No cluster holds points of two far apart blobs, with twice as many clusters as blobs."""
    points, blob = blobs([60] * 12)
    labels = cluster(points, k=24)
    assert labels.dtype == np.int32
    assert labels.max() < 24
    assert all(len(set(blob[labels == label])) == 1 for label in np.unique(labels))


@pytest.mark.usefixtures("few_at_once")
def test_two_levels_of_copies():
    """Copies of one point share a cluster, even if they are most of the pool and there are many clusters."""
    points, _ = blobs([300, 40])
    points[:250] = points[0]
    assert len(set(cluster(points, k=60)[:250].tolist())) == 1


@pytest.mark.usefixtures("few_at_once")
@pytest.mark.parametrize("k", [5, 24])
def test_where_vectors_lie_changes_nothing(k, tmp_path):
    """Half precision in a file, half precision in memory, and the same values in single precision: one result."""
    half = blobs([200, 200, 200], seed=1)[0].astype(np.float16)
    np.save(tmp_path / "vectors.npy", half)
    stored = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    labels = cluster(half.astype(np.float32), k=k).tolist()
    assert labels == cluster(half, k=k).tolist() == cluster(stored, k=k).tolist()


@pytest.mark.usefixtures("few_at_once")
def test_workers_change_nothing_in_two_levels():
    """One thread and three give the same labels."""
    points, _ = blobs([200, 200, 200], seed=1)
    runs = []
    for workers in (1, 3):
        with engine.running(workers=workers):
            runs.append(cluster(points, k=30).tolist())
    assert runs[0] == runs[1]


@given(st.lists(st.integers(1, 50), min_size=1, max_size=10), st.data())
def test_shares_of_clusters(sizes, data):
    """Parts get at least one cluster each, no more than points, and all clusters together."""
    k = data.draw(st.integers(len(sizes), sum(sizes)))
    shares = kmeans._shares(sizes, k)
    assert sum(shares) == k
    assert all(1 <= share <= size for share, size in zip(shares, sizes, strict=True))


@pytest.mark.parametrize("k", [0, -3])
def test_no_clusters_are_refused(k):
    """A number of clusters below one is an error that says what came."""
    with pytest.raises(ConfigError, match=f"^cluster.kmeans: .*k={k}"):
        cluster(blobs([30, 30])[0], k=k)


@pytest.mark.parametrize(("n", "k"), [(0, 1), (39, 1), (40, 2), (160, 8), (8_000, 8), (157_000, 157)])
def test_default_number_of_clusters(n, k):
    """One cluster a thousand samples, at least 8, but never fewer than 20 samples a cluster."""
    assert default_k(n) == k
