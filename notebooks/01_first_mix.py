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
# # A first mix
#
# You have a pool of visual-instruction samples, far more than you want to train on. In five minutes you will have a mix
# of a fifth of them that LLaVA-v1.5's training code takes as it is, and you will know why each of its samples is there.
#
# By default this notebook makes a small pool of its own: questions, reasons, descriptions and boxes about a made-up
# little world, in SVIT's raw format, and short answers in LLaVA's. To use samples of your own, set `RECIPE_DATA` to a
# file, a folder or a glob of SVIT, LLaVA, Vision-Flan or MiniGPT-4 samples before you start Jupyter.

# %%
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from recipe import check_mix, select_mix
from recipe.demo import write_demo

temporary = TemporaryDirectory()
home = Path(temporary.name)
sources = [os.environ["RECIPE_DATA"]] if "RECIPE_DATA" in os.environ else write_demo(home, images=60)
sources

# %% [markdown]
# ## Select
#
# One call reads the files, labels every sample, embeds it, drops duplicates, clusters, scores, draws up quotas and
# selects. The tables say what came out, the mix beside its pool: rare tasks have a larger share than in the pool, yes
# and no are as many as each other, and what was rejected has a reason.

# %%
mix = select_mix(sources, size=0.2, seed=0)
mix

# %% [markdown]
# The *certificate* is a bound: no selection under the same quotas can reach more than so much of the objective. And
# the same samples, recipe and seed give the same picks in the same order, on any machine and with any number of cores.

# %%
again = select_mix(sources, size=0.2, seed=0)
assert again.keys == mix.keys

# %% [markdown]
# ## Write
#
# The mix is one JSON array in LLaVA-v1.5's format. Its manifest holds the whole recipe, hashes of the sources and the
# keys of the picks: `recipe select --manifest mix.manifest.json` makes the same bytes again.

# %%
files = mix.write(home / "mix.json")
[file.name for file in files]

# %%
json.loads(files[0].read_text())[0]

# %% [markdown]
# Will the trainer take it? `check_mix` knows what stops a run of LLaVA-v1.5, what trains silently wrong, and what other
# loaders of the same file cannot read. An empty list is what we want; a finding names its record and what to do.

# %%
findings = check_mix(files[0])
assert findings == []
findings

# %% [markdown]
# ## Ask why
#
# Picks stand in the order in which they were picked, the most useful first. This is the first one, and what it added
# to the objective. It stands for the samples that are like it, which the mix can do without.

# %%
mix.show(mix.keys[0])

# %%
mix.why(mix.keys[0])

# %% [markdown]
# The same question can be asked of a sample that was not picked: which pick stands for it?

# %%
left_out = mix.scores.filter(pl.col("problem").is_null() & pl.col("rank").is_null() & pl.col("nearest").is_not_null())
mix.show(left_out.sort("similarity", "row", descending=[True, False])["key"][0])

# %% [markdown]
# And of one that was rejected, if there is one. Nothing is lost on the way: read = picked + not picked + rejected.

# %%
rejected = mix.scores.filter(pl.col("problem").is_not_null()).sort("row")
mix.show(rejected["key"][0]) if len(rejected) else "nothing was rejected"

# %%
mix.counts

# %% [markdown]
# ## Show it to others
#
# One page holds the numbers, the charts, the picks with their reasons, and the recipe. It needs no network and no other
# file, so it can be mailed.

# %%
page = mix.report(home / "report.html")
f"{page.name}: {page.stat().st_size / 1e6:.1f} MB"
