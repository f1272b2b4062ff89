"""Learners that evaluate a mix: each against a naive one, and the laws that all of them keep."""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
from builders import make_pool
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from recipe import demo_pool, score_pool
from recipe.compare.judge import learner
from recipe.compare.proxy import Prepared, draw_held_out
from recipe.compare.proxy import _kernels as kernels
from recipe.compare.proxy._budget import within_budget
from recipe.compare.proxy._figures import mean_over_tasks, token_f1
from recipe.compare.proxy.classifier import balanced_accuracy
from recipe.compare.proxy.language import discounts_of
from recipe.compare.proxy.retrieval import nearest_pairs
from recipe.engine import running
from recipe.errors import AlignmentError, ConfigError, SupplyError

LEARNERS = ("classifier", "language", "retrieval")
BETTER = {"kind": 1, "task": 1, "f1": 1, "bits": -1}  # whether more is better


def evaluate(name, ready, picked, held, **knobs):
    """Train and evaluate a learner, by its name."""
    return learner(name)(ready, picked, held, **knobs)


@pytest.fixture(scope="module")
def ready():
    """A prepared demo pool."""
    return Prepared.of(score_pool(demo_pool(images=60, seed=1), score=[]))


@pytest.fixture(scope="module")
def halves(ready):
    """Two halves of its rows, at random."""
    rows = np.random.default_rng(0).permutation(ready.rows)
    return np.sort(rows[::2]), np.sort(rows[1::2])


def prepared(*qas, **columns):
    """Prepare a pool whose samples are lists of (question, answer)."""
    turns = [[pair for q, a in sample for pair in (("human", q), ("gpt", a))] for sample in qas]
    n = len(turns)
    return Prepared.of(make_pool(turns, **{"task": ["t"] * n, "answer": ["a"] * n} | columns))


# every learner


@pytest.mark.parametrize("name", LEARNERS)
def test_contract(name, ready, halves):
    """A learner returns finite metrics with known directions, the same on a second call."""
    figures = evaluate(name, ready, *halves)
    assert set(figures) <= set(BETTER)
    assert all(type(value) is float and math.isfinite(value) for value in figures.values())
    assert figures == evaluate(name, ready, *halves)


@pytest.mark.parametrize("name", LEARNERS)
def test_order_and_threads(name, ready, halves):
    """Neither the order of the picks, nor that of the held-out rows, nor the number of threads changes a metric."""
    figures = evaluate(name, ready, *halves)
    with running("serial"):
        assert figures == evaluate(name, ready, halves[0][::-1], halves[1][::-1])
    with running("auto", workers=3):
        assert figures == evaluate(name, ready, *halves)


@pytest.mark.parametrize("name", LEARNERS)
def test_knowing_the_answers_helps(name, ready, halves):
    """A mix that also contains the held-out samples scores better in every metric."""
    picked, held = halves
    without, knowing = (evaluate(name, ready, rows, held) for rows in (picked, ready.rows))
    for figure, direction in BETTER.items():
        if figure in without:
            assert direction * knowing[figure] > direction * without[figure]


@pytest.mark.parametrize("name", LEARNERS)
def test_no_rows_are_refused(name, ready):
    """A learner refuses an empty mix, no rows to evaluate on, and rows that were not prepared, which it names."""
    some, none = ready.rows[:5], ready.rows[:0]
    for picked, held in ((none, some), (some, none)):
        with pytest.raises(ConfigError, match="got none"):
            evaluate(name, ready, picked, held)
    few = Prepared.of(ready.pool, ready.rows[:5])
    with pytest.raises(AlignmentError, match=f"got 1 others, as {ready.rows[5]}"):
        evaluate(name, few, ready.rows[:6], some)


def test_prepared_for_some(ready, halves):
    """A pool prepared for the rows that are used gives the metrics of the whole, except for document frequencies."""
    few = Prepared.of(ready.pool, np.concatenate([halves[1][:200], halves[0][:300]]))
    for name in ("classifier", "language"):
        whole = evaluate(name, ready, halves[0][:300], halves[1][:200])
        assert evaluate(name, few, halves[0][:300], halves[1][:200]) == whole


# the held-out rows


@given(st.lists(st.sampled_from("aabc"), min_size=1, max_size=60), st.integers(1, 9), st.integers(1, 5))
def test_held_out_rows_are_balanced(tasks, per_task, fewest):
    """Each task with enough samples gives the same number, or all it has, and the others none."""
    pool = make_pool(["x"] * len(tasks), task=tasks)
    counts = Counter(tasks)
    if max(counts.values()) < fewest:
        with pytest.raises(SupplyError, match=f"got at most {max(counts.values())}"):
            draw_held_out(pool, np.arange(len(tasks)), per_task=per_task, fewest=fewest)
        return
    held = draw_held_out(pool, np.arange(len(tasks)), per_task=per_task, fewest=fewest)
    assert (np.diff(held) > 0).all()
    expected = {task: min(per_task, count) for task, count in counts.items() if count >= fewest}
    assert Counter(tasks[row] for row in held) == expected


def test_held_out_rows_depend_on_keys():
    """The rows drawn are the same for a larger held-out part of other tasks, and others with another seed."""
    tasks = ["a"] * 50 + ["b"] * 50
    pool = make_pool(["x"] * 100, task=tasks, problem=["empty", *[None] * 99])
    alone = draw_held_out(pool, np.arange(50), per_task=10)
    assert set(alone) == set(draw_held_out(pool, np.arange(100)[::-1], per_task=10)[:10])
    assert set(alone) != set(draw_held_out(pool, np.arange(50), per_task=10, seed=1))
    assert 0 not in draw_held_out(pool, np.arange(50), per_task=50)


def test_held_out_knobs():
    """Counts below 1 are refused."""
    pool = make_pool(["x"], task=["a"])
    for knobs in ({"per_task": 0}, {"fewest": 0}):
        with pytest.raises(ConfigError, match="counts from 1"):
            draw_held_out(pool, np.arange(1), **knobs)


# the classifier


def test_balanced_accuracy_by_hand():
    """A class that is never predicted counts as 0, and one that is not held out does not count."""
    assert balanced_accuracy(np.array([0, 0, 1, 1, 5, 5, 5, 5]), np.array([0, 0, 1, 9, 0, 0, 1, 1])) == 0.5
    assert balanced_accuracy(np.array([3]), np.array([3])) == 1


def test_missing_class_costs(ready, halves):
    """A mix of one task, whichever, predicts that task and no other."""
    picked, held = halves
    tasks = ready.pool.rows["task"].to_numpy()
    for task in set(tasks[picked]):
        figures = evaluate("classifier", ready, picked[tasks[picked] == task], held)
        assert figures["task"] == pytest.approx((task in tasks[held]) / len(set(tasks[held])))
        own = picked[tasks[picked] == task]
        assert evaluate("classifier", ready, own, own)["task"] == 1


def test_the_classifier_is_one_minimum(ready, halves):
    """The metrics are those of a converged fit in another order of the samples, within a hundredth."""
    from sklearn.linear_model import LogisticRegression

    picked, held = (ready.places(rows) for rows in halves)
    vectors, figures = ready.pool.vectors[ready.rows], evaluate("classifier", ready, *halves)
    for figure, column in {"kind": "answer", "task": "task"}.items():
        codes = ready.classes[column]
        peer = LogisticRegression(C=10, tol=1e-8, max_iter=5_000).fit(vectors[picked[::-1]], codes[picked[::-1]])
        assert figures[figure] == pytest.approx(balanced_accuracy(codes[held], peer.predict(vectors[held])), abs=0.01)


def test_the_classifier_is_the_same_on_any_number_of_threads(ready, halves):
    """One thread or several, of BLAS and of the engine, give the same weights to the last bit."""
    from sklearn.linear_model import LogisticRegression

    found = []
    fit = LogisticRegression.fit

    def watched(self, *given):
        fit(self, *given)
        found.append((self.coef_.shape, self.coef_.tobytes()))
        return self

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LogisticRegression, "fit", watched)
        for threads in (1, 2, 3):
            with threadpool_limits(limits=threads), running("auto", threads):
                evaluate("classifier", ready, *halves)
    assert len(found) == 6
    assert len(set(found)) == 2


@pytest.mark.parametrize("knobs", [{"c": 0.0}, {"c": -1.0}])
def test_classifier_knobs(knobs, ready):
    """Knobs out of their range are refused."""
    with pytest.raises(ConfigError, match=r"proxy\.classifier"):
        evaluate("classifier", ready, ready.rows, ready.rows, **knobs)


def test_no_vectors():
    """A pool that was not embedded is refused with what to do."""
    ready = prepared([("q", "a")])
    with pytest.raises(ConfigError, match="embed it"):
        evaluate("classifier", ready, ready.rows, ready.rows)


# retrieval


@pytest.mark.parametrize(
    ("predicted", "true", "f1"),
    [
        ("The cat!", "cat", 1.0),
        ("a cat and a dog", "cat", 0.5),  # cat, and, dog against cat: P = 1/3, R = 1
        ("red red", "red blue", 0.5),  # a word counts as often as both have it
        ("yes", "no", 0.0),
        ("", "", 1.0),
        ("the", "", 1.0),
        ("", "dog", 0.0),
    ],
)
def test_token_f1_by_hand(predicted, true, f1):
    """Common words count; articles, case and punctuation do not."""
    assert token_f1(predicted, true) == pytest.approx(f1)
    assert token_f1(true, predicted) == pytest.approx(f1)


def test_mean_over_tasks_by_hand():
    """A task of one sample weighs as much as a task of three."""
    assert mean_over_tasks(np.array([1.0, 0, 2, 8]), np.array([1, 1, 1, 2]), np.array([4, 4, 4, 9])) == 2.5


def test_nearest_is_naive(ready, halves):
    """The pair found is the first of those with the largest cosine, computed with all of them."""
    numbers, vectors = ready.questions
    pairs, queries = ready.pairs(ready.places(halves[0])), ready.firsts[ready.places(halves[1])]
    cosine = (vectors[numbers[queries]].astype(np.float64) @ vectors[numbers[pairs]].astype(np.float64).T).toarray()
    found = nearest_pairs(ready, pairs, queries)
    place = np.searchsorted(pairs, found)
    best = cosine.max(axis=1)
    np.testing.assert_allclose(cosine[np.arange(len(queries)), place], best, atol=1e-6)
    same = numbers[pairs][None, :] == numbers[found][:, None]
    np.testing.assert_array_equal(place, same.argmax(axis=1))


def test_ties_go_to_the_first():
    """Of equal questions, and where no word is shared, the first pair is taken."""
    ready = prepared([("What now?", "one")], [("Who?", "two"), ("What now?", "three")], [("Zzz", "four")])
    assert nearest_pairs(ready, np.array([1, 2]), np.array([0, 3])).tolist() == [2, 1]
    assert nearest_pairs(ready, np.array([0, 1, 2]), np.array([2, 3])).tolist() == [0, 0]


def test_retrieval_by_hand():
    """The metric is the mean over tasks of the F1 of the nearest question's answer."""
    samples = [[("What colour?", "red")], [("How many dogs?", "two dogs")], [("What colour is it?", "red")]]
    ready = prepared(*samples, [("How many cats?", "two cats")], [("What colour, please?", "blue")], task=[*"ababa"])
    assert evaluate("retrieval", ready, np.array([0, 1]), np.array([2, 3, 4]))["f1"] == pytest.approx(0.5)


# the language model


def naive_bits(train, held):
    """Bits of (question, answer) texts under interpolated Kneser-Ney with dictionaries, as in a textbook."""

    def contexts(question, past):
        """Contexts of 0 to 6 bytes, then with the last line, the first two words and the whole of the question."""
        past = (b"\xfe" * 6 + past)[-6:]
        line = question.rsplit("\n", 1)[1] if "\n" in question else ""
        hints = (line, question.replace("\n", " ").split(" ")[:2], question)
        chain = [past[len(past) - n :] for n in range(7)]
        return chain + [(past, str(hints[: n + 1])) for n in range(3)]

    def positions(question, answer):
        """Each byte of an answer and its end, with its contexts."""
        coded = answer.encode()
        for at, byte in enumerate(coded + b"\xff"):
            yield contexts(question, coded[:at]), byte

    raw = Counter((chain[9], byte) for sample in train for chain, byte in positions(*sample))
    parents = {chain[n]: chain[n - 1] for sample in train for chain, _ in positions(*sample) for n in range(1, 10)}
    counts = [Counter() for _ in range(9)] + [raw]
    for n in range(8, -1, -1):  # below the longest, an n-gram counts the longer contexts that it occurs in
        counts[n] = Counter((parents[context], byte) for context, byte in counts[n + 1])
    discount, seen, kinds = [], defaultdict(int), defaultdict(int)
    for n, table in enumerate(counts):
        once, twice = (sum(count == times for count in table.values()) for times in (1, 2))
        discount.append(min(max(once / max(once + 2 * twice, 1), 0.1), 0.95))
        for (context, _), count in table.items():
            seen[n, context] += count
            kinds[n, context] += 1

    def probability(chain, byte):
        """Probability of a byte."""
        p = 1 / 256
        for n, context in enumerate(chain):
            if (n, context) in seen:
                kept = max(counts[n][context, byte] - discount[n], 0)
                p = (kept + discount[n] * kinds[n, context] * p) / seen[n, context]
        return p

    return [-sum(math.log2(probability(*position)) for position in positions(*sample)) for sample in held]


lines = st.text("ab \n?é", max_size=8)
samples = st.lists(st.tuples(lines.map(str.strip), lines), min_size=1, max_size=12)


@settings(max_examples=60)
@given(samples, samples)
def test_language_is_naive(train, held):
    """Bits are those of a model of dictionaries that is written as in a textbook."""
    ready = prepared(*[[sample] for sample in [*train, *held]])
    pairs = np.arange(len(train))
    table, rare = kernels.count_answers(ready.text, ready.ends, ready.hints, pairs, len(ready.text) + 1)
    queries = np.arange(len(train), len(train) + len(held))
    bits = kernels.bits_of(ready.text, ready.ends, ready.hints, queries, table, discounts_of(rare))
    np.testing.assert_allclose(bits, naive_bits(train, held), rtol=1e-9)


@settings(max_examples=60)
@given(samples, st.text("ab ?é", max_size=9), st.integers(0, 11))
def test_probabilities_sum_to_one(train, past, pair):
    """After any text, seen or not, the probabilities of the 256 bytes are above 0 and sum to 1."""
    ready = prepared(*[[sample] for sample in train])
    table, rare = kernels.count_answers(ready.text, ready.ends, ready.hints, np.arange(len(train)), len(ready.text) + 1)
    hint = ready.hints[pair] if pair < len(train) else np.array([1, 2, 3], np.uint64)
    seen = (bytes([int(kernels.START)]) * kernels.BYTES + past.encode())[-kernels.BYTES :]
    keys = np.zeros(kernels.LEVELS, np.uint64)
    kernels._contexts(np.uint64(int.from_bytes(seen, "big")), hint, keys)
    found = np.array([kernels.probability_of(table, discounts_of(rare), keys, np.uint8(byte)) for byte in range(256)])
    assert (found > 0).all()
    assert found.sum() == pytest.approx(1, abs=1e-12)


def test_table_grows(ready, halves):
    """A table that grew contains every n-gram once: the bits are those of the naive model."""
    pairs = ready.pairs(ready.places(halves[0]))[:400]
    queries = ready.pairs(ready.places(halves[1]))[:20]
    table, rare = kernels.count_answers(ready.text, ready.ends, ready.hints, pairs, len(ready.text) + 1)
    assert len(table) > 1 << 16
    keys = table[:, 0][table[:, 0] > 0]
    assert len(np.unique(keys)) == len(keys)
    bits = kernels.bits_of(ready.text, ready.ends, ready.hints, queries, table, discounts_of(rare))
    qas = ready.qas.select("question", "answer")
    np.testing.assert_allclose(bits, naive_bits(qas[pairs].rows(), qas[queries].rows()), rtol=1e-9)


def test_nothing_learned_is_eight_bits():
    """With a budget that ends in the first question nothing is learned: a byte costs eight bits."""
    ready = prepared([("what is this thing here", "a")])
    assert evaluate("language", ready, ready.rows, ready.rows, tokens=1) == {"bits": 8.0}


# the budget


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.integers(1, 60), st.integers(0, 3))
def test_budget_is_spent(sizes, tokens, seed):
    """Whole samples are read until the budget is spent; of the last one the same share of its bytes."""
    ready = prepared(*[[("", "x" * 10 * size)] for size in sizes], n_tokens=sizes)
    pairs, limit = within_budget(ready, ready.rows, tokens=tokens, seed=seed)
    lengths = np.diff(ready.ends)[1::2][pairs]
    assert len(np.unique(pairs)) == len(pairs)
    if limit <= len(ready.text):
        lengths[-1] = limit - ready.ends[2 * pairs[-1] + 1]
    assert lengths.sum() == 10 * min(tokens, sum(sizes))


def test_budget_is_drawn(ready):
    """Another seed reads other samples, and a larger budget continues where a smaller one ended."""
    places = np.arange(len(ready.rows))
    few, more = (within_budget(ready, places, tokens=tokens, seed=0)[0] for tokens in (500, 1_000))
    np.testing.assert_array_equal(few, more[: len(few)])
    assert set(few) != set(within_budget(ready, places, tokens=500, seed=1)[0])


def test_budget_knob(ready):
    """A budget below 1 is refused."""
    with pytest.raises(ConfigError, match="tokens=0"):
        evaluate("language", ready, ready.rows, ready.rows, tokens=0)


def test_nothing_after_the_cut_is_read():
    """Text after the end of the budget, in the same answer or in later ones, changes no metric."""
    read = [("", "aaaa"), ("", "bbbb")]
    others = [[("", "aazz"), ("", "bbbb")], [("", "aaaa"), ("", "zzzz")]]
    figures = [
        evaluate("language", prepared(sample, [("", "aaz")], n_tokens=[8, 1]), np.array([0]), np.array([1]), tokens=2)
        for sample in (read, *others)
    ]
    assert figures[0] == figures[1] == figures[2]
    assert (
        evaluate("language", prepared(read, [("", "aaz")], n_tokens=[8, 1]), np.array([0]), np.array([1])) != figures[0]
    )


def test_hints_by_hand():
    """The hints of a question are its last line if it has several, its first two words, and all of it."""
    queries = [
        "Is it red?\nShort.",
        "Is it blue?\nShort.",
        "Is it red? Short.",
        "Is he red?\nLong.",
        "Is it red? Short.",
    ]
    line, words, whole = prepared(*[[(q, "a")] for q in queries]).hints.T
    assert line[0] == line[1] != line[3] != line[2] == line[4]
    assert words[0] == words[1] == words[2] == words[4] != words[3]
    assert len(set(whole)) == 4
    assert whole[2] == whole[4]
