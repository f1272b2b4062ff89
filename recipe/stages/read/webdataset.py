"""A sample of a tar shard, the files of one key: WebDataset, img2dataset, Energon, LLaVA-OneVision-1.5."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from recipe.config.registry import names
from recipe.data.media import Medium
from recipe.stages.read._containers.tar import TEXTS
from recipe.stages.read._dialects.conversation import read_conversation
from recipe.stages.read._entry import Entry, dump, text_id
from recipe.stages.read.captions import QUESTION, TASK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipe.stages.read._entry import Context

KEY = "__key__"
_WORDS = ("json", *TEXTS)


def confidence(record: dict[str, Any]) -> float:
    """Return 1 if a record has a `__key__`, as those of tar shards have; else 0."""
    return 1 if KEY in record else 0


def read(record: dict[str, Any], context: Context) -> Iterator[Entry]:
    r"""Read the files of one key as one sample, or as those that its JSON holds.

    Parameters
    ----------
    record
        ``{"__key__": str, ending: content}``: pictures as `Medium`, JSON decoded, texts as texts. The JSON is a list of
        role and content, ``{"texts": [...], "media", "name"}``, ``{"prompts": [...], "captions": [...]}``, a record of
        any other format, or only says of the picture what stands in the text (img2dataset).
    context
        Passed to the reader of the JSON.

    Yields
    ------
    Entry
        The samples; the key is their id unless they have their own. A picture that is a link, or has no bytes, is L08.

    Source: WebDataset; img2dataset; Megatron-Energon; LLaVA-OneVision-1.5, `convert_to_webdataset.py`.

    Examples
    --------
    >>> next(read({"__key__": "a", "jpg": Medium(path="a.jpg"), "txt": "A jay."}, None)).turns[1]
    ('gpt', 'A jay.')
    """
    if any(value is None and name.rpartition(".")[2] not in _WORDS for name, value in record.items()):
        yield Entry([], id=text_id(record.get(KEY, "")), problem="L08", raw=dump(record))
        return
    shown = [value for value in record.values() if isinstance(value, Medium)]
    inside, key = record.get("json"), record.get(KEY)
    if isinstance(inside, list):
        yield read_conversation({"id": key}, context, inside, (), shown=shown)
        return
    if (
        isinstance(inside, dict)
        and isinstance(inside.get("texts"), list)
        and "user" not in str(inside["texts"][:1])[:9]
    ):
        yield read_conversation({"id": inside.get("id", key)}, context, inside["texts"], ("texts",), shown=shown)
        return
    if (
        isinstance(inside, dict)
        and isinstance(inside.get("prompts"), list)
        and isinstance(inside.get("captions"), list)
    ):
        yield from _pairs(inside, context, shown, key)
        return
    if isinstance(inside, dict):
        record_inside = {"id": key, **inside} if not shown else {"id": key, **inside, "image": shown}
        reader = _surest(record_inside)
        if reader is not None:
            yield from reader.read(record_inside, context)
            return
    text = next((record[name] for name in ("txt", "caption", "text") if isinstance(record.get(name), str)), None)
    text = text if text is not None or not isinstance(inside, dict) else inside.get("caption")
    turns = [{"from": "human", "value": QUESTION}, {"from": "gpt", "value": text}]
    rest = {"id": key, **inside} if isinstance(inside, dict) else {"id": key}
    yield read_conversation(rest, context, turns, ("caption", "key", "image"), shown=shown, task_name=TASK)


def _pairs(inside: dict[str, Any], context: Context, shown: list[Medium], key: Any) -> Iterator[Entry]:
    """Read a packed sample: each prompt and its caption, with the picture of the same number if there is one each."""
    prompts, captions = inside["prompts"], inside["captions"]
    for number, (prompt, caption) in enumerate(zip(prompts, captions, strict=False)):
        own = [shown[number]] if len(shown) == len(prompts) else shown
        turns = [{"from": "human", "value": prompt or QUESTION}, {"from": "gpt", "value": caption}]
        yield read_conversation({"id": f"{key}_{number}"}, context, turns, (), shown=own)


def _surest(record: dict[str, Any]) -> Any:
    """Return the reader that is surest of the JSON of a sample, if any is; a caption alone is left to the text."""
    readers = [
        import_module(f"recipe.stages.read.{name}") for name in names("read") if name not in ("webdataset", "captions")
    ]
    sure = [(one.confidence(record), one) for one in readers if hasattr(one, "confidence")]
    best = max(sure, key=lambda pair: pair[0])
    return best[1] if best[0] > 0 else None
