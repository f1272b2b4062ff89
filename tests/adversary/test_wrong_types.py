"""An argument of another type is one line that names it, and never an error of a library below."""

import numpy as np
import pytest

from recipe import check_mix, demo_pool, open_mix, rebuild_mix, select_mix
from recipe.check import fix_mix
from recipe.check.drift.baseline import check_baseline
from recipe.demo import write_demo
from recipe.errors import RecipeError

ODD = [None, 3, 0, b"x", "", "a\0b", ["x"], {}, object(), np.zeros((3, 2))]


@pytest.fixture(scope="module")
def pool():
    return demo_pool(images=4)


@pytest.fixture(scope="module")
def mix(pool):
    return select_mix(pool, size=20)


def is_refused(call, *words):
    """Expect one line that has these words."""
    with pytest.raises(RecipeError) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: type(odd).__name__)
def test_what_is_no_path_is_refused_by_its_name(odd, mix, tmp_path):
    """Every argument that names a file or a folder says so, where it is no path at all."""
    doors = {
        "path": [open_mix, mix.report, check_mix, lambda path: rebuild_mix(tmp_path / "m.manifest.json", path)],
        "manifest": [rebuild_mix],
        "baseline": [lambda path: check_baseline(mix, path)],
        "folder": [lambda path: write_demo(path, images=2)],
        "out": [lambda path: fix_mix(tmp_path / "m.json", path)],
    }
    select_mix(write_demo(tmp_path, images=2), size=5).write(tmp_path / "m.json")
    for name, calls in doors.items():
        for call in calls[: 3 if odd is None else None]:  # rebuild_mix has a path of its own
            is_refused(lambda call=call: call(odd), f"expected a path, got {name}=", "name a file")
    if odd is not None:  # the path of the recipe
        is_refused(lambda: mix.write(odd), "expected a path, got path=")


@pytest.mark.parametrize("odd", [*ODD, "tasks "], ids=lambda odd: type(odd).__name__)
def test_what_is_no_name_is_refused(odd, mix):
    """The name of a chart is one of the charts', the key of a sample is of one sample."""
    is_refused(lambda: mix.plot(odd), "expected the name of a chart, got")
    is_refused(lambda: mix.why(odd), "expected the key of a sample")
    is_refused(lambda: mix.show(odd), "expected the key of a sample")


@pytest.mark.parametrize("odd", ["x", None, 2.5, [3], "3"], ids=lambda odd: type(odd).__name__)
def test_what_is_no_count_is_refused(odd, mix, tmp_path):
    """Counts and seeds are integers."""
    is_refused(lambda: demo_pool(images=odd), "images=")
    is_refused(lambda: demo_pool(images=2, seed=odd), "seed=")
    is_refused(lambda: mix.report(tmp_path / "report.html", rows=odd), "rows=")
    assert len(demo_pool(images=np.int64(2))) == len(demo_pool(images=2))


@pytest.mark.parametrize("odd", [[[1.0]], None, 3, "x", {}], ids=lambda odd: type(odd).__name__)
def test_what_is_no_matrix_is_refused(odd, pool):
    """Vectors are an array of NumPy; a list, as most models give it, is refused with the way to make one."""
    is_refused(lambda: pool.with_vectors(odd, order="pool"), "expected vectors as a NumPy array", "np.asarray")


@pytest.mark.parametrize("odd", [3, 2.5, object(), [object()]], ids=["int", "float", "object", "objects"])
def test_what_is_no_list_of_names_is_refused(odd, pool):
    """Keys and ids are texts, one for each vector."""
    vectors = np.ones((1, 4), np.float32)
    for name in ("keys", "ids"):
        is_refused(lambda name=name: pool.with_vectors(vectors, **{name: odd}), "expected texts as", name)
