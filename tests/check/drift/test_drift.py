"""Drift: comparators by hand, laws of tolerances, and mixes that moved in a known way beside naive counts."""

import json
import math
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from fnmatch import fnmatchcase
from xml.etree import ElementTree as ET

import numpy as np
import polars as pl
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from recipe import select_mix
from recipe.check.drift import check_drift
from recipe.check.drift.baseline import check_baseline, in_ci, metrics_of, write_baseline
from recipe.check.drift.junit import annotate, junit
from recipe.check.drift.tolerance_files import load_tolerances, parse
from recipe.check.drift.verdicts import number
from recipe.cli.checks import check
from recipe.data.picks import Picks
from recipe.demo import write_demo
from recipe.errors import ConfigError, InputError

finite = st.floats(-1e6, 1e6, allow_nan=False)


def verdict(rule, baseline, got):
    """Judge one number by one comparator."""
    one = check_drift(
        {"x": baseline} if baseline is not None else {}, {"x": got} if got is not None else {}, {"x": rule}
    )
    return one.verdicts[0].verdict


# -- comparators ------------------------------------------------------------------------------------------------------

BY_HAND = [
    ("exact", 5, 5, "same"),
    ("exact", 5, 5.001, "moved"),
    ({"exact": 7}, 5, 7, "same"),
    ({"exact": 7}, 5, 5, "moved"),
    ({"exact": 7, "slack": 2}, None, 5, "same"),
    ({"within": 0.02}, 0.50, 0.52, "same"),  # 0.52 - 0.50 is more than 0.02 in binary
    ({"within": 0.02}, 0.50, 0.5201, "moved"),
    ({"within": "5%"}, 200, 190, "same"),
    ({"within": "5%"}, 200, 189.9, "moved"),
    ({"within": "5%"}, 0, 0.001, "moved"),
    ({"within": ["10%", 1]}, 4, 5, "same"),
    ({"within": ["10%", 1]}, 4, 5.1, "moved"),
    ({"within": ["10%", 1]}, 40, 44, "same"),
    ({"within": ["10%", 1]}, 40, 44.1, "moved"),
    ("min", 5, 4.9, "moved"),
    ("min", 5, 50, "same"),
    ("max", 5, 5.1, "moved"),
    ("max", 5, -50, "same"),
    ({"min": 0.4}, 0.9, 0.4, "same"),
    ({"min": 0.4}, 0.9, 0.39, "moved"),
    ({"max": 0.005}, 0, 0.005, "same"),
    ({"max": 0.005}, 0, 0.006, "moved"),
    ({"min": 1, "max": 2}, 9, 1.5, "same"),
    ({"min": 1, "max": 2}, 1.5, 3, "moved"),
    ({"min": "baseline", "slack": "5%"}, 100, 95, "same"),
    ({"min": "baseline", "slack": "5%"}, 100, 94, "moved"),
    ({"max": "baseline", "slack": 3}, 100, 103, "same"),
    ({"max": "baseline", "slack": 3}, 100, 103.5, "moved"),
    ("ignore", 1, 100, "ignored"),
    ("exact", 1, None, "not measured"),
    ({"min": 3}, 1, None, "not measured"),
    ("exact", None, 1, "new"),
    ({"min": 3}, None, 1, "moved"),  # a bound of its own needs no baseline
    ({"min": 3}, None, 4, "same"),
    ({"within": 1e9}, 1, math.nan, "moved"),
    ({"within": 1e9}, math.nan, 1, "moved"),
    ({"min": 3}, math.nan, math.inf, "moved"),
]


@pytest.mark.parametrize(("rule", "baseline", "got", "expected"), BY_HAND)
def test_comparators_by_hand(rule, baseline, got, expected):
    """Each comparator says of a number beside a baseline what a reader of the tolerance file expects."""
    assert verdict(rule, baseline, got) == expected


@given(finite, finite, st.floats(0, 1e3), st.floats(0, 2))
def test_within_is_symmetric_and_min_and_max_are_its_halves(baseline, got, absolute, relative):
    """A number is within a room exactly if it misses neither the lower nor the upper bound by more than that room."""
    room = [absolute, f"{100 * relative!r}%"]
    halves = [verdict({bound: "baseline", "slack": room}, baseline, got) for bound in ("min", "max")]
    assert (verdict({"within": room}, baseline, got) == "same") == (halves == ["same", "same"])
    assert verdict({"within": absolute}, baseline, got) == verdict({"within": absolute}, -baseline, -got)


@given(finite, finite, st.floats(0, 1e3), st.floats(0, 1e3))
def test_more_room_never_fails_more(baseline, got, one, other):
    """What passes within a room passes within a wider one."""
    if verdict({"within": min(one, other)}, baseline, got) == "same":
        assert verdict({"within": max(one, other)}, baseline, got) == "same"


@given(st.dictionaries(st.sampled_from(["samples", "yes", "task/a", "vendi", "words_a_turn/p5", "odd"]), finite))
def test_equal_numbers_never_drift(numbers):
    """Whatever the numbers are, a mix has not drifted from itself."""
    assert check_drift(numbers, numbers).failed(strict=True) == ()


# -- missing names ----------------------------------------------------------------------------------------------------


def test_a_task_that_vanished_or_appeared_has_share_0():
    """In a family of shares a name that one side lacks is judged as share 0, within the tolerance or beyond it."""
    drift = check_drift(
        {"task/a": 0.5, "task/b": 0.3, "task/c": 0.005}, {"task/a": 0.5, "task/d": 0.3, "task/e": 0.005}
    )
    assert {each.metric: (each.baseline, each.got) for each in drift.moved} == {"task/b": (0.3, 0), "task/d": (0, 0.3)}
    assert {each.metric for each in drift.those("same")} == {"task/a", "task/c", "task/e"}


def test_a_family_that_a_side_did_not_measure():
    """Where a side knows no name of a family nothing is said of it, and other metrics are never taken for 0."""
    drift = check_drift({"task/a": 0.5, "vendi": 5}, {"concept/x": 0.5, "yes": 0.5})
    assert {each.metric for each in drift.those("not measured")} == {"task/a", "vendi"}
    assert {each.metric for each in drift.those("new")} == {"concept/x", "yes"}
    assert drift.failed() == ()
    assert {each.metric for each in drift.failed(strict=True)} == {"task/a", "vendi"}


def test_the_farthest_comes_first():
    """What moved is sorted by how many tolerances it lies off, then by name."""
    drift = check_drift({"task/a": 0.5, "task/b": 0.5, "yes": 0.5}, {"task/a": 0.4, "task/b": 0.4, "yes": 0.1})
    assert [each.metric for each in drift.moved] == ["yes", "task/a", "task/b"]
    assert [round(each.excess, 6) for each in drift.moved] == [20, 2, 2]


# -- tolerance files --------------------------------------------------------------------------------------------------


def test_the_last_line_that_matches_counts(tmp_path):
    """Lines of the user come after the shipped ones, the last that matches counts, and `yes` is a name."""
    file = tmp_path / "tolerances.yaml"
    file.write_text("'*': ignore\ntask/*: {within: 20%}\ntask/a: exact\nyes: {within: 0.1}\n")
    drift = check_drift(
        {"samples": 1, "task/a": 10, "task/b": 10, "yes": 0.5},
        {"samples": 2, "task/a": 11, "task/b": 11, "yes": 0.55},
        file,
    )
    assert {each.metric: each.verdict for each in drift.verdicts} == {
        "samples": "ignored", "task/a": "moved", "task/b": "same", "yes": "same"
    }  # fmt: skip


def test_a_name_with_brackets_is_matched_by_itself():
    """A metric that looks like a glob is still found by its very name."""
    assert check_drift({"source/a[1].json": 0.5}, {"source/a[1].json": 0.9}, {"source/a[1].json": "ignore"}).moved == ()


@pytest.mark.parametrize(
    ("tolerances", "expected"),
    [
        ({"tusk/*": "exact"}, r"'tusk/\*' matches no metric; did you mean 'task/\*'"),
        ({"zzz": "exact"}, r"'zzz' matches no metric; known: samples, task/\*"),
        ({"samples": "exakt"}, "samples: .*did you mean 'exact'"),
        ({"samples": {"witin": 1}}, "unknown comparator 'witin', did you mean 'within'"),
        ({"samples": {"within": -1}}, "got -1"),
        ({"samples": {"within": True}}, "got True"),
        ({"samples": {"within": "five"}}, "percentage.*got 'five'"),
        ({"samples": {"within": float("nan")}}, "got nan"),
        ({"samples": {"within": []}}, r"got \[\]"),
        ({"samples": {"within": 1, "slack": 1}}, "got within, slack"),
        ({"samples": {"slack": 1}}, "got slack"),
        ({"samples": {"exact": 1, "min": 1}}, "got exact, min"),
        ({"samples": {}}, "got {}"),
        ({"samples": {"min": "basline"}}, "got 'basline'"),
        ({"samples": {"min": 3, "max": 2}}, "expected min below max, got min=3, max=2"),
        ({"samples": 3}, "got 3"),
    ],
)
def test_bad_tolerances_are_refused(tolerances, expected):
    """A line that is not valid, or that matches nothing, is an error that names it and says what to write."""
    with pytest.raises(ConfigError, match=expected) as caught:
        check_drift({"samples": 1, "task/a": 1}, {"samples": 1}, tolerances)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["a: [", "yes: exact\nyes: min\n", "\x00"])
def test_unreadable_tolerances_are_refused(text, tmp_path):
    """A file that is no YAML, or that says two things of one metric, is refused in one line that names it."""
    file = tmp_path / "tolerances.yaml"
    file.write_text(text)
    with pytest.raises(InputError, match=r"tolerances\.yaml: cannot read the tolerances"):
        load_tolerances(file)
    with pytest.raises(InputError, match=r"none\.yaml"):
        load_tolerances(tmp_path / "none.yaml")
    file.write_text("- yes")
    with pytest.raises(ConfigError, match="expected metric: comparator"):
        load_tolerances(file)


@pytest.mark.parametrize(
    "rule",
    ["exact", "ignore", {"within": "5%"}, {"min": 3.0, "max": 4.0}, {"exact": 2.0}, {"min": "baseline", "slack": 2}],
)
def test_a_comparator_reads_the_same_from_a_file(rule, tmp_path):
    """A comparator of a mapping and the same one in a YAML file are one."""
    (tmp_path / "t.yaml").write_text(json.dumps({"yes": rule}))
    assert load_tolerances(tmp_path / "t.yaml")[1] == load_tolerances({"yes": rule})[1] == [parse("yes", rule)]


# -- machines ---------------------------------------------------------------------------------------------------------


def test_junit_has_a_case_a_metric():
    """One test case a metric: failures are what moved, skipped what nothing can be said of, and odd names stay XML."""
    drift = check_drift(
        {"samples": 1, "task/a\x1b<b>": 0.5, "vendi": 2, "yes": 0.5},
        {"samples": 1, "task/a\x1b<b>": 0.9, "new": 1, "yes": 0.5},
    )
    suite = ET.fromstring(junit(drift)).find("testsuite")
    assert {name: int(suite.get(name)) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": 5, "failures": 1, "errors": 0, "skipped": 2
    }  # fmt: skip
    cases = {case.get("name"): [child.tag for child in case] for case in suite}
    assert cases == {"new": ["skipped"], "samples": [], "task/a\ufffd<b>": ["failure"], "vendi": ["skipped"], "yes": []}
    assert "baseline 0.5, got 0.9" in suite.find("testcase/failure").get("message")
    assert 'failures="2"' in junit(drift, strict=True)


def test_annotations_are_escaped_and_few():
    """Annotations hold no sign that ends them early, and the tenth counts the rest, which GitHub would not show."""
    (one,) = annotate(check_drift({"task/a%,b:\nc": 1.0}, {"task/a%,b:\nc": 2.0}), "m.json")
    assert one == (
        "::error title=m.json%3A task/a%25%2Cb%3A%0Ac::task/a%25,b:%0Ac: baseline 1, got 2, within 10%25 or 0.006"
    )  # fmt: skip
    old, new = ({f"task/{i:02}": i + at for i in range(15)} for at in (0.0, 2.0))
    lines = annotate(check_drift(old, new), "m.json")
    assert len(lines) == 10
    assert "6 more" in lines[-1]
    assert all(f"task/{i:02}" in "".join(lines) for i in range(15))


def test_json_holds_no_odd_numbers():
    """Verdicts are plain JSON even where a number is none, infinite, or off by infinitely many tolerances."""
    values = check_drift({"samples": 1, "vendi": math.nan}, {"samples": 2, "vendi": math.inf}).to_dict()
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert values["counts"] == {"moved": 2}


def test_numbers_for_people():
    """Whole numbers are shown in full, others with six digits, none as a dash."""
    assert [number(value) for value in (None, 20000, 0.123456789)] == ["-", "20,000", "0.123457"]


# -- mixes that moved -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a demo pool, a mix of 2,000 of its samples, and its baseline."""
    folder = tmp_path_factory.mktemp("drift")
    write_demo(folder / "pool", images=400)
    return folder


@pytest.fixture(scope="module")
def mix(folder):
    """Return the mix, whose numbers are the baseline."""
    mix = select_mix(folder / "pool", size=2000)
    (folder / "base.stats.json").write_text(mix.stats().to_json())
    return mix


def with_other_picks(mix, rows):
    """Return the mix with other picks."""
    return replace(mix, picks=Picks(np.asarray(rows, np.int64)), stated=None)


LIMITS = [  # how far each metric may move, written out by hand: absolute, relative; + and - on that side only
    ("samples", 0, 0), ("images", 0, 0.05), ("qas", 0, 0.05), ("words", 0, 0.05), ("tokens", 0, 0.05),
    ("text_only", 0.01, 0), ("yes", 0.02, 0), ("yes/*", 0.15, 0), ("task/*", 0.006, 0.1), ("answer/*", 0.02, 0),
    ("task_answer/*", 0.01, 0), ("source/*", 0.02, 0), ("concept/*", 0.02, 0),
    ("*/max", math.inf, 0), ("*/min", math.inf, 0), ("*_a*_*/mean", 0, 0.05),
    ("words_a_*/p*", 2, 0.15), ("tokens_a_*/p*", 3, 0.15), ("turns_a_record/p*", 1, 0.15),
    ("samples_an_image/p*", 1, 0.15),
    ("-clusters/reached", 0, 0.02), ("-clusters/entropy", 0, 0.02), ("+clusters/largest", 0.02, 0.1),
    ("-concepts/reached", 0, 0.02), ("-concepts/entropy", 0, 0.02), ("-keywords/reached", 0, 0.05),
    ("-coverage/mean", 0.01, 0), ("-coverage/p5", 0.02, 0), ("+coverage/radius", 0.05, 0), ("-vendi", 0, 0.05),
    ("-distinct_1", 0, 0.1), ("-distinct_2", 0, 0.05), ("-question_starts", 0, 0.05), ("+near_duplicates", 0.005, 0),
    ("-certificate", 0.03, 0),
]  # fmt: skip


def naive_moved(old, new):
    """Name what moved beyond the limits, metric by metric, with shares that are missing taken as 0."""
    moved = set()
    for name in {*old, *new}:
        pattern, absolute, relative = next(one for one in LIMITS if fnmatchcase(name, one[0].lstrip("+-")))
        if name.split("/")[0] in {"task", "answer", "source", "concept", "task_answer"}:
            before, after = old.get(name, 0), new.get(name, 0)
        elif name in old and name in new:
            before, after = old[name], new[name]
        else:
            continue
        off = after - before
        off = {"+": max(off, 0), "-": max(-off, 0)}.get(pattern[0], abs(off))
        if off > max(absolute, relative * abs(before)) + 1e-9:
            moved.add(name)
    return moved


def naive_counts(rows):
    """Count some samples with Python's own counters."""
    table, n = rows.to_dicts(), rows.height
    numbers = {"samples": n, "images": len({row["image"] for row in table} - {None})}
    numbers |= {total: sum(row[column] for row in table) for total, column in (("qas", "n_qas"), ("words", "n_words"))}
    yes, no = (sum(row[name] for row in table) for name in ("n_yes", "n_no"))
    numbers["yes"] = yes / (yes + no)
    for family in ("task", "answer", "source"):
        numbers |= {
            f"{family}/{name}": count / n for name, count in Counter(row[family] for row in table).items() if name
        }
    for concept, count in Counter(concept for row in table for concept in row["concepts"]).items():
        numbers[f"concept/{concept}"] = count / n
    for q in (5, 25, 50, 75, 95):
        numbers[f"words_a_record/p{q}"] = np.quantile([row["n_words"] for row in table], q / 100)
    return numbers


def tilted(mix):
    """Swap picks answered no for other samples of their task answered yes, until five points more say yes."""
    rows, picked = mix.pool.rows, set(mix.picks.rows.tolist())
    table = rows.select("row", "task", "n_qas", "n_yes", "n_no", "problem").to_dicts()
    free = [
        row
        for row in table
        if row["problem"] is None and row["row"] not in picked and row["n_yes"] == row["n_qas"] == 1
    ]
    chosen = mix.picks.rows.tolist()
    yes, no = (sum(table[row][name] for row in chosen) for name in ("n_yes", "n_no"))
    wanted = math.ceil(0.05 * (yes + no))
    for at, row in enumerate(chosen):
        if table[row]["n_no"] == table[row]["n_qas"] == 1 and wanted:
            other = next((one for one in free if one["task"] == table[row]["task"]), None)
            if other:
                free.remove(other)
                chosen[at], wanted = other["row"], wanted - 1
    assert not wanted
    return chosen


def halved(mix):
    """Swap every other pick of the largest task for an unpicked sample of another one."""
    task = mix.pool.rows["task"]
    chosen, picked = mix.picks.rows.tolist(), set(mix.picks.rows.tolist())
    most = Counter(task[row] for row in chosen).most_common(1)[0][0]
    free = [row for row in np.flatnonzero(mix.pool.eligible).tolist() if row not in picked and task[row] != most]
    for at in [at for at, row in enumerate(chosen) if task[row] == most][::2]:
        chosen[at] = free.pop(len(free) // 2)
    return chosen


def lengthened(mix):
    """Swap every pick for the longest sample of its task and answer that is still free."""
    rows = mix.pool.rows
    open_rows = rows.filter(pl.col("problem").is_null()).sort(-pl.col("n_words").cast(pl.Int64), "row")
    supply = {cell: part["row"].to_list() for cell, part in open_rows.group_by("task", "answer", maintain_order=True)}
    return [supply[rows["task"][row], rows["answer"][row]].pop(0) for row in mix.picks.rows.tolist()]


TAMPERED = {
    "tilted": (tilted, {"yes"}),
    "halved": (halved, {"task/complex_reasoning", "source/svit/complex_reasoning.json"}),
    "lengthened": (lengthened, {"words", "tokens", "words_a_record/mean", "words_a_record/p50"}),
}


@pytest.mark.parametrize("how", TAMPERED)
def test_the_check_names_exactly_what_moved(mix, folder, how):
    """Of a mix whose picks were swapped, the check names the metrics that moved by naive counts, all and no other."""
    tamper, sure = TAMPERED[how]
    other = with_other_picks(mix, tamper(mix))
    old, new = mix.stats().metrics(), other.stats().metrics()
    for numbers, one in ((old, mix), (new, other)):
        counted = naive_counts(one.pool.rows[one.picks.rows])
        assert {name: numbers[name] for name in counted} == pytest.approx(counted, abs=1e-4)
    named = {each.metric for each in check_baseline(other, folder / "base.stats.json").moved}
    assert named == naive_moved(old, new)
    assert sure <= named


def test_near_duplicates_in_a_written_mix_are_named(mix, folder):
    """A file in which 2 % of the samples were replaced by copies with a word changed has moved in that, and no more."""
    path = folder / "doubled.json"
    mix.write(path)
    records = json.loads(path.read_text())
    task = dict(mix.pool.rows.select("row", "task").iter_rows())
    long = [at for at, row in enumerate(mix.picks.rows.tolist()) if task[row] == "detail_description"]
    assert len(long) >= 80
    for one, other in zip(long[:40], long[40:80], strict=True):
        copied = json.loads(json.dumps(records[other]))
        copied["conversations"][1]["value"] += " Indeed."
        records[one] = copied
    path.write_text(json.dumps(records))
    drift = check_baseline(path, folder / "base.stats.json")
    assert {each.metric for each in drift.moved} == naive_moved(mix.stats().metrics(), metrics_of(path))
    assert "near_duplicates" in {each.metric for each in drift.moved}
    (found,) = (each for each in drift.moved if each.metric == "near_duplicates")
    assert found.got - found.baseline == pytest.approx(0.02, abs=0.001)
    assert {"vendi", "coverage/mean", "certificate"} <= {each.metric for each in drift.those("not measured")}


@pytest.mark.usefixtures("mix")
def test_an_equal_mix_of_other_workers_passes(folder):
    """The same recipe with another number of workers has not moved in anything at all."""
    again = select_mix(folder / "pool", size=2000, engine="processes", workers=3)
    assert check_baseline(again, folder / "base.stats.json", {"*": "exact"}).failed(strict=True) == ()


# -- the command ------------------------------------------------------------------------------------------------------


def run(*arguments, cwd, **environment):
    """Run `recipe` in a folder, not in CI unless said."""
    env = {name: value for name, value in os.environ.items() if name not in {"CI", "GITHUB_ACTIONS"}} | environment
    command = [sys.executable, "-m", "recipe", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=env)


@pytest.fixture(scope="module")
def written(mix, folder):
    """Return the folder with the mix and a tilted one written into it."""
    mix.write(folder / "mix.json")
    with_other_picks(mix, tilted(mix)).write(folder / "tilted.json")
    return folder


def test_check_passes_and_fails(written):
    """A clean mix exits with 0, a drifted one with 1 and what moved, as a table, JSON, JUnit and annotations."""
    clean = run("check", "mix.json", "--baseline", "base.stats.json", "--strict", cwd=written)
    assert (clean.returncode, clean.stderr) == (0, "")
    assert "0 moved" in clean.stdout
    arguments = ["check", "tilted.json", "--baseline", "base.stats.json", "--junit", "out.xml"]
    done = run(*arguments, cwd=written, GITHUB_ACTIONS="true")
    assert done.returncode == 1
    assert "::error title=tilted.json%3A yes::yes: baseline 0.5" in done.stdout
    as_json = run(*arguments, "--json", cwd=written)
    moved = {each["metric"] for each in json.loads(as_json.stdout)["metrics"] if each["verdict"] == "moved"}
    failed = {
        case.get("name") for case in ET.parse(written / "out.xml").iter("testcase") if case.find("failure") is not None
    }
    assert moved == failed == {line.split()[0] for line in done.stdout.splitlines() if line.split()[-1] == "moved"}
    assert "yes" in moved
    every = run("check", "mix.json", "--baseline", "base.stats.json", "--all", cwd=written).stdout
    assert all(name in every for name in json.loads((written / "mix.stats.json").read_text())["mix"]["tasks"])


def test_check_with_tolerances_of_the_user(written):
    """A tolerance file is heard, and one with a typo is an error with exit code 2."""
    (written / "wide.yaml").write_text("'*': ignore\nyes: {within: 0.2}\n")
    (written / "typo.yaml").write_text("yse: {within: 0.2}\n")
    arguments = ["check", "tilted.json", "--baseline", "base.stats.json", "--tolerance"]
    assert run(*arguments, "wide.yaml", cwd=written).returncode == 0
    done = run(*arguments, "typo.yaml", cwd=written)
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean 'yes'" in done.stderr


@pytest.mark.parametrize(("strict", "status"), [(False, 0), (True, 1)])
def test_what_is_not_measured_fails_if_strict(written, strict, status):
    """A mix that was given no certificate passes beside a baseline that has one, unless the check is strict."""
    (written / "only.yaml").write_text("'*': ignore\ncertificate: exact\n")
    with pytest.raises(typer.Exit) as done:
        check(
            written / "tilted.json",
            baseline=written / "base.stats.json",
            tolerance=written / "only.yaml",
            strict=strict,
        )
    assert done.value.exit_code == status


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mix.json", "--baseline", "none.json"], "none.json: no such baseline"),
        (["none.json", "--baseline", "base.stats.json"], "none.json"),
        (["mix.json", "--baseline", "mix.json"], "expected statistics of format"),
        (["mix.json", "--baseline", "base.stats.json", "--tolerance", "none.yaml"], "none.yaml"),
        (["mix.json", "--baseline", "base.stats.json", "--junit", "gone/out.xml"], "gone/out.xml"),
    ],
)
def test_what_cannot_be_read_is_exit_2(written, arguments, message):
    """A file that cannot be read or written is one line on standard error and exit code 2, never a drift."""
    done = run("check", *arguments, cwd=written)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert message in done.stderr


def test_update_writes_a_baseline_but_not_in_ci(written):
    """`--update` writes the statistics of the mix, and where CI is set it refuses and writes nothing."""
    arguments = ["check", "mix.json", "--baseline", "fresh.stats.json", "--update"]
    refused = run(*arguments, cwd=written, CI="true")
    assert refused.returncode == 2
    assert "CI=true" in refused.stderr
    assert not (written / "fresh.stats.json").exists()
    assert run(*arguments, cwd=written).returncode == 0
    assert (written / "fresh.stats.json").read_bytes() == (written / "mix.stats.json").read_bytes()


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("true", True), ("", False), ("0", False), ("False", False)]
)
def test_what_ci_is(value, expected, monkeypatch, tmp_path):
    """CI is on for any value but those that say no."""
    monkeypatch.setenv("CI", value)
    assert in_ci() is expected
    if expected:
        with pytest.raises(ConfigError, match="CI="):
            write_baseline("mix.json", tmp_path / "x.json")
