"""Words and their hashes, character by character in plain Python."""

import unicodedata

from recipe.data.alphabet import IDEOGRAPHS

LETTERS = "aBzÉéßЖжΩωİあ猫字한ब🙂𠀀0७_ \n,.-'\u0301\u200b"


def words_by_definition(text, *, numbers=True):
    """Words as recipe.data.words defines them, character by character."""
    words, run = [], ""
    for character in text + " ":
        group = unicodedata.ucd_3_2_0.category(character)
        spaceless = ord(character) >= 0x10000 or (
            any(first <= ord(character) <= last for first, last in IDEOGRAPHS)
            and (group[0] == "L" or group == "Cn")  # unknown to that version: a letter
        )
        if not spaceless and (group[0] in "LNM" or group == "Cn" or character == "_"):
            run += character
            continue
        start = unicodedata.ucd_3_2_0.category(run[0]) if run else ""
        if run and (numbers or (len(run) > 1 and (start[0] == "L" or start == "Cn"))):
            words.append("".join(c.lower() if len(c.lower()) == 1 else c for c in run))
        run = ""
        words += [character] if spaceless else []
    return words


def hash_by_definition(word):
    """FNV-1a over the characters of a word, finished as MurmurHash3 is, in whole numbers of Python."""
    h = 0xCBF29CE484222325
    for character in word:
        h = ((h ^ ord(character)) * 0x100000001B3) % 2**64
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        h = ((h ^ (h >> 33)) * factor) % 2**64
    return h ^ (h >> 33)
