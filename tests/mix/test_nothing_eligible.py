"""A run in which nothing may be selected says why, and leaves its rejects."""

import json
import subprocess
import sys

import pytest
from strategies import pool_of

from recipe import read_pool, score_pool, select_mix
from recipe.errors import NothingEligible
from recipe.mix.rejects import is_rejects, nothing_eligible, with_rejects

TURNS = [{"from": "human", "value": "Who?"}, {"from": "gpt", "value": "A jay."}]


def many(folder):
    """Write four records that are no samples, of two kinds, and return their file."""
    bad = [{"conversations": []}, {"conversations": [{"from": "robot", "value": "Hi"}]}]
    file = folder / "pool.json"
    file.write_text(json.dumps([bad[0], bad[0], bad[0], bad[1]]))
    return file


@pytest.mark.parametrize("run", [select_mix, score_pool])
def test_the_reasons_are_told_with_their_counts(tmp_path, run):
    """The error names the most frequent reasons first, each with its count and what to do, and holds the pool."""
    with pytest.raises(NothingEligible, match=r"none of the 4 samples .*: 3 L09 \(.*remove.*\), 1 L10 \(.*") as told:
        run(many(tmp_path), size=1)
    assert len(told.value.pool) == 4
    assert "\n" not in str(told.value)


def test_only_three_reasons_are_told():
    """Of five reasons the three most frequent are named, and the others are summed."""
    codes = ["L05"] * 10 + ["L06"] * 8 + ["W01"] * 3 + ["W02:x"] * 2 + ["L07:a"] * 6 + ["L07:b"] * 6
    told = str(nothing_eligible(pool_of(len(codes), problem=codes)))
    assert told.index("12 L07") < told.index("10 L05") < told.index("8 L06") < told.index("5 for other reasons")


def test_the_rejects_are_written_where_the_mix_would_be(tmp_path):
    """The command lists every sample in the file beside the mix, again with the same bytes, and a mix replaces it."""
    file, target, left = many(tmp_path), tmp_path / "mix.json", tmp_path / "mix.rejects.jsonl"
    command = [sys.executable, "-m", "recipe", "select", str(file), "--size", "1", "--out", str(target)]
    first = subprocess.run(command, capture_output=True, text=True, check=False)
    assert first.returncode == 2
    assert "3 L09" in first.stderr
    assert str(left) in first.stderr
    assert first.stderr.count("\n") == 1
    lines = [json.loads(line) for line in left.read_text().splitlines()]
    assert [line["code"] for line in lines] == ["L09", "L09", "L09", "L10"]
    assert not target.exists()
    before = left.read_bytes()
    assert subprocess.run(command, capture_output=True, check=False).returncode == 2
    assert left.read_bytes() == before
    file.write_text(json.dumps([{"conversations": TURNS}]))
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert left.read_bytes() == b""


def test_a_file_of_another_kind_is_never_replaced(tmp_path):
    """A file of that name that is no list of rejects stays, and the error still says why nothing may be selected."""
    left = tmp_path / "mix.rejects.jsonl"
    left.write_text('{"mine": 1}\n')
    with pytest.raises(NothingEligible) as told:
        select_mix(many(tmp_path), size=1)
    again = str(with_rejects(told.value, tmp_path / "mix.json", []))
    assert "3 L09" in again
    assert "not written" in again
    assert left.read_text() == '{"mine": 1}\n'


def test_rejects_are_recognised_by_every_line(tmp_path):
    """One line of another shape, or a torn one, makes a file another's."""
    mix = select_mix(many_and_one(tmp_path), size=1)
    sound = next(path for path in mix.save(tmp_path / "mix.json") if path.name.endswith("rejects.jsonl"))
    assert is_rejects(sound)
    for damage in (sound.read_bytes() + b"{}\n", sound.read_bytes()[:-1], b"", b"\xff\n", b"[" * 100_000 + b"\n"):
        other = tmp_path / "other.jsonl"
        other.write_bytes(damage)
        assert not is_rejects(other)
    assert not is_rejects(tmp_path)
    assert len(read_pool(tmp_path / "pool.json")) == 5


def many_and_one(folder):
    """Write the same with one sample that may be selected."""
    file = many(folder)
    file.write_text(json.dumps([*json.loads(file.read_text()), {"conversations": TURNS}]))
    return file
