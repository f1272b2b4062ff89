"""Small pools for tests: made of a few turns, or thinned from real files."""

from __future__ import annotations

import json

from strategies import pool_of


def make_pool(samples, **columns):
    """Build a pool of samples, each a list of (speaker, value) turns or one text; its keys rise with its rows."""
    turns = [[("human", said)] if isinstance(said, str) else said for said in samples]
    words = [sum(len(value.split()) for _, value in talk) for talk in turns]
    said = [[{"from": speaker, "value": value} for speaker, value in talk] for talk in turns]
    return pool_of(len(turns), **{"turns": said, "n_words": words, "n_tokens": words, **columns})


def thinned(folder, copy, step):
    """Copy the JSON files of a folder of real samples, with every so manieth sample or item; return the copy."""
    copy.mkdir()
    for file in folder.glob("*.json"):
        items = json.loads(file.read_text("utf-8"))
        (copy / file.name).write_text(json.dumps(items if file.stem == "image_data" else items[::step]), "utf-8")
    return copy


def of_ids(mix):
    """Return the codes that the ids of a written mix give: O04 if one of them repeats."""
    ids = [json.dumps(record["id"]) for record in json.loads(mix.read_text("ascii")) if record.get("id") is not None]
    return ["O04"] if len(set(ids)) < len(ids) else []
