"""Charts: they show what a naive count of the rows gives, are the same for the same mix, and need no network."""

from __future__ import annotations

import io
import json
import math
import re
import socket
import sys
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import altair as alt
import numpy as np
import polars as pl
import pytest
import vl_convert
from builders import make_pool
from strategies import pool_of, quotas_of

from recipe import select_mix
from recipe.config.recipe import Recipe
from recipe.data.picks import Picks
from recipe.data.vectors import rows_of
from recipe.demo import write_demo
from recipe.errors import ConfigError, MissingExtra
from recipe.mix.mix import Mix
from recipe.report.charts import CHARTS, draw
from recipe.report.charts._points import draw_points
from recipe.report.charts._theme import INK

DRAWN = [(name, {}) for name in CHARTS]
DRAWN += [("lengths", {"what": "tokens"}), ("gains", {"what": "picks"})]
DRAWN += [("map", {"color": color, "points": 50}) for color in ("cluster", "picked", "answer", "source")]
SMALL = {"embed": {"hashing": {"d": 16, "features": 512}}, "size": 120}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The demo pool's files."""
    return write_demo(tmp_path_factory.mktemp("demo"), images=24)


@pytest.fixture(scope="module")
def mix(files):
    """A mix of the demo pool."""
    return select_mix(files, **SMALL).explained()


def mix_of(pool, picked, *, gains=None, certificate=None, yes_share=None):
    """Make a mix by hand: the picked rows in pick order."""
    picks = Picks(np.array(picked, np.int64), gains or {}, certificate, None if certificate is None else 1.0)
    plan = Recipe.of({}, size=len(picked), balance={"yes_share": yes_share})
    return Mix(pool, picks, quotas_of([0] * len(pool), [len(picked)]), plan)


def tables(chart):
    """The tables that a chart carries, largest first, as a browser reads them."""
    read = [pl.read_csv(io.StringIO(text)) for text in chart.to_dict()["datasets"].values()]
    return sorted(read, key=lambda table: -table.height)


def sides(mix):
    """The rows of the mix and of the pool, as dictionaries."""
    rows = mix.pool.rows.drop("turns").to_dicts()
    return {"mix": [rows[i] for i in mix.picks.rows], "pool": rows}


def subtitle(chart):
    """The lines below the title, as one."""
    return " ".join(chart.to_dict()["title"]["subtitle"])


@pytest.mark.parametrize(("name", "knobs"), DRAWN)
def test_every_chart_is_drawn_without_a_network(mix, name, knobs, monkeypatch):
    """Every chart becomes an SVG with no socket opened, in the Vega-Lite of altair and in that of JupyterLab."""
    monkeypatch.setattr(socket, "socket", None)
    chart = draw(mix, name, **knobs)
    assert isinstance(chart, alt.LayerChart)
    spec = chart.to_dict()
    for version in (None, "5.20"):
        svg = vl_convert.vegalite_to_svg(spec, vl_version=version, allowed_base_urls=[])
        assert svg.startswith("<svg")
        assert spec["title"]["text"] in svg
    assert "url" not in json.dumps([layer.get("data", {}) for layer in spec["layer"]])


@pytest.mark.parametrize(("name", "knobs"), DRAWN)
def test_the_same_mix_gives_the_same_chart(mix, name, knobs):
    """Drawing twice gives equal specifications, of which the whole can be said in JSON."""
    one, other = (json.dumps(draw(mix, name, **knobs).to_dict(), allow_nan=False) for _ in range(2))
    assert one == other


def test_another_order_of_files_gives_the_same_charts(files, mix):
    """Charts of a pool whose files were read in another order are the same, the map's points and text with them."""
    other = select_mix(files[::-1], **SMALL).explained()
    for name, knobs in DRAWN:
        assert draw(other, name, **knobs).to_dict() == draw(mix, name, **knobs).to_dict(), name


@pytest.mark.parametrize(("name", "knobs"), DRAWN)
def test_every_chart_can_be_read_and_embedded(mix, name, knobs):
    """A chart describes itself to a screen reader, fills a page that asks for it, and leaves the background alone."""
    spec = draw(mix, name, **knobs).properties(width="container").to_dict()
    assert spec["width"] == "container"
    assert len(spec["description"]) > 40
    assert spec["config"]["background"] == "transparent"
    assert spec["config"]["axis"]["labelColor"] == INK
    assert all(len(line) <= 50 for line in spec["title"]["subtitle"])
    titles = re.findall(r'"title": "([^"]*)"', json.dumps(spec["layer"]))
    assert all(titles), "an axis or a line of a tooltip has no name"


def test_colors_can_be_read_on_white_and_on_black():
    """Text has a contrast of 4.5 to white and 4 to the dark background of a notebook (WCAG 2.1)."""

    def light(color):
        parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    assert 1.05 / (light(INK) + 0.05) >= 4.5
    assert (light(INK) + 0.05) / (light("#111111") + 0.05) >= 4


@pytest.mark.parametrize(("name", "column"), [("tasks", "task"), ("answers", "answer")])
def test_shares_are_those_of_a_naive_count(mix, name, column):
    """Each bar is the count of a value by the number of samples, of the mix and of the pool."""
    table = tables(draw(mix, name))[0]
    for side, rows in sides(mix).items():
        counts = Counter(row[column] or "(none)" for row in rows)
        shown = {row["value"]: (row["samples"], row["share"]) for row in table.filter(set=side).to_dicts()}
        assert {value: samples for value, (samples, _) in shown.items() if samples} == counts
        assert all(share == pytest.approx(samples / len(rows)) for samples, share in shown.values())


def test_many_values_are_joined():
    """Of 30 tasks the 20 most frequent of the mix are shown and the others together; nothing is lost."""
    pool = pool_of(90, task=[f"task {i % 30:02d}" for i in range(90)])
    table = tables(draw(mix_of(pool, [*range(30), 30, 31]), "tasks"))[0].filter(set="mix")
    assert table["value"].to_list()[:2] == ["task 00", "task 01"]
    assert table["value"].to_list()[-1] == "other (10)"
    assert table.height == 21
    assert table["samples"].sum() == 32


def test_clusters_by_hand():
    """Clusters of 3, 2 and 1 samples, of which two, none and one were picked, by hand."""
    pool = pool_of(6, cluster=[7, 7, 7, 4, 4, 9])
    chart = draw(mix_of(pool, [0, 5, 1]), "clusters")
    table = tables(chart)[0]
    assert table.filter(set="pool")["share"].to_list() == [0, 0.5, pytest.approx(5 / 6), 1]
    assert table.filter(set="mix")["share"].to_list() == [0, pytest.approx(2 / 3), pytest.approx(2 / 3), 1]
    assert table.filter(set="mix")["cluster"].to_list() == [None, 7, 4, 9]
    assert "Reached: 2 of 3" in subtitle(chart)


def test_clusters_are_those_of_a_naive_count(mix):
    """The curves are the sums of naive counts over the clusters, the largest first."""
    counts = {side: Counter(row["cluster"] for row in rows) for side, rows in sides(mix).items()}
    order = sorted(counts["pool"], key=lambda cluster: (-counts["pool"][cluster], cluster))
    table = tables(draw(mix, "clusters"))[0]
    for side, rows in sides(mix).items():
        sums = np.cumsum([counts[side][cluster] for cluster in order]) / len(rows)
        assert table.filter(set=side)["share"].to_list()[1:] == pytest.approx(sums, abs=1e-6)


def test_many_clusters_are_thinned():
    """Of 3,000 clusters a thousand points are shown, the ends among them."""
    table = tables(draw(mix_of(pool_of(3000, cluster=range(3000)), [0, 1]), "clusters"))[0].filter(set="pool")
    assert table.height == 1001
    assert (table["rank"][0], table["rank"][-1], table["share"][-1]) == (0, 3000, 1)


def test_yes_and_no_are_those_of_a_naive_count(mix):
    """Each dot is yes by yes and no of the samples of a task; tasks with fewer than 10 in the mix are not shown."""
    chart = draw(mix, "yes_no")
    table = next(table for table in tables(chart) if "answers" in table.columns)
    counts = {side: Counter() for side in sides(mix)}
    for side, rows in sides(mix).items():
        for row in rows:
            for task in (row["task"], "all tasks"):
                counts[side][task, "yes"] += row["n_yes"]
                counts[side][task, "all"] += row["n_yes"] + row["n_no"]
    shown = {task for task, what in counts["mix"] if what == "all" and counts["mix"][task, "all"] >= 10}
    assert set(table["task"]) == shown
    for row in table.to_dicts():
        yes, everything = (counts[row["set"]][row["task"], what] for what in ("yes", "all"))
        assert (row["yes"], row["answers"]) == (yes, everything)
        assert row["share"] == pytest.approx(yes / everything, abs=1e-6)


def test_yes_and_no_say_what_is_left_out():
    """A task with nine answers is left out and named, and the line is at the recipe's target, if it has one."""
    pool = pool_of(30, task=["a"] * 11 + ["b"] * 19, n_yes=[1] * 15 + [0] * 15, n_no=[0] * 15 + [1] * 15)
    chart = draw(mix_of(pool, range(20), yes_share=0.25), "yes_no")
    assert "Left out (fewer than 10 answers): b" in subtitle(chart)
    assert "(dashed: 25%)" in subtitle(chart)
    assert [0.25] in [table["share"].to_list() for table in tables(chart) if table.columns == ["share"]]
    bare = draw(mix_of(pool, range(20)), "yes_no")
    assert "dashed" not in subtitle(bare)
    assert all(table.columns != ["share"] for table in tables(bare))


def test_without_yes_or_no_the_chart_says_so():
    """A mix without a yes or a no is drawn, and its subtitle says that there is none."""
    chart = draw(mix_of(pool_of(3, task=["a"] * 3, n_yes=[0] * 3, n_no=[0] * 3), [0]), "yes_no")
    assert "holds no yes or no" in subtitle(chart)
    assert vl_convert.vegalite_to_svg(chart.to_dict()).startswith("<svg")


@pytest.mark.parametrize("what", ["words", "tokens"])
def test_lengths_are_those_of_a_naive_count(mix, what):
    """Each bin holds the records that a naive count finds between its edges, and all records are in one."""
    table = next(table for table in tables(draw(mix, "lengths", what=what)) if "range" in table.columns)
    assert table["from"].to_list()[1:] == table["to"].to_list()[:-1]
    for side, rows in sides(mix).items():
        found = [
            sum(low <= max(1, row[f"n_{what}"]) < high for row in rows) for low, high in table["from", "to"].rows()
        ]
        assert table[side].to_list() == found
        assert sum(found) == len(rows)
        assert table[f"{side}_share"].to_list() == pytest.approx([n / len(rows) for n in found])


def test_lengths_by_hand():
    """Records of 0, 1, 3, 4, 5 and 6 words are in bins that begin at 1, 2, 3, 4 and 6."""
    pool = pool_of(6, n_words=[0, 1, 3, 4, 5, 6])
    table = next(t for t in tables(draw(mix_of(pool, [0, 4]), "lengths")) if "range" in t.columns)
    assert table.select("range", "mix", "pool").rows() == [
        ("1", 1, 2),
        ("2", 0, 0),
        ("3", 0, 1),
        ("4 to 5", 1, 2),
        ("6 to 7", 0, 1),
    ]


def test_gains_by_hand():
    """Picks that add 4, 3 and 1 and are certified at 80 % end there, and are half done after the first."""
    gains = {"coverage": np.array([3.0, 2, 1]), "quality": np.array([1.0, 1, 0])}
    chart = draw(mix_of(pool_of(5), [2, 0, 4], gains=gains, certificate=0.8), "gains")
    table = tables(chart)[0]
    reached = table.group_by("rank").agg(pl.col("share").sum()).sort("rank")["share"].to_list()
    assert reached == pytest.approx([0, 0.4, 0.7, 0.8])
    assert "At least 80.0% of the best" in subtitle(chart)
    assert "Half of it after 1 of 3 picks" in subtitle(chart)
    assert [1.0] in [table["bound"].to_list() for table in tables(chart) if "bound" in table.columns]
    alone = draw(mix_of(pool_of(5), [2, 0, 4], gains=gains), "gains")
    assert all("bound" not in table.columns for table in tables(alone))
    assert tables(alone)[0].filter(rank=3)["share"].sum() == pytest.approx(1)


@pytest.mark.parametrize("picks", [1, 7, 999, 5000])
@pytest.mark.parametrize("terms", [1, 3])
def test_many_gains_are_means_of_bins(picks, terms):
    """There are at most 2,000 points, each the mean of the gains of its bin, and the sums are those of all gains."""
    rng = np.random.default_rng(picks)
    gains = {f"term {at}": rng.random(picks) for at in range(terms)}
    table = tables(draw(mix_of(pool_of(picks), range(picks), gains=gains), "gains", what="picks"))[0]
    assert table.height <= 2000
    for term, gain in gains.items():
        own = table.filter(term=term)
        ends = own["rank"].to_list()
        for start, end, mean in zip([0, *ends[:-1]], ends, own["gain"].to_list(), strict=True):
            assert mean == pytest.approx(gain[start:end].mean(), rel=1e-5)
        assert ends[-1] == picks
        assert own["total"][-1] == pytest.approx(gain.sum(), rel=1e-5)


def test_concepts_are_those_of_a_naive_count(mix):
    """Each cell is the ratio of the two shares of samples of a task that touch a concept; blanks are few samples."""
    counts = {side: Counter() for side in sides(mix)}
    for side, rows in sides(mix).items():
        for row in rows:
            counts[side].update((concept, row["task"]) for concept in row["concepts"])
    table = tables(draw(mix, "concepts"))[0]
    share = len(mix) / len(mix.pool)
    shown = {pair for pair, n in counts["pool"].items() if n * share >= 1 or counts["mix"][pair]}
    most = {concept for concept, _ in Counter(c for c, _ in counts["pool"].elements()).most_common(40)}
    assert {(row["concept"], row["task"]) for row in table.to_dicts()} == {p for p in shown if p[0] in most}
    for row in table.to_dicts():
        pair = row["concept"], row["task"]
        assert (row["mix"], row["pool"]) == (counts["mix"][pair], counts["pool"][pair])
        times = row["mix"] / (row["pool"] * share)
        assert row["times"] == pytest.approx(times, abs=1e-4)
        assert row["log"] == pytest.approx(max(-3, min(3, math.log2(times) if times else -3)), abs=1e-3)


def test_concepts_are_counted_slice_by_slice(mix, monkeypatch):
    """The chart is the same for slices of seven samples."""
    whole = draw(mix, "concepts").to_dict()
    monkeypatch.setattr("recipe.report.charts.concepts.SLICE", 7)
    assert draw(mix, "concepts").to_dict() == whole


def test_the_colors_of_concepts_are_centred():
    """As common in the mix as in the pool is the middle of the colors, at 0."""
    pool = pool_of(4, task=["a"] * 4, concepts=[["red"], ["red"], ["red"], ["red"]])
    chart = draw(mix_of(pool, [0, 2]), "concepts")
    assert tables(chart)[0].rows()[0][-1] == 0
    domain = chart.to_dict()["layer"][0]["encoding"]["color"]["scale"]["domain"]
    assert domain[len(domain) // 2] == 0
    assert domain == [-end for end in domain[::-1]]


def placed(n, **columns):
    """A pool of n samples on a map, whose questions and answers name their row."""
    said = [[("human", f"<image>\nWhat is {i}?"), ("gpt", f"It is {i}.")] for i in range(n)]
    return make_pool(said, x=np.arange(n) / n, y=np.ones(n), task=["a", "b"] * (n // 2), **columns)


@pytest.mark.parametrize(
    ("samples", "picks", "points", "ours"),
    [(100, 50, 20, 10), (100, 4, 20, 4), (100, 95, 20, 15), (100, 50, 100, 50), (100, 50, 1, 0), (100, 100, 7, 7)],
)
def test_half_of_the_points_are_picks(samples, picks, points, ours):
    """Half of the points of a map are picks where there are enough of both, and there are as many as asked for."""
    chart = draw(mix_of(placed(samples), range(picks)), "map", points=points)
    counts = {table["representative"][0].startswith("pick "): table.height for table in tables(chart) if table.height}
    assert counts.get(True, 0) == ours
    assert sum(counts.values()) == min(points, samples)


def test_the_map_is_bounded(mix):
    """No more than 5,000 points are drawn; samples that may not be picked are none of them."""
    pool = placed(6000, problem=["empty"] * 100 + [None] * 5900)
    many = mix_of(pool, range(100, 3100))
    rows = draw_points(many, 5000)
    assert len(np.unique(rows)) == len(rows) == 5000
    assert rows.min() >= 100
    assert (rows < 3100).sum() == 2500
    assert sum(table.height for table in tables(draw(many, "map"))) == 5000
    assert sum(table.height for table in tables(draw(mix, "map"))) == min(5000, int(mix.pool.eligible.sum()))


def test_a_sample_keeps_its_luck():
    """Which points are drawn depends on keys, not on what else is in the pool: a half keeps those of the whole."""
    keys = [f"{i:05d}" for i in range(400)]
    whole = draw_points(mix_of(placed(400, key=keys), [0, 1]), 100)
    half = draw_points(mix_of(placed(200, key=keys[:200]), [0, 1]), 100)
    assert set(whole[whole < 200]) <= set(half)


def test_the_map_tells_each_sample(mix):
    """Tooltips show the sample's first question and answer, its labels, and its representative."""
    rows = {row["key"][:12]: row for row in mix.pool.rows.to_dicts()}
    keys = mix.pool.rows["key"].to_list()
    points = pl.concat(tables(draw(mix, "map", points=60)))
    assert points.height == 60
    for shown in points.to_dicts():
        row = rows[shown["key"]]
        said = [next(turn["value"] for turn in row["turns"] if turn["from"] == who) for who in ("human", "gpt")]
        for text, whole in zip((shown["question"], shown["answer_text"]), said, strict=True):
            words = " ".join(whole.replace("<image>", "").split())
            assert text == words if len(words) <= 160 else (len(text), text[:-1]) == (160, words[:159])
        assert [shown[name] for name in ("task", "source")] == [row["task"], row["source"]]
        assert (shown["x"], shown["y"]) == (pytest.approx(row["x"]), pytest.approx(row["y"]))
        if row["row"] in mix.picks.rows:
            assert shown["representative"] == f"pick {mix.keys.index(row['key']) + 1}"
        elif row["nearest"] is None:
            assert shown["representative"] == "no pick of its cluster"
        else:
            assert shown["representative"] == f"represented by {keys[row['nearest']][:8]}"


def test_colors_beyond_the_palette_are_other():
    """The eight most frequent of eleven sources have their own colors, and the others are gray."""
    pool = placed(110, source=[f"{i % 11}.json" for i in range(110)])
    chart = draw(mix_of(pool, range(20)), "map", color="source")
    hues = Counter(hue for table in tables(chart) for hue in table["hue"])
    assert len(hues) == 9
    assert hues["other"] == 30
    scale = chart.to_dict()["layer"][0]["encoding"]["color"]["scale"]
    assert len(set(scale["range"])) == len(scale["domain"]) == 9


MEAN = '</script><script>alert("x")</script><!-- <b>bold</b> "quoted", \n new line = =1+1 \N{SNOWMAN}'


def test_untrusted_text_stays_text():
    """A caption that holds markup ends no script of a page that altair writes, and is whole but for that one sign."""
    said = [[("human", MEAN), ("gpt", MEAN)], [("human", "Why?"), ("gpt", "So.")]]
    pool = make_pool(said, x=[0.0, 1.0], y=[0.0, 1.0], task=["a", MEAN])
    chart = draw(mix_of(pool, [0]), "map")
    table = tables(chart)[0] if "alert" in tables(chart)[0]["question"][0] else tables(chart)[1]
    assert table["question"][0].replace("\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}", "<") == " ".join(MEAN.split())
    assert "<b>bold</b>" in table["question"][0]
    for name in ("map", "tasks"):
        text = draw(mix_of(pool, [0]), name).to_json()
        assert not re.search(r"<(/?script|!--)", text, re.IGNORECASE)
    clean = draw(mix_of(placed(2), [0]), "map").to_html()
    assert chart.to_html().count("</script>") == clean.count("</script>")
    assert "<script>alert" not in vl_convert.vegalite_to_svg(chart.to_dict())


def test_a_notebook_needs_no_network(mix):
    """A notebook is given Vega-Lite as JupyterLab knows it, an image for all others, and text; no HTML, no CDN."""
    shown = mix.plot("tasks")._repr_mimebundle_()
    assert set(shown) == {"application/vnd.vegalite.v5+json", "image/png", "text/plain"}
    assert shown["image/png"].startswith(b"\x89PNG")
    assert shown["application/vnd.vegalite.v5+json"]["$schema"].endswith("/v5.20.1.json")
    assert "share of each task" in shown["text/plain"]


def test_a_chosen_renderer_is_kept(mix):
    """Who enables a renderer of altair gets what it gives, and the library itself sets nothing of altair's."""
    before = alt.renderers.active, alt.data_transformers.active, alt.theme.active
    with alt.renderers.enable("svg"):
        assert set(mix.plot("tasks")._repr_mimebundle_()) == {"image/svg+xml"}
    assert (alt.renderers.active, alt.data_transformers.active, alt.theme.active) == before


def test_unknown_names_are_told():
    """A misspelt chart or knob is answered with the name that was meant, and a chart without knobs says so."""
    mix = mix_of(placed(4), [0])
    with pytest.raises(ConfigError, match="got 'taks', did you mean 'tasks'"):
        draw(mix, "taks")
    with pytest.raises(ConfigError, match="unknown knob 'colour', did you mean 'color'"):
        draw(mix, "map", colour="task")
    with pytest.raises(ConfigError, match="unknown knob 'most', it has none"):
        draw(mix, "tasks", most=3)


@pytest.mark.parametrize(
    ("name", "knobs", "message"),
    [
        ("lengths", {"what": "lines"}, "what='words' or what='tokens', got 'lines'"),
        ("gains", {"what": "all"}, "got 'all'"),
        ("map", {"color": "tsk"}, "did you mean 'task'"),
        ("map", {"method": "tsne"}, "method='pca' or method='umap', got 'tsne'"),
        ("map", {"points": 5001}, "points from 1 to 5,000, got 5001"),
        ("map", {"points": 0}, "got 0"),
    ],
)
def test_knobs_have_ranges(name, knobs, message):
    """A knob out of its range is named with its value and with what was expected."""
    with pytest.raises(ConfigError, match=re.escape(message)):
        draw(mix_of(placed(4), [0]), name, **knobs)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tasks", "the column task"),
        ("answers", "the column answer"),
        ("clusters", "the column cluster"),
        ("yes_no", "the column task and n_yes and n_no"),
        ("concepts", "the column concepts and task"),
        ("gains", "got none from select: facility"),
        ("map", "the column task and x and y"),
    ],
)
def test_what_a_mix_lacks_is_named(name, message):
    """A chart of a mix that lacks its columns or gains says which."""
    with pytest.raises(ConfigError, match=re.escape(message)):
        draw(mix_of(pool_of(3), [0]), name)


def test_a_map_needs_places():
    """A pool that was never embedded has no places, and the map says what to do."""
    pool = placed(4).with_labels(
        pl.DataFrame({"x": [None] * 4, "y": [None] * 4}, schema={"x": pl.Float32, "y": pl.Float32})
    )
    with pytest.raises(ConfigError, match="embed the pool first"):
        draw(mix_of(pool, [0]), "map")


def test_umap_says_what_it_needs(mix, monkeypatch):
    """Without vectors, with too few points or without umap-learn, the map says what to do."""
    bare = replace(mix, pool=replace(mix.pool, vectors=None))
    with pytest.raises(ConfigError, match="needs the vectors"):
        draw(bare, "map", method="umap")
    with pytest.raises(ConfigError, match="needs more than 15 points, got 15"):
        draw(mix, "map", method="umap", points=15)
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingExtra, match="pip install umap-learn"):
        draw(mix, "map", method="umap")


def test_umap_places_the_points(mix, monkeypatch):
    """The same points lie where umap-learn puts the rows of their vectors, with one seed and one thread."""
    asked = []

    class Stub:
        """Takes the first two columns; the real one compiles for half a minute."""

        def __init__(self, **knobs):
            asked.append(knobs)

        def fit_transform(self, vectors):
            return vectors[:, :2]

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Stub))
    points = pl.concat(tables(draw(mix, "map", method="umap", points=60)))
    rows = {key[:12]: row for row, key in enumerate(mix.pool.rows["key"])}
    places = rows_of(mix.pool.vectors, [rows[key] for key in points["key"]])[:, :2]
    assert points.select("x", "y").to_numpy() == pytest.approx(places, abs=6e-4)
    assert set(points["key"]) == set(pl.concat(tables(draw(mix, "map", points=60)))["key"])
    assert (asked[0]["random_state"], asked[0]["n_jobs"], asked[0]["metric"]) == (0, 1, "cosine")
