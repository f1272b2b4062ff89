"""Files that were read wrong once, or should go on being read right: each gives what the README of the cases says."""

import json
from collections import Counter

import polars as pl
import pytest
from strategies import SMALL

from recipe import check_mix, read_pool, select_mix
from recipe.check import fix_mix
from recipe.errors import InputError
from recipe.stages.exclude._leaks import find_leaks

READ = {  # file: how many samples it has, how many of them show nothing, and the codes of what is wrong with others
    "a01_role_content.json": (40, 0, {}),
    "a03_images_key.json": (40, 0, {}),
    "a04_images_key_mark.json": (40, 0, {}),
    "a05_videos_key.json": (40, 0, {}),
    "a06_image_null.json": (36, 16, {}),
    "a08_image_nanstr.json": (36, 16, {}),
    "a09_image_dict.json": (28, 8, {"L07": 8}),
    "a10_transposed.json": (20, 0, {}),
    "a12_backslash.json": (26, 0, {}),
    "a13_nan.json": (36, 0, {}),
    "a17_base64.json": (22, 0, {}),
    "a18_u2028.jsonl": (17, 0, {}),
    "d00_pool.json": (34, 0, {}),
    "e02.json.bz2": (40, 0, {}),
    "e03.json.xz": (40, 0, {}),
    "e05.parquet": (40, 0, {}),
    "e05b.arrow": (40, 0, {}),
    "g06_dupids.json": (40, 0, {}),
    "g08.json": (40, 0, {}),
    "h03_phi.json": (20, 0, {}),
    "h06_cococap.json": (30, 0, {}),
    "h08_mixed_first.json": (40, 0, {}),
    "h09_mixed_last.json": (40, 0, {}),
    "i01_one_bad_first.json": (201, 0, {}),
    "i02_cap_first.json": (51, 0, {}),
    "i05_llava_then_svit.json": (70, 0, {}),
}
REFUSED = {  # file: what is said of it
    "e06_gbk.json": "expected UTF-8, got other bytes at byte",
    "e12_csv.csv": r"expected a table of VLMEvalKit .*, got the columns 'id', 'image', 'question'",
    "e13_lfs.json": "got a Git LFS pointer .*run git lfs pull",
    "e14_html.json": "got an HTML page",
}
BENCHMARKS = ("d01_mmvet.json", "d03_imagekey.json", "d03b_seed.json", "d07_u2028.jsonl", "d07_u85.jsonl", "d12.tsv")
ELSEWHERE = ("h02_m4.json",)  # has a test of its own below
OTHERS = {"a04_images_key_mark.json", "a05_videos_key.json", "a17_base64.json"}  # LLaVA v1.5 cannot hold all of them
PLAN = {"select": "random", "embed": SMALL, "dedup": {"near": None, "exact": False}}


@pytest.fixture
def reading(cases):
    """Return the folder of single files."""
    return cases / "reading"


def test_every_file_is_tried(reading):
    """No file of the folder is left out."""
    assert {file.name for file in reading.iterdir()} == {*READ, *REFUSED, *BENCHMARKS, *ELSEWHERE}


@pytest.mark.parametrize("name", READ)
def test_a_file_is_read(reading, name):
    """Every record is a sample with turns, or is rejected for its reason; pictures are never lost."""
    samples, bare, problems = READ[name]
    rows = read_pool(reading / name).rows
    assert len(rows) == samples
    assert dict(Counter(code.split(":")[0] for code in rows["problem"].drop_nulls())) == problems
    assert rows.filter(pl.col("image").is_null() & pl.col("media").is_null()).height == bare
    sound = rows.filter(pl.col("problem").is_null())
    assert (sound["turns"].list.len() >= 2).all()
    assert sound["turns"].list.eval(pl.element().struct.field("value").str.len_chars() > 0).list.all().all()


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_is_refused_by_its_name(reading, name):
    """What is no pool is refused in one line that says what it is."""
    with pytest.raises(InputError, match=REFUSED[name]) as told:
        read_pool(reading / name)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("name", sorted(READ.keys() - OTHERS))
def test_what_is_read_is_written_without_a_finding(reading, tmp_path, name):
    """A mix of all that may be picked holds each sample, and the trainer finds nothing but ids that repeat."""
    mix = select_mix(reading / name, size=1.0, **PLAN)
    assert len(mix) == READ[name][0] - sum(READ[name][2].values())
    mix.save(tmp_path / "mix.json")
    assert {each.code for each in check_mix(tmp_path / "mix.json")} <= {"O04"}


def test_pictures_under_another_key_are_shown(reading):
    """A picture under `images` is kept, with its mark in front, and is noted where its record has none."""
    bare, marked = read_pool(reading / "a03_images_key.json").rows, read_pool(reading / "a04_images_key_mark.json").rows
    for rows in (bare, marked):
        assert rows["image"].null_count() == 0
        assert rows["turns"].list.first().struct.field("value").str.starts_with("<image>\n").all()
    assert bare["noted"].drop_nulls().len() == 20


def test_videos_are_kept_and_rejected_for_llava(reading):
    """Samples with a video or a sound keep it, and may be picked only for a trainer that takes such."""
    file = reading / "a05_videos_key.json"
    kinds = Counter(read_pool(file).rows["media"].drop_nulls().list.first().struct.field("kind"))
    assert kinds == {"video": 10, "audio": 10}
    assert len(select_mix(file, size=1.0, **PLAN)) == 20
    assert len(select_mix(file, size=1.0, write={"format": "llava-next"}, **PLAN)) == 30


def test_base64_is_a_picture_by_its_bytes(reading):
    """Base64 under `image` is no path: the picture is named by the hash of its bytes."""
    (one,) = read_pool(reading / "a17_base64.json").rows["media"].drop_nulls().to_list()
    assert len(one[0]["hash"]) == 32
    assert one[0]["path"] is None


@pytest.mark.parametrize(
    ("name", "codes", "left"),
    [
        ("a06_image_null.json", {"L07": 16}, {}),
        ("a08_image_nanstr.json", {"L07": 16}, {}),
        ("a12_backslash.json", {"W08": 16}, {}),
        ("a13_nan.json", {"O05": 16}, {}),
        ("g06_dupids.json", {"O04": 1}, {"O04": 1}),
    ],
)
def test_validate_finds_and_fix_repairs(reading, tmp_path, name, codes, left):
    """What stops a loader is found in the file, and the repaired copy keeps every record and is strict JSON."""
    found = Counter(each.code for each in check_mix(reading / name))
    assert found | codes == found
    done = fix_mix(reading / name, tmp_path / "out.json")
    assert (done.kept, done.rejected) == (READ[name][0], 0)
    records = json.loads((tmp_path / "out.json").read_text("ascii"), parse_constant=pytest.fail)
    assert Counter(each.code for each in check_mix(tmp_path / "out.json")) == left
    images = [record.get("image") for record in records]
    assert read_pool(tmp_path / "out.json").rows.sort("record")["image"].to_list() == images


def test_backslashes_are_read_as_slashes(reading):
    """A path of Windows is the same picture as with slashes."""
    images = read_pool(reading / "a12_backslash.json").rows["image"]
    assert not images.str.contains("\\", literal=True).any()
    assert images.str.starts_with("shed/north/").sum() == 16


def test_no_character_but_a_line_end_ends_a_line(reading):
    """U+2028 stays in its text, and the number of records is that of line feeds."""
    file = reading / "a18_u2028.jsonl"
    assert len(read_pool(file)) == len([line for line in file.read_text("utf-8").split("\n") if line.strip()])
    assert read_pool(file).texts.str.contains("\u2028").any()


@pytest.mark.parametrize(
    ("name", "images", "questions"),
    [
        ("d01_mmvet.json", {"held/b7.jpg", "held/v1_77.png"}, {"held/b7.jpg", "held/v1_77.png"}),
        ("d03_imagekey.json", {"held/b7.jpg"}, {"held/b7.jpg"}),
        ("d03b_seed.json", {"held/b7.jpg"}, {"held/b7.jpg"}),
        ("d07_u2028.jsonl", {"held/b7.jpg"}, {"other/x1.jpg"}),
        ("d07_u85.jsonl", {"held/b7.jpg"}, {"other/x1.jpg"}),
        ("d12.tsv", None, {"other/x1.jpg"}),
    ],
)
def test_benchmarks_are_read_whole(reading, name, images, questions):
    """The pictures and the questions of a benchmark are kept out of the mix, whichever keys they stand under."""
    pool, file = read_pool(reading / "d00_pool.json"), str(reading / name)
    found = {"images": images, "questions": questions}
    for knob, held in found.items():
        if held is None:
            continue
        leaks = find_leaks(pool, **{"images": (), "questions": (), knob: (file,)})
        assert set(pool.rows["image"].filter(leaks.is_not_null())) == held


def test_repeated_ids_are_a_finding_of_the_mix(reading, tmp_path):
    """Ids that repeat in the file repeat in the mix, and no others do."""
    file = reading / "g06_dupids.json"
    given = Counter(record["id"] for record in json.loads(file.read_text()))
    mix = select_mix(file, size=1.0, **PLAN)
    mix.save(tmp_path / "mix.json")
    assert Counter(record["id"] for record in mix) == given
    assert [each.code for each in check_mix(tmp_path / "mix.json")] == ["O04"]


def test_several_pictures_are_counted_against_their_marks(reading):
    """Records of several pictures are kept where each has a mark, and rejected one by one where not."""
    rows = read_pool(reading / "h02_m4.json").rows
    records = json.loads((reading / "h02_m4.json").read_text())
    assert len(rows) == len(records) == 28
    for row in rows.iter_rows(named=True):
        record = records[row["record"]]
        named = record["image"] if isinstance(record["image"], list) else [record["image"]]
        marks = sum(turn["value"].count("<image>") for turn in record["conversations"])
        assert (row["problem"] is None) == (len(named) == marks), row["problem"]


def test_captions_are_captions(reading):
    """COCO's short captions are none of MiniGPT-4's detailed descriptions."""
    tasks = select_mix(reading / "h06_cococap.json", size=1.0, **PLAN).pool.rows["task"]
    assert set(tasks) == {"caption"}


@pytest.mark.parametrize(("name", "sound"), [("i01_one_bad_first.json", 200), ("i02_cap_first.json", 50)])
def test_a_record_of_another_shape_costs_no_other(reading, name, sound):
    """The sound records of a file are read whatever stands first in it, with the turns that they have there."""
    records = json.loads((reading / name).read_text())
    whole = [record for record in records if isinstance(record.get("conversations"), list)]
    kept = [record for record in whole if all("from" in turn for turn in record["conversations"])]
    assert len(kept) == sound
    read = {row["id"]: row["turns"] for row in read_pool(reading / name).rows.to_dicts() if row["problem"] is None}
    assert all(read[record["id"]] == record["conversations"] for record in kept)
