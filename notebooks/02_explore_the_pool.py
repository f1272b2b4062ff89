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
# # Explore the pool
#
# Look at the data before you train on it. Here nothing is selected for its own sake: every sample is labelled, embedded
# and scored, and then we look around. Set `RECIPE_DATA` to a file, a folder or a glob to look at samples of your own.

# %%
import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from PIL import Image

from recipe import score_pool, select_mix
from recipe.demo import write_demo

temporary = TemporaryDirectory()
home = Path(temporary.name)
sources = [os.environ["RECIPE_DATA"]] if "RECIPE_DATA" in os.environ else write_demo(home, images=60)
pool = score_pool(sources)
pool

# %% [markdown]
# ## What is in it?
#
# `pool.rows` is a polars table with a line a sample. Which kinds of answers does each task have?

# %%
kinds = pool.rows.filter(pool.eligible).pivot("answer", index="task", values="row", aggregate_function="len")
kinds.fill_null(0).sort("task")

# %% [markdown]
# Numbers hide what samples are like, so read some. They are drawn at random, the same each time; another `seed` draws
# others, and `task`, `answer`, `source`, `cluster` and `concept` narrow the choice.

# %%
tasks = pool.rows["task"].value_counts().sort("count", "task", descending=[True, False])["task"].to_list()
pool.sample(5, task=tasks[0]).select("question", "answer_text")

# %%
pool.sample(5, task=tasks[-1]).select("question", "answer_text")

# %% [markdown]
# ## Clusters
#
# Samples that say like things lie in one cluster. Dense ones are typical of their cluster, novel ones lie on its rim.
# Here are the most typical question of each of the largest clusters, and the most novel samples of all.

# %%
largest = pool.rows["cluster"].drop_nulls().value_counts().sort("count", "cluster", descending=[True, False]).head(6)
typical = (
    pool.rows.filter(pool.eligible)
    .sort("density", "row", descending=[True, False])
    .unique("cluster", keep="first", maintain_order=True)
)
some = typical.filter(pl.col("cluster").is_in(largest["cluster"].to_list())).select("cluster", "row", "task", "density")
some.with_columns(says=pool.texts_of(some["row"].to_numpy())).join(largest, on="cluster", maintain_order="left")

# %%
novel = pool.rows.filter(pool.eligible).top_k(5, by=["novelty", "key"]).select("row", "task", "novelty")
novel.with_columns(says=pool.texts_of(novel["row"].to_numpy()))

# %% [markdown]
# ## The map
#
# Two axes of the embedding, and what a mix of a tenth takes of it. A good mix lies all over the map, and more thinly
# where the pool is thick.

# %%
mix = select_mix(pool, size=0.1)
mix.plot("map", color="task")

# %%
mix.plot("map", color="picked")

# %%
mix.plot("clusters")

# %% [markdown]
# ## Near duplicates
#
# What says the same about the same image counts once; the code names the sample that is kept. Read some pairs before
# you believe the threshold (`dedup: {near: 0.9}`, the Jaccard similarity of word sets).

# %%
pairs = pool.rows.filter(pl.col("problem").str.starts_with("dup:")).select("row", kept=pl.col("problem").str.slice(4))
pairs = pairs.join(pool.rows.select("key", kept_row="row"), left_on="kept", right_on="key", maintain_order="left").head(
    5
)
pl.DataFrame({name: pool.texts_of(pairs[name].to_numpy()) for name in ("row", "kept_row")})

# %% [markdown]
# ## One sample
#
# Boxes are numbers until one sees them. `images` is the folder of the images, as the trainer's `--image_folder`; set
# `RECIPE_IMAGES` to yours. The demo has no photographs, so an empty canvas of the right size stands for one: what
# matters here is where the boxes lie. LLaVA pads its images to squares and its boxes lie on these; in the picture they
# are where they belong on the image.

# %%
shown = pool.rows.filter(pl.col("problem").is_null() & pl.col("image").is_not_null())
boxed = shown.filter(pl.col("task") == "referring_qa")
chosen = (boxed if len(boxed) else shown).sort("n_words", "row", descending=[True, False]).row(0, named=True)
images = Path(os.environ.get("RECIPE_IMAGES", home / "images"))
sizes = home / "svit" / "image_data.json"
for item in json.loads(sizes.read_text()) if sizes.is_file() else []:
    if chosen["image"].endswith(f"/{item['image_id']}.jpg"):
        canvas = images / chosen["image"]
        canvas.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (item["width"], item["height"]), "lightgray").save(canvas)
mix.show(chosen["key"], images=images if images.is_dir() else None)
