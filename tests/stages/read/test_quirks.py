"""What becomes of each damaged file: one table, which the tests execute and which this file prints.

``python tests/stages/read/test_quirks.py`` writes the table as Markdown.
"""

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import pytest
from conftest import REAL

from recipe.config.calls import call
from recipe.config.registry import names
from recipe.config.step import Step
from recipe.data.problems import PROBLEMS, code_of
from recipe.errors import InputError
from recipe.stages.read import read_pool

QUIRKS = REAL / "quirks"
FILES = sorted(QUIRKS.glob("*.*")) + sorted(QUIRKS.glob("shards/part-00000*"))
needs_data = pytest.mark.skipif(not FILES, reason="the quirk files are not here; set RECIPE_DATA to their folder")


class Case(NamedTuple):
    """What is wrong with a file and what becomes of it: rows, rejects by reason, and the message that refuses it.

    Where there is a message, rows and rejects are those of `lenient`.
    """

    trouble: str
    rows: int
    rejects: Mapping[str, int] = MappingProxyType({})
    message: str | None = None


MALFORMED = "expected JSON, which breaks at byte {}; {}; repair it, or read its valid records with --lenient"
EMPTY = "expected JSON, got an empty file; remove it from the sources, or restore it"
FORMATS = f"expected a known format ({', '.join(names('read'))}), got {{}}; convert the file, or name its format"

OUTCOMES = {
    "file_big_numbers.json": Case("ids beyond 64 bits; one beyond a float", 4, {"bad_json": 1}),
    "file_bom.json": Case("byte-order mark", 6),
    "file_concatenated.json": Case("indented objects one after another", 3),
    "file_deep_nesting.json": Case("3,000 brackets deep", 2, {"bad_json": 1}),
    "file_dict_by_id.json": Case("object of id to record", 6),
    "file_empty.json": Case("no bytes", 1, {"bad_json": 1}, EMPTY),
    "file_empty_array.json": Case("empty array", 0),
    "file_gzip.json.gz": Case("gzip", 6),
    "file_gzip_named_json.json": Case("gzip named .json", 6),
    "file_jsonl.jsonl": Case("JSON Lines, a blank line, no end of line", 6),
    "file_jsonl_named_json.json": Case("JSON Lines named .json", 6),
    "file_latin1.json": Case(
        "one byte is no UTF-8",
        2,
        {"L12": 1},
        "expected UTF-8, got other bytes at byte 218; convert it to UTF-8, or read its valid records with --lenient",
    ),
    "file_lone_surrogate.json": Case("halves of surrogate pairs", 4, {"L12": 2}),
    "file_nan.json": Case("NaN and infinities, read as null; one is a text", 5, {"L05": 1}),
    "file_null.json": Case(
        "null",
        1,
        {"bad_json": 1},
        MALFORMED.format("0, line 1, column 1 (neither an array nor an object)", "no record before it is valid"),
    ),
    "file_single_record.json": Case("one record, no array", 1),
    "file_trailing_comma.json": Case(
        "comma after the last record",
        6,
        {},
        MALFORMED.format(
            "1625, line 1, column 1626 (a comma after the last record, 5)",
            "the last good record is 5 (id 'okvqa_304557')",
        ),
    ),
    "file_trailing_garbage.json": Case(
        "text after the array",
        7,
        {"bad_json": 1},
        MALFORMED.format(
            "1627, line 2, column 1 (more text after the end of the array)",
            "the last good record is 5 (id 'okvqa_304557')",
        ),
    ),
    "file_truncated.json": Case(
        "breaks off in record 4",
        5,
        {"bad_json": 1},
        MALFORMED.format(
            "1067, line 1, column 1068 (record 4: Unterminated string)",
            "the last good record is 3 (id 'okvqa_207611')",
        ),
    ),
    "file_truncated_jsonl.jsonl": Case(
        "JSON Lines whose third line is cut off",
        4,
        {"bad_json": 1},
        MALFORMED.format(
            "530, line 3, column 71 (record 2: Invalid control character)",
            "the last good record is 1 (id 'okvqa_357586')",
        ),
    ),
    "file_utf16.json": Case("UTF-16", 6),
    "file_white_space.json": Case("white space only", 1, {"bad_json": 1}, EMPTY),
    "file_wrapped.json": Case("array under a key of an object", 6),
    "llava_chinese.json": Case("Chinese text", 8),
    "llava_control_chars.json": Case("control characters (flagged)", 5),
    "llava_double_turns.json": Case("two turns of one speaker in a row", 3, {"L11": 2}),
    "llava_duplicate_ids.json": Case("one id on several records", 5),
    "llava_duplicate_keys.json": Case("a key twice in one object: the last counts, as for LLaVA", 2),
    "llava_duplicate_records.json": Case("one QA under several ids (found by dedup)", 6),
    "llava_empty_answer.json": Case("empty turns", 5, {"W06": 3}),
    "llava_extra_keys.json": Case("keys beyond the schema, kept", 5),
    "llava_format_prompt_variants.json": Case("odd response-format prompts", 6),
    "llava_gpt_first.json": Case("a gpt turn leads", 3, {"W03": 2}),
    "llava_id_types.json": Case("ids of every type", 7),
    "llava_image_list.json": Case("image is a list", 4, {"many_images": 2, "L07": 1}),
    "llava_image_token_end.json": Case("<image> at the end", 4),
    "llava_image_token_glued.json": Case("<image> without its line break; <IMAGE>", 5, {"W02": 1}),
    "llava_image_token_in_answer.json": Case("<image> in an answer", 3, {"L13": 2}),
    "llava_image_token_middle.json": Case("<image> within the question", 3),
    "llava_image_token_missing.json": Case("image without <image>", 3),
    "llava_image_token_second_turn.json": Case("<image> in a later question", 2),
    "llava_image_token_twice.json": Case("<image> repeated", 5),
    "llava_image_token_without_image.json": Case("<image> without image", 2, {"W02": 1}),
    "llava_image_value_odd.json": Case("image null, empty, absolute, a URL, ..", 9, {"L07": 2, "W08": 3}),
    "llava_invisible_chars.json": Case("invisible characters (flagged)", 8),
    "llava_long_answer.json": Case("an answer of 3,000 words", 2, {"W07": 1}),
    "llava_many_turns.json": Case("92 questions in one record", 1, {"W07": 1}),
    "llava_missing_gpt_turn.json": Case("ends with a question", 3, {"W05": 2}),
    "llava_no_conversations.json": Case("conversations missing, null, empty, text", 6, {"L05": 4, "L09": 1}),
    "llava_not_objects.json": Case("entries that are no objects, a packed one", 7, {"not_a_record": 3, "L05": 1}),
    "llava_role_names.json": Case("other speakers, one of them unknown", 5, {"L10": 1}),
    "llava_runaway_answer.json": Case("answers that repeat themselves (flagged)", 2),
    "llava_source_mention.json": Case("answers that name captions or boxes (flagged)", 6),
    "llava_special_tokens.json": Case("markup of chat templates", 7, {"W09": 4, "L13": 1}),
    "llava_value_not_string.json": Case("values that are no text", 8, {"L05": 7}),
    "llava_video_key.json": Case("video in place of image", 4, {"many_images": 3}),
    "llava_windows_newlines.json": Case("Windows line ends", 3),
    "part-00000-of-00003.json": Case("folder of shards, one empty, a marker, a hidden file", 9),
    "svit_box_malformed.json": Case("brackets that are no boxes", 12, {"bad_box": 7, "no_image_size": 5}),
    "svit_box_many.json": Case("many boxes, no size", 2, {"no_image_size": 2}),
    "svit_box_out_of_range.json": Case("boxes beyond 0..1", 9, {"bad_box": 5, "no_image_size": 4}),
    "svit_box_reversed.json": Case("corners swapped, no area", 7, {"bad_box": 4, "no_image_size": 3}),
    "svit_box_spacing.json": Case("other spellings of boxes, no size", 8, {"no_image_size": 8}),
    "svit_box_tags.json": Case("marks unpaired or nested, no size", 8, {"no_image_size": 7}),
    "svit_empty_answer.json": Case("empty answers, items, conversations", 6, {"W06": 2, "L09": 2}),
    "svit_image_data.json": Case(
        "sizes of images, no samples",
        10,
        {"not_a_record": 10},
        FORMATS.format(
            "records with the keys 'width', 'url', 'height', 'image_id', 'coco_id', 'flickr_id', "
            "which are sizes of images (read: image_data)"
        ),
    ),
    "svit_image_id_repeated.json": Case("one image_id in several items", 4),
    "svit_image_id_types.json": Case("image_id of every type", 8, {"L07": 3}),
    "svit_message_empty.json": Case('"message is empty" boilerplate', 5, {"boilerplate": 3}),
    "svit_role_names.json": Case("other speakers", 3, {"L10": 2}),
    "svit_source_mention.json": Case("answers that name captions or boxes (flagged)", 5),
    "svit_test_image_ids.json": Case("images of SVIT's test set", 5),
    "svit_topic_odd.json": Case("topics of every type, kept", 7),
    "svit_turn_counts.json": Case("not one question and one answer", 6, {"W05": 2, "W03": 2}),
    "visionflan_instances.json": Case("instances in lists of lists", 4),
    "visionflan_multi_turn.json": Case("four turns; a question alone", 3, {"W05": 1}),
    "visionflan_prompt_target.json": Case("prompt and target under data", 4),
    "visionflan_task_name.json": Case("task_name missing or of every type", 8),
}

BOXES_KEPT = {  # with `boxes: keep` no size is needed, so that only the boxes themselves are judged
    "svit_box_malformed.json": {"bad_box": 8},
    "svit_box_many.json": {},
    "svit_box_out_of_range.json": {"bad_box": 5},
    "svit_box_reversed.json": {"bad_box": 4},
    "svit_box_spacing.json": {},
    "svit_box_tags.json": {},
}


def outcome(path, **options):
    """Read a file, or its folder where it is a shard, label it, and count its rows and its rejects by code."""
    pool = read_pool(path.parent if path.parent.name == "shards" else path, **options)
    pool = pool.refuse(call("tag", Step("trouble", {}), pool)["problem"])
    return len(pool), dict(Counter(map(code_of, pool.rows["problem"].drop_nulls())))


@needs_data
def test_the_table_names_every_file():
    """Every damaged file has a stated outcome, and every stated outcome has a file."""
    assert sorted(OUTCOMES) == sorted(path.name for path in FILES)


@needs_data
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_file_ends_as_stated(path):
    """A file is read with so many rejects for these reasons, or refused with this message; `lenient` reads it all."""
    case = OUTCOMES[path.name]
    assert outcome(path, lenient=True) == (case.rows, case.rejects)
    assert set(case.rejects) <= set(PROBLEMS)
    if case.message is None:
        assert outcome(path) == (case.rows, case.rejects)
        return
    with pytest.raises(InputError) as caught:
        read_pool(path)
    assert str(caught.value) == f"{path}: {case.message}"


@needs_data
@pytest.mark.parametrize("name", BOXES_KEPT)
def test_kept_boxes_are_checked_too(name):
    """Without a size, valid boxes pass in every spelling and only broken ones are rejected."""
    assert outcome(QUIRKS / name, boxes="keep") == (OUTCOMES[name].rows, BOXES_KEPT[name])


@needs_data
def test_all_files_at_once_are_read_leniently():
    """The folder as a whole is read leniently, with the rows of each of its files."""
    pool = read_pool(QUIRKS, lenient=True)
    assert len(pool) == sum(case.rows for case in OUTCOMES.values())


def table():
    """Yield the table as lines of Markdown, from what really becomes of each file."""
    yield "| file | trouble | rows | eligible | rejects, or the message that refuses it |"
    yield "|---|---|---|---|---|"
    for path in FILES:
        try:
            rows, rejects = outcome(path)
            end = ", ".join(f"{count} {code}" for code, count in sorted(rejects.items())) or "-"
        except InputError as error:
            rows, rejects = outcome(path, lenient=True)
            counts = ", ".join(f"{count} {code}" for code, count in sorted(rejects.items())) or "none"
            end = f"refused: {str(error).removeprefix(f'{path}: ')}. With --lenient as counted here; rejects: {counts}"
        name = f"shards/{path.name} (folder)" if path.parent.name == "shards" else path.name
        yield f"| `{name}` | {OUTCOMES[path.name].trouble} | {rows} | {rows - sum(rejects.values())} | {end} |"


if __name__ == "__main__":
    print("\n".join(table()))  # noqa: T201  the one job of running this file
