"""Damaged, packed, deep and absurd files: what is read, what is lost, and what is refused at which limit."""

import bz2
import gzip
import json
import lzma
import subprocess
import sys
from importlib import import_module

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipe.data.problems import PROBLEMS, code_of
from recipe.errors import InputError, MissingExtra
from recipe.stages.read import _json, read_pool
from recipe.stages.read._json import scan

on_disk = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
IDS = ["a", "b", "\u00e9", "d", "e"]
RECORDS = [
    {"id": name, "conversations": [{"from": "human", "value": f"Who is {name}?"}, {"from": "gpt", "value": "{[\n"}]}
    for name in IDS
]
LINES = [json.dumps(record, ensure_ascii=False) for record in RECORDS]
ARRAY = f"[{', '.join(LINES)}]"


def read(folder, data, **options):
    """Write bytes or text, and return the ids of the sound rows and the problems of the others."""
    path = folder / "x.json"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    rows = read_pool(path, **options).rows.sort("record")
    assert rows["record"].to_list() == list(range(len(rows)))
    sound = rows["problem"].is_null()
    return rows.filter(sound)["id"].to_list(), rows.filter(~sound)["problem"].to_list()


def refusal(folder, data, **options):
    """Return the message that refuses a file."""
    with pytest.raises(InputError) as caught:
        read(folder, data, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# damage


@on_disk
@given(st.integers(1, len(ARRAY.encode()) - 1))
def test_a_truncated_array_keeps_what_came_before(tmp_path, cut):
    """Cut at any byte, an array gives every record that ended before, and one row for what is lost."""
    data = ARRAY.encode()[:cut]
    ends = [len(f"[{', '.join(LINES[: n + 1])}".encode()) for n in range(len(LINES))]
    ids, problems = read(tmp_path, data, lenient=True, format="llava")
    assert ids == IDS[: sum(end <= cut for end in ends)]
    assert [code_of(problem) for problem in problems] == ["bad_json"]
    assert "--lenient" in refusal(tmp_path, data, format="llava")


@on_disk
@given(st.integers(0, 4), st.integers(1, 40), st.sampled_from(["\n", "\r\n"]))
def test_json_lines_lose_the_damaged_line_alone(tmp_path, line, cut, newline):
    """A truncated line loses only itself; all lines before and after are read."""
    lines = [*LINES]
    lines[line] = lines[line][: -cut - 1]
    ids, problems = read(tmp_path, newline.join(lines), lenient=True, format="llava")
    assert ids == IDS[:line] + IDS[line + 1 :]
    assert [code_of(problem) for problem in problems] == ["bad_json"]


def test_a_message_names_byte_record_and_last_good_record(tmp_path):
    """Two bytes of one letter count as two: the third record ends where the break is, counted by hand."""
    data = ARRAY.replace('"from": "human", "value": "Who is d', '"from": human, "value": "Who is d')
    at = data.encode().index(b": human") + 2
    message = refusal(tmp_path, data)
    assert f"byte {at}, line 1, column {at - 2 + 1}" in message  # the letter stands twice before
    assert "(record 3: Expecting value); the last good record is 2 (id '\u00e9')" in message


@pytest.mark.parametrize(("encoding", "mark"), [("utf-8-sig", 3), ("utf-16", 2), ("utf-32", 4)])
def test_bytes_are_those_of_the_file(tmp_path, encoding, mark):
    """The byte counts the mark and the width of the file's own encoding."""
    width = len("xx".encode(encoding)) - len("x".encode(encoding))
    data = ('["' + "y" * 20 + '", x]').encode(encoding)
    assert f"byte {mark + 25 * width}, line 1, column 26" in refusal(tmp_path, data)


@pytest.mark.parametrize(
    ("around", "sound"),
    [
        ('{{"version": 1, "data": [{0}, {1}, {2}', 2),
        ('{{"data": [{0}, {1}], "x": tru', 2),
        ('{{"a": {0}, "b": {1}, "c": {2}', 2),
        ("{0}\n{1}\n{2}\n", 2),
        ("{0},\n{1},\n{1},", 3),
        ("[{0}, {1}] {2}", 2),
        ("[{0}, {1},]", 2),
        ("[{0} {1}]", 1),
    ],
)
def test_every_container_gives_up_what_is_sound(tmp_path, around, sound):
    """Wrapped, keyed by id, in lines, in an array: leniently what precedes the damage is read, else it is refused."""
    data = around.format(LINES[0], LINES[1], LINES[2][:40])
    ids, problems = read(tmp_path, data, lenient=True)
    assert len(ids) == sound
    assert len(problems) == (0 if data.endswith((",]", ",")) else 1)
    assert "the last good record is" in refusal(tmp_path, data)


def test_a_byte_that_is_no_text_costs_its_record(tmp_path):
    """Read leniently, one Latin-1 byte rejects the record that holds it, and no other."""
    ids, problems = read(tmp_path, ARRAY.encode().replace("\u00e9?".encode(), b"\xe9?"), lenient=True)
    assert ids == ["a", "b", "d", "e"]
    assert problems == ["L12"]


def test_two_records_of_one_id_are_two(tmp_path):
    """An object keyed by id that has a key twice holds two records."""
    one, two = (json.dumps({"conversations": record["conversations"]}) for record in RECORDS[:2])
    assert read(tmp_path, f'{{"a": {one}, "a": {two}}}')[0] == ["a", "a"]


def test_endless_damage_ends(tmp_path, monkeypatch):
    """After so many damaged lines the rest of a file is one loss."""
    monkeypatch.setattr(scan, "PATIENCE", 3)
    ids, problems = read(tmp_path, "\n".join([LINES[0], *['{"cut'] * 5, LINES[1]]), lenient=True)
    assert ids == ["a"]
    assert len(problems) == 3


def test_a_file_of_no_format_is_listed_leniently(tmp_path):
    """Each entry of a file that no reader knows is a row that says so."""
    assert read(tmp_path, '[{"question": "Who?"}, {"question": "Why?"}]', lenient=True)[0] == []
    _, problems = read(tmp_path, '[{"question": "Who?"}, {"question": "Why?"}]', lenient=True)
    assert [code_of(problem) for problem in problems] == ["not_a_record"] * 2
    assert all("'question'" in problem for problem in problems)


# packed files


PACKERS = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_packed_files_are_read(tmp_path, pack):
    """One member, several members and, for gzip, padding give the same records as the plain file."""
    data = ARRAY.encode()
    assert read(tmp_path, pack(data)) == (IDS, [])
    assert read(tmp_path, pack(data[:99]) + pack(data[99:])) == (IDS, [])
    assert read(tmp_path, gzip.compress(data) + b"\0" * 9) == (IDS, [])


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
@pytest.mark.parametrize("cut", [3, 20])
def test_a_truncated_packed_file_is_a_loss(tmp_path, pack, cut):
    """A truncated packed file is refused; leniently its records are read and the loss is listed."""
    packed = b"".join(pack(line.encode() + b"\n") for line in LINES)[:-cut]
    assert "truncated" in refusal(tmp_path, packed)
    ids, problems = read(tmp_path, packed, lenient=True)
    assert ids[:4] == IDS[:4]
    assert any("truncated" in problem for problem in problems)


def test_damaged_packed_data_are_a_loss(tmp_path):
    """A wrong byte in packed data is refused; leniently what came before it is read."""
    packed = gzip.compress(LINES[0].encode()) + b"\x1f\x8b\xff" + gzip.compress(LINES[1].encode())
    assert "damaged data" in refusal(tmp_path, packed)
    ids, problems = read(tmp_path, packed, lenient=True)
    assert ids == ["a"]
    assert "damaged data" in problems[0]


@pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)
def test_a_bomb_is_refused_with_the_limit(tmp_path, monkeypatch, pack):
    """A file that unpacks to more than its bound is refused in both modes, and the message names the bound."""
    monkeypatch.setattr(import_module("recipe.stages.read._containers.packed"), "FREE", 10_000)
    bomb = pack(b" " * 10_000_000)
    for lenient in (False, True):
        limit = max(10_000, 200 * len(bomb))
        assert f"at most {limit:,} bytes" in refusal(tmp_path, bomb, lenient=lenient)


def test_zstd_without_its_library_says_what_to_install(tmp_path, monkeypatch):
    """Without the extra, a zstd file is refused with the command that installs it."""
    monkeypatch.setitem(sys.modules, "zstandard", None)
    with pytest.raises(MissingExtra, match=r"recipe\[zstd\]"):
        read(tmp_path, zstandard.ZstdCompressor().compress(b"[]"))


# absurd records


def test_a_record_beyond_the_limits_is_rejected_with_the_limit(tmp_path, monkeypatch):
    """Size and depth are counted to the byte and to the bracket; at the limit a record is read, beyond it is not."""
    monkeypatch.setattr(_json, "LARGEST", max(len(line.encode()) for line in LINES))
    assert read(tmp_path, ARRAY) == (IDS, [])
    monkeypatch.setattr(_json, "LARGEST", min(len(line.encode()) for line in LINES))
    ids, problems = read(tmp_path, ARRAY)
    assert ids == ["a", "b", "d", "e"]
    assert f"the limit of {len(LINES[0])}" in problems[0]


@pytest.mark.parametrize(
    ("depth", "problems"), [(99, []), (100, ["bad_json:brackets nested deeper than the limit of 100"])]
)
def test_the_limit_of_depth(tmp_path, depth, problems):
    """The record's own brace is the first bracket, so 99 lists fit under a key."""
    deep = LINES[0][:-1] + ', "deep": ' + "[" * depth + "]" * depth + "}"
    assert read(tmp_path, f"[{deep}, {LINES[1]}]")[1] == problems


def test_every_loss_has_a_known_code(tmp_path):
    """The codes of damage are codes of the table."""
    _, problems = read(tmp_path, ARRAY[:-30], lenient=True)
    assert {code_of(problem) for problem in problems} <= set(PROBLEMS)


# records with one image left


@pytest.mark.parametrize("keys", [{"video": None}, {"video": ""}, {"image": ["a.jpg", ""]}, {"image": [None, "a.jpg"]}])
def test_where_one_image_remains_it_is_read(tmp_path, keys):
    """An empty video key and empty names in addition to one image do no harm."""
    record = {"image": "a.jpg", **keys, "conversations": RECORDS[0]["conversations"]}
    path = tmp_path / "x.json"
    path.write_text(json.dumps([record]))
    assert read_pool(path).rows.select("image", "problem").rows() == [("a.jpg", None)]


# as a user meets it


@pytest.mark.parametrize("cut", [True, False])
def test_a_lone_surrogate_may_not_stop_a_lenient_walk(tmp_path, cut):
    """An invalid byte in a file that is also truncated, or keyed by id, still loses only its record."""
    keyed = json.dumps({record["id"]: record for record in RECORDS}, ensure_ascii=False)
    data = (ARRAY[:-20] if cut else keyed).encode().replace("is \u00e9?".encode(), b"is \xe9?")
    ids, problems = read(tmp_path, data, lenient=True)
    assert ids == (["a", "b", "d"] if cut else ["a", "b", "d", "e"])
    assert [code_of(problem) for problem in problems] == ["L12", "bad_json"][: 1 + cut]


def test_the_command_line_lists_the_loss(tmp_path):
    """`--lenient` makes a mix of the valid records, and the rejects say what is lost, where, and why."""
    (tmp_path / "cut.json").write_text(ARRAY[:-30])
    command = [sys.executable, "-m", "recipe", "select", "cut.json", "--size", "2", "--out", "mix.json"]
    strict = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert strict.returncode == 2
    assert "--lenient" in strict.stderr
    assert strict.stderr.count("\n") == 1
    subprocess.run([*command, "--lenient"], cwd=tmp_path, capture_output=True, check=True)
    assert len(json.loads((tmp_path / "mix.json").read_bytes())) == 2
    (line,) = map(json.loads, (tmp_path / "mix.rejects.jsonl").read_text().splitlines())
    assert (line["source"], line["record"], line["code"]) == ("cut.json", 4, "bad_json")
    assert "are lost" in line["detail"]
    assert line["message"] == "the record cannot be decoded; repair its JSON"
    assert len(line["key"]) == 32
