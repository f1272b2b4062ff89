"""A pool of twelve formats, made of the demo: each has samples and pictures of its own, and how many is known."""

from __future__ import annotations

import base64
import io
import json
import re
import tarfile
import tempfile
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from recipe import read_pool
from recipe.demo import write_demo

BOX = re.compile(r"\[\s*[\d.]+\s*,")
SIZE = (64, 48)
BATCH = 4000  # records of a row group and of a shard


class Talk(NamedTuple):
    """One sample of the demo."""

    number: int
    picture: int | None
    pairs: list[tuple[str, str]]


class Written(NamedTuple):
    """A folder for each format, how many samples each holds, and the folder of the pictures that are files."""

    folders: dict[str, object]
    counts: dict[str, int]
    images: object


def write_pool(folder, *, images, seed=0):
    """Write the pool.

    Parameters
    ----------
    folder
        An empty folder.
    images
        Pictures of the demo; each gives 29 samples.
    seed
        Of the demo.
    """
    names = [*WRITERS, "svit"]
    talks = _talks(folder, images, seed)
    counts = {}
    for at, (name, write) in enumerate(WRITERS.items()):
        own = [talk for talk in talks if (talk.number if talk.picture is None else talk.picture) % len(WRITERS) == at]
        (folder / "pool" / name).mkdir(parents=True)
        counts[name] = write(folder / "pool" / name, own)
    with tempfile.TemporaryDirectory() as made:
        svit, _ = write_demo(made, images=max(2, images // 12), seed=seed + 1)
        counts["svit"] = len(read_pool(svit))
        svit.rename(folder / "pool" / "svit")
    folders = {name: folder / "pool" / name for name in names}
    sizes = _sizes(folder / "pool" / "svit" / "image_data.json")
    for name in _files(folder / "pool"):
        (folder / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "images" / name).write_bytes(picture(name, sizes.get(Path(name).stem, SIZE)))
    return Written(folders, counts, folder / "images")


def _talks(folder, images, seed):
    """Return the sound samples of the demo that show no boxes, each with the number of its picture."""
    rows = read_pool(write_demo(folder / "demo", images=images, seed=seed)).rows
    rows = rows.filter(rows["problem"].is_null(), rows["frame"].is_null())
    numbers = {name: number for number, name in enumerate(sorted(rows["image"].drop_nulls().unique()))}
    talks = []
    for image, turns in rows.select("image", "turns").iter_rows():
        said = [turn["value"].removeprefix("<image>\n") for turn in turns]
        if all(said) and not any(map(BOX.search, said)):
            talks.append(Talk(len(talks), numbers.get(image), list(zip(said[::2], said[1::2], strict=True))))
    return talks


def _files(pool):
    """Return the names of the pictures that are files."""
    media = read_pool(pool).rows.select("image", "media")
    several = [one for many in media["media"].drop_nulls() for one in many if one["hash"] is None]
    listed = {"/".join(filter(None, (one["root"], one["path"]))).replace("//", "/") for one in several}
    single = media.filter(media["media"].is_null())["image"].drop_nulls()
    return sorted({*single.to_list(), *listed})


def _sizes(file):
    """Return the size of each of SVIT's pictures by its number, to which its boxes refer."""
    return {str(one["image_id"]): (one["width"], one["height"]) for one in json.loads(file.read_text())}


@cache
def picture(name, size=SIZE):
    """Return the bytes of a small picture, another for each name."""
    file = io.BytesIO()
    color = tuple(ord(letter) * 7 % 256 for letter in f"{name}---"[-7:])
    made = Image.new("RGB", size, color[:3])
    made.paste(color[3:6], (0, 0, 1 + sum(map(ord, name)) % size[0], 1))
    made.save(file, "JPEG")
    return file.getvalue() + f"{name}".encode()


def _turns(talk, marks=1, who=("human", "gpt"), keys=("from", "value")):
    """Return the turns of a sample."""
    mark = "" if talk.picture is None else "<image>\n" * marks
    texts = [text for pair in talk.pairs for text in pair]
    texts[0] = mark + texts[0]
    return [{keys[0]: who[i % 2], keys[1]: text} for i, text in enumerate(texts)]


def _chat(talk):
    """Return the turns of a sample as role and content."""
    return _turns(talk, who=("user", "assistant"), keys=("role", "content"))


def _shown(talk, folder):
    """Return the name of a picture in a list; none for text."""
    return [] if talk.picture is None else [f"{folder}/{talk.picture}.jpg"]


def _lines(path, records):
    """Write JSON Lines, and return how many."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return len(records)


def _array(path, records):
    """Write a JSON array, and return how many."""
    path.write_text(json.dumps(records), "utf-8")
    return len(records)


def _llava(folder, talks):
    """LLaVA v1.5's JSON."""
    records = [
        {"id": f"llava-{one.number}", **({"image": name} if name else {}), "conversations": _turns(one)}
        for one in talks
        for name in (_shown(one, "llava") or [None])
    ]
    return _array(folder / "mix.json", records)


def _messages(folder, talks):
    """Messages with pictures by path, a record a line."""
    records = [{"id": f"m-{one.number}", "messages": _chat(one), "images": _shown(one, "messages")} for one in talks]
    return _lines(folder / "train.jsonl", records)


def _blocks(folder, talks):
    """Messages whose content is blocks, as OpenAI's."""
    records = []
    for one in talks:
        turns = _chat(one)
        text = {"type": "text", "text": turns[0]["content"].removeprefix("<image>\n")}
        shown = [{"type": "image_url", "image_url": {"url": name}} for name in _shown(one, "blocks")]
        turns[0]["content"] = [*shown, text]
        records.append({"id": f"b-{one.number}", "messages": turns})
    return _lines(folder / "train.jsonl", records)


def _stored(one, name):
    """Return a picture of Hugging Face, its bytes in the row."""
    return None if one.picture is None else {"bytes": picture(f"{name}/{one.picture}"), "path": f"{one.picture}.jpg"}


def _parquet(folder, talks):
    """LLaVA-NeXT's Parquet with bytes."""
    rows = [
        {"id": f"p-{one.number}", "image": _stored(one, "parquet"), "conversations": _turns(one), "data_source": "demo"}
        for one in talks
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "train-00000-of-00001.parquet", row_group_size=BATCH)
    return len(rows)


def _cauldron(folder, talks):
    """FineVision's Parquet: several questions about a picture, and ratings."""
    rows = [
        {
            "images": [] if one.picture is None else [_stored(one, "cauldron")],
            "texts": [{"user": asked, "assistant": said} for asked, said in one.pairs],
            "source": "demo",
            "relevance_ratings": [5] * len(one.pairs),
        }
        for one in talks
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "train-00000-of-00001.parquet", row_group_size=BATCH)
    return len(rows)


def _internvl(folder, talks):
    """InternVL's JSON Lines, which a meta.json lists with the folder of the pictures."""
    records = []
    for one in talks:
        shown = {} if one.picture is None else {"image": f"{one.picture}.jpg", "width": SIZE[0], "height": SIZE[1]}
        records.append({"id": 5_000_000 + one.number, **shown, "conversations": _turns(one)})
    meta = {"demo": {"root": "internvl/", "annotation": "demo.jsonl", "data_augment": False, "repeat_time": 1}}
    (folder / "meta.json").write_text(json.dumps(meta))
    return _lines(folder / "demo.jsonl", records)


def _factory(folder, talks):
    """LLaMA-Factory's folder: dataset_info.json says what the columns are called."""
    columns, tags = {"messages": "talk", "images": "shown"}, {"role_tag": "who", "content_tag": "said"}
    tags |= {"user_tag": "u", "assistant_tag": "a"}
    info = {"demo": {"file_name": "demo.json", "formatting": "sharegpt", "columns": columns, "tags": tags}}
    (folder / "dataset_info.json").write_text(json.dumps(info))
    keys = {"who": ("u", "a"), "keys": ("who", "said")}
    records = [{"id": f"f-{one.number}", "talk": _turns(one, **keys), "shown": _shown(one, "lf")} for one in talks]
    return _array(folder / "demo.json", records)


def _shards(folder, talks):
    """Tar shards of pictures and role and content."""
    for start in range(0, len(talks), BATCH):
        with tarfile.open(folder / f"{start // BATCH:05}.tar", "w") as tar:
            for one in talks[start : start + BATCH]:
                shown = {} if one.picture is None else {"jpg": picture(f"shards/{one.picture}")}
                for ending, content in {**shown, "json": json.dumps(_chat(one)).encode()}.items():
                    header = tarfile.TarInfo(f"t-{one.number}.{ending}")
                    header.size = len(content)
                    tar.addfile(header, io.BytesIO(content))
    return len(talks)


def _qwen(folder, talks):
    """Qwen-VL's JSON with two pictures a record."""
    records = [
        {
            "id": f"q-{one.number}",
            **({} if one.picture is None else {"image": [f"qwen/{one.picture}{end}.jpg" for end in "ab"]}),
            "conversations": _turns(one, 2),
        }
        for one in talks
    ]
    return _array(folder / "multi.json", records)


def _vqa(folder, talks):
    """VQAv2's questions, and the answers in a file beside them."""
    seen = [one for one in talks if one.picture is not None]
    asked = [
        {"image_id": 1 + one.picture, "question": one.pairs[0][0], "question_id": 1_000_000 + one.number}
        for one in seen
    ]
    said = [
        {"question_id": 1_000_000 + one.number, "multiple_choice_answer": one.pairs[0][1], "answer_type": "other"}
        for one in seen
    ]
    top = {"data_subtype": "train2014"}
    (folder / "v2_OpenEnded_mscoco_train2014_questions.json").write_text(json.dumps({**top, "questions": asked}))
    (folder / "v2_mscoco_train2014_annotations.json").write_text(json.dumps({**top, "annotations": said}))
    return len(seen)


def _captions(folder, talks):
    """COCO's captions and list of pictures."""
    seen = [one for one in talks if one.picture is not None]
    names = {one.picture: f"{9_000_000 + one.picture:012}.jpg" for one in seen}
    listed = [
        {"id": 9_000_000 + number, "file_name": name, "width": SIZE[0], "height": SIZE[1]}
        for number, name in names.items()
    ]
    said = [
        {"image_id": 9_000_000 + one.picture, "id": 2_000_000 + one.number, "caption": one.pairs[0][1]} for one in seen
    ]
    text = json.dumps({"info": {}, "licenses": [], "images": listed, "annotations": said})
    (folder / "captions_train2017.json").write_text(text)
    return len(seen)


def _table(folder, talks):
    """VLMEvalKit's table with pictures in base64."""
    seen = [one for one in talks if one.picture is not None]
    lines = ["index\timage\tquestion\tanswer"]
    for one in seen:
        question, answer = (" ".join(text.split()).replace('"', "'") for text in one.pairs[0])
        shown = base64.b64encode(picture(f"table/{one.picture}")).decode()
        lines.append(f"{3_000_000 + one.number}\t{shown}\t{question}\t{answer}")
    (folder / "bench.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    return len(seen)


WRITERS = {
    "llava": _llava,
    "messages": _messages,
    "blocks": _blocks,
    "parquet": _parquet,
    "cauldron": _cauldron,
    "internvl": _internvl,
    "factory": _factory,
    "shards": _shards,
    "qwen": _qwen,
    "vqa": _vqa,
    "captions": _captions,
    "table": _table,
}
