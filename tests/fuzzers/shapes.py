"""Sound records of every format that is read."""

from __future__ import annotations

import base64
from typing import Any

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
BASE64 = base64.b64encode(PNG).decode()
URI = f"data:image/png;base64,{BASE64}"


def talk(*texts, who=("human", "gpt"), keys=("from", "value")):
    """Turns that alternate."""
    return [dict(zip(keys, (who[i % 2], text), strict=True)) for i, text in enumerate(texts)]


def chat(*texts):
    """Turns of role and content."""
    return talk(*texts, who=("user", "assistant"), keys=("role", "content"))


ASKED = talk("<image>\nWhat bird is it?", "A jay.")
BLOCKS = [
    {"type": "image", "path": "b/7.jpg", "metadata": {"width": 640, "height": 480}},
    {"type": "image_url", "image_url": {"url": URI, "image_wh": [1, 1]}},
    {"type": "text", "text": "Which two?"},
]
RATED = ("relevance", "image_correspondence", "visual_dependency", "formatting")

RECORDS: dict[str, list[Any]] = {  # one list a dialect; bytes stand for pictures, which JSON gets in base64
    "llava": [
        {"id": "1", "image": "coco/train2017/000000000092.jpg", "conversations": ASKED},
        {"id": 7, "image": None, "conversations": talk("Why?", "So it is.", "Red?", "No")},
        {"image": ["a.jpg", "b.jpg"], "conversations": talk("<image>\n<image>\nSame?", "No.")},
        {"id": "v", "video": "v.mp4", "conversations": talk("<video>\nWhat happens?", "A jay flies.")},
        {"id": "d", "image": URI, "conversations": ASKED},
    ],
    "llava_bytes": [
        {"id": "1", "image": {"bytes": PNG, "path": "a.png"}, "conversations": ASKED, "data_source": "toy"},
        {"id": "2", "image": None, "conversations": talk("Why?", "So."), "data_source": "toy"},
        {"id": "3", "image": {"bytes": GIF, "path": None}, "conversations": ASKED, "data_source": "other"},
    ],
    "lists": [{"id": "p", "conversations": {"from": ["human", "gpt"], "value": ["Why?", "So."]}}],
    "packed": [[{"image": "a.jpg", "conversations": ASKED}, {"image": "b.jpg", "conversations": ASKED}]],
    "internvl": [
        {"id": 0, "image": "a.jpg", "width": 640, "height": 480, "conversations": ASKED},
        {
            "id": 1,
            "image": ["a.jpg", "b.jpg"],
            "width_list": [640, 10],
            "height_list": [480, 10],
            "conversations": talk("<image><image>Where?", "<ref>jay</ref><box>[[1, 2, 300, 400]]</box>"),
        },
    ],
    "qwen_v1": [
        {"id": "q", "conversations": talk("Picture 1: <img>a.jpg</img>\nWho?", "He.", who=("user", "assistant"))}
    ],
    "minicpm": [
        {
            "id": "0",
            "image": {"<image_00>": "a.jpg", "<image_01>": "b.jpg"},
            "conversations": chat("<image_00>\n<image_01>\nSame?", "No."),
        }
    ],
    "messages": [
        {
            "messages": [{"role": "system", "content": "Be brief."}, *chat("<image>What bird?", "A jay.")],
            "images": ["a.jpg"],
        },
        {"messages": chat(BLOCKS, "A jay and a tit.")},
        {"id": "t", "messages": chat("Why?", [{"type": "text", "text": "So."}])},
    ],
    "trl": [
        {
            "prompt": chat([{"type": "image"}, {"type": "text", "text": "Who?"}]),
            "completion": chat("", "He.")[1:],
            "images": [{"bytes": PNG, "path": None}],
        },
        {"prompt": "Why?", "completion": "So."},
    ],
    "grounding": [
        {
            "messages": chat("<image>Where is the <ref-object>?", "<bbox>"),
            "images": ["a.jpg"],
            "objects": {"ref": ["jay"], "bbox": [[1, 2, 3, 4]], "bbox_type": "real"},
        }
    ],
    "cauldron": [
        {
            "images": [{"bytes": PNG, "path": None}],
            "texts": [
                {"user": "What bird?", "assistant": "A jay.", "source": "toy"},
                {"user": "Red?", "assistant": "No", "source": "toy"},
            ],
            **{f"{name}_ratings": [5, 4] for name in RATED},
            **{f"{name}_min": 4 for name in RATED},
        },
        {
            "images": [],
            "texts": [{"user": "Why?", "assistant": "So.", "source": "toy"}],
            **{f"{name}_ratings": [1] for name in RATED},
        },
    ],
    "alpaca": [
        {
            "instruction": "<image>Name it.",
            "input": "What bird?",
            "output": "A jay.",
            "images": ["a.jpg"],
            "history": [["Hi", "Hello"]],
            "system": "Be brief.",
        },
        {"instruction": "Why?", "input": "", "output": "So."},
    ],
    "m3it": [{"instruction": "Name it.", "inputs": "", "outputs": "A jay.", "image_base64_str": [BASE64]}],
    "swift": [
        {"query": "<image>And now?", "response": "A tit.", "history": [["What bird?", "A jay."]], "images": ["a.jpg"]},
        {"conversation": [{"human": "Why?", "assistant": "So."}]},
    ],
    "vqa": [
        {
            "question_id": 1,
            "image_id": 92,
            "question": "What bird?",
            "answers": [{"answer": "jay"}, {"answer": "tit"}],
            "answer_type": "other",
        },
        {"question": "What bird?", "answer": "jay", "image_id": "2391", "task": "toy"},
        {"question": "What bird?", "fullAnswer": "It is a jay.", "answer": "jay", "imageId": "n161"},
    ],
    "captions": [
        {"image_id": 92, "id": 5, "caption": "A jay."},
        {"image": "val2014/COCO_val2014_000000000092.jpg", "caption": ["A jay.", "A bird."]},
        {
            "filename": "9.jpg",
            "filepath": "val2014",
            "sentences": [{"raw": "A jay.", "tokens": ["a", "jay"]}, {"raw": "A bird."}],
            "imgid": 0,
        },
        {"image_url": "https://a.b/c.jpg", "caption": "A jay on an oak.", "transcripts": ["jay"]},
    ],
    "pixmo": [
        {
            "image_url": "https://a.b/c.jpg",
            "messages": ["What bird?", "A jay."],
            "question": "What bird?",
            "answer": "A jay.",
        }
    ],
    "svit": [
        {
            "image_id": 7,
            "conversations": [
                {"topic": "Food", "content": talk("Is it soup?", "No", who=("user", "gpt"))},
                {"content": talk("Where is the <st>cat<ed> [0.1, 0, 0.5, .75]?", "There.", who=("user", "gpt"))},
            ],
        }
    ],
    "vision_flan": [
        {"id": "a", "image": "a.jpg", "task_name": "birds+species", "conversations": ASKED},
        {"img_path": "b.jpg", "prompt": "Bird?", "target": "A jay.", "task_name": "birds"},
    ],
    "mimic": [{"instruction": "What bird?", "answer": "A jay.", "image_ids": ["TT_IMG_1"], "rel_ins_ids": []}],
    "audio": [{"messages": chat("<audio>Who sings?", "A jay."), "audios": ["a.wav"]}],
}
TABLE = [
    {"index": "1", "image": BASE64, "question": "Which?", "hint": "", "A": "A jay", "B": "A tit", "answer": "A"},
    {
        "index": "2",
        "image": "1",
        "question": 'The "big", one?',
        "hint": "It sings.",
        "A": "x\ny",
        "B": "",
        "answer": "B",
    },
]
SHARD = [
    {"__key__": "0001", "jpg": PNG, "json": chat("What bird?", "A jay.")},
    {"__key__": "0002", "jpg": PNG, "txt": "A jay.", "json": {"url": "https://a.b/c.jpg", "status": "success"}},
    {
        "__key__": "0003",
        "0_a.jpg": PNG,
        "1_b.jpg": GIF,
        "json": {"texts": chat("<image><image>Same?", "No."), "media": "image", "name": ["0_a.jpg", "1_b.jpg"]},
    },
    {
        "__key__": "0004",
        "img0.jpg": PNG,
        "img1.jpg": GIF,
        "json": {"prompts": ["Who?", "He?"], "captions": ["A jay.", "Yes"], "images": ["a", "b"]},
    },
    {"__key__": "0005", "jpg": PNG, "json": {"question": "What bird?", "answers": ["jay"], "answer_weights": [1.0]}},
    {"__key__": "0006", "png": PNG, "caption": "A jay.", "cls": "7", "__x__": b"\x80\x81"},
]
NAMES = ("repeat_time", "sampling_strategy", "json_path", "file_name", "columns", "tags", "annotation", "root", "path")
KEYS = sorted(
    {
        key
        for records in RECORDS.values()
        for one in records
        for record in (one if isinstance(one, list) else [one])
        for key in record
    }
    | {
        "from",
        "value",
        "role",
        "content",
        "type",
        "bytes",
        "image_path",
        "audio",
        "videos",
        "user",
        "assistant",
        *NAMES,
    }
)
