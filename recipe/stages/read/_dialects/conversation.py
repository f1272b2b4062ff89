"""One record with turns in any dress and pictures under any key -> one entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.stages.read._dialects.dialogue import read_dialogue
from recipe.stages.read._dialects.grounding import fill_objects, has_objects
from recipe.stages.read._dialects.marks import has_marks, marked, numbered
from recipe.stages.read._dialects.media import NoMedium, media_in, with_size
from recipe.stages.read._entry import Entry, dump, is_broken, pack_extra, text_id

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from recipe.data.media import Medium
    from recipe.stages.read._entry import Context

IDS = ("id", "idx", "sample_id", "uid", "question_id")  # keys of ids; the first that a record has counts


def read_conversation(
    record: Mapping[str, Any],
    context: Context | None,
    given: object,
    used: Collection[str],
    *,
    shown: Sequence[Medium] | None = None,
    task_name: str | None = None,
    identifier: object = None,
    marks: bool = False,
) -> Entry:
    r"""Make an entry of a record.

    Parameters
    ----------
    record
        One record.
    context
        What is known besides it.
    given
        Its turns, as for `recipe.stages.read._dialects.dialogue.read_dialogue`.
    used
        The keys that turns and pictures were made of; the others are kept.
    shown
        Its pictures, if they do not stand under keys of their own.
    task_name
        What its source calls the task.
    identifier
        Its id; by default the first of `IDS`.
    marks
        Whether texts of its format show by marks where pictures stand, so that a mark that is added is noted.

    Returns
    -------
    Entry
        The sample, or what is wrong with the record.

    Examples
    --------
    >>> talk = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "A jay."}]
    >>> made = read_conversation({"talk": talk, "img": "a.jpg"}, None, talk, ["talk"], marks=True)
    >>> made.media[0].path, made.noted
    ('a.jpg', ('mark_added',))
    """
    talk = read_dialogue(given, context, under=next(iter(used), ""))
    turns, problem, keys, media = talk.turns, talk.problem, set[str](), list(shown or talk.media)
    try:
        if shown is None:
            own, keys = media_in(record, context)
            media = own or media
        media = [_writable(one) for one in media]
    except NoMedium as wrong:
        problem, media = problem or str(wrong), []
    frame, added = None, False
    filled: tuple[str, ...] = ()
    if not problem:
        turns, media = numbered(turns, media)
        if has_objects(record):
            turns, frame, problem = fill_objects(turns, record["objects"])
            filled = ("objects",) if frame else ()
            if any(is_broken(text) for _, text in turns):
                turns, problem = [], "L12"
        if not problem:
            turns, problem, added = marked(turns, media)
        if not media and keys and has_marks(turns):
            problem = "L07"  # a mark, and a key that names nothing
    media = _sized(media, record)
    added = marks and (added or (len(media) == 1 and not has_marks(turns)))
    extra = _extra(record, {*used, *keys, *filled}, talk.system, talk.others if len(turns) == len(talk.turns) else None)
    name = task_name if task_name is not None else record.get("task_name")
    return Entry(
        turns,
        None,
        _id(record, identifier),
        extra,
        name if isinstance(name, str) and name and not is_broken(name) else None,
        problem,
        dump(record) if problem else None,
        tuple(media),
        frame,
        noted=("mark_added",) if added else (),
    )


def _writable(medium: Medium) -> Medium:
    """Return a medium whose path UTF-8 can write: one that is called by its hash needs none; raise for another."""
    if not any(text and is_broken(text) for text in (medium.path, medium.root)):
        return medium
    if medium.hash is None:
        raise NoMedium("L12")
    return medium._replace(path=None)


def _id(record: Mapping[str, Any], given: object) -> str | None:
    """Return the id of a record as a text; None if it has none."""
    found = (
        given if given is not None else next((record[key] for key in IDS if record.get(key) not in (None, "")), None)
    )
    return None if found is None else text_id(found)


def _extra(
    record: Mapping[str, Any], used: Collection[str], system: str | None, others: list[dict[str, Any]] | None
) -> str | None:
    """Keep the keys that are not used, an id that is no text, the system prompt, and unknown keys of the turns."""
    extra = {key: value for key, value in record.items() if key not in used and key != "id"}
    if "id" in record and (not isinstance(record["id"], str) or is_broken(record["id"])):
        extra["id"] = record["id"]
    if system is not None:
        extra["system"] = system
    if others:
        extra["conversations"] = others
    return pack_extra(extra)


def _sized(media: list[Medium], record: Mapping[str, Any]) -> list[Medium]:
    """Give pictures the size that their record states (InternVL): one, or a list for several."""
    count = sum(one.kind == "image" for one in media)
    pairs = [[record.get("width"), record.get("height")]]
    if count > 1:
        lists = [record.get(key) or record.get(key.removesuffix("_list")) for key in ("width_list", "height_list")]
        fit = all(isinstance(one, list) and len(one) == count for one in lists)
        pairs = [list(pair) for pair in zip(*lists, strict=True)] if fit else []
    sizes = iter(pairs)
    return [with_size(one, next(sizes, None)) if one.kind == "image" else one for one in media]
