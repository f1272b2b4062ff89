"""Files of a cache damaged in every way: the mix stays the same, or one line says what is wrong."""

from __future__ import annotations

import warnings

from adversary import damage

from recipe.errors import DamagedCache, RecipeError


def prepare(folder):
    """Fill a cache, and note the mix."""
    damage.small_shards()
    cached = damage.Cached(folder)
    cached.expected = cached.run()
    return cached


def attempt(rng, state, folder):  # noqa: ARG001  every target takes it
    """Damage some files, and select again; a folder in place of a file is taken away by hand."""
    names = [name for name in state.files() if (state.cache / name).stat().st_size]
    harmed = []
    for name in rng.sample(names, min(len(names), rng.choice((1, 1, 2, 5)))):
        harmed.append(state.cache / name)
        rng.choice(damage.DAMAGES)(harmed[-1], rng)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DamagedCache)
        try:
            assert state.run() == state.expected, "another mix"
        except RecipeError:
            folders = [path for path in harmed if path.is_dir()]
            assert folders, "an artefact that is no folder was not made again"
            for path in folders:
                path.rmdir()
            assert state.run() == state.expected, "another mix"
            raise
