"""The compiled kernels that split texts into words and hash them, and that count them; numba infers the types.

No kernel of another file calls them: numba's cache on disk notices changes of its own file only.
"""

from __future__ import annotations

import numpy as np

from recipe.data.alphabet import ALONE, LETTER, PLANE
from recipe.engine.compiled import compiled

ASCII, TWO, THREE, LAST = np.uint32(0x80), np.uint32(0xE0), np.uint32(0xF0), np.uint32(PLANE - 1)
BASIS, PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)  # of FNV-1a, 64 bits


@compiled()
def split_words(text, ends, alphabet, every, hashes, letters, begins, starts):
    """Write the words of each text, and return how many words and letters there are.

    Writes the hash of each word and where its letters begin, and where the words of each text start; no letters if
    `letters` is empty. Unless `every` is true, runs of one character or that do not begin with a letter are left out.
    """
    words = kept = 0
    for i in range(len(ends) - 1):
        starts[i] = words
        at, end = ends[i], ends[i + 1]
        run = 0
        first = np.uint32(0)
        h = BASIS
        while at < end:
            code = np.uint32(text[at])
            if code < ASCII:
                entry = alphabet[code]
                at += 1
            else:
                code, at = _decoded(text, at)
                entry = alphabet[min(code, LAST)]
            kind = entry >> np.uint32(16)
            if 0 < kind < ALONE:
                if run == 0:
                    first = kind
                lower = entry & np.uint32(0xFFFF)
                if len(letters):
                    letters[kept + run] = lower
                run += 1
                h = (h ^ np.uint64(lower)) * PRIME
                continue
            if run and (every or (run > 1 and first == LETTER)):
                hashes[words], begins[words] = _mixed(h), kept
                words += 1
                kept += run
            run = 0
            h = BASIS
            if kind == ALONE:
                hashes[words], begins[words] = _mixed((BASIS ^ np.uint64(code)) * PRIME), kept
                if len(letters):
                    letters[kept] = code
                words += 1
                kept += 1
        if run and (every or (run > 1 and first == LETTER)):
            hashes[words], begins[words] = _mixed(h), kept
            words += 1
            kept += run
    starts[len(ends) - 1] = words
    begins[words] = kept
    return words, kept


@compiled()
def _decoded(text, at):
    """Return the character of two to four bytes that begins at a byte of valid UTF-8, and where the next begins."""
    a, b = np.uint32(text[at]), np.uint32(text[at + 1] & 0x3F)
    if a < TWO:
        return (a & np.uint32(0x1F)) << np.uint32(6) | b, at + 2
    c = np.uint32(text[at + 2] & 0x3F)
    if a < THREE:
        return (a & np.uint32(0x0F)) << np.uint32(12) | b << np.uint32(6) | c, at + 3
    d = np.uint32(text[at + 3] & 0x3F)
    return (a & np.uint32(0x07)) << np.uint32(18) | b << np.uint32(12) | c << np.uint32(6) | d, at + 4


@compiled()
def _mixed(h):
    """Mix the bits of a hash, so that any part or remainder of it is uniform."""
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return h ^ (h >> np.uint64(33))


WHITE_SPACE, WORD_LETTER = 1, 2  # kinds of an ASCII character; all others are signs


@compiled()
def count(text, ends, kinds, mark, words, runs, signs):
    """Count, for each text, its words (between white space), runs of letters, and signs, as if a mark was cut out.

    Writes -1 in place of its words for a text with a byte beyond ASCII, which is left to others. O(bytes).
    """
    for i in range(len(ends) - 1):
        at, end = ends[i], ends[i + 1]
        before = WHITE_SPACE  # kind of the character before
        while at < end:
            byte = text[at]
            if byte >= ASCII:
                words[i] = -1
                break
            if byte == mark[0] and _begins(text, at, end, mark):
                at += len(mark)
                continue
            kind = kinds[byte]
            words[i] += before == WHITE_SPACE and kind != WHITE_SPACE
            runs[i] += kind == WORD_LETTER and before != WORD_LETTER
            signs[i] += kind not in (WHITE_SPACE, WORD_LETTER)
            before = kind
            at += 1


@compiled()
def _begins(text, at, end, mark):
    """Return whether a mark begins at a byte of a text."""
    if end - at < len(mark):
        return False
    for j in range(len(mark)):  # noqa: SIM110  numba has no all()
        if text[at + j] != mark[j]:
            return False
    return True
