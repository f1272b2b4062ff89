"""The demo pool: the same bytes for a seed, answers that agree with their scene, and exactly the planted problems."""

from __future__ import annotations

import json
import math
import re
from collections import Counter

import pytest

from recipe.check import check_mix
from recipe.demo import demo_pool, write_demo
from recipe.demo._facts import facts, reasons
from recipe.demo._mix import square_box
from recipe.demo._scenes import Thing, world
from recipe.demo._svit import BOILERPLATE, PLANTED, draw_scenes
from recipe.errors import ConfigError, InputError

IMAGES = 60
SVIT = ("conversation", "complex_reasoning", "referring_qa", "detail_description")
NUMBERS = {word: n for n, word in enumerate(world("world")["numbers"])}
BOX = re.compile(r"\[[^]]*\]")


def contents(folder):
    """Name to bytes of everything that was written."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A demo pool of 60 images."""
    made = tmp_path_factory.mktemp("demo")
    write_demo(made, images=IMAGES, seed=3)
    return made


@pytest.fixture(scope="module")
def pool(folder):
    """Its SVIT part, by file."""
    return {name: json.loads((folder / "svit" / f"{name}.json").read_bytes()) for name in (*SVIT, "image_data")}


@pytest.fixture(scope="module")
def scenes():
    """Its scenes, by image number."""
    return {scene.image: scene for scene in draw_scenes(IMAGES, 3)}


def qas(entries):
    """Image, question and answer of every pair in a file."""
    for entry in entries:
        for talk in entry["conversations"]:
            texts = [turn["value"] for turn in talk["content"]]
            for question, answer in zip(texts[::2], texts[1::2], strict=True):
                yield entry["image_id"], question, answer


def test_a_seed_has_its_bytes(folder, tmp_path):
    """The same seed writes the same bytes, another seed others in every file."""
    for name, seed in (("same", 3), ("other", 4)):
        write_demo(tmp_path / name, images=IMAGES, seed=seed)
    first, same, other = contents(folder), contents(tmp_path / "same"), contents(tmp_path / "other")
    assert same == first
    assert other.keys() == first.keys()
    assert all(other[name] != first[name] for name in first)


def test_a_pool_has_the_samples_it_promises(pool, folder):
    """An image gives three topics of five, fifteen reasons, ten boxes and a description, and planted duplicates."""
    extra = math.ceil(PLANTED["exact duplicate"] * IMAGES)
    talks = {name: [len(talk["content"]) for e in pool[name] for talk in e["conversations"]] for name in SVIT}
    assert talks["conversation"] == [10] * 3 * IMAGES
    assert talks["complex_reasoning"] == [2] * (15 * IMAGES + extra)
    assert talks["referring_qa"] == [2] * 10 * IMAGES
    assert talks["detail_description"] == [2] * (IMAGES + math.ceil(PLANTED["near duplicate"] * IMAGES))
    mix = json.loads((folder / "llava_mix.json").read_bytes())
    assert sum("image" not in record for record in mix) == IMAGES / 4


def test_only_the_planted_is_rejected_or_repeated(pool, folder):
    """Read as a pool, the demo repeats only the planted duplicates, and has only the planted problems."""
    rows = demo_pool(images=IMAGES, seed=3).rows
    planted = {problem: math.ceil(share * IMAGES) for problem, share in PLANTED.items()}
    assert rows.height == sum(len(entry["conversations"]) for name in SVIT for entry in pool[name]) + len(
        json.loads((folder / "llava_mix.json").read_bytes())
    )
    assert rows.height - rows["key"].n_unique() == planted["exact duplicate"]
    problems = Counter(problem.split(":")[0] for problem in rows["problem"].drop_nulls())
    assert problems.keys() == {"bad_box", "no_image_size"}
    assert problems["bad_box"] == planted["malformed box"]


def test_the_mix_obeys_the_trainer(folder):
    """LLaVA's own part has no problem that would stop a run or be trained wrong without an error."""
    assert check_mix(folder / "llava_mix.json") == []


def test_numbers_agree_with_the_scene(pool, scenes):
    """Wherever an answer or a description counts things, the scene has as many."""
    pattern = re.compile(rf"\b({'|'.join(NUMBERS)}) (?:\w+ )?([a-z ]+?)(?=[.,]| in | on | can |$)")
    counted = 0
    for name in ("conversation", "detail_description"):
        for image, question, answer in qas(pool[name]):
            things = {noun: thing.count for thing in scenes[image].things for noun in (thing.noun, thing.plural)}
            numbers = pattern.findall(answer) if "many" in question or name == "detail_description" else []
            for number, noun in numbers:
                if noun in things:
                    counted += 1
                    assert things[noun] == NUMBERS[number], (image, answer)
    assert counted > IMAGES


def test_sides_agree_with_the_boxes(pool, scenes):
    """Whatever is said to be to the left of something has its box there."""
    pattern = re.compile(r"the ([a-zA-Z -]+?) (?:is|are) to the (left|right) of the ([a-zA-Z -]+)\.", re.IGNORECASE)
    found = 0
    for image, _, answer in qas(pool["conversation"]):
        centers = {thing.name: thing.center for thing in scenes[image].groups}
        for one, side, other in pattern.findall(answer):
            if one in centers:
                found += 1
                assert (centers[one] < centers[other]) == (side == "left"), (image, answer)
    assert found > IMAGES / 2


def test_wrong_answers_are_never_true(scenes):
    """The wrong answers of closed questions are false: not the true answer, and no thing in the scene."""
    for scene in scenes.values():
        nouns = {thing.noun for thing in scene.groups}
        for fact in facts(scene):
            assert fact.answer not in fact.wrong
            assert fact.kind != "present" or (fact.answer in nouns and not nouns & set(fact.wrong))
        assert len(reasons(scene)) >= 15


def test_most_closed_questions_are_answered_yes(pool):
    """About seven of ten yes-or-no answers are yes."""
    said = Counter(
        answer.split(",")[0] for name in ("conversation", "referring_qa") for _, _, answer in qas(pool[name])
    )
    asked = said["Yes"] + said["No"]
    assert asked > 300
    assert abs(said["Yes"] / asked - 0.7) < 4 * math.sqrt(0.7 * 0.3 / asked)


def test_every_text_is_filled_and_begins_with_a_capital(pool, folder):
    """No placeholder is left, and no article is wrong before a vowel."""
    texts = [text for name in SVIT for _, *qa in qas(pool[name]) for text in qa if text]
    assert not [text for text in texts if "{" in text or "  " in text or not re.match(r"[A-Z]", text)]
    assert not [text for text in texts if re.search(r"\b[Aa] [aeio]|\b[Aa]n [^aeiou]", text)]
    mix = json.loads((folder / "llava_mix.json").read_bytes())
    assert not [turn for record in mix for turn in record["conversations"] if "{" in turn["value"]]


def test_boxes_are_valid_but_for_the_planted(pool):
    """Every bracket holds four ordered numbers in 0..1, but for one in each image where a broken one was planted."""
    broken = set()
    for image, *texts in qas(pool["referring_qa"]):
        for text in texts:
            for box in BOX.findall(text):
                try:
                    x1, y1, x2, y2 = map(float, box[1:-1].split(", "))
                    assert 0 <= x1 < x2 <= 1
                    assert 0 <= y1 < y2 <= 1
                except ValueError:
                    broken.add((image, box))
    assert len(broken) == math.ceil(PLANTED["malformed box"] * IMAGES)


def test_planted_problems_are_as_frequent_as_documented(pool):
    """Duplicates, near duplicates, empty answers, boilerplate and unknown sizes are as many as the docstring says."""
    expected = {problem: math.ceil(share * IMAGES) for problem, share in PLANTED.items()}
    reasons_asked = Counter(qas(pool["complex_reasoning"]))
    assert sum(n - 1 for n in reasons_asked.values()) == expected["exact duplicate"]
    assert sum(answer == "" for name in SVIT for *_, answer in qas(pool[name])) == expected["empty answer"]
    assert sum(answer == BOILERPLATE for *_, answer in qas(pool["detail_description"])) == expected["boilerplate"]
    assert len({entry["image_id"] for entry in pool["image_data"]}) == IMAGES - expected["no image size"]
    pairs = [list(qas([entry])) for entry in pool["detail_description"] if len(entry["conversations"]) > 1]
    assert len(pairs) == expected["near duplicate"]
    for (_, one, first), (_, other, second) in pairs:
        assert one == other
        changed = [pair for pair in zip(first.split(" "), second.split(" "), strict=True) if pair[0] != pair[1]]
        assert len(changed) == 1


@pytest.mark.parametrize("images", [2])
def test_the_smallest_pools_have_all_problems(images, tmp_path):
    """The smallest pools can be written too, although all problems are on few images."""
    write_demo(tmp_path, images=images)
    assert BOILERPLATE in (tmp_path / "svit" / "detail_description.json").read_text()


def test_square_boxes_by_hand():
    """On a 200 x 100 image the square adds 50 above and below: y becomes (100 y + 50) / 200, x stays."""
    thing = Thing("cat", "cats", "black", ((0.1, 0.2, 0.5, 0.6),))
    assert square_box(thing, (200, 100)) == "[0.10, 0.35, 0.50, 0.55]"


def test_bad_arguments_are_named(tmp_path):
    """No image at all and a folder that cannot be made are errors of one line."""
    with pytest.raises(ConfigError, match="images=0"):
        write_demo(tmp_path, images=0)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be made"):
        write_demo(tmp_path / "file")
