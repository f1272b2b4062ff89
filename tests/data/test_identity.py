"""One picture under several names is one picture, wherever samples are grouped by it."""

import numpy as np
import polars as pl
import pytest
from builders import make_pool
from hypothesis import given
from hypothesis import strategies as st
from strategies import SMALL

from recipe import read_pool, score_pool
from recipe.compare.hold_out import draw_hold_out
from recipe.data.media import Medium, below, coco_number, identity, media_column, shown, spelled
from recipe.stages.balance._strata import image_numbers
from recipe.stages.dedup import exact, near

PARTS = st.sampled_from(["a", "b.c", ".", "", "..", "é", "000000000139", "x_000000000139.jpg", "VizWiz_0", "COCO_1"])
PATHS = st.tuples(st.sampled_from(["", "./", "/", "https://x.org/", ".//"]), st.lists(PARTS, min_size=1, max_size=4))
SEPARATORS = st.sampled_from(["/", "//", "\\", "/./"])
OF_COCO = (
    *("coco/train2017/000000000139.jpg", "train2017/000000000139.jpg", "./coco//val2014/000000000139.jpg"),
    *(
        "COCO_val2014_000000000139.jpg",
        "images/OK-VQA+question_000000000139.jpg",
        "coco\\COCO_train2014_000000000139.jpg",
    ),
)


def of(names):
    """Return the identities of some names."""
    return pl.DataFrame({"image": names}, {"image": pl.String}).select(identity(pl.col("image"))).to_series().to_list()


@given(PATHS, SEPARATORS)
def test_a_path_is_told_by_its_spelling(path, separator):
    """The identity of a name is its path spelled one way, unless it is COCO's; spelling it twice is no change."""
    start, parts = path
    name = start + separator.join(parts)
    (found,) = of([name])
    number = coco_number(spelled(name))
    assert found == (spelled(name) if number is None else f"coco/{number:012}.jpg")
    assert of([found, spelled(name)]) == [found, found]


def test_names_of_coco_are_one():
    """COCO's names of 2014 and 2017, and those made of one, are one picture; other numbers and VizWiz's are not."""
    assert set(of(OF_COCO)) == {"coco/000000000139.jpg"}
    others = [
        "VizWiz_val_000000000139.jpg",
        "vizwiz/000000000139.jpg",
        "vg/139.jpg",
        "a/0000000000139.jpg",
        "a/x139.jpg",
    ]
    assert of([*others, None]) == [*others, None]


@given(
    st.lists(
        st.tuples(st.sampled_from(["a.jpg", "./a.jpg", "b//a.jpg"]), st.sampled_from([None, "b", "/r"])), max_size=3
    )
)
def test_media_are_told_apart_as_their_names_are(pairs):
    """What a sample shows is told by the names of its media in order; one by `image` is the same as in `media`."""
    media = [Medium(path=path, root=root) for path, root in pairs]
    rows = pl.DataFrame({"image": [None]}, {"image": pl.String}).with_columns(media_column([media]))
    names = [below(one.root, one.path) for one in media]
    assert rows.select(shown()).item() == ("\n".join(names) or None)
    if len(names) == 1:
        assert of(names) == [rows.select(shown()).item()]


def asked(name, said="Is there a grey canoe with two oars at the left end of the jetty?"):
    """Return a record of a picture."""
    turns = [{"from": "human", "value": f"<image>\n{said}"}, {"from": "gpt", "value": "Yes"}]
    return {"image": name, "conversations": turns}


@pytest.mark.parametrize("said", ["Is there a grey canoe with two oars at the left end of the jetty?", "Who?"])
def test_the_same_question_about_one_picture_is_asked_once(said):
    """Exact duplicates are those of one picture under all its names, however short; of another they are none."""
    pool = read_pool([*(asked(name, said) for name in OF_COCO), asked("coco/train2017/000000000140.jpg", said)])
    keeper = exact.dedup(pool)
    assert len(set(keeper)) == 2
    assert (keeper[keeper] == keeper).all()
    other = pool.rows["image"].str.contains("140").arg_true()[0]
    assert keeper[other] == other


def test_near_duplicates_are_sought_among_the_names_of_a_picture():
    """Nearly the same words about one picture are a near duplicate under another of its names."""
    said = "Which of the {} old boats on the left shore of the lake in the evening light is red?"
    pool = read_pool([asked(name, said.format(number)) for number, name in enumerate(OF_COCO)])
    assert len(set(near.dedup(pool, threshold=0.8))) == 1


def test_other_videos_are_no_duplicates():
    """The same question about two videos, or about other second pictures, is none; about the same ones it is."""
    said = "What happens to the old wooden boat at the end of the long jetty?"
    talk = [{"role": "user", "content": said}, {"role": "assistant", "content": "It sinks slowly."}]
    both = [{"role": "user", "content": f"<image><image>{said}"}, talk[1]]
    records = [{"messages": talk, "videos": [f"{i}.mp4"]} for i in (1, 2)]
    records += [{"messages": both, "images": ["a.jpg", f"{i}.jpg"]} for i in (1, 2)]
    records += [{"messages": [{"role": "user", "content": said + "!"}, talk[1]], "videos": ["./1.mp4"]}]
    keeper = near.dedup(read_pool(records))
    assert sorted(np.bincount(keeper)[np.unique(keeper)]) == [1, 1, 1, 2]


def test_limits_count_all_names_of_a_picture():
    """Rows of one picture have one number, under whatever name; rows that show nothing have a number each."""
    pool = make_pool(["x"] * 9, image=[*OF_COCO, None, None, "coco/140.jpg"])
    numbers = image_numbers(pool)
    assert len(set(numbers[:6])) == 1
    assert len(set(numbers)) == 4


@pytest.mark.parametrize("seed", range(4))
def test_all_samples_of_a_picture_are_held_out_together(seed):
    """Whichever name a picture has, its rows are held out together, and with it each sample that shows it."""
    media = [None] * 6 + [[Medium(path="coco/000000000139.jpg"), Medium(path=f"{i}.jpg")] for i in range(20)]
    pool = make_pool(["x"] * 46, image=[*OF_COCO, *[None] * 20, *(f"{i}.jpg" for i in range(20))])
    pool = pool.with_labels(media_column([*media, *[None] * 20]).to_frame())
    out = draw_hold_out(pool, 0.4, seed=seed)
    assert len(set(out[:6])) == 1
    assert (out[6:26] == (out[26:] | out[0])).all()
    free = draw_hold_out(pool, 0.4, seed=seed, taken=[np.array([7])])
    assert not free[:26].any()  # all of them show the picture that is taken
    assert not free[27]
    others = np.delete(np.arange(26, 46), 1)
    assert (free[others] == out[others]).all()


def test_one_picture_of_the_cases(cases):
    """The five spellings of the case are one sample."""
    pool = score_pool(cases / "labels" / "c10_paths.json", size=1, embed=SMALL, score=[])
    assert pool.eligible.sum() == 1
    assert len(pool) == 5
