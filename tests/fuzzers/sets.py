"""Files of formats that belong together: lists, and what they list; questions and answers; shards and side files."""

from __future__ import annotations

from typing import Any, NamedTuple

from fuzzers.shapes import BASE64, RECORDS, SHARD, TABLE, URI, talk


class Made(NamedTuple):
    """A file: its name, the container it is of, and what it holds."""

    name: str
    container: str  # json, jsonl, parquet, arrow, tar, table, yaml
    tree: Any


COCO = {
    "info": {"year": 2017},
    "images": [{"id": 92, "file_name": "000000000092.jpg", "width": 640, "height": 480}],
    "annotations": [{"image_id": 92, "id": 5, "caption": "A jay."}, {"image_id": 93, "id": 6, "caption": "A tit."}],
}
QUESTIONS = {"data_subtype": "train2014", "questions": [{"image_id": 92, "question": "What bird?", "question_id": 920}]}
ANSWERS = {
    "data_subtype": "train2014",
    "annotations": [
        {
            "question_id": 920,
            "image_id": 92,
            "multiple_choice_answer": "jay",
            "answers": [{"answer": "jay", "answer_id": 1}],
        }
    ],
}
INSTRUCTIONS = {"meta": {"version": "0.0.1"}, "data": {"TT_INS_1": RECORDS["mimic"][0]}}
PICTURES = {"TT_IMG_1": BASE64, "TT_IMG_2": URI}
META = {
    "toy": {"root": "pictures/", "annotation": "a.jsonl", "data_augment": False, "repeat_time": 0.5, "length": 2},
    "more": {"root": "other/", "annotation": "a.jsonl", "repeat_time": 2, "length": 2},
}
YAML = {
    "datasets": [
        {"json_path": "a.json", "sampling_strategy": "first:50%"},
        {"json_path": "b.jsonl", "sampling_strategy": "random:1"},
    ]
}
FACTORY = {
    "toy": {
        "file_name": "a.json",
        "formatting": "sharegpt",
        "columns": {"messages": "talk", "images": "shown"},
        "tags": {"role_tag": "who", "content_tag": "said", "user_tag": "u", "assistant_tag": "a"},
    },
    "asked": {"file_name": "b.jsonl", "columns": {"prompt": "ask", "query": "more", "response": "say"}},
    "far": {"hf_hub_url": "a/b"},
}
TAGGED = [{"talk": talk("<image>What bird?", "A jay.", who=("u", "a"), keys=("who", "said")), "shown": ["a.jpg"]}]
BLEND = {
    "__module__": "megatron.energon",
    "__class__": "MetadatasetV2",
    "splits": {"train": {"blend": [{"weight": 1, "path": "shards"}, {"path": "b.tar"}]}},
}
SETS: dict[str, list[Made]] = {
    "coco": [Made("captions_train2017.json", "json", COCO)],
    "vqav2": [Made("v2_OpenEnded_questions.json", "json", QUESTIONS), Made("v2_annotations.json", "json", ANSWERS)],
    "mimic_it": [Made("TT_instructions.json", "json", INSTRUCTIONS), Made("TT.json", "json", PICTURES)],
    "internvl": [Made("meta.json", "json", META), Made("a.jsonl", "jsonl", RECORDS["internvl"])],
    "onevision": [
        Made("mix.yaml", "yaml", YAML),
        Made("a.json", "json", RECORDS["llava"]),
        Made("b.jsonl", "jsonl", RECORDS["llava"]),
    ],
    "llama_factory": [
        Made("dataset_info.json", "json", FACTORY),
        Made("a.json", "json", TAGGED),
        Made("b.jsonl", "jsonl", [{"ask": "Why?", "more": "", "say": "So."}]),
    ],
    "energon": [Made("meta.yaml", "yaml", BLEND), Made("shards/0.tar", "tar", SHARD), Made("b.tar", "tar", SHARD[:2])],
    "img2dataset": [
        Made("00000.tar", "tar", SHARD[1:2]),
        Made("00000.parquet", "parquet", [{"url": "https://a.b", "caption": "A jay.", "key": "0002"}]),
        Made("00000_stats.json", "json", {"count": 1, "successes": 1}),
    ],
    "saved": [
        Made("data-00000-of-00001.arrow", "arrow", RECORDS["llava_bytes"]),
        Made("state.json", "json", {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}),
        Made("dataset_info.json", "json", {"features": {"id": {"dtype": "string"}}}),
    ],
    "table": [Made("bench.tsv", "table", TABLE)],
    "shard": [Made("0.tar", "tar", SHARD)],
}
