"""Variables of the environment that libraries would fail on, or complain about in many lines."""

from __future__ import annotations

import os
import re

from recipe.errors import ConfigError

COUNT = re.compile(r"\s*\+?0*[1-9][0-9]*\s*")
THREADS = {
    "POLARS_MAX_THREADS": COUNT,
    "NUMBA_NUM_THREADS": COUNT,
    "OMP_NUM_THREADS": re.compile(rf"{COUNT.pattern}(,{COUNT.pattern})*"),  # one for each level of nesting
}


def check_threads() -> None:
    """Raise unless all variables that set a number of threads hold one; an empty one counts as not set.

    Raises
    ------
    ConfigError
        With the name of the variable and its value.
    """
    for name, form in THREADS.items():
        value = os.environ.get(name, "")
        if value and not form.fullmatch(value):
            what = f"expected a number of threads from 1 in the environment, got {value!r:.60}"
            raise ConfigError(f"{name}: {what}; set the variable to one, or unset it")
