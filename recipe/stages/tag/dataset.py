"""Which published data set a sample is from, by a table of rules, since LLaVA's mix has no such field."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from recipe.stages.tag._kinds import BOX

if TYPE_CHECKING:
    from recipe.data.pool import Pool

SVIT_TASKS = ("conversation", "complex_reasoning", "detail_description", "referring_qa")

_SVIT = rf"^svit_({'|'.join(SVIT_TASKS)})_-?\d+_\d+$"  # ids that the reader of SVIT's raw files makes
_COCO = r"(?:^|/)(?:COCO_(?:train|val)2014_)?\d{12}\.jpg$"  # train2017 names images by 12 digits alone
_FORMAT = (  # instructions on how to answer, which LLaVA-Instruct does not have
    r"(?i)using a single word or phrase|option.s letter|one-sentence caption|reference ocr token"
    r"|in a (?:single|short) (?:word|phrase|sentence)|short (?:description|phrase|caption|answer)\b"
)
_WORD, _LETTER, _CAPTION = r"(?i)using a single word or phrase", r"(?i)option.s letter", r"(?i)one-sentence caption"
_REGION = rf"(?i)short description (?:for|of) this region|bounding box coordinates? of the region|{BOX}"
_SHAREGPT = r"^[A-Za-z0-9]{7}_\d+$"  # ShareGPT's ids: seven characters of the conversation, a number within it
_MODEL = r'"model":'  # the key that LLaVA's file has in its ShareGPT records, and nowhere else
_REQUEST = (  # LLaVA's requests for a description (Liu et al. 2023, appendix), each one line about the image alone
    r"(?i)\b(?:descri|depict|portray|narrat|illustrat|elaborat|explain|explanation|explanatory|analy[sz]|clarify"
    r"|characteri[sz]e|break down|walk through|examine|rundown|detail|main features|key elements|visual content)"
    r"|\bwhat do you (?:see|think is (?:happening|going on))|\bwhat(?:'s| is) happening|\bwhat is this photo about"
)
_IMAGE = r"(?i)\b(?:image|picture|photo|snapshot|scene|visual)\b"
_SHORT = 16  # a request to describe the image of at most so many words asks for nothing else
_LONG = 40  # an answer of more words is a description, or gives reasons
_MANY = 3  # VQAv2 asks at least three questions about each image; OK-VQA has 9,009 on 8,998 images


class Rule(NamedTuple):
    """A data set, its test, and the reason."""

    dataset: str
    test: pl.Expr
    why: str


def _in(folder: str) -> pl.Expr:
    """Return whether the image is in a folder of LLaVA's layout."""
    return pl.col("image").str.contains(f"(?:^|/){folder}/")


_coco = pl.col("image").str.contains(_COCO)
_instruct = _coco & ~pl.col("format") & ~pl.col("region")
_alone = pl.col("turns") <= 2  # noqa: PLR2004  one question and its answer
_asks = pl.col("question").str.contains(_REQUEST) & pl.col("question").str.contains(_IMAGE)

RULES = (  # the first test that holds decides
    *(Rule(f"svit_{task}", pl.col("svit") == task, "the id that the reader of SVIT makes") for task in SVIT_TASKS),
    Rule("vision_flan", pl.col("named"), "a `task_name`, which no other format has"),
    Rule("sharegpt", pl.col("image").is_null() & pl.col("shared"), "no image, and a `model` key or ShareGPT's id"),
    Rule("gqa", _in("gqa") & pl.col("word"), "the folder"),
    Rule("ocrvqa", _in("ocr_vqa") & pl.col("word"), "the folder"),
    Rule(
        "textcaps", _in("textvqa") & pl.col("caption"), "the folder, and a caption; TextVQA's questions are not in it"
    ),
    Rule("vg", _in("vg") & pl.col("region"), "the folder, and regions; SVIT's images are there too"),
    Rule("refcoco", _coco & pl.col("region"), "regions of COCO's images"),
    Rule("aokvqa", _coco & pl.col("letter"), "options about COCO's images"),
    Rule("vqav2", _coco & pl.col("word") & (pl.col("turns") >= 2 * _MANY), "several short answers about one image"),
    Rule("okvqa", _coco & pl.col("word"), "one short answer or two: VQAv2 asks more of each image"),
    Rule("llava_conversation", _instruct & ~_alone, "LLaVA-Instruct never says how to answer; several questions"),
    Rule(
        "llava_detail",
        _instruct & pl.col("long") & (pl.col("question_words") <= _SHORT) & _asks,
        "one line that asks for a description of the image, and a long one",
    ),
    Rule("llava_reasoning", _instruct & pl.col("long"), "one question, one long answer"),
    Rule("llava_conversation", _instruct & (pl.col("turns") > 0), "one question, one short answer in a sentence"),
)


def tag(pool: Pool) -> pl.DataFrame:
    """Label every sample with the published data set that it is from; O(characters).

    The rules look at id, image path, turns and format prompts, and cover two collections: SVIT's raw files as `recipe`
    reads them, and the mix of LLaVA-v1.5 (665,298 records of ten data sets, without a source field). Two of its sets
    cannot be distinguished with certainty: VQAv2 and OK-VQA share images, prompts and answers. VQAv2 has at least three
    questions about each image and LLaVA merged them into one record, so a record of up to two pairs counts as OK-VQA;
    in a file with one VQAv2 question per record that would be wrong. Other sets of short answers about COCO's images,
    such as POPE, also count as one of the two. LLaVA-Instruct is anything about COCO's images without a format prompt
    and without a region.

    Parameters
    ----------
    pool
        n samples.

    Returns
    -------
    polars.DataFrame
        n rows: `dataset` (str, null if no rule matches).

    References
    ----------
    Liu et al. 2023, Improved Baselines with Visual Instruction Tuning, appendix A: sources and format prompts. Counts
    by set and by folder: LLaVA issues 702 and 657. That VQAv2 has three or more questions an image, that OK-VQA has
    9,009 in training, and the shape of ShareGPT's ids are from memory.

    Examples
    --------
    >>> from recipe import demo_pool
    >>> labels = tag(demo_pool(images=4))
    >>> {"svit_conversation", "svit_referring_qa"} <= set(labels["dataset"])
    True
    """
    turns = pool.rows["turns"]
    first = pl.col("turns").list.get(0, null_on_oob=True).struct.field("value")
    second = pl.col("turns").list.get(1, null_on_oob=True).struct.field("value")
    rows = pool.rows.select("image", "id", "task_name", "extra")
    facts = pl.DataFrame(turns).select(
        turns=pl.col("turns").list.len(),
        question=first.str.replace_all("<image>", "", literal=True),
        long=(second.str.count_matches(r"\S+") > _LONG).fill_null(value=False),
    )
    prompts = pl.DataFrame({"text": pool.texts}).select(
        format=pl.col("text").str.contains(_FORMAT),
        word=pl.col("text").str.contains(_WORD),
        letter=pl.col("text").str.contains(_LETTER),
        caption=pl.col("text").str.contains(_CAPTION),
        region=pl.col("text").str.contains(_REGION),
    )
    named = pl.col("task_name")
    known = rows.select(
        "image",
        svit=pl.col("id").str.extract(_SVIT),
        named=named.is_not_null() & ~named.is_in(SVIT_TASKS),
        shared=pl.col("id").str.contains(_SHAREGPT)
        | pl.col("extra").str.contains(_MODEL, literal=True).fill_null(value=False),
    )
    table = pl.concat([known, facts, prompts], how="horizontal").with_columns(
        question_words=pl.col("question").str.count_matches(r"\S+")
    )
    return table.select(dataset=pl.coalesce(pl.when(rule.test).then(pl.lit(rule.dataset)) for rule in RULES))
