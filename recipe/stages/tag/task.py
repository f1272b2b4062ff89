"""What a sample trains: conversation, reasoning, description, captions, regions, reading …, by a table of rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from recipe.data.prompts import FORMAT_PROMPTS
from recipe.stages.tag._kinds import BOX, kind

if TYPE_CHECKING:
    from recipe.data.pool import Pool

TASKS = (
    "conversation",
    "complex_reasoning",
    "detail_description",
    "referring_qa",
    "short_vqa",
    "multiple_choice",
    "yes_no",
    "ocr",
    "region_caption",
    "grounding",
    "caption",
    "text_only",
    "other",
)

_SHORT = ("yes", "no", "letter", "number", "phrase")
_ANSWER_SHORT = r"(?i)using a single word or phrase"  # LLaVA-v1.5, in the first turn at least
_REGION = r"(?i)\b(?:descri\w+|region|expression|caption)"
_REFERS = (  # SVIT's suffixes
    r"(?i)bounding boxes of the mentioned objects|coordinates for each mentioned|objects with their coordinates"
)
_LOCATES = r"(?i)bounding box|coordinates?\b|\b(?:locate|find|ground)\b|\bwhere (?:is|are)\b"
_CAPTIONS = (  # TextCaps, LLaVA-Pretrain
    r"(?i)\b(?:provide|give|write|generate|create|compose)\b.*\bcaptions?\b|\bdescribe\b.*\b(?:briefly|concisely)\b"
    r"|\b(?:brief|short|concise|compact|succinct|terse)\b.*\b(?:description|summary|narrative|explanation|interpretation)\b"
    r"|\bsummarize the visual content"
)
_DESCRIBES = (  # LLaVA-Instruct, SVIT's 34 questions
    r"(?i)\b(?:descri\w+|depict\w*|portray\w*|narrat\w+|illustrat\w+|elaborate|expound|dissect|interpret\w*|analy\w+"
    r"|details?|detailed|particulars|specifics|nuances|breakdown|rundown|overview|commentary|features|key elements)\b"
    r"|\bwhat do you (?:see|think is (?:happening|going on))|\bwhat(?:'s| is) happening|\bwhat is this photo about"
    r"|\b(?:explain|explanation of|aspects of|elements of|contents? of) the (?:image|picture|photo|scene|visual)"
)
_READS = (
    r"(?i)\b(?:written|writing|spelled|printed|letters?|words?|texts?|titles?|headings?|label(?:l?ed)?|slogans?|brand)\b"
    r"|\bwhat (?:do|does)\b.*\b(?:say|read)\b|\bsays\b|\bnames? on\b|\bnumbers? (?:is|on)\b"
)
_READING = r"(?i)(?:^|/)(?:ocr_?vqa|text_?vqa|doc_?vqa|st_?vqa|infographics?_?vqa|llavar)(?:/|$)"  # folders of images


_OWN = rf"^svit_({'|'.join(TASKS)})_-?\d+_\d+$"  # ids that the reader of SVIT's raw files makes: task, image, number


class Rule(NamedTuple):
    """A task, its test, and the reason."""

    task: str
    test: pl.Expr
    why: str


def _named(pattern: str) -> pl.Expr:
    """Return whether the source's own name of the task matches the pattern; case does not matter."""
    return pl.col("name").str.contains(f"(?i){pattern}")


def _most(count: str) -> pl.Expr:
    """Return whether more than half of the answered pairs are of one kind."""
    return 2 * pl.col(count) > pl.col("n")


RULES = (  # the first test that holds decides; a source's name that is itself a task takes precedence over all of them
    Rule("text_only", pl.col("image").is_null(), "no image, for any question: it trains the language model alone"),
    # names, as Vision-Flan writes them: data set + task
    Rule("multiple_choice", _most("letters"), "the answers name an option, even where the name says classification"),
    Rule("multiple_choice", _named("multiple_choice|choose_txt|text_selection|step_selection"), "the name says so"),
    Rule("region_caption", _named("region_(?:expression|caption|description)"), "words for one region"),
    Rule("detail_description", _named("detailed_desc|(?:image|face)_description|text-to-face"), "a long description"),
    Rule("caption", _named("caption|short_description"), "a caption, also with some background knowledge"),
    Rule("complex_reasoning", _named("rationale"), "asks for the reasons of an answer"),
    Rule("yes_no", _named("object_presence"), "asks whether something is there"),
    Rule(
        "ocr",
        _named(r"ocr|text_?(?:detection|recognition|vqa)|doc_?vqa|st-?vqa|infographic|scene_text|webpage"),
        "the answer is read from the image",
    ),
    Rule("conversation", _named("full_sentence"), "questions answered in sentences"),
    Rule("other", _named("question_generation"), "asks for a question"),
    Rule(
        "short_vqa",
        _named("class+ification|recognition|detection|question_?answer|short_answer|vqa|gqa|identification|_details"),
        "a short answer or a label, also where it is wrapped into a sentence",
    ),
    # contents, as LLaVA-v1.5 words its prompts
    Rule("referring_qa", pl.col("refers"), "SVIT's own suffix, which asks for the boxes of what is mentioned"),
    Rule(
        "grounding",
        (pl.col("located") > 0) & (pl.col("located") >= pl.col("regions")) & _most("boxes"),
        "a box for words; RefCOCO records mix both directions, the majority decides, grounding wins a tie",
    ),
    Rule("region_caption", (pl.col("regions") > 0) & _most("boxes"), "words for a box"),
    Rule("referring_qa", _most("boxes"), "boxes amid questions and answers"),
    Rule("caption", pl.col("captions"), "LLaVA's caption prompts; before ocr, for TextCaps lists OCR tokens as well"),
    Rule("ocr", pl.col("tokens") | pl.col("image").str.contains(_READING), "OCR tokens, or a set made for reading"),
    Rule("ocr", _most("readings") & _most("short"), "most questions ask for what is written"),
    Rule("yes_no", pl.col("whether") == pl.col("n"), "every answer is yes or no"),
    Rule("short_vqa", _most("short"), "most answers are words, numbers or phrases"),
    Rule("detail_description", (pl.col("n") == 1) & pl.col("long") & pl.col("describes"), "one request, one paragraph"),
    Rule("caption", (pl.col("n") == 1) & pl.col("describes"), "one request to describe, one sentence"),
    Rule("complex_reasoning", (pl.col("n") == 1) & pl.col("long"), "one question, one answer that gives reasons"),
    Rule("conversation", pl.col("n") > 0, "questions answered in sentences"),
)


def tag(pool: Pool) -> pl.DataFrame:
    """Label every sample with its task.

    Parameters
    ----------
    pool
        n samples. The source's own name of the task is in `task_name` and stays there; that of a SVIT sample which was
        written as a LLaVA record is in its id.

    Returns
    -------
    polars.DataFrame
        n rows: `task` (str, one of `TASKS`; `other` if there is no answer).

    Examples
    --------
    >>> from recipe import demo_pool
    >>> bool(tag(demo_pool(images=4))["task"].is_in(TASKS).all())
    True
    """
    named = pl.col("name").is_in(TASKS)
    own = pl.coalesce("task_name", pl.col("id").str.extract(_OWN))
    ruled = pl.coalesce(pl.when(rule.test).then(pl.lit(rule.task)) for rule in RULES)
    return (
        pool.rows.select("row", "image", name=own)
        .join(_facts(pool.qas), on="row", how="left", maintain_order="left")
        .select(task=pl.when(named).then("name").when(pl.col("n") > 0).then(ruled).fill_null("other"))
    )


def _facts(qas: pl.DataFrame) -> pl.DataFrame:
    """Return the facts about each row's answered pairs that the rules use."""
    question, answer = pl.col("question").fill_null(""), pl.col("kind")
    region = question.str.contains(BOX) & question.str.contains(_REGION) & (answer != "box")
    located = (answer == "box") & question.str.contains(_LOCATES)
    return (
        qas.lazy()
        .with_columns(kind=kind().cast(pl.String))
        .drop_nulls("kind")
        .group_by("row")
        .agg(
            n=pl.len(),
            letters=(answer == "letter").sum(),
            whether=answer.is_in(["yes", "no"]).sum(),
            short=(answer.is_in(_SHORT) | pl.col("question").str.contains(_ANSWER_SHORT)).sum(),
            long=(answer == "paragraph").any(),
            boxes=(question.str.contains(BOX) | pl.col("answer").str.contains(BOX)).sum(),
            regions=region.sum(),
            located=located.sum(),
            readings=question.str.replace_all(FORMAT_PROMPTS, "").str.contains(_READS).sum(),
            refers=question.str.contains(_REFERS).any(),
            captions=question.str.contains(_CAPTIONS).any(),
            describes=question.str.contains(_DESCRIBES).any(),
            tokens=question.str.contains("Reference OCR token", literal=True).any(),
        )
        .collect()
    )
