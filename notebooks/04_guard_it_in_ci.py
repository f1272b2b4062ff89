# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Guard it in CI
#
# Sources get new files, recipes get new knobs, libraries get new versions. A mix that follows them unseen trains
# another model. So the numbers of the mix that you trust become a *baseline*, and CI fails when a new mix leaves it.

# %%
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from recipe import select_mix
from recipe.demo import write_demo

temporary = TemporaryDirectory()
home = Path(temporary.name)
sources = [os.environ["RECIPE_DATA"]] if "RECIPE_DATA" in os.environ else write_demo(home, images=60)


def run(module: str, *arguments: str | Path) -> int:
    """Run a command as a terminal would, show what it says, and return its exit code."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
    print(done.stdout + done.stderr)
    return done.returncode


# %% [markdown]
# ## The baseline
#
# `mix.stats.json` lies beside every written mix. That of the mix you trust, committed under another name, is the
# baseline. Its floats are rounded, so that a later change of it reads well in a diff.

# %%
common = {"size": 300, "seed": 0, "cache": home / "cache"}
trusted = select_mix(sources, **common)
trusted.write(home / "mix.json")
baseline = shutil.copy(home / "mix.stats.json", home / "baseline.json")

# %% [markdown]
# ## The same recipe passes
#
# Made again, it has the same bytes; so nothing drifted, and the exit code is 0.

# %%
select_mix(sources, **common).write(home / "again.json")
assert run("recipe", "check", home / "again.json", "--baseline", baseline) == 0

# %% [markdown]
# ## A recipe that drifted is caught
#
# Somebody tilts yes and no. The size is the same, the file is sound, training would run. The check names what moved,
# with what was expected, and exits with 1.

# %%
tilted = select_mix(sources, balance={"yes_share": 0.65}, **common)
tilted.write(home / "tilted.json")
assert run("recipe", "check", home / "tilted.json", "--baseline", baseline) == 1

# %% [markdown]
# ## Which samples?
#
# `recipe diff` says what came and what left, by task and cluster, with examples to read.

# %%
assert run("recipe", "diff", home / "mix.json", home / "tilted.json") == 0

# %% [markdown]
# ## What may move
#
# Every metric has a default tolerance, written down with its reason. A file of your own says otherwise: `exact`, `min`,
# `max`, or `within` so much, absolute or relative.

# %%
tolerance = home / "tolerance.yaml"
tolerance.write_text("""
yes: {within: 0.2}
yes/*: ignore            # three hundred samples are few: a handful of answers moves a task
answer/*: {within: 0.1}
task_answer/*: {within: 0.1}
""")
run("recipe", "check", home / "tilted.json", "--baseline", baseline, "--tolerance", tolerance)

# %% [markdown]
# ## As a test
#
# The package brings a pytest fixture. The baseline lies beside the test, in a folder named after its file;
# `pytest --update-mix-baselines` writes it, at home but never in CI.

# %%
test = home / "test_mix.py"
test.write_text(f'''
from recipe import select_mix


def test_the_mix_stays_as_it_is(mix_regression):
    """The mix that we train on has the numbers that we trust."""
    mix_regression.check(select_mix({[str(source) for source in sources]!r}, size=300, seed=0))
''')
beside = home / "test_mix" / "test_the_mix_stays_as_it_is.stats.json"
beside.parent.mkdir()
shutil.copy(baseline, beside)
assert run("pytest", "-q", "-p", "no:cacheprovider", test) == 0

# %% [markdown]
# ## In GitHub Actions
#
# Exit codes are all that a job needs: 0 passes, 1 is drift, 2 says that something could not be read. Where
# `GITHUB_ACTIONS` is set, what moved is annotated as well, and `--junit` writes a report for other servers.
#
# ```yaml
# jobs:
#   mix:
#     runs-on: ubuntu-latest
#     steps:
#       - uses: actions/checkout@v4
#       - uses: actions/setup-python@v5
#         with: {python-version: "3.12"}
#       - run: pip install vlm-recipe
#       - run: recipe select my_recipe.yaml --out mix.json
#       - run: recipe check mix.json --baseline baseline.json --junit drift.xml
# ```
