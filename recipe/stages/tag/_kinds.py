"""The table of kinds of answers, and the expression that applies its rules in order."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

_QUESTION = pl.col("question").fill_null("")
_ANSWER = pl.col("answer").str.strip_chars()
_WORD = (
    r"\p{Han}|\p{Hiragana}|\p{Katakana}|[^\s\p{Han}\p{Hiragana}\p{Katakana}]+"  # scripts without spaces between words
)

WORDS = _ANSWER.str.count_matches(_WORD)
BOX = r"\[\s*[-+\d.eE]+(?:\s*,\s*[-+\d.eE]+){3}\s*\]"

_WHETHER = (  # "Is there …", "In the image, are …": a sentence or clause that opens with an auxiliary verb
    r"(?i)(?:^|[.?!,;:\n])\s*(?:(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|must)(?:n.t)?"
    r"|am|may|might)\b"
)
_OPTIONS = r"(?i)option's letter|(?:^|\s)\(?a[).:]\s|\(a\)"
_COUNT = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen"
    "|eighteen|nineteen|twenty|thirty|forty|fifty|hundred|thousand|million"
)
_LETTER, _LETTER_IS = (
    r"^\(?[A-Za-z](?:[).:]|$)",
    r"(?i)^(?:the )?(?:correct )?(?:answer|option)(?: is)?:? \(?[A-Z]\)?\.?$",
)


class Kind(NamedTuple):
    """The name of a kind of answer, its test, and the reason."""

    name: str
    test: pl.Expr
    why: str


def _says(word: str) -> pl.Expr:
    """Return whether the answer opens with yes or no as an answer, not as in `No Parking` or `No. 7`."""
    alone = _ANSWER.str.contains(rf"(?i)^{word}(?:\W*$|\s*[,;:!\u2013\u2014]|\s*\.\s*[^\s\d]|\s*-\s)")
    return alone | (_ANSWER.str.contains(rf"(?i)^{word}\b") & _QUESTION.str.contains(_WHETHER))


KINDS = (  # the first test that holds decides
    Kind("yes", _says("yes"), "the first word is the answer: alone, before a mark, or to a question of whether"),
    Kind("no", _says("no"), "the same; a sign that reads `No Parking` answers another question"),
    Kind(
        "letter",
        _ANSWER.str.contains(_LETTER_IS) | (_QUESTION.str.contains(_OPTIONS) & _ANSWER.str.contains(_LETTER)),
        "names an option of the question; a letter that was read from an image is a word",
    ),
    Kind(
        "number",
        _ANSWER.str.contains(rf"(?i)^(?:[-+~]?\s*[$£€¥#]?\s*(?:\d[\d,]*(?:\.\d+)?|\.\d+)\s*%?|{_COUNT})\.?$"),
        "digits with their sign, or a numeral, and nothing else",
    ),
    Kind(
        "box",
        pl.when(_ANSWER.str.contains(BOX)).then(_ANSWER).str.replace_all(BOX, " ").str.count_matches(r"\w+") <= 3,  # noqa: PLR2004  the `why`
        "four numbers in brackets, beside at most 3 words",
    ),
    Kind(
        "phrase",
        (WORDS <= 2) | ((WORDS <= 5) & ~_ANSWER.str.contains(r"[.!?\u3002\uff01\uff1f]\W*$")),  # noqa: PLR2004  the `why`
        "at most 5 words without a full stop, or 2 with one",
    ),
    Kind("sentence", WORDS <= 40, "at most 40 words: one sentence or two"),  # noqa: PLR2004  the `why`
    Kind("paragraph", WORDS > 40, "whatever is longer"),  # noqa: PLR2004  the `why`
)
NAMES = tuple(kind.name for kind in KINDS)


def kind() -> pl.Expr:
    """Return the kind of each answer of `Pool.qas`, as an Enum in the order of the table; null for no answer."""
    not_empty = _ANSWER.str.len_chars() > 0
    first = pl.coalesce(pl.when(rule.test).then(pl.lit(rule.name)) for rule in KINDS)
    return pl.when(not_empty).then(first).cast(pl.Enum(NAMES))
