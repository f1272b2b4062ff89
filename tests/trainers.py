"""Samples with several pictures, videos, sounds, system prompts and boxes, as pools; and how each writer is called."""

from __future__ import annotations

import io
import json

from hypothesis import strategies as st
from PIL import Image
from strategies import pool_of

from recipe.config.registry import fitting, home
from recipe.config.writers import lacking
from recipe.data.media import Medium

TRAINERS = {  # writer: ending
    "llava": ".json",
    "jsonl": ".jsonl",
    "llava_next": ".json",
    "llama_factory": ".json",
    "swift": ".jsonl",
    "trl": ".parquet",
    "qwen_vl": ".json",
    "internvl": ".jsonl",
    "webdataset": ".tar",
}
SIZE = (64, 48)


def picture(color=(10, 20, 30), size=SIZE, kind="JPEG"):
    """The bytes of a small picture."""
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, kind)
    return file.getvalue()


def shown(*names, **keys):
    """Pictures by path."""
    return [Medium(path=name, **keys) for name in names]


def chat(*texts, media=(), system=None, frame=None, name=None, **extra):
    """One sample: its texts in turn, its media, and what else its record has."""
    turns = [{"from": "gpt" if i % 2 else "human", "value": text} for i, text in enumerate(texts)]
    more = ({"system": system} if system else {}) | extra
    extra = json.dumps(more) if more else None
    return {"turns": turns, "media": list(media), "frame": frame, "id": name, "extra": extra}


def pool_of_chats(chats):
    """Build a pool of samples that `chat` made; `media` is null where `image` alone says it, as readers have it."""
    images = [next((one.name for one in each["media"] if one.kind == "image"), None) for each in chats]
    plain = [each["media"] in ([], [Medium(path=image)]) for each, image in zip(chats, images, strict=True)]
    media = [
        None if bare else [one._asdict() for one in each["media"]] for bare, each in zip(plain, chats, strict=True)
    ]
    return pool_of(
        len(chats),
        id=[each["id"] or str(i) for i, each in enumerate(chats)],
        key=[f"{i:032x}" for i in range(len(chats))],
        image=images,
        media=media,
        **{name: [each[name] for each in chats] for name in ("turns", "frame", "extra")},
    )


def held_by(writer, chats):
    """Those samples that a writer's records can hold; a system prompt may be left out."""
    holds = home("write", writer).HOLDS

    def counts(each):
        """How many of each kind."""
        kinds = [one.kind for one in each["media"]]
        return {f"{kind}s": kinds.count(kind) for kind in ("image", "video", "audio")}

    return [each for each in chats if lacking(holds, **counts(each), system=False) is None]


def some_chats():
    """One sample of every kind that trainers differ in."""
    known = {"width": 64, "height": 48}
    rain, song = Medium("video", "rain.mp4"), Medium("audio", "jay.wav")
    three = shown("1.jpg", "2.jpg", "3.jpg")
    return [
        chat("<image>\nWhat is it?", "A jay.", media=shown("coco/1.jpg")),
        chat("<image>\nWhere is it?", "At [0.1, 0.25, 0.5, 1].", media=shown("coco/2.jpg", **known), frame="unit"),
        chat("<image>\nAnd the dog?", "[0.1, 0.25, 0.5, 0.75]", media=shown("a b/3.jpg", **known), frame="square"),
        chat("<image>\nThe cat?", "<box>[[0, 250, 500, 1000]]</box>", media=shown("coco/4.jpg"), frame="thousand"),
        chat("<image>\nThe hat?", "[8, 12, 32, 48]", media=shown("coco/5.jpg", **known), frame="pixels"),
        chat("<image>\nThe shoe?", "[0.1, 0.2, 0.3, 0.4]", media=shown("coco/5.jpg")),
        chat("Why?", "So.", "Really?", "Yes \u732b."),
        chat("<image>\n<image>\nWhich is older?", "The first.", media=three[:2]),
        chat("Is this <image> like that <image>?", "No.", "And <image>?", "Yes.", media=three),
        chat("Hi", "Hello.", system="Be brief."),
        chat("<image>\nWhat is it?", "A wren.", media=shown("coco/6.jpg"), system="Be brief."),
        chat("<video>\nWhat happens?", "It rains.", media=[rain]),
        chat("<video>\n<image>\nSame?", "No.", media=[rain, *three[:1]]),
        chat("<audio>\nWho sings?", "A jay.", media=[song]),
        chat("<image>\nUnder a root?", "Yes.", media=shown("0.jpg", root="data/a")),
        chat("<image>\nWhat else?", "A key.", media=shown("coco/7.jpg"), weight=1.5),
    ]


said = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"], exclude_characters="<>[]"), min_size=1, max_size=20)
KINDS = st.sampled_from([[], ["image"], ["image"], ["image", "image"], ["video"], ["image", "video"], ["audio"]])


@st.composite
def any_chats(draw, *, most=6):
    """Draw sound samples of every kind: one medium in front, several anywhere in the last question."""
    found = []
    for number in range(draw(st.integers(1, most))):
        kinds = draw(KINDS)
        media = [Medium(kind, f"{draw(st.sampled_from(['a', 'b/c']))}/{i}.{kind}") for i, kind in enumerate(kinds)]
        texts = [draw(said) for _ in range(2 * draw(st.integers(1, 3)))]
        if len(kinds) == 1:
            texts[0] = f"<{kinds[0]}>\n{texts[0]}"
        else:
            texts[-2] += "".join(f" <{kind}> {draw(said)}" for kind in kinds)
        extra = {"weight": number} if draw(st.booleans()) else {}
        found.append(chat(*texts, media=media, system=draw(st.none() | said), name=f"{number} {draw(said)}", **extra))
    return found


def pictures(wanted):
    """The bytes of any picture."""
    return (picture() for _ in wanted)


def sizes(wanted):
    """The size of any picture."""
    return (SIZE for _ in wanted)


def knobs_of(writer):
    """What a mix gives to a writer."""
    return fitting("write", writer, {"pictures": pictures, "sizes": sizes})
