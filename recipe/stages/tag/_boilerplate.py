"""Answers that are not answers: refusals, and what a model writes when it was given no image."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_UNABLE = r"I ?(?:(?:can|could)(?:not|.t| not)|(?:am|.m) (?:unable|not able) to)"
_SORRY = r"^\W*(?:(?:I.m|I am) (?:very |really |so )?sorry|sorry|unfortunately|I apologi[sz]e)\b[^.!?]*"
_DO = (
    r"(?:access|answer|assist|browse|create|describe|determine|display|draw|estimate|generate|identify|open|predict"
    r"|process|provide|read|retrieve|see|summarize|view)\b"
)
_HAVE = r"I (?:do not|don.t) (?:have|possess) (?:\w+ ){0,2}(?:ability|access|capability|capacity|data|information)\b"
_ANOTHER = r"\b(?:clearer|larger|different|another|correct|valid|higher.resolution)\b[^.!?]*\b(?:image|picture|photo)"
_YOURS = r"\b(?:image|picture|photo) you(?:.ve| have)? (?:provided|uploaded|shared)\b"

# An answer may mention that it is by an AI; it may not consist of that.
BOILERPLATE = (  # pattern, what it finds
    (r"\b(?:message|request|prompt|input) (?:is|was|appears to be|seems to be) (?:empty|blank)", "an empty request"),
    (rf"\b{_UNABLE} (?:see|view|access|open|load) (?:an?|the|this|that|your|any) (?:image|picture|photo)", "no image"),
    (rf"{_YOURS} is not (?:visible|available|displayed)", "no image either"),
    (rf"\b(?:provide|upload|share|send)\b[^.!?]*{_ANOTHER}", "asks for another image"),
    (
        rf"(?s){_YOURS}.*\b(?:happy to (?:help|assist)|feel free to|let me know)\b",
        "offers help in place of a description",
    ),
    (rf"{_SORRY}\b(?:{_UNABLE} {_DO}|{_HAVE})", "an apology and a refusal"),
    (rf"{_SORRY}\b(?:I.m|I am|as) an AI\b", "the same, and names itself"),
    (rf"^\W*as an (?:AI|artificial intelligence)\b[^.!?]*\b(?:{_UNABLE} {_DO}|{_HAVE})", "a refusal as an AI"),
)


def is_boilerplate(answer: pl.Expr) -> pl.Expr:
    """Return whether an answer matches a pattern of the table; case does not matter."""
    return answer.str.contains("(?i)" + "|".join(f"(?:{pattern})" for pattern, _ in BOILERPLATE))
