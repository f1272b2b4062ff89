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
# # Tune the balance
#
# A recipe names *margins*: how much of each task, of yes and no, of each cluster, how many samples of one image. They
# pull at each other, and a pool cannot supply everything. So make several mixes of one size, and compare them in
# numbers before you spend a night of training on one.

# %%
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from recipe import select_mix
from recipe.demo import write_demo

temporary = TemporaryDirectory()
home = Path(temporary.name)
sources = [os.environ["RECIPE_DATA"]] if "RECIPE_DATA" in os.environ else write_demo(home, images=100)
common = {"size": 300, "seed": 0, "cache": home / "cache"}  # what was read and embedded once is not made again

# %% [markdown]
# ## The defaults
#
# Tasks, kinds of answers and clusters at a temperature, so that rare ones get more than their share; as many yes as no.
# What was wanted of each value, what the pool has, and what it became:

# %%
default = select_mix(sources, **common)
default.quotas.report.filter(pl.col("margin") == "task")

# %%
default.plot("tasks")

# %% [markdown]
# ## Other recipes
#
# - `even`: each task as much as each other, as far as the supply goes
# - `more yes`: two of three closed answers are yes, as they are in many raw sets
# - `spread`: at most three samples of an image
# - `random` picks at random, which is what every recipe has to beat

# %%
even = {"margins": {"task": "even", "cluster": {"temperature": {"t": 1.25}}}}
mixes = {
    "default": default,
    "even": select_mix(sources, balance=even, **common),
    "more yes": select_mix(sources, balance={"yes_share": 0.67}, **common),
    "spread": select_mix(sources, balance={"per_image": 3}, **common),
    "random": select_mix(sources, recipe="random", **common),
}

# %% [markdown]
# ## Compare
#
# Every mix has some two hundred numbers, and `stats().metrics()` lists them under flat names. These are a few:
# the share of yes, how evenly the clusters are used, the mean similarity of a sample of the pool to its nearest pick,
# how many different things are said (Vendi score), and the largest crowd on one image.

# %%
shown = ["yes", "clusters/reached", "clusters/entropy", "coverage/mean", "vendi", "samples_an_image/max", "words"]
numbers = {name: mix.stats().metrics() for name, mix in mixes.items()}
pl.DataFrame({"metric": shown} | {name: [values.get(metric) for metric in shown] for name, values in numbers.items()})

# %% [markdown]
# And the share of each task, in percent:

# %%
metrics = sorted({metric for values in numbers.values() for metric in values if metric.startswith("task/")})
pl.DataFrame(
    {"task": [metric.removeprefix("task/") for metric in metrics]}
    | {name: [round(100 * values.get(metric, 0), 1) for metric in metrics] for name, values in numbers.items()}
)

# %% [markdown]
# Does selection beat chance? Coverage is measured for the mix and for as many samples at random, on the same part of
# the pool; `error` is the standard error of the estimate.

# %%
pl.DataFrame([{"mix": name, **mix.stats().coverage} for name, mix in mixes.items()])

# %%
mixes["more yes"].plot("yes_no")

# %%
default.plot("gains")

# %% [markdown]
# ## What the pool cannot give
#
# Where a cell wants more than there is, the rest goes to others, and the gap is listed. The same list as JSON is a
# request that a data generator can take.

# %%
mixes["even"].gaps()

# %% [markdown]
# ## Keep it
#
# The recipe that you settle on is a file. `recipe select my_recipe.yaml` makes the mix of it.

# %%
recipe_file = home / "my_recipe.yaml"
recipe_file.write_text(mixes["even"].recipe.to_yaml())
print("\n".join(line for line in recipe_file.read_text().splitlines() if not line.startswith(" ")))
