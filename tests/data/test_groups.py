"""Rows cut into groups by a label."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recipe.data.groups import grouped, grouped_by_number

LABELS = st.lists(st.integers(0, 5), max_size=30)


@given(LABELS)
def test_groups_are_those_of_a_dictionary(labels):
    """Rows of a label are together in the order given, labels in rising order, none empty."""
    rows = np.arange(len(labels))[::-1] + 7
    expected = {}
    for row, label in sorted(zip(rows.tolist(), labels, strict=True), key=lambda pair: pair[1]):
        expected.setdefault(label, []).append(row)
    assert [group.tolist() for group in grouped(rows, np.array(labels, np.int32))] == list(expected.values())
    numbered = grouped_by_number(rows, np.array(labels, np.int32), 7)
    assert [group.tolist() for group in numbered] == [expected.get(label, []) for label in range(7)]
