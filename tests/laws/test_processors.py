"""The third law on other processors, which here are other instruction sets of the libraries."""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import recipe
from recipe.data.vectors import rows_of, unit

PACKAGE = Path(recipe.__file__).parent
NUMPY = "X86_V3 X86_V4 AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL"  # of any version
PROCESSORS = [
    {"OPENBLAS_CORETYPE": "Nehalem", "NPY_DISABLE_CPU_FEATURES": NUMPY},
    {"OPENBLAS_CORETYPE": "Haswell", "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-FMA"},
]
MIXES = """
import hashlib, pathlib, tempfile
import numpy as np
from recipe import demo_pool, score_pool, select_mix
from recipe.stages.cluster.kmeans import cluster

def tell(name, *parts):
    print(name, hashlib.sha256(b"".join(parts)).hexdigest())

pool = score_pool(demo_pool(images=30), size=100, score=["novelty", "density", "distance"])
for name in ("cluster", "novelty", "density", "distance"):
    tell(name, pool.rows[name].to_numpy().tobytes())
tell("many clusters", cluster(pool.vectors, k=260).tobytes())
for select in ("facility", "mmr", "dpp", "graph_cut", "kcenter", "herding", "mixture"):
    picks = select_mix(pool, size=100, select=select).picks
    tell(select, picks.rows.tobytes(), *(np.asarray(gain).tobytes() for gain in picks.gains.values()))
for rule in ("coincide", "dbp", "hierarchical"):
    tell(rule, select_mix(pool, size=100, select="random", balance={"margins": {"cluster": rule}}).picks.rows.tobytes())
mix = select_mix(demo_pool(images=30), size=100, dedup={"semantic": 0.9})
with tempfile.TemporaryDirectory() as folder:
    mix.write(pathlib.Path(folder, "mix.json"))
    for file in sorted(pathlib.Path(folder).iterdir()):
        tell(file.name, file.read_bytes())
"""


def told(processor):
    """Return what is told of the mixes on a processor."""
    command = [sys.executable, "-W", "ignore", "-c", MIXES]
    done = subprocess.run(command, env=os.environ | processor, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_other_processors_give_the_same_bytes():
    """Whatever instructions BLAS, numpy and libm may use, clusters, scores, picks and files have the same bytes."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(MIXES, {})  # in this process
    here = printed.getvalue().splitlines()
    assert len(here) > 15
    for processor in PROCESSORS:
        assert told(processor) == here, processor


def test_no_compiled_kernel_may_reorder_its_sums():
    """Of fast math a kernel is allowed only what cannot change a number: to know that none is NaN."""
    kernels = [file.read_text("utf-8") for file in PACKAGE.rglob("*.py")]
    allowed = {found for text in kernels for found in re.findall(r"@compiled\(.*?fastmath=(.*?)\)", text)}
    assert allowed == {'{"nnan"}'}


@given(st.integers(0, 2**32), st.integers(1, 600), st.sampled_from([np.float16, np.float32]))
def test_products_of_unit_rows_have_no_rounding(seed, d, precision):
    """In single precision, in any order, a product of rounded rows or means is that of whole numbers."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((3, d))
    rows[1] = rows[0] + 0.01 * rows[1]
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(precision)
    for points in (rows_of(rows, slice(None)), unit(rows)):
        whole = np.rint(points.astype(np.float64) * 2**11).astype(np.int64)
        assert (whole == points * np.float64(2**11)).all()
        assert np.abs(points - rows).max() <= 2.0**-12 + 2.0**-11 * np.abs(rows).max()
        order = rng.permutation(d)
        for dot in (points @ points.T, points[:, order] @ points[:, order].T, np.cumsum(points * points[0], axis=1)):
            assert (np.rint(dot.astype(np.float64) * 2**22) == dot * np.float64(2**22)).all()
        assert (points @ points.T * np.float64(2**22) == whole @ whole.T).all()


@pytest.mark.parametrize("value", [0.0, -1.0, 3e38, -3e38, 1e-30])
def test_odd_numbers_stay_finite(value):
    """Rows that are no unit rows are compared too: neither large nor small ones overflow."""
    assert np.isfinite(rows_of(np.full((1, 2), value, np.float32), slice(None))).all()
