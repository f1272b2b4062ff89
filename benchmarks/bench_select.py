"""Compare our selectors with the peers, on the same vectors, in one run.

    python benchmarks/bench_select.py --n 10000 --k 1000 --d 384 --json benchmarks/results/select_10000.json

Every contestant runs in a child of its own, forked from the process that holds the vectors, in turns: first each of
them once, then each of them again. Seconds and memory are medians. Similarities and clusters are counted for all who
need them, imports and compilation for none. A contestant whose first run takes longer than `--limit` runs once.

objective: mean over the whole pool of the best cosine to a pick, computed the same way for all. Chance alone comes near
the best, so read `gain captured`: (objective - random) / (reference - random), where the reference is apricot's lazy
greedy, which is exact, where its matrix fits into memory, else global lazy greedy on the graph (`--graph`), else the
best.
`_forked.py` says what `peak_mb` is.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from _forked import Measured, measured
from _machine import available, facts, installed, save, table
from _selectors import NEIGHBOURS, Contestant, contestants

from recipe.errors import MissingExtra

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

REFERENCES = ("apricot lazy", f"{NEIGHBOURS}-NN graph, global lazy greedy")  # the first that ran
BLOCK = 4096  # rows whose cosines to all picks are held at once
COLUMNS = {
    "name": "",
    "seconds": ".3f",
    "speedup_of_ours": ".2f",
    "peak_mb": ",.0f",
    "objective": ".5f",
    "ratio": ".4f",
    "ratio_to_reference": ".4f",
    "gain_captured": ".3f",
    "runs": "d",
    "note": "",
}


def synthetic(n: int, d: int, seed: int) -> Vectors:
    """Draw n unit vectors in clusters of clusters, few of them large and many small, with a falling spectrum.

    At k = n / 10 a random pick reaches 0.945 of what facility location does, as on embeddings of real samples (0.948).

    Parameters
    ----------
    n, d
        Rows and columns.
    seed
        Any integer from 0.

    Returns
    -------
    ndarray
        (n, d) float32.
    """
    rng = np.random.default_rng(seed)
    many = max(2, n // 20)
    few = max(1, many // 20)
    weight = np.arange(1, many + 1) ** -0.6
    leaf = rng.choice(many, size=n, p=weight / weight.sum())
    scale = (np.arange(1, d + 1) ** -0.5).astype(np.float32)
    top = rng.standard_normal((few, d), dtype=np.float32)
    middle = top[rng.integers(few, size=many)] + 0.8 * rng.standard_normal((many, d), dtype=np.float32)
    vectors = (middle[leaf] + 0.6 * rng.standard_normal((n, d), dtype=np.float32)) * scale
    return np.ascontiguousarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def loaded(path: Path, n: int, seed: int) -> Vectors:
    """Take n random rows from a .npy file, and scale them to unit length."""
    matrix = np.load(path, mmap_mode="r", allow_pickle=False)
    if len(matrix) < n:
        raise SystemExit(f"bench_select.py: expected at least --n {n} rows in {path}, got {len(matrix)}")
    rows = np.sort(np.random.default_rng(seed).choice(len(matrix), size=n, replace=False))
    vectors = np.asarray(matrix[rows], dtype=np.float32)
    return np.ascontiguousarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-12))


def objective(vectors: Vectors, picks: NDArray[np.integer]) -> float:
    """Return the mean over all rows of the best cosine to a pick."""
    chosen = np.ascontiguousarray(vectors[picks]).T
    best = [(vectors[at : at + BLOCK] @ chosen).max(axis=1) for at in range(0, len(vectors), BLOCK)]
    return float(np.concatenate(best).mean(dtype=np.float64))


def compete(
    field: list[Contestant], vectors: Vectors, k: int, repeat: int, limit: float
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Run every contestant in turns, and return a row for each that ran, and why the others did not."""
    runs: dict[str, list[Measured]] = {one.name: [] for one in field}
    worth: dict[str, list[float]] = {one.name: [] for one in field}
    notes = {one.name: note for one in field if (note := _unfit(one, len(vectors)))}
    for seed in range(repeat):
        for one in field:
            past = runs[one.name]
            if one.name in notes or (past and past[0].seconds > limit):
                continue
            run = measured(lambda one=one, seed=seed: one.prepare(vectors, k, seed))
            if run.error:
                notes[one.name] = run.error
                continue
            same = [at for at, other in enumerate(past) if np.array_equal(other.result, run.result)]
            value = worth[one.name][same[0]] if same else _worth(vectors, run.result)
            past.append(run)
            worth[one.name].append(value)
            print(f"{one.name}: {run.seconds:.3f} s, {run.peak_mb:,.0f} MB, objective {value:.5f}", flush=True)
    rows = [_row(one.name, runs[one.name], worth[one.name], k) for one in field if runs[one.name]]
    return rows, notes


def _worth(vectors: Vectors, picks: NDArray[np.integer]) -> float:
    """Compute the objective in a child too: threads of BLAS in this process would be lost in those forked from it."""
    found = measured(lambda: lambda: objective(vectors, picks))
    if found.error:
        raise SystemExit(f"bench_select.py: the objective could not be computed ({found.error})")
    value: float = found.result
    return value


def _unfit(one: Contestant, n: int) -> str | None:
    """Return why a contestant cannot run."""
    if installed(one.package) is None and one.package != "recipe":
        return str(MissingExtra.of("bench", f"{one.package} is not installed"))
    needed = one.square_bytes * n * n
    return f"{n:,} x {n:,} similarities need about {needed / 1e9:,.0f} GB" if needed > available() else None


def _row(name: str, runs: list[Measured], worth: list[float], k: int) -> dict[str, Any]:
    """Sum up a contestant's runs."""
    row = {
        "name": name,
        "seconds": median(run.seconds for run in runs),
        "peak_mb": median(run.peak_mb for run in runs),
        "objective": median(worth),
        "runs": len(runs),
        "all_seconds": [run.seconds for run in runs],
    }
    picked = len(np.unique(runs[0].result))
    return row if picked == k else {**row, "note": f"{picked:,} picks"}


def compare(rows: list[dict[str, Any]]) -> None:
    """Attach to each row how it compares with the best, with the reference, with random, and with ours."""
    by_name = {row["name"]: row for row in rows}
    best = max(row["objective"] for row in rows)
    reference = next((by_name[name]["objective"] for name in REFERENCES if name in by_name), best)
    random, mine = by_name["random"]["objective"], by_name.get("recipe:facility")
    for row in rows:
        row["ratio"] = row["objective"] / best
        row["ratio_to_reference"] = row["objective"] / reference
        row["gain_captured"] = (row["objective"] - random) / (reference - random) if reference > random else None
        row["speedup_of_ours"] = row["seconds"] / mine["seconds"] if mine else None


def main() -> None:
    """Run the contest, print its table and write its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, required=True, help="samples")
    parser.add_argument("--k", type=int, required=True, help="picks")
    parser.add_argument("--d", type=int, default=384, help="columns of synthetic vectors")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--vectors", default="synthetic", help="synthetic, or a .npy file of at least n rows")
    parser.add_argument("--seed", type=int, default=0, help="of the vectors; contestants get 0, 1, ...")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds from which one run is enough")
    parser.add_argument("--graph", action="store_true", help="also run global lazy greedy on the exact 64-NN graph")
    parser.add_argument("--only", nargs="*", help="run only contestants whose names hold one of these; random always")
    asked = parser.parse_args()

    given = asked.vectors != "synthetic"
    vectors = loaded(Path(asked.vectors), asked.n, asked.seed) if given else synthetic(asked.n, asked.d, asked.seed)
    field = contestants(graph=asked.graph)
    if asked.only:
        field = [one for one in field if one.name == "random" or any(part in one.name for part in asked.only)]
    rows, skipped = compete(field, vectors, asked.k, asked.repeat, asked.limit)
    compare(rows)
    print(table(rows, COLUMNS))
    for name, reason in skipped.items():
        print(f"{name} did not run: {reason}")
    shape = {"n": asked.n, "k": asked.k, "d": vectors.shape[1], "vectors": "given" if given else "synthetic"}
    machine = facts(sorted({one.package for one in field} - {"recipe", "numpy"}))
    save(asked.json, [{**row, **shape, "skipped": skipped, "machine": machine} for row in rows])


if __name__ == "__main__":
    main()
