"""Duplicates: exact ones by key, near ones by their sets of words, never without a keeper."""

from __future__ import annotations

import numpy as np
import pytest
from builders import make_pool
from hypothesis import given, settings
from hypothesis import strategies as st

from recipe.config.recipe import Recipe
from recipe.errors import ConfigError
from recipe.stages import dedup
from recipe.stages.dedup import exact, near

LETTERS = "abcdefghij"
SAMPLES = st.lists(
    st.tuples(st.lists(st.sampled_from(LETTERS), max_size=9), st.sampled_from(["1.jpg", "2.jpg", None])), max_size=14
)
VOCABULARY = [f"{first}{second}" for first in "bcdfgklmnprst" for second in ("ara", "ilo", "une", "omi", "ek")]


def jaccard(one, two):
    """Similarity of the word sets of two texts."""
    a, b = set(one.split()), set(two.split())
    return len(a & b) / len(a | b) if a | b else 1.0


def check_law(texts, images, keeper, threshold):
    """Every dropped sample has an earlier keeper of its image whose similarity reaches the threshold."""
    for row, kept in enumerate(keeper):
        assert keeper[kept] == kept <= row
        if kept != row:
            assert images[kept] == images[row]
            assert jaccard(texts[kept], texts[row]) >= threshold


# exact


def test_exact_worked_by_hand():
    """The first sample of a key without a problem is the keeper of all others with that key; others are unchanged."""
    pool = make_pool(
        ["one", "one", "two", "one", "bad", "bad", "bad", "worse"],
        key=["a", "a", "b", "a", "c", "c", "c", "d"],
        problem=[None, None, None, "L06", "L06", None, None, "L06"],
    )
    keeper = exact.dedup(pool)
    assert keeper.tolist() == [0, 0, 2, 3, 4, 5, 5, 7]
    assert keeper.dtype == np.int64


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=12), st.booleans())
def test_exact_is_a_loop_over_the_rows(samples, ordered):
    """Whether rows are in key order or not, the first eligible row of a key is the keeper of its eligible rows."""
    samples = sorted(samples) if ordered else samples
    keys, bad = [key for key, _ in samples], [broken for _, broken in samples]
    pool = make_pool(["word"] * len(samples), key=keys, problem=["L06" if broken else None for broken in bad])
    first = {key: row for row, key in reversed(list(enumerate(keys))) if not bad[row]}
    assert exact.dedup(pool).tolist() == [row if bad[row] else first[key] for row, key in enumerate(keys)]


# near

CROWDS = st.sampled_from([1, 1000])  # signatures, and pair by pair


@settings(max_examples=80, deadline=None)
@given(SAMPLES, st.sampled_from([0.3, 0.5, 0.8, 0.9, 1.0]), st.integers(0, 4), st.booleans(), CROWDS)
def test_near_drops_only_for_a_similar_keeper(samples, threshold, min_words, across, crowd):
    """By brute force: keepers keep themselves, stand earlier, share the image and reach the threshold; no two that are
    kept have the same set of words.
    """
    texts = [" ".join(words) for words, _ in samples]
    images = ["" if across else image for _, image in samples]
    pool = make_pool(texts, image=[image for _, image in samples])
    keeper = near.dedup(pool, threshold=threshold, min_words=min_words, across_images=across, crowd=crowd)
    check_law(texts, images, keeper, threshold)
    sets = [(image, frozenset(text.split())) for text, image in zip(texts, images, strict=True)]
    kept = [sets[row] for row in range(len(sets)) if keeper[row] == row and len(sets[row][1]) >= min_words]
    assert len(set(kept)) == len(kept)
    assert all(keeper[row] == row for row in range(len(sets)) if len(sets[row][1]) < min_words)


@settings(max_examples=80, deadline=None)
@given(SAMPLES, st.sampled_from([0.3, 0.5, 0.8, 0.9, 1.0]), st.integers(0, 4))
def test_every_pair_of_a_small_group_is_compared(samples, threshold, min_words):
    """Each sample goes to the first earlier keeper of its image that is similar enough, as a naive walk finds it."""
    texts, images = [" ".join(words) for words, _ in samples], [image for _, image in samples]
    expected = []
    for row, text in enumerate(texts):
        similar = [
            other
            for other in range(row)
            if expected[other] == other
            and images[other] == images[row]
            and min(len(set(texts[other].split())), len(set(text.split()))) >= min_words
            and (jaccard(texts[other], text) if texts[other] or text else 1) >= threshold
        ]
        expected.append(min(similar, default=row))
    pool = make_pool(texts, image=images)
    assert near.dedup(pool, threshold=threshold, min_words=min_words).tolist() == expected


@pytest.mark.parametrize("threshold", [0.5, 0.9])
@pytest.mark.parametrize("crowd", [1, 1000])
def test_equal_sets_are_found_in_a_crowd(threshold, crowd):
    """Amid many samples that are almost as similar, no two with the same set of words are both kept."""
    rng = np.random.default_rng(3)
    for _ in range(25):
        flips = rng.random((80, 12)) < np.array([0.75] * 8 + [0.25] * 4)
        texts = [" ".join(f"w{word}" for word in np.flatnonzero(flip)) for flip in flips]
        keeper = near.dedup(make_pool(texts), threshold=threshold, min_words=1, crowd=crowd)
        check_law(texts, [None] * 80, keeper, threshold)
        kept = [texts[row] for row in range(80) if keeper[row] == row and texts[row]]
        assert len(set(kept)) == len(kept)


def planted(n, changed, seed):
    """Texts of 20 different words, and for each a near duplicate with some other words; shuffled, with their pairs."""
    rng = np.random.default_rng(seed)
    texts = []
    for _ in range(n):
        words = rng.permutation(VOCABULARY)
        texts += [" ".join(words[:20]), " ".join(rng.permutation([*words[changed:20], *words[20 : 20 + changed]]))]
    order = rng.permutation(2 * n)
    places = np.argsort(order)
    return [texts[i] for i in order], [tuple(sorted(places[2 * i : 2 * i + 2])) for i in range(n)]


def test_planted_near_duplicates_are_found():
    """Of pairs that differ in one word of twenty, 19 of 20 are found at least, though a fifth could be by accident."""
    texts, pairs = planted(400, 1, 0)
    keeper = near.dedup(make_pool(texts), threshold=0.9, crowd=1)
    assert sum(keeper[late] == early for early, late in pairs) >= 0.95 * len(pairs)
    assert (keeper != np.arange(800)).sum() <= 400


@pytest.mark.parametrize("threshold", [0.5, 0.6, 0.75, 0.9])
def test_pairs_at_the_threshold_are_found(threshold):
    """Of pairs just at the threshold, 19 of 20 are found, as the bands promise."""
    found = []
    for seed in range(3):
        changed = int(20 * (1 - threshold) / (1 + threshold))
        texts, pairs = planted(100, changed, seed)
        assert all(jaccard(texts[early], texts[late]) >= threshold for early, late in pairs)
        images = [""] * len(texts)
        for number, pair in enumerate(pairs):
            for row in pair:
                images[row] = f"{number}.jpg"
        keeper = near.dedup(make_pool(texts, image=images), threshold=threshold, crowd=1)
        found += [keeper[late] == early for early, late in pairs]
    assert np.mean(found) >= 0.95


@pytest.mark.parametrize("threshold", [0.7, 0.9])
def test_datasketch_agrees(threshold):
    """Another MinHash index, its candidates checked exactly, drops the same samples, but for a few that one missed."""
    from datasketch import MinHash, MinHashLSH

    texts = planted(80, 1, 1)[0] + planted(80, 3, 2)[0]
    index = MinHashLSH(threshold=threshold, num_perm=128, weights=(0.02, 0.98))  # it shall miss few
    expected = []
    for row, text in enumerate(texts):
        sketch = MinHash(num_perm=128)
        sketch.update_batch([word.encode() for word in text.split()])
        similar = [other for other in index.query(sketch) if jaccard(texts[other], text) >= threshold]
        expected.append(min(similar, default=row))
        if not similar:
            index.insert(row, sketch)
    keeper = near.dedup(make_pool(texts), threshold=threshold, crowd=1)
    assert (np.array(expected) != np.arange(len(texts))).sum() >= 70
    assert (keeper == expected).mean() >= 0.95


def test_smallest_key_is_kept():
    """Of several equal samples the first is the keeper of all, even of those that only the next one resembles."""
    words = [f"word{i}" for i in range(10)]
    chain = [" ".join(words[i : i + 9]) for i in range(2)]  # 8 of 10 shared
    texts = [chain[0], chain[0].upper(), chain[1], f"{chain[0]}.", chain[1]]
    assert near.dedup(make_pool(texts), threshold=0.8).tolist() == [0] * 5
    assert near.dedup(make_pool(texts), threshold=0.81).tolist() == [0, 0, 2, 0, 2]


def test_none_is_dropped_for_one_that_was_dropped():
    """In a chain where each is similar only to the next, the third is kept, since the second was dropped."""
    words = [f"w{i}" for i in range(12)]
    texts = [" ".join(words[i : i + 10]) for i in range(3)]  # neighbours share 9 of 11, the ends 8 of 12
    assert near.dedup(make_pool(texts), threshold=0.8).tolist() == [0, 0, 2]


def test_other_images_are_left_alone():
    """The same words about another image are no duplicate, unless images do not matter; text-only samples are of one
    kind.
    """
    texts = ["what color is the cat black"] * 6
    pool = make_pool(texts, image=["1.jpg", "2.jpg", None, "1.jpg", None, "3.jpg"])
    assert near.dedup(pool).tolist() == [0, 1, 2, 0, 2, 5]
    assert near.dedup(pool, across_images=True).tolist() == [0] * 6


def test_short_samples_are_left_alone():
    """Samples with fewer different words than `min_words` are never dropped."""
    pool = make_pool(["yes it is", "yes it is", "it is a cat", "it is a cat", "yes yes yes yes", "yes yes yes yes"])
    assert near.dedup(pool).tolist() == [0, 1, 2, 2, 4, 5]
    assert near.dedup(pool, min_words=1).tolist() == [0, 0, 2, 2, 4, 4]


def test_samples_with_a_problem_are_left_alone():
    """A sample that may not be selected is neither a keeper nor dropped."""
    pool = make_pool(["the cat is black here"] * 4, problem=["L06", None, "W05", None])
    assert near.dedup(pool).tolist() == [0, 1, 2, 1]


def test_second_run_is_the_same():
    """The same pool and seed give the same keepers, and any seed obeys the law."""
    texts, _ = planted(100, 2, 3)
    pool = make_pool(texts)
    for seed in range(3):
        keeper = near.dedup(pool, threshold=0.7, seed=seed)
        assert (keeper == near.dedup(pool, threshold=0.7, seed=seed)).all()
        check_law(texts, [None] * len(texts), keeper, 0.7)


@pytest.mark.parametrize("n", [0, 1])
def test_tiny_pools(n):
    """A pool without two samples has no duplicates."""
    pool = make_pool(["the cat is black here"] * n)
    assert near.dedup(pool).tolist() == exact.dedup(pool).tolist() == list(range(n))


@pytest.mark.parametrize("threshold", [0, -0.5, 1.01, float("nan")])
def test_bad_threshold_is_refused(threshold):
    """A threshold out of its range is an error that says what came."""
    with pytest.raises(ConfigError, match=f"^dedup.near: .*threshold={threshold}"):
        near.dedup(make_pool(["one"]), threshold=threshold)


@pytest.mark.parametrize("threshold", [0.05, 0.3, 0.55, 0.7, 0.88, 0.95, 1.0])
def test_bands_are_as_wide_as_the_promise_allows(threshold):
    """With so many hashes a band a pair at the threshold is found 19 times of 20, with twice as many it is not."""

    def found(width):
        return 1 - (1 - threshold**width) ** (near.HASHES // width)

    width = near.rows_a_band(threshold)
    assert found(width) >= near.FOUND or width == 1
    assert width == near.HASHES or found(2 * width) < near.FOUND


# the stage


@settings(max_examples=50, deadline=None)
@given(SAMPLES.filter(bool), st.booleans())
def test_the_stage_refuses_what_its_rules_find(samples, across):
    """Image by image or across all images, just those are refused that near.py finds, each with its keeper's key."""
    texts, images = [" ".join(words) for words, _ in samples], [image for _, image in samples]
    pool = make_pool(texts, image=images)
    refused = dedup.apply(pool, Recipe(dedup={"near": 0.5, "across_images": across})).rows["problem"].to_list()
    keeper = near.dedup(pool, threshold=0.5, across_images=across)
    keys = pool.rows["key"].to_list()
    assert refused == [None if kept == row else f"dup:{keys[kept]}" for row, kept in enumerate(keeper.tolist())]
