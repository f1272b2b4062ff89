"""The compiled kernel that scans JSON for record borders; numba infers the types."""

from __future__ import annotations

import numpy as np

from recipe.engine.compiled import compiled

QUOTE, BACKSLASH, COMMA, BLANK = 34, 92, 44, 32
OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT = 91, 93, 123, 125


@compiled()
def commas(data, at, piece, state):
    """Return the positions of the commas between array elements at which to cut a block of a file; O(bytes).

    The last one is -1 if something follows the array. `data` are the bytes of the block, `at` its offset in the file,
    `piece` the minimum number of bytes between two cuts, and `state` what is carried over from the block before: depth,
    whether inside a string, whether after a backslash, the last cut, where the array ended.
    """
    depth, inside, escaped, last, end = state[0], state[1], state[2], state[3], state[4]
    found = np.empty(len(data) // piece + 2, np.int64)
    count = 0
    for i in range(len(data)):
        byte = data[i]
        if inside:
            if escaped:
                escaped = 0
            elif byte == BACKSLASH:
                escaped = 1
            elif byte == QUOTE:
                inside = 0
        elif end and byte > BLANK:
            found[count] = -1
            count += 1
            break
        elif byte == QUOTE:
            inside = 1
        elif byte in (OPEN_ARRAY, OPEN_OBJECT):
            depth += 1
        elif byte in (CLOSE_ARRAY, CLOSE_OBJECT):
            depth -= 1
            if depth == 0:
                end = at + i
        elif byte == COMMA and depth == 1 and at + i - last >= piece:
            found[count] = at + i
            last = at + i
            count += 1
    state[0], state[1], state[2], state[3], state[4] = depth, inside, escaped, last, end
    return found[:count]
