"""Answers that are no answers: refusals, and what a model says when it was shown nothing."""

from __future__ import annotations

import polars as pl

_UNABLE = r"(?:cannot|can.t|can not|could not|couldn.t|am (?:unable|not able) to|.m (?:unable|not able) to)"
_TOOLS = (
    "access|answer|assist|browse|create|describe|determine|display|draw|estimate|fulfil\\w*|generate|identify|open|predict"
    "|process|provide|read|retrieve|see|summarize|view"
)

BOILERPLATE = (  # pattern, what it finds
    (r"\b(?:message|request|prompt|input) (?:is|was|appears to be|seems to be) (?:empty|blank)", "an empty request"),
    (
        rf"\bI ?{_UNABLE} (?:see|view|access|open|load|display) (?:an?|the|this|that|your|any)? ?(?:image|picture|photo)",
        "no image came through",
    ),
    (
        r"\b(?:provide|upload|share|send)\b[^.!?]*\b(?:clearer|larger|different|another|correct|valid|higher.resolution)\b"
        r"[^.!?]*\b(?:image|picture|photo)",
        "asks for another image",
    ),
    (
        r"\bimage you(?:.ve| have)? (?:provided|uploaded|shared) is not (?:visible|available|displayed)",
        "no image either",
    ),
    (
        rf"^\W*(?:(?:I.m|I am) (?:very |really |so )?sorry|sorry|unfortunately|I apologi[sz]e)\b[^.!?]*\bI ?{_UNABLE} "
        rf"(?:{_TOOLS})\b",
        "opens with an apology and refuses",
    ),
    (
        r"^\W*(?:(?:I.m|I am) (?:very |really |so )?sorry|unfortunately)\b[^.!?]*\b(?:I.m|I am|as) an AI\b",
        "the same, and names itself",
    ),
    (
        rf"^\W*as an (?:AI|artificial intelligence)\b[^.!?]*\bI ?(?:{_UNABLE} (?:{_TOOLS})|(?:do not|don.t) have "
        r"(?:the ability|access|the data|the capability))\b",
        "refuses as an AI; who it is it may say",
    ),
)


def is_boilerplate(answer: pl.Expr) -> pl.Expr:
    """Return whether an answer holds a pattern of the table; case does not matter."""
    return answer.str.contains("(?i)" + "|".join(f"(?:{pattern})" for pattern, _ in BOILERPLATE))
