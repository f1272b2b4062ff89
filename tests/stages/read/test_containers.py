"""Records in Parquet, Arrow, tar and tables: what was written is read, in any pieces, and pictures as media."""

import base64
import csv
import gzip
import io
import json
import os
import tarfile
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recipe.data.media import Medium, media_of
from recipe.errors import InputError
from recipe.stages.read import read_pool
from recipe.stages.read._containers import arrow, container_of, module_of, parquet, table, tar
from recipe.stages.read._containers.pictures import picture_bytes

CASES = Path(os.environ.get("RECIPE_CASES", Path(__file__).parents[4] / "shared" / "cases"))
on_disk = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
PNG, JPG, GIF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a"
IMAGE = pa.struct({"bytes": pa.binary(), "path": pa.string()})
TURN = pa.struct({"from": pa.string(), "value": pa.string()})
SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "image": IMAGE,
        "images": pa.list_(IMAGE),
        "conversations": pa.list_(TURN),
        "score": pa.float64(),
        "raw": pa.binary(),
    }
)

picture = st.builds(lambda head, rest: head + rest, st.sampled_from([PNG, JPG, GIF]), st.binary(max_size=40))
image = st.none() | st.fixed_dictionaries({"bytes": st.none() | picture, "path": st.none() | st.just("a/b.jpg")})
words = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
row = st.fixed_dictionaries(
    {
        "id": st.none() | words,
        "image": image,
        "images": st.none() | st.lists(image, max_size=3),
        "conversations": st.none() | st.lists(st.fixed_dictionaries({"from": words, "value": words}), max_size=3),
        "score": st.none() | st.floats(),
        "raw": st.none() | picture,
    }
)


def expected(record, number):
    """Return what should be read of a record of `SCHEMA`, by the definition."""

    def shown(value, place):
        content, path = (value["bytes"], value["path"]) if isinstance(value, dict) else (value, None)
        if content is None:
            return None if path is None else Medium(path=path)
        ending = {PNG[:3]: "png", JPG[:3]: "jpg", GIF[:3]: "gif"}[content[:3]]
        hashed = blake2b(content, digest_size=16).hexdigest()
        return Medium("image", path, None, hashed, ending, f"record:{number}:{place}")

    score = record["score"]
    return record | {
        "image": record["image"] and shown(record["image"], "/image"),
        "images": record["images"] and [one and shown(one, f"/images/{i}") for i, one in enumerate(record["images"])],
        "raw": record["raw"] and shown(record["raw"], "/raw"),
        "score": score if score is not None and abs(score) < float("inf") else None,
    }


def written(folder, rows, kind, size):
    """Write records in groups of some size as Parquet, an Arrow file or an Arrow stream."""
    made = pa.Table.from_pylist(rows, schema=SCHEMA)
    if kind == "parquet":
        path = folder / "x.parquet"
        pq.write_table(made, path, row_group_size=size)
        return path
    path = folder / "x.arrow"
    opened = pa.ipc.new_file if kind == "file" else pa.ipc.new_stream
    with path.open("wb") as file, opened(file, SCHEMA) as writer:
        writer.write_table(made, max_chunksize=size)
    return path


def read(path, piece=None):
    """Read all records of a file, whole or in pieces of some bytes."""
    module = module_of(container_of(path))
    spans = [None] if piece is None else module.spans(path, piece) or [None]
    return list(chain.from_iterable(module.records(path, span) for span in spans))


def media_in(value):
    """Yield the media with bytes in a record."""
    if isinstance(value, Medium):
        yield from [value] if value.place else []
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from media_in(one)


@on_disk
@given(rows=st.lists(row, max_size=9), kind=st.sampled_from(["parquet", "file", "stream"]), size=st.integers(1, 5))
def test_what_was_written_is_read(tmp_path, rows, kind, size):
    """Any rows in any row groups come back as plain values, NaN as None, and with a Medium for each picture."""
    path = written(tmp_path, rows, kind, size)
    wanted = [expected(record, number) for number, record in enumerate(rows)]
    assert read(path) == wanted
    for piece in (1, 500, 10**9):
        assert read(path, piece) == wanted
        spans = module_of(container_of(path)).spans(path, piece)
        assert [a.end for a in spans[:-1]] == [b.start for b in spans[1:]]
        assert all(span.start < span.end for span in spans)


@on_disk
@given(rows=st.lists(row, max_size=9), kind=st.sampled_from(["parquet", "file", "stream"]), data=st.data())
def test_the_bytes_of_any_places_are_found_in_their_order(tmp_path, rows, kind, data):
    """Places in any order, some of them twice, give the bytes that were written there."""
    path = written(tmp_path, rows, kind, 2)
    media = list(media_in(read(path)))
    asked = data.draw(st.lists(st.sampled_from(media), max_size=12)) if media else []
    found = list(picture_bytes(path, [medium.place for medium in asked]))
    assert [blake2b(content, digest_size=16).hexdigest() for content in found] == [one.hash for one in asked]


def test_values_that_json_lacks_become_those_it_has(tmp_path):
    """Times, decimals, maps, dictionaries and bytes are texts, objects and base64, so that a record can be kept."""
    made = pa.table(
        {
            "time": pa.array([datetime(2026, 1, 2, 3, 4, 5)]),  # noqa: DTZ001  as most tables have it
            "price": pa.array([Decimal("1.50")]),
            "map": pa.array([[("a", 1.0), ("b", float("nan"))]], pa.map_(pa.string(), pa.float64())),
            "kind": pa.array(["x"]).dictionary_encode(),
            "text": pa.array([b"kept"]),
            "vector": pa.array([b"\xff\x00\x01"]),
            "tensor": pa.array([[1.0, float("inf")]], pa.list_(pa.float32(), 2)),
        }
    )
    pq.write_table(made, tmp_path / "x.parquet")
    [record] = parquet.records(tmp_path / "x.parquet")
    assert record == {
        "time": "2026-01-02T03:04:05",
        "price": "1.50",
        "map": {"a": 1.0, "b": None},
        "kind": "x",
        "text": "kept",
        "vector": base64.b64encode(b"\xff\x00\x01").decode(),
        "tensor": [1.0, None],
    }
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_a_text_that_is_not_utf_8_costs_no_other_record(tmp_path):
    """Bytes that are no UTF-8 come as lone surrogates, which readers reject; the other rows are as written."""
    bad = pa.array([b"fine", b"\xff\xfe", None], pa.binary()).view(pa.string())
    turns = pa.array([[{"from": "human", "value": "é"}], [], None], pa.list_(TURN))
    pq.write_table(pa.table({"id": bad, "conversations": turns}), tmp_path / "x.parquet")
    found = list(parquet.records(tmp_path / "x.parquet"))
    assert [one["id"] for one in found] == ["fine", "\udcff\udcfe", None]
    assert [one["conversations"] for one in found] == [[{"from": "human", "value": "é"}], [], None]


def test_a_path_that_is_not_utf_8_is_a_problem_only_without_bytes(tmp_path):
    """A picture by its bytes needs no path; a path that cannot be written is the problem L12, in JSON too."""
    path = pa.array([b"\xff.png"] * 2, pa.binary()).view(pa.string())
    images = pa.StructArray.from_arrays([pa.array([PNG, None], pa.binary()), path], ["bytes", "path"])
    turns = [{"from": "human", "value": "<image>\nWho?"}, {"from": "gpt", "value": "A jay."}]
    made = pa.table({"image": images, "conversations": pa.array([turns] * 2, pa.list_(TURN))})
    pq.write_table(made, tmp_path / "x.parquet")
    rows = read_pool(tmp_path / "x.parquet").rows.sort("record")
    assert rows["problem"].to_list() == [None, "L12"]
    assert rows["image"][0].endswith(".png")
    caption = b'[{"filename": "\xb1.jpg", "split": "train", "sentences": [{"raw": "A jay."}]}]'
    (tmp_path / "y.json").write_bytes(caption)
    assert read_pool(tmp_path / "y.json", lenient=True).rows["problem"].to_list() == ["L12"]


def test_a_batch_is_bounded_by_its_bytes(tmp_path, monkeypatch):
    """A row group of 40 MB in pages of 1 MB is read with a few MB in memory, if a batch has 1 MB."""
    content = [PNG + os.urandom(20_000) for _ in range(2_000)]
    made = pa.table({"image": pa.array(content)})
    pq.write_table(made, tmp_path / "x.parquet", use_dictionary=False, write_batch_size=16)
    del made
    monkeypatch.setattr(parquet, "BYTES", 1 << 20)
    before = pa.total_allocated_bytes()
    held = [pa.total_allocated_bytes() - before for _ in parquet.records(tmp_path / "x.parquet")]
    assert len(held) == len(content)
    assert max(held) < 8 << 20


@pytest.mark.parametrize("kind", ["parquet", "dictionary", "arrow"])
def test_a_long_value_that_every_record_names_is_not_unpacked_for_all(tmp_path, kind):
    """A file of some kilobytes whose 1,000 records name one text of a megabyte takes no gigabyte."""
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 1000, pa.int32()), pa.array(["x" * 1_000_000]))
    made, path = pa.table({"id": long}), tmp_path / "x"
    if kind == "arrow":
        with path.open("wb") as file, pa.ipc.new_file(file, made.schema) as writer:
            writer.write_table(made)
    else:
        pq.write_table(made, path, store_schema=kind == "dictionary")
    before, most, count = pa.total_allocated_bytes(), 0, 0
    for record in module_of(container_of(path)).records(path):
        most = max(most, pa.total_allocated_bytes() - before)
        count += len(record["id"])
    assert count == 10**9
    assert most < 200e6


@on_disk
@given(cut=st.integers(0, 10**6), kind=st.sampled_from(["parquet", "file", "stream"]))
def test_a_truncated_table_is_refused_in_one_line(tmp_path, cut, kind):
    """Cut at any byte, a table is refused in one line that names it, and nothing of another kind is raised."""
    rows = [
        dict.fromkeys(SCHEMA.names) | {"id": f"{n}", "image": {"bytes": PNG + bytes(n), "path": None}}
        for n in range(20)
    ]
    path = written(tmp_path, rows, kind, 5)
    data = path.read_bytes()
    path.write_bytes(data[: cut % len(data)])
    module = parquet if kind == "parquet" else arrow
    with pytest.raises(InputError, match=f"{path.name}: cannot be read as") as caught:
        list(module.records(path))
    assert "\n" not in str(caught.value)


@on_disk
@given(at=st.integers(0, 10**6), byte=st.integers(0, 255), kind=st.sampled_from(["parquet", "file", "stream"]))
def test_a_damaged_table_never_crashes(tmp_path, at, byte, kind):
    """Any byte of a table may be another: its records come, or one line."""
    rows = [dict.fromkeys(SCHEMA.names) | {"id": f"é{n}", "images": [{"bytes": PNG, "path": "a"}]} for n in range(20)]
    path = written(tmp_path, rows, kind, 5)
    data = bytearray(path.read_bytes())
    data[at % len(data)] = byte
    path.write_bytes(data)
    module = parquet if kind == "parquet" else arrow
    try:
        list(module.records(path))
        module.spans(path, 1)
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017  it need not be raised


def shard(files, mode="w"):
    """Return the bytes of a tar with some files, by name."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as archive:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


SHARD = [
    ("a/0001.jpg", JPG + b"one"),
    ("a/0001.json", b'{"question": "Who?", "answers": ["Nobody."]}'),
    ("a/0002.img0.PNG", PNG + b"two"),
    ("a/0002.img1.png", PNG + b"three"),
    ("a/0002.txt", "Zwölf".encode()),
    ("a/0003.json", b"{broken"),
    (".nv-meta/split.yaml", b"x"),
]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_the_files_of_one_name_are_a_record(tmp_path, mode):
    """Files are grouped by their name up to its first dot, packed or not; hidden ones are passed over."""
    path = tmp_path / "shard.tar"
    path.write_bytes(shard(SHARD, mode))
    assert container_of(path) == "tar"
    one, two, three = read(path)
    assert (one["__key__"], one["json"]["answers"], one["jpg"].ending) == ("a/0001", ["Nobody."], "jpg")
    assert list(two) == ["__key__", "img0.png", "img1.png", "txt"]
    assert two["txt"] == "Zwölf"
    assert three == {"__key__": "a/0003", "json": "{broken"}
    assert read(path, 1) == [one, two, three]
    media = [one["jpg"], two["img0.png"], two["img1.png"]]
    assert list(picture_bytes(path, [m.place for m in media])) == [JPG + b"one", PNG + b"two", PNG + b"three"]
    assert list(picture_bytes(path, [m.place for m in media[::-1]])) == [PNG + b"three", PNG + b"two", JPG + b"one"]


def test_ranges_of_a_shard_are_cut_between_records(tmp_path):
    """Every range of a shard begins with the first file of a record, and together they are the whole."""
    path = tmp_path / "shard.tar"
    path.write_bytes(shard(SHARD))
    spans = tar.spans(path, 1)
    assert [span.start for span in spans] == [0, 4 * 512, 10 * 512, 12 * 512][: len(spans)]
    assert [record["__key__"] for span in spans for record in tar.records(path, span)] == ["a/0001", "a/0002", "a/0003"]


def test_a_link_in_a_shard_is_no_picture(tmp_path):
    """A link is there under its name and has no bytes, so that its record is not taken for one of text only."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        link = tarfile.TarInfo("0001.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    path = tmp_path / "shard.tar"
    path.write_bytes(made.getvalue())
    assert read(path) == [{"__key__": "0001", "jpg": None}]


@on_disk
@given(cut=st.integers(0, 10**6))
def test_a_truncated_shard_is_refused_in_one_line(tmp_path, cut):
    """Cut before the mark of its end, a shard is refused in one line; no record is lost in silence."""
    data = shard(SHARD)
    path = tmp_path / "shard.tar"
    path.write_bytes(data[: cut % (len(data.rstrip(b"\0")) + 1)])
    with pytest.raises(InputError, match="cannot be read as tar") as caught:
        list(tar.records(path))
    assert "\n" not in str(caught.value)


@on_disk
@given(at=st.integers(0, 10**6), bytes_=st.binary(min_size=1, max_size=9))
def test_a_damaged_shard_never_crashes(tmp_path, at, bytes_):
    """Any bytes of a shard may be others: its records come, or one line."""
    data = bytearray(shard(SHARD))
    at %= len(data)
    data[at : at + len(bytes_)] = bytes_
    path = tmp_path / "shard.tar"
    path.write_bytes(data)
    try:
        list(tar.records(path))
        tar.spans(path, 1)
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017  it need not be raised


@pytest.mark.parametrize("ending", ["tar", "parquet", "arrow"])
def test_what_came_before_damage_is_read_leniently(tmp_path, ending):
    """A damaged file is refused; leniently its records before the damage are rows, and one says what is lost."""
    said = [{"from": "human", "value": "Who?"}, {"from": "gpt", "value": "A jay."}]
    path = tmp_path / f"x.{ending}"
    if ending == "tar":
        files = [(f"{n}.json", json.dumps({"conversations": said}).encode()) for n in range(4)]
        path.write_bytes(shard(files)[: 512 * 7])
    elif ending == "arrow":
        made = pa.table({"id": [f"{n}" for n in range(4)], "conversations": pa.array([said] * 4, pa.list_(TURN))})
        with path.open("wb") as file, pa.ipc.new_stream(file, made.schema) as writer:
            writer.write_table(made, max_chunksize=1)
        path.write_bytes(path.read_bytes()[:-300])
    else:
        made = pa.table({"id": [f"{n}" for n in range(4)], "conversations": pa.array([said] * 4, pa.list_(TURN))})
        pq.write_table(made, path, row_group_size=1, use_dictionary=False)
        at, data = pq.read_metadata(path).row_group(3).column(0).data_page_offset, path.read_bytes()
        path.write_bytes(data[:at] + b"\xff" * 9 + data[at + 9 :])
    with pytest.raises(InputError, match="cannot be read as"):
        read_pool(path)
    problems = read_pool(path, lenient=True).rows.sort("record")["problem"].to_list()
    assert len(problems) == 4
    assert problems[:3] == [None] * 3
    assert problems[-1].startswith("bad_json:cannot be read as")
    assert problems[-1].endswith("what followed is lost")


cell = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\0"), max_size=8)


@on_disk
@given(
    rows=st.lists(st.lists(cell, min_size=3, max_size=3), min_size=1, max_size=6),
    ending=st.sampled_from(["csv", "tsv"]),
)
def test_a_table_that_python_wrote_is_read(tmp_path, rows, ending):
    """What the `csv` module writes, with any quotes, delimiters and line ends in fields, is read as written."""
    path = tmp_path / f"x.{ending}"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t" if ending == "tsv" else ",").writerows([["a", "b", "c"], *rows])
    wanted = [{name: field or None for name, field in zip("abc", fields, strict=True)} for fields in rows]
    assert list(table.records(path)) == wanted


def test_a_stray_quote_is_a_letter(tmp_path):
    """Quotes that nothing closes, or that close before the end of a field, cost no other row and no letter."""
    path = tmp_path / "x.tsv"
    lines = ["a\tb", '"open\tfield', '12" pipe\t6" ledge', '"A" or B\tyes', 'end\t"of it', "last\tone"]
    path.write_text("\n".join(lines))
    found = [tuple(record.values()) for record in table.records(path)]
    assert found == [tuple(line.split("\t")) for line in lines[1:]]


def test_a_field_may_be_long_and_a_row_short(tmp_path):
    """A picture of a megabyte in base64 is one field; a row with fewer or more fields than columns is kept as it is."""
    long = base64.b64encode(PNG + bytes(1_000_000)).decode()
    path = tmp_path / "x.tsv"
    path.write_text(f"index\timage\n1\t{long}\n2\n3\tx\ty\n")
    one, two, three = table.records(path)
    assert one == {"index": "1", "image": long}
    assert two == {"index": "2", "image": None}
    assert three == {"index": "3", "image": "x", "": ["y"]}
    assert list(picture_bytes(path, ["record:0:image"])) == [PNG + bytes(1_000_000)]
    packed = tmp_path / "y.tsv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert container_of(packed) == "table"
    assert list(table.records(packed)) == [one, two, three]


def test_a_table_in_another_encoding_is_refused(tmp_path):
    """Latin-1 is refused in one line; UTF-16 with its mark is read."""
    path = tmp_path / "x.csv"
    path.write_bytes("a,b\né,1\n".encode("latin-1"))
    with pytest.raises(InputError, match="expected UTF-8"):
        list(table.records(path))
    path.write_bytes("a,b\né,1\n".encode("utf-16"))
    assert list(table.records(path)) == [{"a": "é", "b": "1"}]


def test_pictures_in_json_are_found(tmp_path):
    """A data URI, base64 and an object with bytes give the same bytes; a place without one is an error of one line."""
    text = base64.b64encode(PNG).decode()
    path = tmp_path / "x.jsonl"
    path.write_text(
        "\n".join(map(json.dumps, [{"image": text}, {"images": [f"data:image/png;base64,{text}", {"bytes": text}]}]))
    )
    places = ["record:1:images.1", "record:0:image", "record:1:images.0"]
    assert list(picture_bytes(path, places)) == [PNG] * 3
    with pytest.raises(InputError, match="expected a picture at record 1"):
        list(picture_bytes(path, ["record:1:images.7"]))


REFUSED = {
    "x.json": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
    "x.jsonl": (b" <!DOCTYPE html><html>", "an HTML page"),
    "a.json": (b"PK\x03\x04rest", "a zip archive; unpack it"),
    "a.7z": (b"7z\xbc\xaf\x27\x1c", "7z"),
    "a.rar": (b"Rar!\x1a\x07\x01", "RAR"),
    "a.pdf": (b"%PDF-1.7", "PDF"),
    "a.jpg": (JPG, "a picture"),
    "a.mp4": (b"\0\0\0\x18ftypmp42", "a video"),
    "a.wav": (b"RIFF\0\0\0\0WAVEfmt ", "a sound"),
    "a.pkl": (b"\x80\x04\x95", "a pickle"),
    "a.h5": (b"\x89HDF\r\n\x1a\n", "HDF5"),
    "a.db": (b"SQLite format 3\0", "SQLite"),
    "a.npy": (b"\x93NUMPY\x01\0", "NumPy"),
    "a.safetensors": (b'\x10\0\0\0\0\0\0\0{"a":{}}         ', "safetensors"),
    "a.xml": (b"\xef\xbb\xbf<?xml version='1.0'?>", "XML"),
    "a.json.gz": (gzip.compress(b"PAR1 and so on"), "unpack it"),
    "b.json.gz": (gzip.compress(b"<html>"), "an HTML page"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_holds_no_samples_is_refused_by_name(tmp_path, name):
    """A file of another kind is refused in one line that says what it is and what to do, whatever it is called."""
    content, what = REFUSED[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=what) as caught:
        container_of(path)
    assert "\n" not in str(caught.value)


def test_files_are_told_by_their_bytes_before_their_ending(tmp_path):
    """JSON, Parquet and Arrow are recognised under any name; an ending decides where the bytes say nothing."""
    pq.write_table(pa.table({"a": [1]}), tmp_path / "x.json")
    assert container_of(tmp_path / "x.json") == "parquet"
    for name, content, wanted in (
        ("y.parquet", b"[]", "json"),
        ("y.json", b"\xff\xfe[\0]\0", "json"),
        ("y.csv", b"a,b\n", "table"),
        ("y.txt", b"", "json"),
        ("y.parquet", b"", "parquet"),
        ("y.json.bz2", b"BZh9 no", "json"),
    ):
        (tmp_path / name).write_bytes(content)
        assert container_of(tmp_path / name) == wanted


@pytest.mark.skipif(not CASES.is_dir(), reason="no cases: RECIPE_CASES names no folder")
@pytest.mark.parametrize(
    ("name", "count", "key"),
    [
        ("reading/e05.parquet", 40, "conversations"),
        ("reading/e05b.arrow", 40, "conversations"),
        ("reading/e12_csv.csv", 1, "question"),
        ("reading/d12.tsv", 2, "question"),
        ("formats/26_energon_vqa/shard_0.tar", 3, "json"),
        ("formats/27_img2dataset_wds/00000.tar", 3, "txt"),
        ("formats/28_save_to_disk/data-00000-of-00001.arrow", 3, "conversations"),
        ("formats/37_csv/t.csv", 3, "question"),
        ("formats/02_llava_next/data/train-00000-of-00001.parquet", 5, "conversations"),
    ],
)
def test_the_cases_are_read(name, count, key):
    """Each container among the cases gives all its records, in whole and in pieces."""
    path = CASES / name
    found = read(path)
    assert len(found) == count
    assert all(key in record for record in found)
    assert read(path, 1) == found
    media = list(media_in(found))
    hashes = [blake2b(content, digest_size=16).hexdigest() for content in picture_bytes(path, [m.place for m in media])]
    assert hashes == [m.hash for m in media]


@pytest.mark.skipif(not CASES.is_dir(), reason="no cases: RECIPE_CASES names no folder")
@pytest.mark.filterwarnings("ignore::recipe.errors.RecipeWarning")
def test_every_picture_in_the_cases_is_found_by_its_place():
    """In every format, what lies at the place of a picture has the hash by which it is named; 46 pictures or more."""
    count = 0
    for folder in sorted((CASES / "formats").iterdir()):
        if folder.name == "37_csv":
            continue  # no table of VLMEvalKit
        pool = read_pool(folder)
        for source, image, media in pool.rows.select("source", "image", "media").iter_rows():
            for one in media_of(image, media):
                if one.hash is not None:
                    [content] = picture_bytes(Path(pool.checkpoint.sources[source].path), [one.place])
                    assert blake2b(content, digest_size=16).hexdigest() == one.hash
                    count += 1
    assert count >= 46


@pytest.mark.parametrize("annotation", ["x" * 300, "a" * 5000, "a\0b"])
def test_a_list_that_names_no_possible_file_is_one_line(tmp_path, annotation):
    """A path that no disk could have, in a list of files, is a file that does not exist."""
    listed = {
        "toy": {"root": "images/", "annotation": annotation, "data_augment": False, "repeat_time": 1, "length": 1}
    }
    (tmp_path / "meta.json").write_text(json.dumps(listed))
    with pytest.raises(InputError, match="expected a file that exists"):
        read_pool(tmp_path / "meta.json")


def test_brackets_without_end_are_no_list_of_files(tmp_path):
    """JSON nested deeper than Python reads is read as a file of samples, and refused or listed as one."""
    (tmp_path / "x.json").write_text('{"a": ' + "[" * 3000)
    with pytest.raises(InputError, match="expected JSON"):
        read_pool(tmp_path / "x.json")
    assert len(read_pool(tmp_path / "x.json", lenient=True)) == 1
