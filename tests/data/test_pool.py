"""The pool: what does not fit is refused, problems are kept, and pairs and texts agree with the turns."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from builders import make_pool
from hypothesis import given
from hypothesis import strategies as st

from recipe.data.pool import SCHEMA, UNKNOWN, Pool
from recipe.errors import AlignmentError

TEXTS = st.text("ab <image>\n", max_size=12)
TALKS = st.lists(st.tuples(st.sampled_from(["human", "gpt"]), TEXTS), max_size=6)


def three():
    """A pool of three samples."""
    return make_pool(["one", "two", "three"])


def test_missing_columns_are_named():
    """A table that lacks columns of a pool is refused, and each of them is named."""
    with pytest.raises(AlignmentError, match=r"missing: turns, problem$"):
        Pool(three().rows.drop("turns", "problem"))


def test_every_column_is_demanded():
    """A table without any single column of the schema is no pool, but for those that stand for what is not known."""
    for name in UNKNOWN:
        assert Pool(three().rows.drop(name)).rows[name].null_count() == 3
    for name in sorted(SCHEMA.keys() - set(UNKNOWN)):
        with pytest.raises(AlignmentError, match=f"missing: {name}$"):
            Pool(three().rows.drop(name))


def test_labels_of_another_length_are_refused():
    """Labels for four samples do not fit a pool of three, and the error says both numbers and the columns."""
    with pytest.raises(AlignmentError, match="expected 3 rows for task, answer, got 4"):
        three().with_labels(pl.DataFrame({"task": ["a"] * 4, "answer": ["b"] * 4}))


def test_labels_replace_columns_of_their_name():
    """Attaching a column twice keeps the second, and leaves the first pool as it was."""
    first = three().with_labels(pl.DataFrame({"task": ["a", "b", "c"]}))
    second = first.with_labels(pl.DataFrame({"task": ["x", "y", "z"]}))
    assert second.rows["task"].to_list() == ["x", "y", "z"]
    assert first.rows["task"].to_list() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros(2, np.float32), r"shape \(3,\) and dtype float32, got novelty: shape=\(2,\), dtype=float32"),
        (np.zeros((3, 1), np.float32), r"shape \(3,\) and dtype float32, got novelty: shape=\(3, 1\), dtype=float32"),
        (np.zeros(3), r"shape \(3,\) and dtype float32, got novelty: shape=\(3,\), dtype=float64"),
        (np.array([np.nan, 0, np.inf], np.float32), "expected finite scores, got 2 others in novelty"),
    ],
)
def test_scores_that_do_not_fit_are_refused(values, message):
    """A score of another shape or dtype, or with NaN or infinity, is refused with its name and numbers."""
    with pytest.raises(AlignmentError, match=message):
        three().with_scores({"novelty": values})


def test_scores_become_columns():
    """Each score is a column of its name, as it was given."""
    rows = three().with_scores({"a": np.array([1, 2, 3], np.float32), "b": np.zeros(3, np.float32)}).rows
    assert rows["a"].to_list() == [1, 2, 3]
    assert rows["b"].dtype == pl.Float32


def test_no_scores_change_nothing():
    """A recipe may ask for no score at all."""
    assert three().with_scores({}).rows.equals(three().rows)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.ones((2, 4), np.float32), r"shape \(3, d\) and dtype float32 or float16, got shape=\(2, 4\)"),
        (np.ones((3, 4)), r"shape \(3, d\) and dtype float32 or float16, got shape=\(3, 4\), dtype=float64"),
        (np.ones(3, np.float32), r"shape \(3, d\) and dtype float32 or float16, got shape=\(3,\), dtype=float32"),
        (np.array([[1, np.nan], [np.inf, 1], [1, 1]], np.float32), "finite vectors, got 2 rows with NaN or infinity"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(vectors, message):
    """An embedding of another shape or dtype, or with NaN or infinity, is refused with its numbers."""
    with pytest.raises(AlignmentError, match=message):
        three().with_vectors(vectors)


def test_refuse_keeps_earlier_problems():
    """A row that had a problem keeps it, a sound row gets the new one, and a row without either stays eligible."""
    pool = make_pool(["one", "two", "three"], problem=["L06", None, None])
    refused = pool.refuse(pl.Series(["W05", "W05", None]))
    assert refused.rows["problem"].to_list() == ["L06", "W05", None]
    assert refused.eligible.tolist() == [False, False, True]
    assert pool.eligible.tolist() == [False, True, True]


def test_refuse_nothing():
    """A check that finds nothing anywhere, whose column polars cannot type, changes nothing."""
    pool = make_pool(["one", "two"], problem=["L06", None])
    assert pool.refuse(pl.Series([None, None])).rows["problem"].to_list() == ["L06", None]


def test_qas_worked_by_hand():
    """Questions are paired with their answers, a turn without a partner with null, and `<image>` is removed."""
    pool = make_pool(
        [
            [("human", "<image>\nA cat?"), ("gpt", "Yes."), ("human", "A dog?")],
            [],
            [("gpt", "Hello.")],
            [("human", "Why?\n<image>"), ("gpt", "So."), ("human", "When?"), ("gpt", " Now.")],
        ]
    )
    assert pool.qas.rows() == [
        (0, 0, "A cat?", "Yes."),
        (0, 1, "A dog?", None),
        (2, 0, None, "Hello."),
        (3, 0, "Why?", "So."),
        (3, 1, "When?", " Now."),
    ]
    assert pool.qas.schema == {"row": pl.UInt32, "pair": pl.UInt32, "question": pl.String, "answer": pl.String}


@given(st.lists(TALKS, max_size=4))
def test_qas_pairs_the_ith_question_with_the_ith_answer(talks):
    """Pairs are those of zipping each row's human turns with its gpt turns, in the order of rows."""
    expected = []
    for row, talk in enumerate(talks):
        questions = [value.replace("<image>", "").strip() for speaker, value in talk if speaker == "human"]
        answers = [value for speaker, value in talk if speaker == "gpt"]
        for pair in range(max(len(questions), len(answers))):
            question = questions[pair] if pair < len(questions) else None
            expected.append((row, pair, question, answers[pair] if pair < len(answers) else None))
    assert make_pool(talks).qas.rows() == expected


@given(st.lists(TALKS, max_size=4))
def test_texts_hold_all_turns(talks):
    """A text is its turns, one a line, without `<image>` and without space around it; none is null."""
    expected = ["\n".join(value for _, value in talk).replace("<image>", "").strip() for talk in talks]
    assert make_pool(talks).texts.to_list() == expected
