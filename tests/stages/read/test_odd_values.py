"""What the fuzzer of readers found: odd values in sound files, and odd files beside them."""

from __future__ import annotations

import base64
import io
import json
import tarfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from trainers import picture

from recipe import read_pool
from recipe.errors import InputError
from recipe.stages import read
from recipe.stages.read import _shards
from recipe.stages.read._containers.pictures import picture_bytes

BROKEN = "a\ud83d.jpg"  # half of a surrogate pair, which no file can be called
CHAT = [{"role": "user", "content": "What bird?"}, {"role": "assistant", "content": "A jay."}]
NAMED = {  # a record of each format, and where it names its picture
    "coco": {"file_name": BROKEN, "image_id": 1, "caption": "A jay."},
    "karpathy": {"filename": BROKEN, "sentences": [{"raw": "A jay."}]},
    "gqa": {"imageId": BROKEN, "question": "What bird?", "answer": "A jay."},
    "mimic_it": {"image_ids": [BROKEN], "instruction": "What bird?", "answer": "A jay."},
    "messages": {"images": [{"path": BROKEN}], "messages": CHAT},
    "llava": {"image": BROKEN, "conversations": [{"from": "human", "value": "Who?"}, {"from": "gpt", "value": "Me."}]},
}


def shard(path, *records):
    """Write a shard of the files of each record."""
    with tarfile.open(path, "w") as tar:
        for key, files in enumerate(records):
            for ending, content in files.items():
                header = tarfile.TarInfo(f"{key:04}.{ending}")
                if content is None:
                    header.type, header.linkname = tarfile.SYMTYPE, "elsewhere.jpg"
                held = content if isinstance(content, bytes) else json.dumps(content or "").encode()
                header.size = 0 if content is None else len(held)
                tar.addfile(header, io.BytesIO(held))
    return path


@pytest.mark.parametrize("name", NAMED)
def test_a_name_that_cannot_be_written(tmp_path, name):
    """A picture with half of a surrogate pair in its name is L12 in every format, and stops no other record."""
    (tmp_path / "pool.json").write_text(json.dumps([NAMED[name], {**NAMED[name], "id": 2}]))
    assert read_pool(tmp_path / "pool.json").rows["problem"].to_list() == ["L12"] * 2


def test_bytes_with_a_name_that_cannot_be_written(tmp_path):
    """A picture by its bytes is called by their hash, and a name beside them that cannot be written is left out."""
    shown = [{"path": BROKEN, "bytes": base64.b64encode(picture()).decode()}]
    (tmp_path / "pool.json").write_text(json.dumps([{"messages": CHAT, "images": shown}]))
    (medium,) = read_pool(tmp_path / "pool.json").rows["media"][0]
    assert medium["path"] is None
    assert medium["hash"]
    column = pa.StructArray.from_arrays(
        [pa.array([picture()]), pa.array([b"a\xff.jpg"]).view(pa.string())], ["bytes", "path"]
    )
    pq.write_table(pa.table({"image": column, "messages": [CHAT]}), tmp_path / "pool.parquet")
    assert read_pool(tmp_path / "pool.parquet").rows["media"][0][0]["path"] is None


@pytest.mark.parametrize("content", ["[1]", "null", '{"a"', '"x"', '{"a": NaN', "[" * 5000])
def test_pictures_that_are_no_object(tmp_path, content):
    """A file of MIMIC-IT's pictures that is no object is refused in one line that names it."""
    (tmp_path / "TT_instructions.json").write_text(json.dumps({"meta": {}, "data": {"TT_1": NAMED["mimic_it"]}}))
    (tmp_path / "TT.json").write_text(content)
    with pytest.raises(InputError, match=r"TT\.json: expected an object of pictures by their ids.*restore") as error:
        read_pool(tmp_path / "TT_instructions.json")
    assert "\n" not in str(error.value)


def test_a_picture_of_mimic_it_that_is_a_path(tmp_path):
    """A path in the place of a picture's bytes is that path, and nothing is said to lie in the file."""
    record = {"instruction": "What bird?", "answer": "A jay.", "image_ids": ["a", "b"]}
    (tmp_path / "TT_instructions.json").write_text(json.dumps({"meta": {}, "data": {"TT_1": record}}))
    held = {"a": "birds/1.jpg", "b": base64.b64encode(picture()).decode(), "c": [[[]]]}
    (tmp_path / "TT.json").write_text(json.dumps(held))
    first, second = read_pool(tmp_path / "TT_instructions.json").rows["media"][0]
    assert (first["path"], first["place"], second["place"]) == ("birds/1.jpg", None, "@TT.json:b")


@pytest.mark.parametrize("pieces", [False, True])
def test_base64_in_a_shard(tmp_path, monkeypatch, pieces):
    """Pictures in base64 inside of a shard's JSON lie where the pool says, also beside files and in later pieces."""
    uris = [f"data:image/png;base64,{base64.b64encode(picture((n, 0, 0), kind='PNG')).decode()}" for n in range(6)]
    block = [{"type": "image_url", "image_url": {"url": uris[5]}}, {"type": "text", "text": "Who?"}]
    records = [{"json": {"messages": CHAT, "images": [uri]}} for uri in uris[:5]]
    records += [{"json": [{"role": "user", "content": block}, CHAT[1]]}]
    records += [{"json": {"texts": [{"role": "user", "content": block}, CHAT[1]]}}]
    records += [{"jpg": picture(), "json": CHAT}]
    file = shard(tmp_path / "0.tar", *records)
    if pieces:
        monkeypatch.setattr(read, "IN_MEMORY", -1)
        monkeypatch.setattr(_shards, "PIECE", 1000)
    pool = read_pool(file)
    assert pool.eligible.all()
    media = [one for many in pool.rows["media"] for one in many]
    assert len(media) == len(records)
    found = list(picture_bytes(file, [one["place"] for one in media]))
    known = {base64.b64decode(uri.partition(",")[2]) for uri in uris} | {picture()}
    assert set(found) == known


@pytest.mark.parametrize("content", [b"", None], ids=["no bytes", "a link"])
def test_a_picture_of_a_shard_without_bytes(tmp_path, content):
    """A sample of a shard whose picture has no bytes or is a link is rejected, and never read as text only."""
    file = shard(tmp_path / "0.tar", {"jpg": content, "json": CHAT}, {"jpg": picture(), "json": CHAT})
    assert sorted(read_pool(file).rows["problem"].to_list(), key=str) == ["L08", None]


def test_an_empty_data_uri(tmp_path):
    """A data URI without data is L08, since no bytes lie there."""
    (tmp_path / "pool.json").write_text(json.dumps([{"messages": CHAT, "images": ["data:image/png;base64,"]}]))
    assert read_pool(tmp_path / "pool.json").rows["problem"].to_list() == ["L08"]


def test_json_under_the_name_of_a_table(tmp_path):
    """JSON in a file that is called a table is read as JSON, and no record is taken for names of columns."""
    (tmp_path / "pool.tsv").write_text(json.dumps([{"messages": CHAT}, {"messages": CHAT}]))
    assert len(read_pool(tmp_path / "pool.tsv")) == 2


@pytest.mark.parametrize("file", ["pool.json", "pool.tsv"])
def test_a_long_key_in_an_error(tmp_path, file):
    """An error about unknown records says their keys as far as a line has room for."""
    keys = [f"{number}" * 300 for number in range(300)]
    text = json.dumps([dict.fromkeys(keys, 1)]) if file.endswith("json") else "\t".join(keys) + "\n1\n"
    (tmp_path / file).write_text(text)
    with pytest.raises(InputError) as error:
        read_pool(tmp_path / file)
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize("side", ["questions", "annotations"])
def test_deep_questions(tmp_path, side):
    """Questions or answers that are nested too deeply are one line, or rejected, and no traceback."""
    deep = {"data_subtype": "train2014", "x": json.loads("[" * 500 + "]" * 500)}
    question = {"image_id": 1, "question_id": 1, "question": "What bird?"}
    answer = {"question_id": 1, "multiple_choice_answer": "jay"}
    for name, one in {"questions": question, "annotations": answer}.items():
        nested = {**one, **(deep if side == name else {})}
        file = tmp_path / ("v2_OpenEnded_questions.json" if name == "questions" else "v2_annotations.json")
        file.write_text(json.dumps({name: [nested]}))
    try:
        pool = read_pool(tmp_path)
    except InputError as error:
        assert "\n" not in str(error)  # noqa: PT017  either is right
    else:
        assert len(pool) == 1


def test_pictures_by_their_marks(tmp_path):
    """An object that names each picture by its mark (MiniCPM-V) is as many pictures, in the order of their numbers."""
    uri = f"data:image/jpeg;base64,{base64.b64encode(picture()).decode()}"
    named = {f"<image_{number:02}>": f"{number}.jpg" for number in (10, 1, 2)} | {"<image_03>": uri}
    text = "".join(sorted(named)) + "Which?"
    turns = [{"role": "user", "content": text}, {"role": "assistant", "content": "The first."}]
    (tmp_path / "pool.json").write_text(json.dumps([{"image": named, "conversations": turns}]))
    (row,) = read_pool(tmp_path / "pool.json").rows.iter_rows(named=True)
    assert [one["path"] for one in row["media"]] == ["1.jpg", "2.jpg", None, "10.jpg"]
    assert list(picture_bytes(tmp_path / "pool.json", [row["media"][2]["place"]])) == [picture()]


ONE_LINE = {  # a file of one record each, which has one list
    "alpaca": {"instruction": "What bird?", "output": "A jay.", "images": ["a.jpg"]},
    "swift": {"query": "What bird?", "response": "A jay.", "history": []},
    "vqa": {"question": "What bird?", "answers": [{"answer": "A jay."}], "image_id": 92},
    "captions": {"filename": "a.jpg", "sentences": [{"raw": "A jay."}]},
    "trl": {"prompt": "What bird?", "completion": "A jay.", "images": []},
}


@pytest.mark.parametrize("name", ONE_LINE)
def test_a_file_of_one_record(tmp_path, name):
    """A file of one record is that record, also where the only list in it might be taken for a list of records."""
    (tmp_path / "pool.jsonl").write_text(json.dumps(ONE_LINE[name]) + "\n")
    assert [turns[1]["value"] for turns in read_pool(tmp_path / "pool.jsonl").rows["turns"]] == ["A jay."]


@pytest.mark.parametrize("first", ["null", '"text"', "7"])
@pytest.mark.parametrize("lenient", [False, True])
def test_a_first_line_that_is_no_record(tmp_path, first, lenient):
    """A line that is no object at the head of JSON Lines is rejected alone, and all after it are read."""
    lines = [first, *(json.dumps({"id": n, "messages": CHAT}) for n in range(3))]
    (tmp_path / "pool.jsonl").write_text("\n".join(lines))
    problems = read_pool(tmp_path / "pool.jsonl", lenient=lenient).rows["problem"]
    assert sorted(problems, key=str) == [None, None, None, "not_a_record"]


def test_a_path_that_is_no_text(tmp_path):
    """Bytes beside a path that is a list are a picture without one."""
    shown = [[{"bytes": picture(), "path": [{"from": "gpt"}]}]]
    pq.write_table(pa.table({"images": shown, "messages": [CHAT]}), tmp_path / "pool.parquet")
    (medium,) = read_pool(tmp_path / "pool.parquet").rows["media"][0]
    assert (medium["path"], medium["ending"]) == (None, "jpg")


@pytest.mark.parametrize("sentences", [True, 5, "A jay.", {"raw": "A jay."}, None, []])
def test_sentences_that_are_no_list(tmp_path, sentences):
    """Captions of Karpathy's that are no list are rejected, if captions are asked for by name."""
    (tmp_path / "pool.json").write_text(
        json.dumps([{"filename": "a.jpg", "sentences": sentences, "caption": "A jay."}])
    )
    assert read_pool(tmp_path / "pool.json", format="captions").rows["problem"].to_list() == ["L05"]


def test_a_data_uri_in_a_column_of_bytes(tmp_path):
    """A data URI that a column holds as bytes is the picture that it spells, also when its bytes are asked for."""
    uri = b"data:image/jpeg;base64," + base64.b64encode(picture())
    pq.write_table(pa.table({"images": [[uri]], "messages": [CHAT]}), tmp_path / "pool.parquet")
    (medium,) = read_pool(tmp_path / "pool.parquet").rows["media"][0]
    assert list(picture_bytes(tmp_path / "pool.parquet", [medium["place"]])) == [picture()]
