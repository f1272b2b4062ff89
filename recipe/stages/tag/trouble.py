"""What is wrong with a sample: a problem keeps it out of every mix, a flag only points out what to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from recipe.stages.tag._boilerplate import is_boilerplate

if TYPE_CHECKING:
    from recipe.data.pool import Pool

CONTEXT = 2048  # model_max_length of LLaVA v1.5
PATCHES = 576  # tokens of it that an image takes: (336 / 14) squared
A_TURN = 5  # tokens of `USER:` or `ASSISTANT:`, which the pool's estimate does not include
LONG = 400  # words; 998 of 1,000 descriptions are shorter
LOOP = 0.3  # distinct share of all runs of three words; 999 of 1,000 answers have 0.45 and more

_WORD = r"[^\s\x1c-\x1f]"  # what Python's str.split does not remove
_MARK = r"(?i)<(?:image|video|audio)>"
_TEMPLATE = r"</s>|<unk>|(?:^| )ASSISTANT:(?: |$)"
_ABSOLUTE = r"^/"
_ELSEWHERE = r"\\|(?:^|/)\.\.(?:/|$)|^[A-Za-z]:|^[A-Za-z][A-Za-z0-9+.-]*:/|^data:|[\x00-\x1f\x7f]|^\s*$"
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
_INVISIBLE = r"[\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]"
_CHAT = r"<\|im_(?:start|end)\|>|\[/?INST\]|###\s*(?:Human|Assistant|Instruction|Response)|<s>|\bUSER:"
_BOX = r"\[\s*[-+]?[\d.]+\s*(?:,\s*[-+]?[\d.]+\s*){3}\]"
_SOURCE = (
    r"(?i)\bbounding box(?:es)?\b|\bthe descriptions? (?:mention|state|say|indicate|do not|does not|provide)"
    r"|\b(?:based on|according to|from|(?:mentioned|given|stated|described|provided) in) (?:the|these|both|all) "
    r"(?:given |provided |above |image )*(?:captions?|descriptions?)\b|\bin the captions\b"
    r"|\b(?:given|provided) (?:context|captions?|descriptions?)\b|\b(?:captions?|descriptions?) (?:given|provided)\b"
)


class Rule(NamedTuple):
    """The name of a problem or flag, its test, and why it matters."""

    name: str
    test: pl.Expr
    why: str


_one = pl.col("n_media") == 1
_shown = pl.col("image").is_not_null() & _one  # readers see to it that several have as many marks
_room = CONTEXT - pl.when(_shown).then(PATCHES).otherwise(0)
_tokens = pl.col("n_tokens") + A_TURN * pl.col("turns")

PROBLEMS = (  # codes of `recipe.data.problems`; the first test that holds decides
    Rule("many_images", pl.col("beyond"), "the trainer shows one picture, and no video or sound"),
    Rule("L09", pl.col("turns") == 0, "there are no turns"),
    Rule("L05", pl.col("silent"), "a turn has no text"),
    Rule("L10", pl.col("stranger"), "the template knows only human and gpt"),
    Rule("L11", pl.col("repeats"), "the template asserts that speakers alternate"),
    Rule("W03", pl.col("opens") == "gpt", "the loader drops the turn"),
    Rule("W05", pl.col("closes") == "human", "a question without an answer masks every label"),
    Rule("L06", ~pl.col("words"), "the sampler refuses a record of no words"),
    Rule("L13", _shown & (pl.col("marked") > 1), "the model looks for a second image that does not exist"),
    Rule(
        "W02",
        (pl.col("n_media") == pl.col("image").is_not_null())
        & (pl.col("strange_mark") | (~_shown & (pl.col("marked") > 0))),
        "the mark is trained as text",
    ),
    Rule("W04", _shown & (pl.col("marked") == 1) & ~pl.col("well_placed"), "the loader moves the mark, or finds none"),
    Rule("W01", _shown & (pl.col("marked") == 0), "the image is loaded and never shown"),
    Rule(
        "W06",
        pl.col("blank") | (pl.col("no_question") & (pl.col("n_media") == 0)),
        "the template does not match and every label is masked; with an image a first turn may be <image> alone",
    ),
    Rule(
        "W08",
        pl.col("image").str.contains(_ELSEWHERE) | (pl.col("absolute") & pl.col("image").str.contains(_ABSOLUTE)),
        "no such file in an image folder",
    ),
    Rule("W09", pl.col("markup"), "the template is cut at the wrong place and every label is masked"),
    Rule("W10", pl.col("n_tokens") * pl.col("longest_share") > CONTEXT, "no room is left for an answer"),
    Rule("W07", _tokens > _room, "the tail is cut"),
    Rule("boilerplate", pl.col("boilerplate"), "trains the model to refuse"),
)
# Readers find L12: a polars string is UTF-8 and cannot contain half of a surrogate pair.

FLAGS = (
    Rule("no_question", pl.col("no_question"), "an answer to the image alone"),
    Rule("mentions_source", _shown & pl.col("source"), "mentions the captions or boxes it was written from"),
    Rule("long_answer", pl.col("long"), f"more than {LONG} words"),
    Rule("runaway", pl.col("runaway"), "repeats itself"),
    Rule("chat_markup", pl.col("chat"), "markup of another chat template"),
    Rule("control_characters", pl.col("control"), "other than tab and line breaks"),
    Rule("unknown_frame", pl.col("boxed") & pl.col("frame").is_null(), "nothing says what its boxes refer to"),
    Rule("invisible_characters", pl.col("invisible"), "zero width, direction marks, soft hyphens"),
)


def tag(pool: Pool, *, holds: tuple[str, ...] = ()) -> pl.DataFrame:
    """Find what would stop a LLaVA-v1.5 run or make it train wrongly, and flag what a person should look at.

    Parameters
    ----------
    pool
        n samples.
    holds
        What the writer of the mix can hold beside text and one picture, as `recipe.config.writers.holds` says.

    Returns
    -------
    polars.DataFrame
        n rows: `problem` (str, a code of `recipe.data.problems`, null if there is none) and `flags` (list of str, names
        of `FLAGS` and what reading noted, often empty). Problems that the pool has are neither repeated nor replaced.

    Source: LLaVA v1.5, `llava/train/train.py`, `llava/conversation.py` (template v1).

    Examples
    --------
    >>> from recipe import demo_pool
    >>> tag(demo_pool(images=4)).columns
    ['problem', 'flags']
    """
    problem = pl.coalesce(pl.when(rule.test).then(pl.lit(rule.name)) for rule in PROBLEMS)
    found = pl.concat_list(pl.when(rule.test).then(pl.lit(rule.name)) for rule in FLAGS).list.drop_nulls()
    flags = pl.when(pl.col("noted").is_null()).then(found).otherwise(pl.concat_list(found, "noted"))
    turns = pool.rows.lazy().select("row", turn="turns").explode("turn").unnest("turn")
    return (
        _shows(pool.rows, holds)
        .join(_facts(turns), on="row", how="left", maintain_order="left")
        .select(problem=problem, flags=flags)
    )


def _shows(rows: pl.DataFrame, holds: tuple[str, ...]) -> pl.DataFrame:
    """Return what each row shows: how many media, whether the trainer holds them, and its path below a folder."""
    kinds = pl.col("media").list.eval(pl.element().struct.field("kind"))
    count = {
        kind: (kinds.list.eval(pl.element() == kind).list.sum()).fill_null(0) for kind in ("image", "video", "audio")
    }
    media = pl.when(pl.col("media").is_null()).then(pl.col("image").is_not_null()).otherwise(pl.col("media").list.len())
    beyond = (
        ((count["image"] > 1) & ("images" not in holds))
        | ((count["video"] > 0) & ("video" not in holds))
        | ((count["video"] > 1) & ("videos" not in holds))
        | ((count["video"] > 0) & (count["image"] > 0) & ("videos" not in holds))
        | ((count["audio"] > 0) & ("audio" not in holds))
    )
    return rows.select(
        "row",
        "image",
        "n_tokens",
        "noted",
        "frame",
        turns=pl.col("turns").list.len().fill_null(0),
        n_media=media.cast(pl.UInt32),
        beyond=beyond,
        absolute=pl.lit(value="absolute" not in holds),
    )


def _facts(turns: pl.LazyFrame) -> pl.DataFrame:
    """Return the facts about each row's turns that the rules use."""
    text = pl.col("value").str.replace_all("<image>", "", literal=True)
    mark = pl.col("value").str.count_matches("<image>", literal=True)
    stripped = pl.col("value").str.strip_chars()
    at_an_end = stripped.str.starts_with("<image>") | stripped.str.ends_with("<image>")
    human, gpt = pl.col("from") == "human", pl.col("from") == "gpt"
    answers = pl.when(gpt).then("value")
    known = turns.with_columns(
        marks=mark,
        at_an_end=at_an_end,
        wordy=text.str.contains(_WORD),
        strange=text.str.contains(_MARK),
        markup=text.str.contains(_TEMPLATE),
        control=text.str.contains(_CONTROL),
        invisible=text.str.contains(_INVISIBLE),
        chat=text.str.contains(_CHAT),
        boxed=text.str.contains(_BOX),
        boilerplate=is_boilerplate(answers),
        source=answers.str.contains(_SOURCE),
        n_words=answers.str.count_matches(r"\S+"),
        chars=text.str.len_chars(),
        human=human,
    ).with_columns(loops=_loops(answers, pl.col("n_words")))
    col = pl.col
    facts = known.group_by("row", maintain_order=True).agg(
        silent=col("value").is_null().any(),
        stranger=~col("from").is_in(["human", "gpt"]).fill_null(value=False).all(),
        repeats=(col("from") == col("from").shift(1)).any(),
        opens=col("from").first(),
        closes=col("from").last(),
        words=col("wordy").any(),
        marked=(col("marks") > 0).sum(),
        well_placed=(col("marks").first() == 1) & col("at_an_end").first(),
        strange_mark=col("strange").any(),
        blank=~col("wordy").slice(1).all(),
        no_question=col("human").first() & ~col("wordy").first(),
        markup=col("markup").any(),
        longest_share=col("chars").filter("human").max() / col("chars").sum(),
        boilerplate=col("boilerplate").any(),
        source=col("source").any(),
        long=(col("n_words") > LONG).any(),
        runaway=col("loops").any(),
        chat=col("chat").any(),
        boxed=col("boxed").any(),
        control=col("control").any(),
        invisible=col("invisible").any(),
    )
    return facts.collect()


def _loops(text: pl.Expr, n_words: pl.Expr) -> pl.Expr:
    """Return whether a text of at least 50 words repeats the same three words over and over.

    Source: share of duplicate n-grams, as in the repetition filters of Rae et al. 2021 (arXiv 2112.11446, appendix A1).
    """
    word = pl.element()
    runs = pl.concat_str(word, word.shift(-1), word.shift(-2), separator=" ").drop_nulls()
    long = pl.when(n_words >= 50).then(text)  # noqa: PLR2004  the share means little below
    words = long.str.to_lowercase().str.extract_all(r"\w+")
    # Each distinct word except two begins a distinct run, so only a text with few distinct words can have few runs.
    few = pl.when(words.list.n_unique() <= LOOP * words.list.len() + 2).then(words)
    return few.list.eval(runs.n_unique() < LOOP * runs.len()).list.first()
