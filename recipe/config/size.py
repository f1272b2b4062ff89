"""The size of a mix: a number of samples, a share, or tokens."""

from __future__ import annotations

import re

from recipe.config.knobs import shown
from recipe.errors import ConfigError

LONGEST = 60  # characters of a size
MOST = 2**63  # what a number of 64 bits holds


def read_size(size: object) -> tuple[float, str]:
    """Parse a size: its number and its unit, which is samples, share or tokens.

    Parameters
    ----------
    size
        An int from 1, a float above 0 and up to 1, or a text: ``"5000"``, ``"15%"``, ``"20M tokens"`` (k, M, B).

    Returns
    -------
    number, unit
        The unit is ``"samples"``, ``"share"`` or ``"tokens"``.

    Raises
    ------
    ConfigError
        If it is none of these.

    Examples
    --------
    >>> read_size(500), read_size(0.2), read_size("20M tokens")
    ((500, 'samples'), (0.2, 'share'), (20000000.0, 'tokens'))
    """
    if isinstance(size, str) and len(size) <= LONGEST:
        match = re.fullmatch(r"\s*([0-9][0-9_,]*(?:\.[0-9]+)?)\s*([kMB]?)\s*(%|tokens?|samples?)?\s*", size)
        if match:
            number = float(re.sub("[_,]", "", match[1])) * {"": 1, "k": 1e3, "M": 1e6, "B": 1e9}[match[2]]
            if match[3] == "%":
                return read_size(number / 100)
            if (match[3] or "").startswith("token") and 1 <= number < MOST:
                return number, "tokens"
            if number.is_integer():
                return read_size(int(number))
    elif isinstance(size, int) and not isinstance(size, bool) and 1 <= size < MOST:
        return size, "samples"
    elif isinstance(size, float) and 0 < size <= 1:
        return size, "share"
    raise ConfigError(
        f'expected size as a count from 1, a share above 0 and up to 1, or "20M tokens", got size={shown(size)}'
    )
