"""LLaVA-v1.5's response-format prompts: they say how to answer, not what is asked."""

from __future__ import annotations

FORMAT_PROMPTS = (
    r"(?i)answer the question using a single word or phrase\.?"  # VQAv2, GQA, OKVQA, OCR-VQA
    r"|answer with the option.s letter from the given choices directly\.?"  # A-OKVQA, ScienceQA
    r"|provide a one-sentence caption for the provided image\.?"  # TextCaps
    r"|\bin a (?:single|short) (?:word|phrase|sentence)\.?|\ba short (?:description|phrase|caption|answer)\b"  # regions
    r"|reference ocr token:[ \t]*(?:\n|$)"  # TextCaps without a token
)
