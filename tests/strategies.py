"""Small pools and quotas made of columns, and hypothesis strategies for them, for records and for recipes."""

import numpy as np
import polars as pl
from hypothesis import strategies as st

from recipe.config.registry import names
from recipe.data.pool import SCHEMA, Pool
from recipe.data.quotas import Quotas
from recipe.data.vectors import unit


def pool_of(n, *, vectors=None, **columns):
    """Build a pool of n samples from columns; what is not given is filled in, and more columns than `SCHEMA` may be."""
    plain = {
        "row": range(n),
        "key": [f"{i:06d}" for i in range(n)],
        "id": [str(i) for i in range(n)],
        "source": ["pool.json"] * n,
        "record": range(n),
        "order": range(n),
        "turns": [[]] * n,
        "n_words": [1] * n,
        "n_tokens": [1] * n,
    }
    given = {name: plain.get(name, [None] * n) for name in SCHEMA} | columns
    rows = pl.DataFrame([pl.Series(name, list(values), dtype=SCHEMA.get(name)) for name, values in given.items()])
    return Pool(rows, vectors)


def quotas_of(cell, quota, *, stratum=None, image=None, per_image=None):
    """Build quotas from lists; by default all cells are of one stratum, and every row has an image of its own."""
    return Quotas(
        np.array(cell, np.int32),
        np.array(quota, np.int64),
        np.zeros(len(quota), np.int32) if stratum is None else np.array(stratum, np.int32),
        np.zeros(len(quota), np.bool_),
        np.arange(len(cell), dtype=np.int32) if image is None else np.array(image, np.int32),
        per_image,
        pl.DataFrame(),
    )


def unit_rows(seed, n, d, *, clusters=None, spread=0.3):
    """Draw n unit vectors, uniform or around the middles of clusters, and their clusters.

    They are as `rows_of` rounds them, so that what is compared is what an oracle sees.
    """
    rng = np.random.default_rng(seed)
    cluster = np.zeros(n, np.int32) if clusters is None else rng.integers(clusters, size=n, dtype=np.int32)
    middles = np.zeros((1, d)) if clusters is None else rng.normal(size=(clusters, d))
    points = middles[cluster] + rng.normal(size=(n, d)) * (1 if clusters is None else spread)
    return unit(points), cluster


@st.composite
def labelled_pools(draw, *, answers, most=40):
    """Draw a pool with the labels that margins name; `answers` draws the yes and no answers of one sample."""
    sample = st.fixed_dictionaries(
        {
            "source": st.sampled_from(["a.json", "b.json"]),
            "image": st.sampled_from([None, "1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg"]),
            "problem": st.sampled_from([None, None, None, "empty"]),
            "task": st.sampled_from(["caption", "ocr", "yes_no", "conversation"]),
            "cluster": st.integers(0, 5),
            "answers": answers,
        }
    )
    samples = draw(st.lists(sample, min_size=1, max_size=most))
    columns = {name: [sample[name] for sample in samples] for name in samples[0]}
    counts = columns.pop("answers")
    return pool_of(len(samples), n_yes=[yes for yes, _ in counts], n_no=[no for _, no in counts], **columns)


ONE_ANSWER = st.sampled_from([(0, 0), (1, 0), (0, 1)])
MANY_ANSWERS = st.tuples(st.integers(0, 4), st.integers(0, 4))

MARKUP = ("<image>", "</s>", "<unk>", "ASSISTANT:")
OWN_KEYS = ("id", "image", "conversations", "video", "task_name", "from", "value")
SMALL = {"hashing": {"d": 16, "features": 512}}  # an embedding of toy texts that takes no time

any_text = st.text(max_size=60)  # all of Unicode but halves of surrogate pairs: controls, emoji, right to left
said = st.tuples(st.sampled_from(["red", "Is it a dog?", "7", "\u732b"]), any_text).map("".join)  # no empty turn
said = said.filter(lambda text: not any(mark in text for mark in MARKUP))
numbers = st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=5,
)
unknown_keys = st.dictionaries(any_text.filter(lambda key: key not in OWN_KEYS), json_values, max_size=2)


@st.composite
def good_sample(draw, *, shown=None):
    """Draw a LLaVA record with which nothing is wrong; `shown` says whether it has an image, by default either."""
    shown = draw(st.booleans()) if shown is None else shown
    speakers = ("human", "gpt") * draw(st.integers(1, 3))
    turns = [{"from": speaker, "value": draw(said)} | draw(unknown_keys) for speaker in speakers]
    record = {"id": draw(any_text.filter(bool) | st.integers()), "conversations": turns} | draw(unknown_keys)
    if shown:
        turns[0]["value"] = f"<image>\n{turns[0]['value']}"
        record["image"] = draw(st.sampled_from(["coco/train2017/000000000009.jpg", "a..b/\u732b 1.png", "x.jpg"]))
    return record


def _turn(at, **changes):
    """Make a trouble that changes members of one turn; what is changed to None is dropped."""

    def change(record):
        """Change the turn."""
        kept = record["conversations"][at] | changes
        record["conversations"][at] = {key: value for key, value in kept.items() if value is not None}

    return change


def _in_turn(at, mark):
    """Make a trouble that puts a mark behind the words of one turn, and words behind it."""
    return lambda record: record["conversations"][at].update(value=record["conversations"][at]["value"] + mark + " so")


def _turns(make):
    """Make a trouble that changes the list of turns."""
    return lambda record: record.update(conversations=make(record["conversations"]))


def _set(**members):
    """Make a trouble that sets members of the record."""
    return lambda record: record.update(members)


def _nested(depth):
    """Make a list in a list, so deep."""
    return [_nested(depth - 1)] if depth else []


def _several(count):
    """Make a trouble that names several images under two marks."""

    def plant(record):
        bare = record["conversations"][0]["value"].replace("<image>", "").strip()
        record["conversations"][0]["value"] = f"<image>\n<image>\n{bare}"
        record["image"] = [f"{number}.jpg" for number in range(count)]

    return plant


TROUBLES = {  # code: whether the record needs an image (None: either), and ways to plant the trouble
    "L05": (None, [_set(conversations=None), _set(conversations="Hi"), _turn(-1, value=3), _turn(0, value=[])]),
    "L06": (False, [_turns(lambda turns: [turn | {"value": " \n"} for turn in turns])]),
    "L07": (
        True,
        [_set(image=None), _set(image=""), _set(image=7), _set(image=[]), _set(image={"bytes": None, "path": "x.jpg"})],
    ),
    "L09": (None, [_set(conversations=[])]),
    "L10": (None, [_turn(0, **{"from": "tool"}), _turn(-1, **{"from": "Gpt"}), _turn(-1, **{"from": ""})]),
    "L11": (
        None,
        [
            _turns(lambda turns: [*turns, turns[-1]]),
            _turns(lambda turns: [turns[0], {"from": "human", "value": "Well?"}, *turns[1:]]),
        ],
    ),
    "L12": (None, [_in_turn(0, "\ud83d"), _in_turn(-1, "\udc00")]),
    "L13": (True, [_in_turn(-1, " <image>")]),
    "W01": (True, [_turn(0, value="Is it a cat?")]),
    "W02": (False, [_turn(0, value="<image>\nWhy?"), _in_turn(-1, " <Image>"), _in_turn(0, "<VIDEO>")]),
    "W03": (None, [_turns(lambda turns: [{"from": "gpt", "value": "Hi"}, *turns])]),
    "W04": (True, [_turn(0, value="This <image> here?"), _turn(0, value="<image>\n<image>\nWhy?")]),
    "W05": (None, [_turns(lambda turns: turns[:-1]), _turns(lambda turns: [*turns, {"from": "human", "value": "?"}])]),
    "W06": (None, [_turn(-1, value=""), _turn(-1, value="\t \n")]),
    "W07": (True, [_turn(-1, value="long " * 1_300)]),
    "W08": (True, [_set(image=path) for path in ("/etc/passwd", "../x.jpg", "a/../../x.jpg", "https://x.org/x.jpg")]),
    "W09": (None, [_in_turn(-1, "</s>"), _in_turn(0, " ASSISTANT: "), _in_turn(-1, "<unk>")]),
    "W10": (None, [_turn(0, value="<image>\n" + "long " * 2_000)]),
    "bad_json": (None, [_set(score=_nested(150))]),
    "many_images": (True, [_several(2), _set(video="x.mp4")]),
    "marks": (True, [_several(3)]),
    "boilerplate": (None, [_turn(-1, value="I'm sorry, but I cannot see the image.")]),
}
REPAIRED = ("W01", "W04")  # the readers put <image> where it belongs
NOT_RECORDS = ("text", 7, None, [], [{"from": "human", "value": "Why?"}])


@st.composite
def broken_sample(draw, codes=(*TROUBLES, "not_a_record")):
    """Draw a record with one trouble, and its code; the other codes are troubles of files, boxes, images and pairs."""
    code = draw(st.sampled_from(codes))
    if code == "not_a_record":
        return draw(st.sampled_from(NOT_RECORDS)), code
    shown, ways = TROUBLES[code]
    record = draw(good_sample(shown=shown))
    draw(st.sampled_from(ways))(record)
    if code == "W10" and "image" not in record:
        record["conversations"][0]["value"] = record["conversations"][0]["value"].removeprefix("<image>\n")
    return record, code


@st.composite
def recipe_knobs(draw):
    """Draw fields of a recipe as a user would set them, for a handful of samples."""
    balance = {
        "margins": draw(
            st.dictionaries(
                st.sampled_from(["task", "source", "answer", "cluster"]),
                st.sampled_from(["proportional", "even", {"temperature": {"t": 2.0}}]),
                max_size=2,
            )
        ),
        "yes_share": draw(st.none() | st.sampled_from([0.0, 0.3, 0.5, 1.0])),
        "per_image": draw(st.none() | st.integers(1, 3)),
    }
    return {
        "size": draw(st.integers(1, 12) | st.sampled_from([0.1, 0.5, 1.0, "100 tokens"])),
        "seed": draw(st.integers(0, 3)),
        "embed": SMALL,
        "select": draw(st.sampled_from(names("select"))),
        "balance": balance,
        "dedup": {"exact": draw(st.booleans()), "near": draw(st.none() | st.sampled_from([0.5, 0.9]))},
        "read": {"image_token": draw(st.sampled_from(["front", "given"]))},
        "write": {"pack": draw(st.booleans()), "ids": draw(st.sampled_from(["string", "given"]))},
    }
