"""Which characters form words, and their lower case: the same under every version of Python."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLANE = 0x10000  # characters of the basic plane; its last one represents all beyond it
LETTER, DIGIT, ALONE = 1, 2, 3  # may begin a word; may only continue one; is a word by itself; 0 separates words
# Scripts without spaces, whose characters are words: Chinese, Japanese, Bopomofo, Yi.
IDEOGRAPHS = (
    (0x2E80, 0x312F),
    (0x31A0, 0x31BF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0xA4CF),
    (0xF900, 0xFAFF),
)


@cache
def alphabet() -> NDArray[np.uint32]:
    """Return of each character of the basic plane its kind (upper 16 bits) and its lower case (lower 16).

    Categories are those of Unicode 3.2, which every Python includes, so no later version changes a word; a character
    that it does not know counts as a letter.
    """
    kinds = np.zeros(PLANE, np.uint32)
    lowers = np.arange(PLANE, dtype=np.uint32)
    for code in range(PLANE):
        character = chr(code)
        category = unicodedata.ucd_3_2_0.category(character)
        if category[0] == "L" or category == "Cn":
            kinds[code] = LETTER
            lower = character.lower()
            lowers[code] = ord(lower) if len(lower) == 1 else code
        elif category[0] in "NM" or character == "_":
            kinds[code] = DIGIT
    for first, last in IDEOGRAPHS:
        script = kinds[first : last + 1]
        script[script == LETTER] = ALONE
    kinds[PLANE - 1] = ALONE
    table: NDArray[np.uint32] = (kinds << np.uint32(16)) | lowers
    return table
