"""Pools with several pictures, videos, sounds, system prompts and boxes, and what each trainer's file of them is called."""

from __future__ import annotations

import io
import json

from hypothesis import strategies as st
from PIL import Image
from strategies import pool_of

from recipe.config.registry import fitting, home
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


def picture(color=(10, 20, 30), size=SIZE, format="JPEG"):
    """The bytes of a small picture."""
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, format)
    return file.getvalue()


def shown(*names, **keys):
    """Pictures by path."""
    return [Medium(path=name, **keys) for name in names]


def chat(*texts, media=(), system=None, frame=None, name=None, **extra):
    """One sample: its texts in turn, its media, and what else its record has."""
    turns = [("human" if i % 2 == 0 else "gpt", text) for i, text in enumerate(texts)]
    more = ({"system": system} if system else {}) | extra
    return {"turns": turns, "media": list(media), "frame": frame, "id": name, "extra": json.dumps(more) if more else None}


def pool_of_chats(chats):
    """Build a pool of samples that `chat` made."""
    media = [one["media"] for one in chats]
    images = [next((each.name for each in some if each.kind == "image"), None) for some in media]
    alone = [some == [] or (len(some) == 1 and some[0] == Medium(path=name)) for some, name in zip(media, images)]
    return pool_of(
        len(chats),
        id=[one["id"] or str(i) for i, one in enumerate(chats)],
        key=[f"{i:032x}" for i in range(len(chats))],
        turns=[[{"from": who, "value": said} for who, said in one["turns"]] for one in chats],
        image=images,
        media=[None if plain else [each._asdict() for each in some] for plain, some in zip(alone, media, strict=True)],
        frame=[one["frame"] for one in chats],
        extra=[one["extra"] for one in chats],
    )


def held_by(writer, chats):
    """Those samples that a writer's records can hold."""
    holds = home("write", writer).HOLDS
    return [one for one in chats if not needs(one) - set(holds)]


def needs(one):
    """What a record must hold for a sample, in the words of `recipe.config.writers`; a system prompt may be left out."""
    kinds = [each.kind for each in one["media"]]
    found = set()
    if kinds.count("image") > 1:
        found.add("images")
    if "video" in kinds:
        found.add("video")
    if kinds.count("video") > 1 or ("video" in kinds and "image" in kinds):
        found.add("videos")
    if "audio" in kinds:
        found.add("audio")
    return found


def some_chats():
    """One sample of every kind that trainers differ in."""
    return [
        chat("<image>\nWhat is it?", "A jay.", media=shown("coco/1.jpg")),
        chat("<image>\nWhere is it?", "At [0.1, 0.25, 0.5, 1].", media=shown("coco/2.jpg", width=64, height=48), frame="unit"),
        chat("<image>\nAnd the dog?", "[0.1, 0.25, 0.5, 0.75]", media=shown("a b/3.png", width=64, height=48), frame="square"),
        chat("<image>\nThe cat?", "<box>[[0, 250, 500, 1000]]</box>", media=shown("coco/4.jpg"), frame="thousand"),
        chat("<image>\nThe hat?", "[8, 12, 32, 48]", media=shown("coco/5.jpg", width=64, height=48), frame="pixels"),
        chat("<image>\nThe shoe?", "[0.1, 0.2, 0.3, 0.4]", media=shown("coco/5.jpg")),
        chat("Why?", "So.", "Really?", "Yes \u732b."),
        chat("<image>\n<image>\nWhich is older?", "The first.", media=shown("1.jpg", "2.jpg")),
        chat("Is this <image> like that <image>?", "No.", "And <image>?", "Yes.", media=shown("1.jpg", "2.jpg", "3.jpg")),
        chat("Hi", "Hello.", system="Be brief."),
        chat("<image>\nWhat is it?", "A wren.", media=shown("coco/6.jpg"), system="Be brief."),
        chat("<video>\nWhat happens?", "It rains.", media=[Medium("video", "rain.mp4")]),
        chat("<video>\n<image>\nSame?", "No.", media=[Medium("video", "rain.mp4"), Medium(path="1.jpg")]),
        chat("<audio>\nWho sings?", "A jay.", media=[Medium("audio", "jay.wav")]),
        chat("<image>\nUnder a root?", "Yes.", media=shown("0.jpg", root="data/a")),
        chat("<image>\nWhat else?", "A key.", media=shown("coco/7.jpg"), weight=1.5),
    ]


said = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(lambda text: text.strip())
said = said.filter(lambda text: not any(mark in text for mark in "<>[]"))


@st.composite
def any_chats(draw, *, most=6):
    """Draw samples of every kind, each sound."""
    found = []
    for number in range(draw(st.integers(1, most))):
        kinds = draw(st.sampled_from([[], ["image"], ["image"], ["image", "image"], ["video"], ["image", "video"], ["audio"]]))
        media = [Medium(kind, f"{draw(st.sampled_from(['a', 'b/c']))}/{i}.{kind}") for i, kind in enumerate(kinds)]
        pairs = draw(st.integers(1, 3))
        texts = [draw(said) for _ in range(2 * pairs)]
        if len(kinds) == 1:
            texts[0] = f"<{kinds[0]}>\n{texts[0]}"
        else:
            for kind in kinds:  # in any question, behind its words, in the order of the media
                at = 2 * (pairs - 1)
                texts[at] += f" <{kind}> "
        system = draw(st.none() | said)
        found.append(chat(*texts, media=media, system=system, name=draw(said), **({"weight": number} if number else {})))
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
