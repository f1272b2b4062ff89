"""Task, kind of answer and problems: by their tables, by a naive count, and against `recipe.check`."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recipe.check.trainer.llava import _findings
from recipe.data.pool import SCHEMA, Pool
from recipe.data.problems import PROBLEMS
from recipe.data.tokens import estimate_tokens
from recipe.stages.read import read_pool
from recipe.stages.tag import answer, task, trouble
from recipe.stages.tag._kinds import KINDS, kind

DATA = Path(os.environ.get("RECIPE_DATA", Path(__file__).parents[3] / ".." / "shared" / "data"))
needs_data = pytest.mark.skipif(not (DATA / "llava").is_dir(), reason="no real data at RECIPE_DATA or ../shared/data")


def pool_of(*samples):
    """A pool of samples given as (image, [text, text, ...]) or (image, texts, task_name); human and gpt alternate."""
    rows = []
    for number, (image, texts, *name) in enumerate(samples):
        turns = [t if isinstance(t, dict) else talk("human" if i % 2 == 0 else "gpt", t) for i, t in enumerate(texts)]
        known = {
            "row": number,
            "key": f"{number:032x}",
            "id": str(number),
            "source": "made up",
            "record": number,
            "order": number,
            "image": image,
            "turns": turns,
            "task_name": name[0] if name else None,
            "n_words": sum(len((turn["value"] or "").split()) for turn in turns),
            "n_tokens": sum(estimate_tokens(turn["value"] or "") for turn in turns),
        }
        rows.append(known)
    return Pool(pl.DataFrame(rows, schema=SCHEMA))


def talk(speaker, value):
    """One turn."""
    return {"from": speaker, "value": value}


def seen(*texts):
    """A sample with an image, its mark in front."""
    return ("coco/1.jpg", [f"<image>\n{texts[0]}", *texts[1:]])


def kind_of(question, reply):
    """The kind of one answer."""
    return pl.DataFrame({"question": [question], "answer": [reply]}).select(kind()).item()


def task_of(*sample):
    """The task of one sample."""
    return task.tag(pool_of(sample))["task"].item()


def trouble_of(image, texts):
    """Problem and flags of one sample."""
    return trouble.tag(pool_of((image, texts))).row(0)


CHOICE = "Which one?\nA. red\nB. blue\nAnswer with the option's letter from the given choices directly."
KIND_OF = {
    "yes": [
        ("Is it red?", "Yes."),
        ("Is there a cat?", "Yes there is"),
        ("What does the badge say?", "yes"),
        ("In the image, are they old?", "Yes they are"),
        ("Isn't it late?", "yes it is"),
    ],
    "no": [
        ("What is outside?", "No, there is a window"),
        ("Is it red?", "no"),
        ("Is it red?", "NO!"),
        ("Does it rain", "No it does not."),
        ("Tell me.", "No - it is blue."),
    ],
    "letter": [
        (CHOICE, "B"),
        (CHOICE, "B."),
        (CHOICE, "(b)"),
        (CHOICE, "(B) blue"),
        ("Which?\nOptions: (A) red (B) blue", "The answer is B."),
    ],
    "number": [
        ("How many?", "3"),
        ("How much?", "$1,000.50"),
        ("How many?", "Three"),
        ("How much?", "2 %"),
        ("How much?", ".28"),
        ("How warm?", "-5"),
    ],
    "box": [
        ("Where is it?", "[0.1, 0.2, 0.3, 0.4]"),
        ("Where?", "[0, 0.2, 1, .4] and [0.1,0.2,0.3,0.4]"),
        ("Where?", "a cat [0.1, 0.2, 0.3, 0.4]."),
    ],
    "phrase": [
        ("What does the sign say?", "No Parking"),
        ("What does the sign say?", "No. 7"),
        ("What letter is on the hat?", "B"),
        ("What animal?", "Cat."),
        ("What time?", "10:30"),
        ("What is it?", "a very big old house"),
        ("How many?", "three people"),
    ],
    "sentence": [
        ("What is it?", "It is a cat."),
        ("Title?", "The long road to the sea"),
        ("Where?", "You can see the cat here: [0.1, 0.2, 0.3, 0.4]"),
        ("What?", " ".join(["word"] * 40)),
    ],
    "paragraph": [("Describe it.", " ".join(["word"] * 41))],
}


@pytest.mark.parametrize(("expected", "question", "reply"), [(k, *qa) for k, qas in KIND_OF.items() for qa in qas])
def test_kind_of_an_answer(expected, question, reply):
    """Each kind is distinguished from similar ones by examples worked by hand."""
    assert kind_of(question, reply) == expected


def test_every_kind_has_examples():
    """Every rule of the table of kinds has an example."""
    assert list(KIND_OF) == [rule.name for rule in KINDS if rule.name in KIND_OF]
    assert set(KIND_OF) == {rule.name for rule in KINDS}


def test_unspaced_writing_is_counted_by_character():
    """Forty-one Chinese characters are a paragraph although no spaces separate them."""
    assert kind_of("?", "猫" * 5) == "phrase"
    assert kind_of("?", "猫" * 41) == "paragraph"


@given(st.text(max_size=30), st.text(max_size=80))
def test_every_answer_with_words_has_one_kind(question, reply):
    """The rules leave no answer without a kind, and only a blank one has none."""
    assert (kind_of(question, reply) is None) == (not pl.Series([reply]).str.strip_chars().item())


ANSWERS = st.sampled_from(["yes", "No.", "no", "3", "a cat", "It is a very big cat.", "", " "])


@settings(max_examples=50)
@given(st.lists(st.lists(ANSWERS, max_size=6), max_size=8))
def test_answers_are_counted_as_by_hand(samples):
    """The most frequent kind, the earlier in the table on a tie, and the counts equal a naive count."""
    pool = pool_of(*((None, [text for reply in answers for text in ("Is it?", reply)]) for answers in samples))
    order = [rule.name for rule in KINDS]
    for row, answers in zip(answer.tag(pool).iter_rows(), samples, strict=True):
        count = Counter(found for reply in answers if (found := kind_of("Is it?", reply)))
        most = min(count, key=lambda name: (-count[name], order.index(name)), default=None)
        assert row == (most, sum(count.values()), count["yes"], count["no"])


REGION = "Provide a short description for this region: [0.1, 0.2, 0.3, 0.4]."
LOCATE = "Please provide the bounding box coordinate of the region this sentence describes: a cat."
SHORT = "\nAnswer the question using a single word or phrase."
BOX = "[0.1, 0.2, 0.3, 0.4]"
LONG = "There is a man who stands beside a small red car in a street with many trees. " * 4
TASK_OF = [
    ("text_only", (None, ["Is it?", "Yes"])),
    ("multiple_choice", seen(CHOICE, "B")),
    ("multiple_choice", (*seen("Which?\nOptions: (a) cat (b) dog", "(a) cat"), "STL-10+Image_Classification")),
    ("multiple_choice", (*seen("What time is it?", "The answer is 6:00 A.M."), "iconqa+choose_txt")),
    ("region_caption", (*seen("What is there?", "a cat"), "RefCOCO+region_expression")),
    ("detail_description", (*seen("Tell me.", "A cat."), "MiniGPT-4+detailed_description")),
    ("caption", (*seen("What is this?", "a cat on a mat"), "COCO+image_caption")),
    ("complex_reasoning", (*seen("Why?", "It rains."), "A-OKVQA+rationale")),
    ("yes_no", (*seen("Is it an animal?", "The object is an animal"), "cinic-10+object_presence_animal")),
    ("ocr", (*seen("Who wrote it?", "Jane Doe"), "OCR-VQA+book_cover_question_answer")),
    ("ocr", (*seen("What?", "'a', 'b'"), "Total-Text+text_detection")),
    ("conversation", (*seen("Is it red?", "Yes, the car is red."), "GQA+full_sentence_answer")),
    ("other", (*seen("Ask.", "What is it?"), "VQG+question_generation")),
    ("short_vqa", (*seen("Is it red?", "yes"), "GQA+short_answer")),
    ("short_vqa", (*seen("Which bird?", "The bird in the image is a jay."), "NABirds+bird_species_detection")),
    ("referring_qa", seen("Who wins? Include the coordinates for each mentioned object.", "The man wins.")),
    ("grounding", seen(LOCATE, BOX)),
    ("grounding", seen(LOCATE, BOX, REGION, "a cat")),
    ("region_caption", seen(REGION, "a cat", REGION, "a dog", LOCATE, BOX)),
    ("referring_qa", seen("Where does it go?", f"The cat {BOX} goes to the dog {BOX} and stays there.")),
    (
        "caption",
        seen("Provide a one-sentence caption for the provided image.\nReference OCR token: A, B", "A cat sits."),
    ),
    ("ocr", seen("What is the brand?\nReference OCR token: ACME" + SHORT, "acme")),
    ("ocr", ("ocr_vqa/images/1.jpg", ["<image>\nWho wrote this?" + SHORT, "Jane Doe", "Is it new?", "No"])),
    ("ocr", seen("What is written on the bus?" + SHORT, "city")),
    ("yes_no", seen("Is there a cat?" + SHORT, "no", "Is there a dog?", "yes")),
    ("short_vqa", seen("What is it?" + SHORT, "cat", "Is it old?", "no")),
    ("short_vqa", seen("Who said it?" + SHORT, "The man who stands in the street")),
    ("detail_description", seen("Can you describe the image in detail?", LONG)),
    ("caption", seen("Can you describe the image?", "It shows a cat and a dog.")),
    ("complex_reasoning", seen("Why might he be there?", LONG)),
    ("conversation", seen("Where is he?", "He is in a small street.", "Why is he there?", LONG)),
]


@pytest.mark.parametrize(("expected", "sample"), TASK_OF)
def test_task_of_a_sample(expected, sample):
    """Each rule of the table of tasks decides the example worked by hand."""
    assert task_of(*sample) == expected


@pytest.mark.parametrize("number", range(len(task.RULES)))
def test_every_rule_of_tasks_decides_an_example(number, monkeypatch):
    """Without the rule, some example comes out otherwise: no rule is idle or shadowed."""
    pool = pool_of(*(sample for _, sample in TASK_OF))
    monkeypatch.setattr(task, "RULES", task.RULES[:number] + task.RULES[number + 1 :])
    assert task.tag(pool)["task"].to_list() != [expected for expected, _ in TASK_OF]


@pytest.mark.parametrize("name", task.TASKS)
def test_a_source_that_names_one_of_our_tasks_is_believed(name):
    """The task of SVIT's files stands, whatever their questions look like."""
    assert task_of(*seen("Is it red?", "yes"), name) == name


def test_an_id_of_ours_gives_the_task():
    """A SVIT sample that was written as a LLaVA record keeps its task by its id; a name goes before it."""
    pool = pool_of(*[("a.jpg", ["What is it?", "Red."])] * 4, ("a.jpg", ["What is it?", "Red."], "ocr"))
    ids = [
        "svit_complex_reasoning_12_0",
        "svit_conversation_-1_3",
        "svit_other_things_12_0",
        "12",
        "svit_conversation_1_0",
    ]
    pool = Pool(pool.rows.with_columns(id=pl.Series(ids)))
    assert task.tag(pool)["task"].to_list() == ["complex_reasoning", "conversation", "short_vqa", "short_vqa", "ocr"]


def test_nothing_answered_is_other():
    """A sample without an answered question has no task and no kind, and does no harm."""
    pool = pool_of((None, []), ("a.jpg", ["<image>\nWhat?"]), ("a.jpg", ["<image>\nWhat?", " "]))
    assert task.tag(pool)["task"].to_list() == ["other"] * 3
    assert answer.tag(pool).rows() == [(None, 0, 0, 0)] * 3


PROBLEM_OF = [
    ("L09", None, []),
    ("L05", None, ["Why?", None]),
    ("L10", None, ["Why?", talk("bot", "So.")]),
    ("L11", None, [talk("human", "Why?"), talk("human", "Why?"), talk("gpt", "So.")]),
    ("L11", None, [talk("gpt", "So."), talk("gpt", "So.")]),
    ("W03", None, [talk("gpt", "Hello."), talk("human", "Why?"), talk("gpt", "So.")]),
    ("W05", None, ["Why?", "So.", "And?"]),
    ("L06", None, ["", " \x1c\n"]),
    ("L06", "a.jpg", ["<image>\n", ""]),
    ("L13", "a.jpg", ["<image>\nWhy?", "So.", "<image>\nAnd?", "So."]),
    ("L13", "a.jpg", ["<image>\nWhy?", "So <image>."]),
    ("W02", None, ["<image>\nWhy?", "So."]),
    ("W02", "a.jpg", ["<image>\nWhy is <Image> here?", "So."]),
    ("W02", "a.jpg", ["<image>\nWhy?", "A <video>."]),
    ("W04", "a.jpg", ["Why <image> so?", "So."]),
    ("W04", "a.jpg", ["<image>\n<image>\nWhy?", "So."]),
    ("W04", "a.jpg", ["Why?", "<image> So."]),
    ("W01", "a.jpg", ["Why?", "So."]),
    ("W06", "a.jpg", ["<image>\nWhy?", "\t "]),
    ("W06", None, ["", "So."]),
    ("W06", None, ["Why?", "So.", "", "So."]),
    *(("W08", path, ["<image>\nWhy?", "So."]) for path in ["/a.jpg", "C:/a.jpg", "a\\b.jpg", "http://a.org/b.jpg"]),
    *(("W08", path, ["<image>\nWhy?", "So."]) for path in ["../a.jpg", "a/../b.jpg", "", " ", "a\nb.jpg"]),
    ("W09", None, ["Why?", "So.</s>"]),
    ("W09", None, ["What is <unk>?", "So."]),
    ("W09", None, ["Why?", "So. ASSISTANT: And."]),
    ("W09", None, ["Why?", "ASSISTANT: So."]),
    ("W10", None, ["1" * 2049, "So."]),
    ("W07", None, ["Why?", "1" * 2048]),
    ("W07", "a.jpg", ["<image>\nWhy?", "1" * 1472]),
    ("boilerplate", "a.jpg", ["<image>\nDescribe it.", "It seems like your message is empty. How can I help?"]),
    ("boilerplate", "a.jpg", ["<image>\nDescribe it.", "I am unable to see the image above."]),
    ("boilerplate", "a.jpg", ["<image>\nDescribe it.", "The image you've provided is not visible."]),
    ("boilerplate", "a.jpg", ["<image>\nDescribe it.", "It is blurred. Could you upload a clearer image?"]),
    ("boilerplate", "a.jpg", ["<image>\nDo.", "The photo you uploaded is dark. Ask more and I'm happy to help."]),
    ("boilerplate", None, ["Draw it.", "I'm sorry, but I cannot draw pictures."]),
    ("boilerplate", None, ["Draw it.", "Unfortunately, I am an AI and not made for it."]),
    ("boilerplate", None, ["How warm is it?", "As an AI language model, I do not have access to the weather."]),
]


@pytest.mark.parametrize(("expected", "image", "texts"), PROBLEM_OF)
def test_problem_of_a_sample(expected, image, texts):
    """Each problem is found in the example that has it, before any problem that comes later in the table."""
    assert trouble_of(image, texts)[0] == expected


def test_every_problem_has_an_example_and_a_meaning():
    """Every rule of the table of problems has an example, and `recipe.data.problems` explains each code."""
    codes = {rule.name for rule in trouble.PROBLEMS} - {"many_images"}  # in test_modality.py
    assert codes == {code for code, _, _ in PROBLEM_OF}
    assert codes <= set(PROBLEMS)


@pytest.mark.parametrize(
    ("image", "texts"),
    [
        ("coco/train 2017/my photo (1).JPG", ["<image>\nWhy?", "So."]),
        ("图片/猫..jpg", ["Why?\n<image>", "So."]),
        ("a.jpg", ["<image>", "A cat on a mat."]),
        (None, ["Who are you?", "I am an AI language model. I was trained by researchers."]),
        (None, ["Do you feel?", "As an AI language model, I do not have feelings."]),
        (None, ["Write an excuse.", "I'm sorry, but I cannot come to work today."]),
        (None, ["Hi", "Hello! How can I help you today?"]),
        (None, ["1" * 1000, "2" * 1000]),
    ],
)
def test_sound_samples_have_no_problem(image, texts):
    """What the trainer reads as it is meant is not refused."""
    assert trouble_of(image, texts)[0] is None


FLAG_OF = [
    ("no_question", "a.jpg", ["<image>\n", "A cat."]),
    ("mentions_source", "a.jpg", ["<image>\nWhat?", "Based on the captions provided, it is a cat."]),
    ("mentions_source", "a.jpg", ["<image>\nWhat?", "There are none mentioned in the given context."]),
    ("mentions_source", "a.jpg", ["<image>\nWhat?", "The bounding boxes show a cat."]),
    ("long_answer", None, ["Why?", " ".join(map(str, range(401)))]),
    ("runaway", None, ["Why?", "It is a cat. " * 20]),
    ("chat_markup", None, ["Why?", "So.\n### Human: And?"]),
    ("control_characters", None, ["Why?", "So\x07."]),
    ("unknown_frame", "a.jpg", ["<image>\nWhere?", "The jay sits at [.1, 0.2, 0.3, 1]."]),
    ("invisible_characters", None, ["Why?", "S\u200bo."]),
]


@pytest.mark.parametrize(("expected", "image", "texts"), FLAG_OF)
def test_flags_of_a_sample(expected, image, texts):
    """Each flag is found in its example, alone and without refusing it."""
    assert trouble_of(image, texts) == (None, [expected])


def test_every_flag_has_an_example():
    """Every rule of the table of flags has an example."""
    assert {rule.name for rule in trouble.FLAGS} == {flag for flag, _, _ in FLAG_OF}


def test_a_caption_printed_in_the_image_is_no_source():
    """An answer may speak of a caption that can be seen, and a sound answer has no flag at all."""
    assert trouble_of("a.jpg", ["<image>\nWhat?", 'The caption reads, "Lose rings".']) == (None, [])
    assert trouble_of("a.jpg", ["<image>\nWhat?\r\n\tNow?", "In the context of travel, a van. " + LONG]) == (None, [])


MARKS = ["<image>", "<image>\n", "<Image>", "<video>", "<ima", "ge>", "</s>", "<unk>", "ASSISTANT:"]
PIECES = st.sampled_from([*MARKS, "", "\n", " ", "\x1c", "\u2028", "Why?", "So it is.", "İ", "猫" * 700, "1 " * 800])
TEXTS = st.lists(PIECES, max_size=4).map("".join)
TURNS = st.lists(st.builds(talk, st.sampled_from(["human", "gpt"]), TEXTS), max_size=5)
ALTERNATING = st.lists(TEXTS, min_size=2, max_size=4)
FRONTED = st.lists(TEXTS, min_size=2, max_size=2).map(lambda texts: [f"<image>\n{texts[0]}", texts[1]])
IMAGES = st.sampled_from(
    [None, "a.jpg", "a b/c..jpg", "/a.jpg", "../a.jpg", "a/../b.jpg", "a\\b.jpg", "file:/a.jpg", ""]
)


@settings(max_examples=60)
@given(st.lists(st.tuples(IMAGES, TURNS | ALTERNATING | FRONTED), min_size=1, max_size=20))
def test_what_has_no_problem_triggers_no_rule_of_the_trainer(samples):
    """Every sample in which `recipe.check`, which shares no code with the tags, finds an error has a problem."""
    pool = pool_of(*samples)
    for row, problem in zip(pool.rows.iter_rows(named=True), trouble.tag(pool)["problem"], strict=True):
        record = {"id": row["id"], "conversations": row["turns"]} | (
            {} if row["image"] is None else {"image": row["image"]}
        )
        found = list(_findings(json.dumps([record]).encode(), None))
        assert problem is not None or not found


@settings(max_examples=15)
@given(st.permutations(range(12)))
def test_labels_do_not_depend_on_the_order_of_rows(order):
    """A pool in another order has the same labels in that order."""
    samples = [sample for _, sample in TASK_OF[:8]] + [(image, texts) for _, image, texts in PROBLEM_OF[:4]]
    for tag in (answer.tag, task.tag, trouble.tag):
        straight = tag(pool_of(*samples))
        assert tag(pool_of(*(samples[i] for i in order))).equals(straight[list(order)])


@pytest.mark.parametrize("tag", [answer.tag, task.tag, trouble.tag])
def test_an_empty_pool_has_no_labels(tag):
    """No samples give a table of no rows with the same columns."""
    assert tag(pool_of()).schema == tag(pool_of(seen("Why?", "So."))).schema
    assert tag(pool_of()).height == 0


@pytest.mark.parametrize("tag", [answer.tag, task.tag, trouble.tag])
def test_labels_of_a_big_pool_stand_in_its_order(tag):
    """Row i of the labels belongs to row i of the pool also when the work is spread over threads."""
    kinds = [
        seen("Is it?", "Yes"),
        seen("Why?", LONG),
        (None, ["Why?", "So.</s>"]),
        ("a.jpg", []),
        seen("Which?", "a cat"),
    ]
    few = tag(pool_of(*kinds))
    many = pool_of(*kinds).rows
    rows = pl.concat([many] * 20_000).with_columns(row=pl.int_range(pl.len(), dtype=pl.UInt32))
    assert tag(Pool(rows)).equals(pl.concat([few] * 20_000))


@pytest.fixture(scope="module")
def real():
    """All files of llava/ but the mix of them."""
    return read_pool([path for path in sorted((DATA / "llava").glob("*.json")) if path.stem != "llava_mix"])


@needs_data
def test_tasks_of_real_files(real):
    """At least 97 % of each real LLaVA-format file comes out as what the file is known to hold."""
    known = {
        "aokvqa": {"multiple_choice"},
        "coco_captions": {"caption"},
        "docvqa": {"ocr"},
        "gqa": {"short_vqa", "yes_no"},
        "llava_instruct": {"conversation", "complex_reasoning", "detail_description"},
        "ocrvqa": {"ocr"},
        "okvqa": {"short_vqa"},
        "refcoco": {"grounding", "region_caption"},
        "scienceqa": {"multiple_choice", "text_only"},
        "stvqa": {"ocr", "short_vqa"},
        "text_only": {"text_only"},
        "textvqa": {"ocr"},
        "yesno_pope": {"yes_no"},
    }
    found = real.rows.select(file=pl.col("source").str.extract(r"(\w+)\.json")).with_columns(task.tag(real))
    for file, tasks in known.items():
        assert found.filter(file=file)["task"].is_in(list(tasks)).mean() >= 0.97, file


@needs_data
def test_yes_and_no_of_real_files(real):
    """Whoever counts first words finds at most signs and names more, and nothing less."""
    first = pl.col("answer").str.strip_chars().str.extract(r"(?i)^(yes|no)\b").str.to_lowercase()
    crude = real.qas.select(first).to_series().value_counts()
    crude = dict(crude.drop_nulls().iter_rows())
    labels = answer.tag(real)
    assert 0.99 * crude["yes"] <= labels["n_yes"].sum() <= crude["yes"]
    assert 0.99 * crude["no"] <= labels["n_no"].sum() <= crude["no"]


@needs_data
@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("svit_message_empty", ["boilerplate", "boilerplate", "boilerplate", None, None]),
        ("llava_special_tokens", ["W09", "W09", "W09", None, None, "W09", "L13"]),
        ("llava_missing_gpt_turn", ["W05", "W05", None]),
        ("llava_double_turns", ["L11", "L11", None]),
        ("llava_gpt_first", ["W03", "W03", None]),
        ("llava_empty_answer", ["W06", "W06", None, "W06", None]),
        ("llava_image_token_in_answer", ["L13", "L13", None]),
        ("llava_image_value_odd", ["L07", "L07", "W08", "W08", None, "W08", None, None, None]),
        ("llava_long_answer", ["W07", None]),
    ],
)
def test_problems_of_quirks(file, expected):
    """The damaged records are refused for their damage, by reader or tag, and the valid ones among them are not."""
    pool = read_pool([DATA / "quirks" / f"{file}.json"])
    pool = pool.refuse(trouble.tag(pool)["problem"])
    assert pool.rows.sort("record", "row")["problem"].to_list() == expected


@needs_data
@pytest.mark.parametrize(
    ("file", "flag", "expected"),
    [
        ("svit_source_mention", "mentions_source", [True, True, True, True, False]),
        ("llava_source_mention", "mentions_source", [True, True, True, True, False, False]),
        ("llava_runaway_answer", "runaway", [True, True]),
        ("llava_control_chars", "control_characters", [True, True, True, True, True]),
    ],
)
def test_flags_of_quirks(file, flag, expected):
    """What a reader should look at is flagged, and what is sound is not."""
    pool = read_pool([DATA / "quirks" / f"{file}.json"])
    flags = pool.rows.with_columns(trouble.tag(pool)).sort("record", "row")["flags"]
    assert flags.list.contains(flag).to_list() == expected
