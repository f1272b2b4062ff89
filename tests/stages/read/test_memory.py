"""Samples in memory are read as the same samples in a file are."""

import datetime as dt
import decimal
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import REPAIRED, SMALL, TROUBLES, broken_sample, good_sample

from recipe import open_mix, read_pool, rebuild_mix, score_pool, select_mix
from recipe.errors import ConfigError, FunctionError, InputError
from recipe.io.cache import open_store
from recipe.stages.read._sources.given import sort_out
from recipe.stages.read._sources.spool import line_of
from recipe.stages.read._sources.tables import records_of

ALONE = {"embed": SMALL, "select": "random"}
RECORDS = [
    {
        "id": f"r{i}",
        "image": f"{i}.jpg",
        "conversations": [{"from": "human", "value": f"<image>\nWhat is {i}?"}, {"from": "gpt", "value": f"Jay {i}."}],
    }
    for i in range(30)
]
BROKEN = tuple(code for code in (*TROUBLES, "not_a_record") if code not in REPAIRED)
some = good_sample() | broken_sample(BROKEN).map(lambda pair: pair[0])


def same(one, other):
    """Return whether two pools hold the same samples, but for the name of their source and the order of reading."""
    return one.rows.drop("source", "record", "order").equals(other.rows.drop("source", "record", "order"))


@given(st.lists(some, min_size=1, max_size=8).filter(lambda many: any(isinstance(one, dict) for one in many)))
@settings(max_examples=40)
def test_memory_and_file_are_one_door(records):
    """Whatever the records are, good or broken, a list, an iterator and a file of them give the same samples."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "memory.json")
        file.write_text(json.dumps(records), "utf-8", "surrogatepass")
        read = read_pool({"path": file, "format": "llava"})
    held = read_pool({"data": records, "format": "llava"})
    assert same(read, held)
    assert read.rows["record"].equals(held.rows["record"])
    assert set(held.rows["source"]) == {"memory"}
    assert same(read, read_pool({"data": iter(records), "format": "llava"}))
    assert len(held) >= len(records)


def test_every_kind_of_table_is_read():
    """A list, an iterator, an object with numbers, and tables of polars and pyarrow give one pool."""

    class Numbered:
        """A dataset as PyTorch has it."""

        def __len__(self):
            return len(RECORDS)

        def __getitem__(self, at):
            return RECORDS[at]

    expected = read_pool(RECORDS)
    arrow = pa.Table.from_pylist(RECORDS)
    kinds = [
        tuple(RECORDS),
        iter(RECORDS),
        (record for record in RECORDS),
        Numbered(),
        pl.DataFrame(RECORDS),
        pl.LazyFrame(RECORDS),
        arrow,
        arrow.to_batches()[0],
        arrow.to_reader(max_chunksize=7),
    ]
    for data in kinds:
        assert read_pool(data).rows.equals(expected.rows), type(data)


def test_pandas_and_datasets_are_read():
    """A table of pandas and a dataset, whole, streamed or one split of several, give the same pool."""
    pandas = pytest.importorskip("pandas")
    datasets = pytest.importorskip("datasets")
    expected = read_pool(RECORDS)
    dataset = datasets.Dataset.from_list(RECORDS)
    for data in (pandas.DataFrame(RECORDS), dataset, dataset.to_iterable_dataset(), dataset.select(range(30))):
        assert read_pool(data).rows.equals(expected.rows), type(data)
    with pytest.raises(ConfigError, match=r"got 'train', 'test'; name it, as data\['train'\]"):
        read_pool(datasets.DatasetDict({"train": dataset, "test": dataset}))


def test_missing_values_of_pandas_are_null():
    """What pandas holds as missing is null, so that a text without a picture is read as one."""
    pandas = pytest.importorskip("pandas")
    records = [{**RECORDS[0]}, {"id": "t", "conversations": text_only()}]
    read = read_pool(pandas.DataFrame(records))
    assert read.rows.filter(pl.col("id") == "t")["image"].to_list() == [None]
    assert "NaN" not in str(read.rows["extra"].to_list())


def text_only():
    """Return turns that show no picture."""
    return [{"from": "human", "value": "Who?"}, {"from": "gpt", "value": "A jay."}]


def test_neither_library_is_imported():
    """Reading a list imports neither pandas nor datasets nor Pillow nor torch."""
    code = (
        "import sys, recipe; recipe.read_pool([{'conversations': [{'from': 'human', 'value': 'a'}]}]); "
        "print([name for name in ('pandas', 'datasets', 'PIL', 'torch') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_samples_in_memory_stand_beside_paths(tmp_path):
    """Files, records and tables are read together, each under its name, and nothing is lost."""
    (tmp_path / "a.json").write_text(json.dumps(RECORDS[:5]))
    (tmp_path / "b.json").write_text(json.dumps(RECORDS[5:9]))
    table = {"data": pl.DataFrame(RECORDS[12:]), "name": "rest/of them.json"}
    pool = read_pool([tmp_path, RECORDS[9:12], table])
    counts = dict(pool.rows["source"].value_counts().iter_rows())
    assert counts == {"a.json": 5, "b.json": 4, "memory": 3, "rest/of them.json": 18}
    assert same(pool, read_pool(RECORDS))


def test_two_of_one_name_are_one_source():
    """Samples that are given twice without a name are numbered through, in the order given."""
    pool = read_pool([RECORDS[:10], iter(RECORDS[10:])])
    assert sorted(pool.rows["record"]) == list(range(30))
    assert pool.rows.sort("record")["id"].to_list() == [record["id"] for record in RECORDS]


def test_an_iterator_of_paths_is_still_one_of_sources(tmp_path):
    """What a glob of pathlib yields are files, as before."""
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(json.dumps(RECORDS[:3]))
    assert set(read_pool(tmp_path.glob("*.json")).rows["source"]) == {"a.json", "b.json"}
    assert sort_out(iter([])).held


def test_the_mix_does_not_depend_on_the_order_of_records():
    """Records in any order, and from any kind of data, give the same mix."""
    mix = select_mix(RECORDS, size=7, **ALONE)
    for data in (RECORDS[::-1], iter(RECORDS), pl.DataFrame(RECORDS[3:] + RECORDS[:3])):
        other = select_mix(data, size=7, **ALONE)
        assert other.keys == mix.keys
        assert list(other) == list(mix)
    assert len(score_pool(iter(RECORDS), embed=SMALL)) == 30


def test_a_mix_from_memory_says_that_it_cannot_be_rebuilt(tmp_path):
    """Its manifest names what was in memory, and neither rebuild nor open takes other samples for it."""
    (tmp_path / "a.json").write_text(json.dumps(RECORDS[:5]))
    for sources in (RECORDS, [str(tmp_path / "a.json"), {"data": RECORDS[5:], "name": "mine"}]):
        target = tmp_path / f"mix{len(sources)}.json"
        mix = select_mix(sources, size=4, **ALONE)
        mix.save(target)
        manifest = target.with_name(f"{target.stem}.manifest.json")
        content = json.loads(manifest.read_text())
        name = "mine" if len(sources) == 2 else "memory"
        assert content["memory"] == [name]
        assert sum(source["samples"] for source in content["sources"]) == 30
        for again in (lambda: rebuild_mix(manifest), lambda: open_mix(target)):  # noqa: B023  called at once
            with pytest.raises(InputError, match=rf"samples were in memory( \({name}\))?.* cannot find again"):
                again()


def test_pictures_are_kept_as_their_bytes_or_paths():
    """Bytes, an array of them, an object of Hugging Face and a picture of Pillow become data URIs; a path stays one."""
    from PIL import Image

    written = io.BytesIO()
    Image.new("RGB", (8, 6), (1, 2, 3)).save(written, "JPEG")
    raw = written.getvalue()
    uri = json.loads(line_of({"image": raw}, ""))["image"]
    assert uri.startswith("data:image/jpeg;base64,/9j/")
    assert json.loads(line_of({"image": np.frombuffer(raw, np.uint8)}, ""))["image"] == uri
    assert json.loads(line_of({"image": np.bytes_(raw)}, ""))["image"] == uri
    assert json.loads(line_of({"images": [{"bytes": raw, "path": "a.jpg"}]}, "")) == {
        "images": [{"bytes": uri, "path": "a.jpg"}]
    }
    table = pl.DataFrame({"images": [[{"bytes": None, "path": "a.jpg"}]]})
    assert [json.loads(line_of(row, "")) for row in records_of(table)] == [{"images": ["a.jpg"]}]
    for mode in ("RGB", "L", "P", "CMYK", "RGBA", "1", "F"):
        kept = json.loads(line_of({"image": Image.new(mode, (8, 6))}, ""))["image"]
        assert kept["bytes"].startswith("data:image/png;base64,iVBORw0KGgo")
        assert kept["path"] is None


def test_values_of_python_and_numpy_are_json():
    """Numbers and arrays of numpy, dates, decimals and paths have an equal in JSON."""
    record = {
        "a": np.int64(3),
        "b": np.array([[1, 2]]),
        "c": dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC),
        "d": decimal.Decimal("1.5"),
        "e": Path("x/y"),
        "f": np.bool_(True),
        "g": pl.Series([1, 2]),
        "h": (1, 2),
        "i": dt.date(2026, 1, 2),
    }
    assert json.loads(line_of(record, "")) == {
        "a": 3,
        "b": [[1, 2]],
        "c": "2026-01-02T03:04:00+00:00",
        "d": 1.5,
        "e": "x/y",
        "f": True,
        "g": [1, 2],
        "h": [1, 2],
        "i": "2026-01-02",
    }


def deep():
    """Return a record that is nested without end."""
    record = {"conversations": []}
    record["conversations"].append(record)
    return record


def test_what_is_no_record_is_a_counted_reject():
    """A record nested without end, or something that is none, is one row with its reason."""
    pool = read_pool([RECORDS[0], deep(), None, 7, [1], {"conversations": text_only(), "x": float("nan")}])
    assert len(pool) == 6
    problems = pool.rows["problem"].drop_nulls().to_list()
    assert sum(problem.startswith("not_a_record") for problem in problems) == 3
    assert sum("nested deeper" in problem for problem in problems) == 1


class Odd:
    """An object of a user's own."""


class Refusing:
    """An iterable that fails when it is asked for its items."""

    def __iter__(self):
        raise ValueError("not\nnow")


@pytest.mark.parametrize(
    ("sources", "error", "what"),
    [
        (7, ConfigError, "got 7"),
        (None, ConfigError, "got None"),
        (b"a.json", ConfigError, "got b'a.json'"),
        (Odd(), ConfigError, "got <"),
        (Refusing(), FunctionError, "memory: the data raised ValueError: not now .*before the first record"),
        ("\ud800", InputError, "expected a path, got"),
        ({"imagees": [Odd()], "x": pl.Series([1])}, ConfigError, "unknown key 'imagees'"),
        ({"conversations": []}, ConfigError, "expected a key 'path'|unknown key"),
        ({"data": "a.json"}, ConfigError, "got 'a.json'"),
        ({"data": {"id": 1}}, ConfigError, "put one record into a list"),
        ({"data": RECORDS, "nme": "x"}, ConfigError, "did you mean 'name'"),
        ({"data": RECORDS, "name": 7}, ConfigError, "name=7"),
        ({"data": RECORDS, "name": "\ud800"}, ConfigError, "name="),
        ({"data": RECORDS, "format": "lava"}, ConfigError, "did you mean 'llava'"),
        ([{"data": RECORDS}, {"data": RECORDS, "format": "llava"}], ConfigError, "one format"),
        ([RECORDS[0], "a.json"], ConfigError, "list of their own"),
        ([RECORDS[0], pl.DataFrame()], ConfigError, "list of their own"),
        (iter([]), InputError, "expected records, got none"),
        (pl.DataFrame(RECORDS[:0]), InputError, "expected records, got none"),
        ([{"conversations": Odd()}], InputError, r"memory: record 0: .*Odd in conversations; convert it"),
        ([{"a": [{"b": {1, 2}}]}], InputError, r"builtins.set in a\[0\].b"),
        ([{"a": {(1, 2): 3}}], InputError, r"the key \(1, 2\) in a"),
        ([{"q": "Who?"}], InputError, r"^memory \(in memory\): expected a known format"),
        (pl.LazyFrame({"a": [1]}).select("b"), FunctionError, "the data raised ColumnNotFound.*before the first"),
    ],
)
def test_anything_else_is_one_line(sources, error, what):
    """What is neither a path nor samples, or holds what is no JSON, is refused in one line that says what came."""
    with pytest.raises(error, match=what) as told:
        read_pool(sources)
    assert "\n" not in str(told.value)
    assert "recipe-" not in str(told.value)


def test_an_iterator_that_fails_is_one_line():
    """What a generator raises is told with its kind and the record before it."""

    def broken():
        yield RECORDS[0]
        raise OSError("the disk is gone")

    with pytest.raises(FunctionError, match=r"memory: the data raised OSError: the disk is gone .*after record 0"):
        read_pool(broken())
    with pytest.raises(KeyboardInterrupt):
        read_pool(one for one in [RECORDS[0], *iter(interrupt, None)])


def interrupt():
    """Act as if the user had pressed Ctrl-C."""
    raise KeyboardInterrupt


def test_a_name_of_a_file_is_not_taken(tmp_path):
    """Samples in memory cannot bear the name of a file that is read beside them."""
    (tmp_path / "a.json").write_text(json.dumps(RECORDS))
    with pytest.raises(ConfigError, match=r"no file has for samples in memory, got 'a\.json'"):
        read_pool([tmp_path / "a.json", {"data": RECORDS, "name": "a.json"}])


def test_the_same_samples_are_found_in_a_cache(tmp_path):
    """With a cache, samples in memory are found again by their bytes, and the pool is the one without it."""
    pool = read_pool(RECORDS, store=open_store(tmp_path / "cache"))
    made = sorted(path.name for path in (tmp_path / "cache").glob("read-*"))
    again = read_pool(iter(RECORDS), store=open_store(tmp_path / "cache"))
    assert pool.rows.equals(again.rows)
    assert pool.rows.equals(read_pool(RECORDS).rows)
    assert sorted(path.name for path in (tmp_path / "cache").glob("read-*")) == made


def test_the_files_live_as_long_as_the_pool():
    """The temporary files are there with the pool, and gone after it."""
    pool = read_pool(RECORDS)
    root = Path(pool.checkpoint.held.store.root)
    assert any(root.rglob("memory"))
    del pool
    assert not root.exists()


def test_memory_stays_bounded():
    """Samples from an iterator, a hundred megabytes of them, take less memory than they have bytes."""
    code = (
        "import resource, recipe\n"
        "def samples():\n"
        "    for i in range(100_000):\n"
        "        yield {'conversations': [{'from': 'human', 'value': f'{i} ' + 'word ' * 200},"
        " {'from': 'gpt', 'value': 'yes'}]}\n"
        "from recipe.stages.read._sources.spool import spool\n"
        "from recipe.stages.read._sources.given import Held\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "files, kept = spool([Held(samples())])\n"
        "assert files[0].path.stat().st_size > 100e6\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 20_000  # kilobytes


def shown(red):
    """Return a small picture as the bytes of a JPEG."""
    from PIL import Image

    written = io.BytesIO()
    Image.new("RGB", (8, 6), (red, 2, 3)).save(written, "JPEG")
    return written.getvalue()


def test_pictures_in_memory_travel_with_the_mix(tmp_path):
    """The bytes of the pictures of picks are written, by a mix of records and by one of a pool of them."""
    from recipe.data.signatures import hash_of

    records = [{**RECORDS[i], "image": {"bytes": shown(8 * i), "path": None}} for i in range(6)]
    names = {f"{hash_of([record['image']['bytes']])}.jpg": record["image"]["bytes"] for record in records}
    pool = read_pool(records)
    assert set(pool.rows["image"]) == names.keys()
    for number, data in enumerate((records, pool)):
        mix = select_mix(data, size=4, dedup={"near": None}, **ALONE)
        mix.write_images(tmp_path / str(number))
        written = {file.name: file.read_bytes() for file in (tmp_path / str(number)).iterdir()}
        assert written == {record["image"]: names[record["image"]] for record in mix}
        assert mix.manifest()["memory"] == ["memory"]


def test_several_pictures_iterate_as_a_list():
    """Records with several pictures, picked for a trainer that takes them, show them as a list."""
    talk = [{"role": "user", "content": "<image><image>Differ?"}, {"role": "assistant", "content": "Yes."}]
    records = [{"id": f"a{i}", "images": [f"{i}.jpg", f"{i}b.jpg"], "messages": talk} for i in range(5)]
    mix = select_mix(records, size=3, write={"format": "llava-next"}, dedup={"near": None}, **ALONE)
    assert all(record["image"] == [f"{record['id'][1]}.jpg", f"{record['id'][1]}b.jpg"] for record in mix)
    assert [record["conversations"][0]["value"] for record in mix] == ["<image><image>Differ?"] * 3


def test_pictures_of_a_dataset_are_not_decoded():
    """The pictures of a dataset, streamed or not, are their bytes as stored, or their path if they have none."""
    datasets = pytest.importorskip("datasets")
    from recipe.data.signatures import hash_of

    kind = datasets.Features({"id": datasets.Value("string"), "image": datasets.Image(), "conversations": [
        {"from": datasets.Value("string"), "value": datasets.Value("string")}]})  # fmt: skip
    records = [{**RECORDS[i], "image": {"bytes": b"\xff\xd8\xff no picture %d" % i, "path": None}} for i in range(4)]
    records[3]["image"] = {"bytes": None, "path": "a/3.jpg"}
    dataset = datasets.Dataset.from_list(records, features=kind)
    expected = {f"{hash_of([record['image']['bytes']])}.jpg" for record in records[:3]} | {"a/3.jpg"}
    for data in (dataset, dataset.to_iterable_dataset(), dataset.shuffle(seed=1)):
        assert set(read_pool(data).rows["image"]) == expected
