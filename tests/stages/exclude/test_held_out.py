"""Held-out pictures stay out: whatever reader or container they come by, and however they are called."""

import base64
import io
import json
import tarfile
import warnings

import polars as pl
import pytest
from strategies import SMALL

from recipe import read_pool, select_mix
from recipe.config.registry import names
from recipe.data.media import media_of
from recipe.data.signatures import hash_of
from recipe.errors import RecipeError
from recipe.stages.exclude._leaks import find_leaks

BOXES = "Where is the [0.1, 0.2, 0.3, 0.4] jay?"


def asked(picture):
    """Return turns of human and gpt."""
    return [{"from": "human", "value": f"<image>\nWhat is {picture}?"}, {"from": "gpt", "value": "A jay."}]


def talked(picture):
    """Return turns of role and content."""
    return [{"role": "user", "content": f"<image>What is {picture}?"}, {"role": "assistant", "content": "A jay."}]


RECORDS = {  # reader: a record of a picture, called by its name
    "alpaca": lambda name: {"instruction": f"<image>What is {name}?", "output": "A jay.", "images": [name]},
    "captions": lambda name: {"image": name, "caption": f"A jay beside {name}."},
    "cauldron": lambda name: {"images": [name], "texts": [{"user": f"What is {name}?", "assistant": "A jay."}]},
    "llava": lambda name: {"image": name, "conversations": asked(name)},
    "messages": lambda name: {"messages": talked(name), "images": [name]},
    "minigpt4": lambda name: {"image_id": name.rpartition("/")[2].removesuffix(".jpg"), "caption": f"A jay, {name}."},
    "qa": lambda name: {"image": name, "question": f"What is {name}?", "answer": "A jay."},
    "swift": lambda name: {"query": f"<image>What is {name}?", "response": "A jay.", "images": [name]},
    "vision_flan": lambda name: {"image": name, "conversations": asked(name), "task_name": "birds"},
}
PNG = b"\x89PNG\r\n\x1a\n"
BY_FILES = ("mimic_it", "webdataset", "svit")  # whose records need files beside them, or name pictures by number


def spellings(path):
    """Return names of one picture."""
    folder, _, name = path.rpartition("/")
    return [path, f"./{path}", f"{folder}//{name}", path.replace("/", "\\"), name, f"/{path}", f"{folder}/./{name}"]


def test_every_reader_is_tried():
    """The readers here are all that there are."""
    assert {*RECORDS, *BY_FILES} == set(names("read"))


def made_of_files(reader, folder):
    """Write five samples of a reader that needs files of its own; return the source, and the names of the fourth."""
    if reader == "svit":
        items = [{"image_id": at, "conversations": [{"content": asked(at)}]} for at in range(5)]
        (folder / "conversation.json").write_text(json.dumps(items).replace("<image>\\n", ""))
        return folder, ["3", "vg/3.jpg", "./vg//3.jpg", "3.jpg"]
    if reader == "mimic_it":
        pictures = {f"P_{at}": base64.b64encode(PNG + bytes([at]) * 99).decode() for at in range(5)}
        told = {
            f"I_{at}": {"instruction": f"What is {at}?", "answer": "A jay.", "image_ids": [f"P_{at}"]}
            for at in range(5)
        }
        (folder / "T.json").write_text(json.dumps(pictures))
        (folder / "T_instructions.json").write_text(json.dumps({"meta": {}, "data": told}))
        return folder, ["P_3", hash_of([PNG + bytes([3]) * 99]), f"{hash_of([PNG + bytes([3]) * 99])}.png"]
    with tarfile.open(folder / "0.tar", "w") as tar:
        for at in range(5):
            for name, content in ((f"a/{at}x.png", PNG + bytes([at]) * 99), (f"a/{at}x.txt", b"A jay, %d." % at)):
                header = tarfile.TarInfo(name)
                header.size = len(content)
                tar.addfile(header, io.BytesIO(content))
    return folder, ["a/3x.png", "./a//3x.png", "3x.png", "3x", hash_of([PNG + bytes([3]) * 99])]


@pytest.mark.parametrize("reader", BY_FILES)
def test_a_picture_in_files_is_never_picked(reader, tmp_path):
    """A picture by number, in a tar, or in a file beside its records is held out by number, name or hash."""
    source, held = made_of_files(reader, tmp_path)
    pool = read_pool(source)
    assert int(pool.eligible.sum()) == 5
    for name in held:
        knobs = {"select": "random", "embed": SMALL, "dedup": {"near": None}}
        assert len(select_mix(pool, size=1.0, exclude={"images": [name]}, **knobs)) == 4, name


@pytest.mark.parametrize("reader", RECORDS)
def test_a_named_picture_is_never_picked(reader):
    """A picture that is held out under any spelling is in no mix, whichever reader it came by; all others may be."""
    made = [RECORDS[reader](f"a/b/{number}x.jpg") for number in range(5)]
    pool = read_pool({"data": made, "format": reader})
    assert pool.eligible.all()
    whole = set(pool.rows["image"])
    assert len(whole) == 5
    held = next(name for name in sorted(whole) if name.endswith("3x.jpg"))
    for name in spellings("a/b/3x.jpg") if "/" in held else [held, f"./{held}", "3x", f"/{held}"]:
        knobs = {"select": "random", "embed": SMALL, "dedup": {"near": None}}
        mix = select_mix(pool, size=1.0, exclude={"images": [name]}, **knobs)
        assert {record["image"] for record in mix} == whole - {held}, name


@pytest.mark.parametrize("place", range(3))
def test_any_picture_of_several_holds_the_sample_out(place):
    """A sample of several pictures is held out by each of them, by its path, its hash and its path inside of a file."""
    from PIL import Image

    def shown(red):
        """Return a small picture as bytes."""
        written = io.BytesIO()
        Image.new("RGB", (8, 6), (red, 2, 3)).save(written, "PNG")
        return written.getvalue()

    pictures = [{"bytes": shown(at), "path": f"in/{at}.png"} for at in range(3)]
    content = "<image><image><image><image>Differ?"
    talk = [{"role": "user", "content": content}, {"role": "assistant", "content": "Yes."}]
    several = {"messages": talk, "images": [*pictures, "d/e.jpg"]}
    pool = read_pool([several, {"messages": talked("x")}])
    assert pool.rows["media"].list.len().max() == 4
    digest = hash_of([pictures[place]["bytes"]])
    for name in (digest, f"{digest}.png", f"in/{place}.png", f".\\in\\{place}.png", f"{place}.png", "d//e.jpg"):
        found = find_leaks(pool, images=(name,), questions=())
        assert found.is_not_null().to_list() == (pool.rows["media"].list.len().fill_null(0) == 4).to_list(), name
    for name in ("in/7.png", "e.png", "n/0.png", "ab" * 16):
        assert find_leaks(pool, images=(name,), questions=()).null_count() == len(pool)


@pytest.mark.parametrize("name", ["COCO_val2014_000000000999.jpg", "coco/train2017/000000000999.jpg", "000000000999"])
def test_names_of_coco_are_one_picture(name):
    """A picture of COCO is held out under its name of 2014 or of 2017, in any folder; VizWiz numbers others."""
    given = ["coco/train2017/000000000999.jpg", "COCO_train2014_000000000999.jpg", "./train2017//000000000999.jpg"]
    others = ["vizwiz/VizWiz_train_000000000999.jpg", "coco/train2017/000000000998.jpg"]
    pool = read_pool([{"image": one, "conversations": asked(one)} for one in (*given, *others)])
    found = find_leaks(pool, images=(name,), questions=())
    held = {one.removeprefix("./").replace("//", "/") for one in given}
    assert found.is_not_null().to_list() == [image in held for image in pool.rows["image"]]


def test_files_of_benchmarks_name_pictures(tmp_path):
    """Records as JSON, JSON Lines or a table name the pictures that are held out; a file that names none is refused."""
    pool = read_pool([RECORDS["llava"](f"a/{number}x.jpg") for number in range(4)])
    files = {
        "a.json": json.dumps({"v1": {"imagename": "2x.jpg", "question": "?"}}),
        "b.json": json.dumps({"questions": [{"data_id": "a/2x.jpg"}], "types": {}}),
        "c.jsonl": '{"images": ["a/2x.jpg"], "text": "x\u2028y"}\n{"text": "Who?"}\n',
        "d.tsv": 'index\tquestion\timage_path\n1\ta "stray quote\ta/2x.jpg\n',
        "e.json": '["a/2x.jpg"]',
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
        found = find_leaks(pool, images=(str(tmp_path / name),), questions=())
        assert found.to_list() == [
            f"bench_image:{name}:0" if image == "a/2x.jpg" else None for image in pool.rows["image"]
        ]
    (tmp_path / "none.json").write_text('[{"question": "Who?"}]')
    with pytest.raises(RecipeError, match=r"none\.json: expected records with the names of images under one of image,"):
        find_leaks(pool, images=(str(tmp_path / "none.json"),), questions=())


def test_every_picture_of_the_cases_can_be_held_out(cases):
    """In each folder of formats every picture is found under its names, and only in the samples that show it."""
    tried = set()
    for folder in sorted((cases / "formats").iterdir()):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                pool = read_pool(folder)
        except RecipeError:
            continue
        rows = pool.rows.select("image", "media")
        media = [list(media_of(*row)) for row in rows.iter_rows()]
        for one in {one for some in media for one in some}:
            stored = [name for name in (one.path, one.hash) if name and not name.startswith("data:")]
            for name in {one.name, *stored, *(spellings(one.path) if one.path and "://" not in one.path else [])}:
                found = find_leaks(pool, images=(name,), questions=()).is_not_null().to_list()
                assert all(hit for hit, some in zip(found, media, strict=True) if one in some), (folder.name, name)
            tried.add(folder.name)
            exact = find_leaks(pool, images=(one.name,), questions=()).is_not_null().to_list()
            assert sum(exact) == sum(_same(one, some) for some in media), (folder.name, one.name)
    assert len(tried) > 40


def _same(one, some):
    """Return whether samples show a picture by its name, or by one that ends with it or is another of COCO's."""
    table = pl.DataFrame({"image": [other.name for other in some]}, {"image": pl.String})
    from recipe.data.media import coco_number

    number = coco_number(one.name)
    same = (f"/{name}".endswith(f"/{one.name}") for name in table["image"])
    return any(same) or any(number is not None and coco_number(name) == number for name in table["image"])
