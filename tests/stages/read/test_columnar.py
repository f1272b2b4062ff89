"""Reading Parquet column by column gives the same table as reading it record by record."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from recipe.stages.read import _columnar
from recipe.stages.read._containers import parquet
from recipe.stages.read._piece import Options, Piece
from recipe.stages.read._shards import read_piece
from recipe.stages.read._sources import File

PNG, MP4 = b"\x89PNG\r\n\x1a\n", b"\0\0\0\x18ftypmp42"
TURN = pa.struct({"from": pa.string(), "value": pa.string()})
IMAGES = {
    "none": None,
    "path": pa.string(),
    "bytes": pa.struct({"bytes": pa.binary(), "path": pa.string()}),
    "large": pa.large_string(),
}
MARKS = ("<image>\n", "<image>", "", "", "<video>", "<img>a</img>", "<|image_1|>", "<box>[[1,2,3,4]]</box>")
marks = st.sampled_from(MARKS)
said = st.builds("{}{}{}".format, marks, st.sampled_from(["Who?", "Zwölf, 12%.", "", " a\tb ", "x_y>z"]), marks)
usual_turns = st.builds(
    lambda mark, words: [{"from": "human", "value": mark + words}, {"from": "gpt", "value": "A jay."}],
    st.sampled_from(["", "", "<image>\n"]),
    st.sampled_from(["Who?", "What is it?", "Où?"]),
)
speaker = st.sampled_from(["human", "gpt", "human", "gpt", "user", "system", "dog", None])
odd_turns = st.lists(st.none() | st.fixed_dictionaries({"from": speaker, "value": st.none() | said}), max_size=4)
DATA = "data:image/png;base64,iVBORw0KGgo="
paths = st.sampled_from(["a.jpg", "a//b.jpg", "./a.jpg", "none", "nan", "", "a\\b.jpg", DATA, "x" * 400])
stored = st.fixed_dictionaries(
    {"bytes": st.none() | st.sampled_from([b"", PNG + b"1", PNG + b"2", MP4, b"?"]), "path": st.none() | paths}
)
record = st.fixed_dictionaries(
    {
        "id": st.none() | st.sampled_from(["", "a", "b", "ü"]),
        "conversations": usual_turns | usual_turns | usual_turns | st.none() | odd_turns,
        "path": st.none() | paths,
        "bytes": st.none() | stored,
        "task_name": st.none() | st.sampled_from(["", "vqa"]),
        "data_source": st.none() | st.sampled_from(["x", "ÿ\n"]),
        "n": st.none() | st.integers(-3, 3),
        "sure": st.none() | st.booleans(),
    }
)


def table_of(rows, image, others):
    """Return a table of records with a picture under some type, and some of the other columns."""
    columns = {
        "id": pa.array([row["id"] for row in rows], pa.string()),
        "conversations": pa.array([row["conversations"] for row in rows], pa.list_(TURN)),
        "task_name": pa.array([row["task_name"] for row in rows], pa.string()),
        "data_source": pa.array([row["data_source"] for row in rows], pa.string()),
        "n": pa.array([row["n"] for row in rows], pa.int32()),
        "sure": pa.array([row["sure"] for row in rows], pa.bool_()),
    }
    columns = {name: column for name, column in columns.items() if name == "conversations" or name in others}
    if IMAGES[image] is not None:
        given = [row["bytes" if image == "bytes" else "path"] for row in rows]
        columns["image"] = pa.array(given, IMAGES[image])
    return pa.table(columns)


def read(path, *, columns, span=None, **options):
    """Read a file, column by column or record by record."""
    given = {"boxes": "square", "suffix_seed": 0, "image_token": "front", "lenient": False, "images": None}
    given |= {"boxes_frame": None, **options}
    was = _columnar.is_columnar
    asked = []

    def is_columnar(*about):
        asked.append(was(*about))
        return columns and asked[-1]

    _columnar.is_columnar = is_columnar
    try:
        made = read_piece(Piece(File(path, "x"), None, "llava", span), Options(**given))
    finally:
        _columnar.is_columnar = was
    assert asked == [True]
    return made


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(record, max_size=8),
    image=st.sampled_from(sorted(IMAGES)),
    others=st.sets(st.sampled_from(["id", "task_name", "data_source", "n", "sure"])),
    size=st.integers(1, 4),
    options=st.fixed_dictionaries(
        {
            "many": st.sampled_from([0.0, 0.2, 1.0]),
            "image_token": st.sampled_from(["front", "given"]),
            "boxes_frame": st.sampled_from([None, "unit"]),
        }
    ),
)
def test_columns_give_what_records_give(  # noqa: PLR0917  hypothesis gives what it draws by name
    tmp_path, monkeypatch, rows, image, others, size, options
):
    """Any records, usual and odd ones in any mixture, give the same table either way, whole and in ranges."""
    monkeypatch.setattr(_columnar, "MANY", options.pop("many"))
    path = tmp_path / "x.parquet"
    pq.write_table(table_of(rows, image, others), path, row_group_size=size)
    whole = read(path, columns=False, **options)
    assert_frame_equal(read(path, columns=True, **options), whole)
    for span in parquet.spans(path, 1):
        by_records = read(path, columns=False, span=span, **options)
        assert_frame_equal(read(path, columns=True, span=span, **options), by_records)


TEXTS = [f"{before}Who?{after}" for before in ("<image>\n", "<image>", "") for after in ("", *MARKS[:2], *MARKS[4:])]
SHOWN = [
    (path, {"bytes": content, "path": path})
    for path in ("a.jpg", "./a//b.jpg", "none", "", DATA, None)
    for content in (PNG, MP4, b"?", b"", None)
]


@pytest.mark.parametrize("opened", [pa.ipc.new_file, pa.ipc.new_stream])
def test_arrow_is_read_column_by_column_too(tmp_path, monkeypatch, opened):
    """An Arrow file and a stream in small batches give the rows that they give record by record."""
    monkeypatch.setattr(_columnar, "MANY", 1.0)
    plain = {"id": "a", "task_name": "vqa", "data_source": "x", "n": 1, "sure": True}
    rows = [
        plain
        | {"path": "a.jpg", "bytes": stored}
        | {"conversations": [{"from": "human", "value": asked}, {"from": "gpt", "value": "A jay."}]}
        for _, stored in SHOWN[:6]
        for asked in TEXTS
    ]
    made = table_of(rows, "bytes", set(plain))
    path = tmp_path / "x.arrow"
    with path.open("wb") as file, opened(file, made.schema) as writer:
        writer.write_table(made, max_chunksize=7)
    assert_frame_equal(read(path, columns=True), read(path, columns=False))


@pytest.mark.parametrize("image", IMAGES)
def test_every_oddity_alone_is_read_as_by_its_reader(tmp_path, monkeypatch, image):
    """Each odd text in each turn beside each odd picture gives the same rows, though all others are usual."""
    monkeypatch.setattr(_columnar, "MANY", 1.0)
    plain = {"id": "a", "task_name": "vqa", "data_source": "x", "n": 1, "sure": True}
    rows = [
        plain
        | {"path": path, "bytes": stored}
        | {"conversations": [{"from": "human", "value": asked}, {"from": "gpt", "value": answer}, *more]}
        for path, stored in SHOWN
        for asked in TEXTS
        for answer in ("A jay.", "See <image>.", "<img>a.jpg</img>")
        for more in ([], [{"from": "human", "value": "And image_1?"}, {"from": "gpt", "value": "<box>"}])
    ]
    path = tmp_path / "x.parquet"
    pq.write_table(table_of(rows, image, set(plain)), path, row_group_size=100)
    assert_frame_equal(read(path, columns=True), read(path, columns=False))


def test_usual_records_are_not_read_one_by_one(tmp_path):
    """Of usual records with pictures and without, none is left to the reader."""
    turns = [{"from": "human", "value": "<image>\nWho?"}, {"from": "gpt", "value": "A jay."}]
    text = [{"from": "human", "value": "Who?"}, {"from": "gpt", "value": "A jay_bird, <b>blue</b>."}]
    rows = [
        {"id": "a", "image": {"bytes": PNG, "path": "a.png"}, "conversations": turns, "data_source": "x"},
        {"id": "b", "image": None, "conversations": text, "data_source": "x"},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")
    [(batch, first)] = parquet.batches_in(tmp_path / "x.parquet", None)
    usual, media = _columnar._looked_at(batch, first, None)
    assert usual.tolist() == [True, True]
    assert media[0].place == "record:0:/image"


@pytest.mark.parametrize(
    ("columns", "reader"),
    [
        ({"image": pa.array(["a"]), "images": pa.array([["a"]])}, "llava"),
        ({"width": pa.array([1])}, "llava"),
        ({"image_path": pa.array(["a.jpg"])}, "llava"),
        ({"idx": pa.array(["1"])}, "llava"),
        ({"id": pa.array([1])}, "llava"),
        ({"score": pa.array([0.5])}, "llava"),
        ({"image": pa.array(["a"])}, "messages"),
    ],
)
def test_other_columns_are_read_record_by_record(tmp_path, columns, reader):
    """A column that a reader looks at, or whose values are not plain, and another reader leave all to the reader."""
    turns = pa.array([[{"from": "human", "value": "Who?"}]], pa.list_(TURN))
    pq.write_table(pa.table({"conversations": turns, **columns}), tmp_path / "x.parquet")
    context = _columnar_context(tmp_path / "x.parquet")
    assert not _columnar.is_columnar(Piece(File(tmp_path / "x.parquet", "x"), None, None), "parquet", reader, context)


def _columnar_context(path):
    """Return what is known of a file that no list names."""
    from recipe.stages.read._entry import Context
    from recipe.stages.read._images import Images

    return Context(path, "square", 0, Images())
