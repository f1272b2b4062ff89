"""Samples to read: random draws, boxes on their images, and views for notebooks in which text stays text."""

from __future__ import annotations

import builtins
import dataclasses
from base64 import b64decode
from html import escape
from io import BytesIO

import numpy as np
import polars as pl
import pytest
from builders import make_pool
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from recipe import Recipe, demo_pool, select_mix
from recipe.data.boxes import padded
from recipe.data.picks import Picks
from recipe.data.problems import PROBLEMS
from recipe.engine.seed import draws
from recipe.errors import ConfigError, InputError, MissingExtra
from recipe.mix.mix import Mix
from recipe.report.sample import frame_of
from recipe.report.sample.boxes import COLORS, Box, find_boxes, pixels, split

EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def mix():
    """A mix of 200 of the demo pool."""
    return select_mix(demo_pool(images=30), size=200)


def mix_of(pool, picked=(0,), boxes="square"):
    """A mix without quotas, for what does not ask for them."""
    return Mix(pool, Picks(np.array(picked, np.int64)), None, Recipe(read={"boxes": boxes}))


def shown(text, *, image="a.jpg", images=None, boxes=None, **columns):
    """One sample with one question, shown."""
    pool = make_pool([[("human", text), ("gpt", "ok")]], image=[image], **columns)
    return mix_of(pool).show("0", images=images, boxes=boxes)


# --- samples -----------------------------------------------------------------------------------------------------


def test_the_first_lots_of_those_that_fit_are_drawn(mix):
    """A sample is a naive draw: of the picks with the labels, those of the smallest numbers, in pick order."""
    keys, rows = mix.keys, mix.pool.rows.to_dicts()
    numbers = dict(zip(keys, draws(keys, seed=3, label="look.sample").tolist(), strict=True))
    task = "conversation"
    fits = [rank for rank, row in enumerate(mix.picks.rows) if rows[row]["task"] == task]
    assert len(fits) > 4
    wanted = sorted(sorted(fits, key=lambda rank: numbers[keys[rank]])[:4])
    got = mix.sample(4, task=task, seed=3)
    assert got["rank"].to_list() == wanted
    assert got["key"].to_list() == [keys[rank] for rank in wanted]
    assert set(got["task"]) == {task}
    assert mix.sample(4, task=task, seed=3).equals(got)
    assert not mix.sample(4, task=task, seed=4).equals(got)


def test_more_samples_hold_the_fewer(mix):
    """The sample of five is part of the sample of twenty, and all is never more than there is."""
    assert set(mix.sample(5)["key"]) < set(mix.sample(20)["key"])
    assert mix.sample(10**6)["key"].to_list() == mix.keys
    assert mix.sample(0).height == 0


@pytest.mark.parametrize("name", ["task", "answer", "source", "cluster", "concept"])
def test_every_filter_keeps_what_has_the_value(mix, name):
    """Each filter gives exactly the picks that have the value, whatever type the user writes it in."""
    column = {"concept": "concepts"}.get(name, name)
    labels = mix.pool.rows[column].gather(mix.picks.rows).to_list()
    value = next(label for label in labels if label)
    value = value[0] if isinstance(value, list) else value
    has = [value in label if isinstance(label, list) else value == label for label in labels]
    assert mix.sample(1000, **{name: value})["rank"].to_list() == [rank for rank, yes in enumerate(has) if yes]


def test_a_sample_tells_the_first_question_and_its_answer_whole():
    """`<image>` is left out, nothing is cut, turns are counted, and a sample without an answer has none."""
    long = "why " * 500
    pool = make_pool([[("human", f"<image>\n{long}"), ("gpt", "so"), ("human", "b"), ("gpt", "c")], [("human", "x")]])
    first, second = mix_of(pool, (0, 1)).sample().select("question", "answer_text", "n_turns").rows()
    assert first == (long.strip(), "so", 4)
    assert second == ("x", None, 1)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"tsk": "ocr"}, r"got tsk=...; did you mean 'task'\?"),
        ({"task": "conversatoin"}, r"got task='conversatoin'; did you mean 'conversation'\?"),
        ({"cluster": 99_999}, r"got cluster=99999; known: 0 to \d+"),
        ({"concept": "mme/colour"}, r"got concept='mme/colour'; did you mean 'mme/color'\?"),
        ({"n": -1}, r"got n=-1"),
    ],
)
def test_what_no_sample_has_is_refused(mix, where, message):
    """An unknown filter or value is an error that names what was meant."""
    with pytest.raises(ConfigError, match=message):
        mix.sample(**where)


def test_filters_together_may_leave_nothing():
    """Two values that samples have, but none has both, give an empty table with all its columns."""
    pool = make_pool(["a", "b"], task=["ocr", "caption"], answer=["yes", "no"])
    assert mix_of(pool, (0, 1)).sample(task="ocr", answer="no").height == 0
    assert mix_of(pool, (0, 1)).sample(task="ocr", answer="no").columns[:3] == ["rank", "key", "task"]


def test_a_pool_is_sampled_too():
    """A pool samples all its rows, shows their problems, and raises if a label was not attached."""
    pool = make_pool(["a", "b", "c"], source=["x", "y", "x"], problem=[None, None, "L06"])
    assert pool.sample(source="x")["problem"].to_list() == [None, "L06"]
    assert pool.sample(2, seed=1)["key"].is_in(pool.rows["key"].to_list()).all()
    with pytest.raises(ConfigError, match="with the column cluster, got none"):
        pool.sample(cluster=1)


# --- boxes -------------------------------------------------------------------------------------------------------

CORNERS = st.tuples(*[st.integers(0, 499)] * 2, *[st.integers(500, 1000)] * 2).map(lambda b: tuple(v / 1000 for v in b))


def test_boxes_by_hand():
    """Boxes are numbered as they are first named; the same box keeps its number; the words before it are its phrase."""
    texts = ["<image>\nIs a cat [0.1, .2, 0.5, 1]?", "No. The big dog: [0,0,0.5,0.5], the cat [0.10, 0.2, 0.5, 1.0]."]
    assert find_boxes(texts) == [
        Box(1, (0.1, 0.2, 0.5, 1.0), "Is a cat"),
        Box(2, (0.0, 0.0, 0.5, 0.5), "The big dog"),
    ]
    pieces = split(texts[1], find_boxes(texts))
    assert [(piece, box and box.number) for piece, box in pieces] == [
        ("No. The big dog: ", None),
        ("[0,0,0.5,0.5]", 2),
        (", the cat ", None),
        ("[0.10, 0.2, 0.5, 1.0]", 1),
        (".", None),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "[10, 20, 30, 40]",
        "[0.5, 0, 0.1, 1]",
        "[0, 0, 0, 1]",
        "[0.12.3, 0.1, 0.5, 0.9]",
        "[1, 2]",
        "[sic]",
        "(0, 0, 1, 1)",
    ],
)
def test_other_brackets_are_text(text):
    """Pixels, swapped corners, boxes of no area and brackets that hold no four numbers are no boxes."""
    assert find_boxes([text]) == []
    assert split(text, []) == [(text, None)]


@given(st.text(max_size=30), st.text(max_size=30), CORNERS)
def test_cutting_a_text_loses_nothing(before, after, corners):
    """The pieces of a text are the text, and what is marked as a box is one."""
    text = f"{before}{list(corners)}{after}"
    boxes = find_boxes([text])
    assert "".join(piece for piece, _ in split(text, boxes)) == text
    assert [box for _, box in split(text, boxes) if box and box.corners == corners]


@given(CORNERS, st.tuples(st.integers(1, 4000), st.integers(1, 4000)))
def test_a_box_on_the_square_comes_back_to_where_it_was(corners, size):
    """A box that was moved onto the padded square lies in the pixels that it had on the image."""
    there = pixels(Box(1, padded(corners, size), ""), size, square=True)
    assert there == pytest.approx([v * size[i % 2] for i, v in enumerate(corners)], abs=1e-6)


def test_a_box_on_the_padding_is_not_on_the_image():
    """200 x 100 lies on rows 50 to 150 of its square: a box above y of 0.25 is off the image, one across is cut."""
    assert pixels(Box(1, (0.0, 0.0, 1.0, 0.25), ""), (200, 100), square=True) is None
    assert pixels(Box(1, (0.0, 0.0, 1.0, 0.5), ""), (200, 100), square=True) == (0.0, 0.0, 200.0, 50.0)


@pytest.mark.parametrize(
    ("size", "there", "text", "frame"),
    [
        # 400 x 200 on a square of 400: 100 rows above. x 100..300 are 0.25..0.75, y 50..150 are 150/400 .. 250/400.
        ((400, 200), (100, 50, 300, 150), "[0.25, 0.375, 0.75, 0.625]", "square"),
        ((400, 200), (100, 50, 300, 150), "[0.25, 0.25, 0.75, 0.75]", "keep"),
        # 200 x 400: 100 columns before. x 50..150 are 150/400 .. 250/400, y 100..300 are 0.25 .. 0.75.
        ((200, 400), (50, 100, 150, 300), "[0.375, 0.25, 0.625, 0.75]", "square"),
        ((200, 400), (50, 100, 150, 300), "[0.25, 0.25, 0.75, 0.75]", "keep"),
    ],
)
def test_the_drawn_box_lies_on_the_thing(tmp_path, size, there, text, frame):
    """The box of a grey rectangle is drawn along its edge, on landscape and portrait, in either frame."""
    picture = Image.new("RGB", size, "black")
    ImageDraw.Draw(picture).rectangle((there[0], there[1], there[2] - 1, there[3] - 1), fill="gray")
    picture.save(tmp_path / "a.png")
    found = shown(f"a thing {text}", image="a.png", images=tmp_path, boxes=frame)
    pixel = np.asarray(found.image)
    line = tuple(int(COLORS[0][at : at + 2], 16) for at in (1, 3, 5))
    y, x = np.nonzero((pixel == line).all(axis=2))
    assert (x.min(), y.min(), x.max(), y.max()) == (there[0], there[1], there[2] - 1, there[3] - 1)
    middle = (there[0] + there[2]) // 2, (there[1] + there[3]) // 2
    assert found.image.size == size
    assert found.image.getpixel((5, 5)) == (0, 0, 0)
    assert found.image.getpixel(middle) == (128, 128, 128)
    assert Image.open(tmp_path / "a.png").tobytes() == picture.tobytes()


@pytest.mark.parametrize("read", ["square", "keep"])
def test_svit_boxes_lie_where_the_recipe_put_them(read):
    """SVIT's boxes follow `read.boxes`, those of records with a task name are on the image, others on the square."""
    ids, names = ["svit_referring_qa_7_0", "a", "b"], ["referring_qa", "RefCOCO+region_expression", None]
    pool = make_pool(["[0, 0, 1, 1]"] * 3, id=ids, task_name=names)
    mix = mix_of(pool, boxes=read)
    assert [mix.show(key).frame for key in pool.rows["key"]] == [read, "keep", "square"]
    assert frame_of({"id": "svit_referring_qa_7_0", "task_name": None}, read) == "square"  # a mix that was read again


# --- images ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.png", "P"), ("a.png", "RGBA"), ("a.png", "1"), ("a.png", "LA"), ("a.jpg", "CMYK"), ("a.jpg", "L")],
)
def test_images_of_any_mode_are_shown(tmp_path, name, mode):
    """Palettes, transparency, bilevel, grey and CMYK become RGB, and a card holds them."""
    Image.new("RGB", (40, 30), "red").convert(mode).save(tmp_path / name)
    found = shown("a [0, 0.2, 1, 0.8]", image=name, images=tmp_path)
    assert (found.image.mode, found.image.size, found.note) == ("RGB", (40, 30), "")
    assert "data:image/jpeg" in found._repr_html_()


def test_an_image_stands_as_the_trainer_opens_it(tmp_path):
    """LLaVA does not turn an image as its EXIF data ask, and SVIT's boxes lie on the stored pixels: so is it shown."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(tmp_path / "a.jpg", exif=exif)
    found = shown("a [0, 0, 1, 1]", images=tmp_path)
    assert found.image.size == (40, 20)
    assert "EXIF" in found.note
    assert "EXIF" in found._repr_html_()
    inside = picture_of(found)
    assert inside.size == (40, 20)
    assert not inside.getexif()


def picture_of(found):
    """Return the image inside a card."""
    coded = found._repr_html_().split("data:image/jpeg;base64,")[1].split('"')[0]
    return Image.open(BytesIO(b64decode(coded)))


def test_a_card_holds_a_small_picture(tmp_path):
    """A large image is at most 800 pixels wide in the card, and whole in `image`."""
    Image.new("RGB", (2000, 1000)).save(tmp_path / "a.jpg")
    found = shown("What?", images=tmp_path)
    assert found.image.size == (2000, 1000)
    assert picture_of(found).size == (800, 400)


@pytest.mark.parametrize(
    ("name", "made", "message"),
    [
        ("a.jpg", "truncated", "a.jpg cannot be decoded: image file is truncated"),
        ("a.jpg", "text", "a.jpg cannot be decoded: cannot identify"),
        ("gone.jpg", None, "gone.jpg is not in "),
        ("/etc/passwd", None, "leads out of the image folder"),
        ("../a.jpg", "outside", "leads out of the image folder"),
        ("a\x00.jpg", None, "a\x00.jpg"),
    ],
)
def test_an_image_that_cannot_be_shown_says_why(tmp_path, name, made, message):
    """A missing, damaged or foreign file leaves the text and a note; nothing outside the folder is opened."""
    folder = tmp_path / "images"
    folder.mkdir()
    noise = BytesIO()
    Image.effect_noise((200, 200), 90).save(noise, "JPEG")
    if made is not None:
        (folder / name).write_bytes({"truncated": noise.getvalue()[:3000], "text": b"no"}.get(made, noise.getvalue()))
    found = shown("What?", image=name, images=folder)
    assert found.image is None
    assert message in found.note
    assert message.split(":")[0] in repr(found)
    assert "<img" not in found._repr_html_()


def test_a_folder_that_is_none_is_refused(tmp_path):
    """A folder that is not there is the user's error, not the sample's."""
    with pytest.raises(InputError, match=r"images: expected the folder of the images, got images='.*gone'"):
        shown("What?", images=tmp_path / "gone")


def test_pillow_is_asked_for_where_an_image_is_drawn(tmp_path, monkeypatch):
    """Without Pillow text is shown, boxes are found, and an image says how to install it."""
    Image.new("RGB", (4, 4)).save(tmp_path / "a.jpg")
    there = builtins.__import__

    def without(name, *rest):
        """Import anything but Pillow."""
        if name.split(".")[0] == "PIL":
            raise ImportError(name)
        return there(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert len(shown("a [0, 0, 1, 1]").boxes) == 1
    assert shown("a", image=None, images=tmp_path).image is None
    with pytest.raises(MissingExtra, match=r"pip install 'vlm-recipe\[images\]'"):
        shown("a [0, 0, 1, 1]", images=tmp_path)


# --- views -------------------------------------------------------------------------------------------------------


def test_a_card_marks_boxes_as_the_picture_does():
    """Number and color of a box are before its text, and again beside its phrase."""
    page = shown("The cat [0, 0, 0.5, 1] and the dog [0.5, 0, 1, 1].")._repr_html_()
    for number, color in ((1, COLORS[0]), (2, COLORS[1])):
        assert page.count(f'background:{color}">{number}</span>') == 2
    assert "and the dog</div>" in page


def test_text_is_text_in_a_card(tmp_path):
    """Whatever a sample, its labels or its file is called is escaped; quotes end no attribute."""
    name = 'a" onerror="x.png'
    Image.new("RGB", (4, 4)).save(tmp_path / name)
    found = shown(f"{EVIL} [0, 0, 1, 1]", image=name, images=tmp_path, task=[EVIL], concepts=[[EVIL]], id=[EVIL])
    page = found._repr_html_()
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 4
    assert 'onerror="' not in page
    assert EVIL in repr(found)


def test_a_card_says_why(mix):
    """A pick shows its rank and gains, another sample its representative, a rejected one what is wrong with it."""
    first = mix.show(mix.keys[7])
    assert first.why.startswith("pick 7 of 200, counted from 0; it added coverage ")
    rows = mix.pool.rows
    other = rows.filter(
        ~pl.col("row").is_in(mix.picks.rows) & pl.col("nearest").is_not_null() & pl.col("problem").is_null()
    )
    assert rows["key"][other["nearest"][0]] in mix.show(other["key"][0]).why
    refused = rows.filter(pl.col("problem").str.starts_with("W06"))["key"][0]
    assert PROBLEMS["W06"].what in mix.show(refused).why
    assert mix.show(mix.keys[7][:12]).key == mix.keys[7]


def test_a_mix_shows_its_counts_beside_those_of_the_pool(mix):
    """Each line of the tables holds what naive counting gives, and the codes of rejected samples say what they mean."""
    page, rows = mix._repr_html_(), mix.pool.rows
    tasks = rows["task"].to_list()
    for task in set(tasks):
        ours, theirs = sum(tasks[row] == task for row in mix.picks.rows), tasks.count(task)
        cells = [f"{ours:,}", f"{ours / len(mix):.1%}", f"{theirs:,}", f"{theirs / len(rows):.1%}"]
        line = next(line for line in page.split("<tr>") if f">{task}</th>" in line)
        assert [cell.split("<")[0] for cell in line.split('<td style="text-align:right">')[1:]] == cells
    for code in set(rows["problem"].drop_nulls().str.split(":").list.first()):
        assert escape(PROBLEMS[code].what) in page
    assert "<style" not in page
    assert "color" not in page


def test_a_pool_shows_what_it_holds():
    """A pool says its samples, sources, problems and vectors, and its tasks once tagged; its text is not touched."""
    pool = make_pool(["a", "b", "c"], source=["x", "y", "x"], problem=[None, "dup:0a", "dup:0b"])
    assert repr(pool).splitlines() == [
        "pool         3 samples, 1 eligible",
        "sources      x 2, y 1",
        "vectors      none",
        "rejected     dup 2",
    ]
    assert PROBLEMS["dup"].what in pool._repr_html_()
    tagged = pool.with_labels(pl.DataFrame({"task": [EVIL, EVIL, "ocr"]})).with_vectors(np.eye(3, dtype=np.float32))
    assert "3 x 3" in repr(tagged)
    assert "ocr 1" in repr(tagged)
    assert "<script" not in tagged._repr_html_()
    bare = dataclasses.replace(tagged, rows=tagged.rows.with_columns(turns=pl.lit(None, pool.rows["turns"].dtype)))
    assert (repr(bare), bare._repr_html_()) == (repr(tagged), tagged._repr_html_())


def test_many_values_are_one_line():
    """Of many sources the most frequent are listed, and the rest is summed up."""
    pool = make_pool(["a"] * 41, source=[f"{at // 2:02d}" for at in range(41)])
    assert "7 others" in pool._repr_html_()
    assert "and 7 more" in repr(pool)


@pytest.mark.parametrize("view", ["repr", "_repr_html_"])
def test_a_mix_without_labels_is_shown(view):
    """A mix whose pool lacks labels shows what there is."""
    mix = mix_of(make_pool(["a", "b"]))
    assert "1 of 2" in (repr(mix) if view == "repr" else mix._repr_html_())
