"""Exclusion: samples of a benchmark are found, no others are, and each hit names its place."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import warnings
from collections import Counter

import numpy as np
import polars as pl
import pytest
from builders import make_pool
from hypothesis import given
from hypothesis import strategies as st

from recipe import read_pool, select_mix
from recipe.data.media import media_column
from recipe.data.problems import PROBLEMS, code_of
from recipe.data.prompts import FORMAT_PROMPTS
from recipe.data.words import words_of
from recipe.errors import ConfigError, InputError, ShortQuestions
from recipe.io.cache import open_store
from recipe.stages import checkpoint
from recipe.stages.exclude._leaks import find_leaks
from recipe.stages.exclude._questions import read_questions
from recipe.stages.exclude.images import find_images, index_names
from recipe.stages.exclude.ngram import Runs
from recipe.stages.exclude.similar import FEWEST, Bags

LONG = "Which of the old wooden boats on the left shore of the lake has lost its second oar?"  # 18 words
SHORT = "What color is the car?"


def leaks(pool, **knobs):
    """The problems of a pool in memory; by default nothing is searched for."""
    options = {"images": (), "questions": (), "ngram": 13, "similarity": 0.95, **knobs}
    return find_leaks(pool, **options).to_list()


def benchmark(folder, *records, name="bench.json"):
    """Write records as a file of questions and return its path."""
    file = folder / name
    file.write_text(json.dumps(list(records)))
    return str(file)


def plain(text):
    """The words of a text, by Python's own regular expressions."""
    return re.findall(r"\w+", text.lower(), re.ASCII)


# runs of words


def shared(texts, questions, n):
    """The first question that each text shares n words in a row with, by sets of tuples."""
    runs = [{tuple(w[i : i + n]) for i in range(len(w) - n + 1)} for w in map(plain, texts + questions)]
    mine, known = runs[: len(texts)], runs[len(texts) :]
    return [next((q for q, those in enumerate(known) if run & those), -1) for run in mine]


few_words = st.lists(st.lists(st.sampled_from(["a", "B", "cat", "b", "Dog!"]), max_size=9).map(" ".join), max_size=6)


@given(few_words, few_words, st.integers(1, 4))
def test_runs_are_those_of_sets(texts, questions, n):
    """The first question that shares n words in a row is that of a search by sets of tuples."""
    found = Runs.of(pl.Series(questions, dtype=pl.String), n).find(
        words_of(pl.Series(texts, dtype=pl.String), letters=True)
    )
    assert found.tolist() == shared(texts, questions, n)


@given(few_words, few_words, st.integers(1, 3))
def test_no_run_is_found_by_a_collision(texts, questions, n):
    """Where all hashes collide the words themselves still decide."""
    known, words = (words_of(pl.Series(values, dtype=pl.String), letters=True) for values in (questions, texts))
    known, words = (one._replace(hashes=np.zeros_like(one.hashes)) for one in (known, words))
    assert Runs.of_words(known, n).find(words).tolist() == shared(texts, questions, n)


def test_a_run_lies_within_one_turn(tmp_path):
    """Words of two turns are no run, and those of an answer count as those of a question do."""
    file = benchmark(tmp_path, {"question": "one two three four five six"})
    cut = [("human", "one two three"), ("gpt", "four five six")]
    pool = make_pool([cut, [("human", "so?"), ("gpt", "I say one, two, THREE four five!")]])
    assert leaks(pool, questions=(file,), ngram=5, similarity=None) == [None, "bench_ngram:bench.json:0"]


def test_prompts_for_a_format_are_no_leak(tmp_path):
    """Instructions on how to answer are in all samples of a source, and are removed before words are compared."""
    prompt = "{}\nA. yes\nB. no\nAnswer with the option's letter from the given choices directly."
    file = benchmark(tmp_path, {"text": prompt.format("Do moths sleep by day?")})
    pool = make_pool([prompt.format("Do cats bark?"), prompt.format("Do moths sleep by day?")])
    found = leaks(pool, questions=(file,), ngram=8, similarity=None, prompts=FORMAT_PROMPTS)
    assert found == [None, "bench_ngram:bench.json:0"]
    assert leaks(pool, questions=(file,), ngram=8, similarity=None)[0] is not None


# bags of words


def cosines(texts, questions):
    """Cosines of tf-idf bags by dictionaries, texts by questions; idf is counted over different bags of questions."""
    bags = [Counter(plain(question)) for question in questions]
    different = {tuple(sorted(bag.items())) for bag in bags if bag}
    found = Counter(word for bag in different for word, _ in bag)

    def vector(bag):
        """Weigh a bag and scale it to length one."""
        weighed = {w: (1 + math.log(c)) * (math.log((1 + len(different)) / (1 + found[w])) + 1) for w, c in bag.items()}
        length = math.sqrt(sum(value**2 for value in weighed.values()))
        return {word: value / length for word, value in weighed.items()}

    mine, known = [vector(Counter(plain(text))) for text in texts], [vector(bag) for bag in bags]
    return [[sum(a[w] * b.get(w, 0) for w in a) for b in known] for a in mine]


@given(few_words, few_words, st.sampled_from([0.3, 0.6, 0.9, 0.95, 1.0]))
def test_bags_are_those_of_dictionaries(texts, questions, least):
    """Every pair whose cosine reaches the least one is found, and no other, as by dictionaries of words."""
    bags = Bags.of(pl.Series(questions, dtype=pl.String), least)
    pairs = set(zip(*(found.tolist() for found in bags.find(words_of(pl.Series(texts, dtype=pl.String)))), strict=True))
    for text, row in enumerate(cosines(texts, questions)):
        for question, cosine in enumerate(row):
            if abs(cosine - least) > 1e-6 or cosine > 1 - 1e-6:
                bag = int(bags.of_question[question])
                assert ((text, bag) in pairs) == (bag >= 0 and cosine >= least - 1e-6)


def test_other_words_in_another_order_are_found(tmp_path):
    """The same words in another order share no run of 13, but are the same question; three others of 18 are not."""
    file = benchmark(tmp_path, {"question": LONG})
    turned = "On the left shore of the lake, which of the old wooden boats has lost its second oar?"
    other = "Which of the new wooden boats on the right shore of the lake has lost its second sail?"
    pool = make_pool([turned, LONG.lower(), other, [("human", "And?"), ("gpt", turned)]])
    found = leaks(pool, questions=(file,))
    assert found == ["bench_similar:bench.json:0", "bench_ngram:bench.json:0", None, None]
    assert leaks(pool, questions=(file,), ngram=None)[1] == "bench_similar:bench.json:0"
    assert leaks(pool, questions=(file,), similarity=None)[0] is None


def test_a_short_question_needs_its_image(tmp_path):
    """A question with few content words fits many images, and counts only for the image it is about."""
    file = benchmark(
        tmp_path,
        {"question": SHORT, "image": "other.jpg"},
        {"question": SHORT, "image": "COCO_val2014_000000000007.jpg"},
    )
    images = ["coco/train2017/000000000007.jpg", "coco/000000000008.jpg", None, "a/other.jpg"]
    found = leaks(make_pool([SHORT] * 4, image=images), questions=(file,))
    assert found == ["bench_similar:bench.json:1", None, None, "bench_similar:bench.json:0"]
    nameless = benchmark(tmp_path, {"question": SHORT}, name="nameless.json")
    with pytest.warns(ShortQuestions, match=r"1 of 1 benchmark questions are too short .*1 are shorter .*ngram=13"):
        assert leaks(make_pool([SHORT] * 4, image=images), questions=(nameless,)) == [None] * 4


@pytest.mark.parametrize(("words", "few"), [(FEWEST - 1, True), (FEWEST, False)])
def test_content_words_are_counted(words, few):
    """The bound is on different words that are not among the common ones."""
    text = " ".join(
        ["what is in the picture of a", *["horse", "bridge", "lantern", "snow", "violin", "kettle"][:words]]
    )
    assert Bags.of(pl.Series([f"{text} horse?"]), 0.9).few.tolist() == [few]


def test_a_question_of_one_run_is_long_enough(tmp_path):
    """A question of 18 words is looked for by runs of 18 and found; by runs of 19 it is too short, and that is said."""
    file, asked = benchmark(tmp_path, {"question": LONG}), make_pool([LONG])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert leaks(asked, questions=(file,), ngram=18, similarity=None) == ["bench_ngram:bench.json:0"]
    with pytest.warns(ShortQuestions, match=r"1 of 1 benchmark questions are too short"):
        assert leaks(asked, questions=(file,), ngram=19, similarity=None) == [None]


def test_no_warning_where_all_can_be_found(tmp_path):
    """Questions that are long enough, or have their images, give no warning."""
    file = benchmark(tmp_path, {"question": LONG}, {"question": SHORT, "image_id": 7})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert leaks(make_pool([SHORT], image=["vg/7.jpg"]), questions=(file,)) == ["bench_similar:bench.json:1"]


# images


@pytest.mark.parametrize(
    ("name", "image", "meant"),
    [
        ("123456", "coco/train2017/000000123456.jpg", True),
        ("000000123456", "123456.jpg", True),
        ("8", "VG_100K/8.jpg", True),
        ("8", "VG_100K/18.jpg", False),
        ("8", "a/image8.jpg", False),
        ("8", "COCO_train2014_000000000008.jpg", False),  # its stem is no number
        ("8", "8/a.jpg", False),
        ("photo_8", "x/photo_8.png", True),
        ("photo_8", "x/photo_8.extra.png", False),
        ("a/b.jpg", "data/a/b.jpg", True),
        ("./a/b.jpg", "a/b.jpg", True),
        ("a\\b.jpg", "data/a/b.jpg", True),
        ("b.jpg", "data/a/b.jpg", True),
        ("b.jpg", "data/a/ab.jpg", False),  # no border
        ("a/b.jpg", "b.jpg", False),
        ("a/b.jpg", "a/b.png", False),
        ("COCO_val2014_000000000139.jpg", "coco/val2017/000000000139.jpg", True),
        ("COCO_val2014_000000000139", "coco/val2017/000000000139.jpg", True),
        ("000000000139.jpg", "OK-VQA+question_answer_000000000139.jpg", True),
        ("000000000139.jpg", "VizWiz_train_000000000139.jpg", False),
        ("000000000139.jpg", "vg/139.jpg", False),  # another data set's number
    ],
)
def test_images_meant(name, image, meant):
    """An id is a stem or a number, a path is the end of a path, and COCO's names of one picture are one."""
    rows = pl.DataFrame({"image": [None, image]}).with_columns(media_column([None, None]))
    assert find_images(rows, index_names([(name, "here")])).to_list() == [None, "here" if meant else None]


def test_images_by_line_and_by_name(tmp_path):
    """A hit in a list names file and line, the first one if there are several; a name stands for itself."""
    file = tmp_path / "held_out.txt"
    file.write_text("12\n\n 7 \nb/8.jpg\n8\n")
    pool = make_pool(["x"] * 4, image=["b/8.jpg", "7.jpg", "9.jpg", None])
    found = leaks(pool, images=(str(file), "9"))
    assert found == ["bench_image:held_out.txt:4", "bench_image:held_out.txt:3", "bench_image:9", None]


# files


TALK = [{"from": "human", "value": "<image> A?"}, {"from": "gpt", "value": "b"}, {"from": "human", "value": "C?"}]
SCIENCE = {"question": "Which?", "choices": ["x", "y"], "hint": "Look.", "image": "image.png"}
PICTURE = "Q" * 4000  # a picture in a table
SHAPES = {
    "a text file": ("q.txt", "Who?\n\nWhere?\n", [(1, "Who?", "Who?", None), (3, "Where?", "Where?", None)]),
    "JSON Lines": (
        "q.jsonl",
        '{"text": "Who?", "image": "a.jpg"}\n\n"Why?"\n',
        [(0, "Who?", "Who?", "a.jpg"), (1, "Why?", "Why?", None)],
    ),
    "JSON Lines called JSON, as POPE's": (
        "q.json",
        '{"text": "A?"}\n{"text": "B?"}\n',
        [(0, "A?", "A?", None), (1, "B?", "B?", None)],
    ),
    "VQAv2": (
        "q.json",
        '{"info": {}, "questions": [{"image_id": 42, "question": "Who?"}]}',
        [(0, "Who?", "Who?", "42")],
    ),
    "ScienceQA": ("q.json", json.dumps({"5": SCIENCE}), [(0, "Which?", "Look.\nWhich?\nA. x\nB. y", None)]),
    "LLaVA": (
        "q.json",
        json.dumps([{"image": "a.jpg", "conversations": TALK}]),
        [(0, "<image> A?", "<image> A?", "a.jpg"), (0, "C?", "C?", "a.jpg")],
    ),
    "one record": ("q.json", '{"Question": "Who?", "options": {"a": "he"}}', [(0, "Who?", "Who?\na. he", None)]),
    "MMBench": (
        "q.tsv",
        f"index\tquestion\thint\tA\tB\timage\n7\tWho?\tnone\the\tshe\t{PICTURE}\n",
        [(0, "Who?", "none\nWho?\nA. he\nB. she", None)],
    ),
    "a table": ("q.csv", 'prompt,image_id\n"Who, me?",0012\n', [(0, "Who, me?", "Who, me?", "0012")]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_of_benchmarks(tmp_path, shape):
    """Question, context, options, image and place are found in the usual formats of benchmarks."""
    name, text, expected = SHAPES[shape]
    (tmp_path / name).write_text(text)
    read = [(f"{name}:{number}", *rest) for number, *rest in expected]
    assert [tuple(question) for question in read_questions(str(tmp_path / name))] == read


BAD = {
    "a missing file": ("questions", "gone.json", None, "cannot be read"),
    "a missing list": ("images", "gone.txt", None, "cannot be read"),
    "broken JSON": ("questions", "q.json", b'[{"question": "a"', "line 1"),
    "a record without a question": ("questions", "q.json", b'[{"question": "a"}, {"answer": "b"}]', "record 1"),
    "a number": ("questions", "q.json", b"[1]", "record 0"),
    "an empty file": ("questions", "q.txt", b"\n", "found none"),
    "an empty array": ("questions", "q.json", b"[]", "found none"),
    "bytes that are no text": ("questions", "q.txt", b"\xff\xfe\x00", "UTF-8"),
    "a table without a question": ("questions", "q.csv", b"a,b\n1,2\n", "expected"),
    "an empty table": ("questions", "q.tsv", b"", "expected"),
    "an empty list": ("images", "i.txt", b"", "empty"),
    "a list of another kind": ("images", "i.parquet", b"PAR1", "text file"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_errors_of_one_line(tmp_path, case):
    """A benchmark that cannot be read is an error of one line that names the file and what is wrong."""
    knob, name, content, what = BAD[case]
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        leaks(make_pool(["x"]), **{knob: (str(file),)})
    assert name in str(caught.value)
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)


def test_questions_without_a_search(tmp_path):
    """Questions without any search switched on are an error."""
    file = benchmark(tmp_path, {"question": LONG})
    with pytest.raises(ConfigError, match="ngram and similarity are both null"):
        leaks(make_pool(["x"]), questions=(file,), ngram=None, similarity=None)


def test_nothing_of_an_empty_pool(tmp_path):
    """A pool of no samples has no leaks."""
    assert leaks(make_pool([]), questions=(benchmark(tmp_path, {"question": LONG}),), images=("1",)) == []


# the whole way


def write_pool(folder, questions):
    """Write samples of one question each, image by image, and return the file."""
    records = []
    for number, (question, image) in enumerate(questions):
        answer = f"It is number {number % 3}."
        turns = [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
        records.append({"id": str(number), "image": image, "conversations": turns})
    (folder / "pool.json").write_text(json.dumps(records))
    return folder / "pool.json"


def make_questions(n=40):
    """Questions of a small pool: three are a benchmark's, of one image, and two of these have the same answer."""
    rest = [(f"What is the name of thing {i} beside tree {i * 7}?", f"{i}.jpg") for i in range(4, n)]
    return [(LONG, "0.jpg"), (LONG, "0.jpg"), ("Where is the old tree?", "3.jpg"), (LONG, "0.jpg"), *rest]


def test_a_leak_is_refused_and_listed(tmp_path):
    """Leaks are counted by code, listed with place and meaning, and never picked, and neither are their duplicates."""
    pool = write_pool(tmp_path, make_questions())
    (tmp_path / "ids.txt").write_text("99\n5\n")
    exclude = {"questions": (benchmark(tmp_path, {"question": LONG}),), "images": (str(tmp_path / "ids.txt"),)}
    mix = select_mix(pool, size=36, exclude=exclude)
    assert {name: n for name, n in mix.counts.items() if name.startswith("rejected")} == {
        "rejected bench_image": 1,
        "rejected bench_ngram": 3,
    }
    assert not {"0.jpg", "5.jpg"} & set(mix.pool.rows["image"].gather(mix.picks.rows))
    assert mix.stats().rejected == {"bench_image": 1, "bench_ngram": 3}
    mix.write(tmp_path / "mix.json")
    lines = [json.loads(line) for line in (tmp_path / "mix.rejects.jsonl").read_text().splitlines()]
    listed = {(line["code"], line["detail"]) for line in lines}
    assert listed == {("bench_image", "ids.txt:2"), ("bench_ngram", "bench.json:0")}
    assert all(line["message"] == "; ".join(PROBLEMS[line["code"]]) for line in lines)
    manifest = json.loads((tmp_path / "mix.manifest.json").read_text())
    assert {name.rpartition("/")[2] for name in manifest["files"]} == {"ids.txt", "bench.json"}


def test_parts_on_disk_say_the_same(tmp_path, monkeypatch):
    """A pool in files has the same leaks as one in memory, and blocks do not matter."""
    questions = make_questions(200)
    pool = read_pool(write_pool(tmp_path, questions))
    file = benchmark(tmp_path, {"question": LONG}, *({"question": q, "image": i} for q, i in questions[50:60]))
    knobs = {"images": ("7", "8.jpg"), "questions": (file,)}
    expected = leaks(pool, **knobs)
    assert Counter(code_of(one) for one in expected if one) == {"bench_image": 2, "bench_ngram": 3, "bench_similar": 10}
    stored = read_pool(tmp_path / "pool.json", store=open_store(tmp_path / "cache"))
    assert find_leaks(checkpoint.enter(stored, "exclude"), **knobs).to_list() == expected
    monkeypatch.setattr("recipe.stages.exclude._leaks.BLOCK", 7)
    assert leaks(pool, **knobs) == expected


def test_a_benchmark_that_changed_is_read_again(tmp_path):
    """With a cache, changed content under the same name is searched again, and known content is not."""
    pool, cache = write_pool(tmp_path, make_questions()), tmp_path / "cache"

    def refused(image):
        """Exclude an image and count the stages that the cache holds."""
        (tmp_path / "ids.txt").write_text(image)
        mix = select_mix(pool, size=5, cache=cache, exclude={"images": (str(tmp_path / "ids.txt"),)})
        hit = mix.pool.rows.filter(pl.col("problem").str.starts_with("bench"))
        return hit["image"].to_list(), len(list(cache.glob("exclude-*")))

    assert refused("5") == (["5.jpg"], 1)
    assert refused("6") == (["6.jpg"], 2)
    assert refused("5") == (["5.jpg"], 2)


def test_svit_s_own_held_out_images(real_data):
    """Of SVIT-shaped samples, exactly those whose image stands in SVIT's list are refused."""
    pool = read_pool(real_data / "quirks" / "svit_test_image_ids.json")
    listed = set((real_data / "svit" / "test_image_ids.txt").read_text().split())
    found = leaks(pool, images=(str(real_data / "svit" / "test_image_ids.txt"),))
    stems = pool.rows["image"].str.extract(r"([^/.]+)\.\w+$").str.strip_chars_start("0").to_list()
    assert [one is not None for one in found] == [stem in listed for stem in stems]
    assert any(found)
    assert not all(found)


def test_copies_of_okvqa_in_other_pools_are_found(real_data):
    """Every OK-VQA question that another source repeats word for word about the same picture is found there."""
    pool = read_pool([real_data / "llava" / "okvqa.json", real_data / "llava" / "gqa.json"])
    found = leaks(pool, questions=(str(real_data / "llava" / "okvqa.json"),), prompts=FORMAT_PROMPTS)
    hit = pool.rows.with_columns(hit=pl.Series(found).is_not_null()).filter(pl.col("problem").is_null())
    shares = dict(hit.group_by("source").agg(pl.col("hit").mean()).iter_rows())
    assert shares["okvqa.json"] == 1
    assert shares["gqa.json"] < 0.01


def test_the_command_line_excludes(tmp_path):
    """`--exclude-images` and `--exclude-questions` may be repeated, and a bad file ends the run in one line."""
    pool = write_pool(tmp_path, make_questions())
    (tmp_path / "ids.txt").write_text("5\n")
    options = ["--exclude-images", tmp_path / "ids.txt", "--exclude-images", "6.jpg"]
    options += ["--exclude-questions", benchmark(tmp_path, {"question": LONG}), "--size", "9", "--cache", "off"]

    def run(*more):
        """Select in a process of its own."""
        command = [sys.executable, "-m", "recipe", "select", pool, *options, "--out", tmp_path / "mix.json", *more]
        return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)

    assert run().returncode == 0
    stats = json.loads((tmp_path / "mix.stats.json").read_text())
    assert stats["rejected"] == {"bench_image": 2, "bench_ngram": 3}
    result = run("--force", "--exclude-questions", tmp_path / "gone.jsonl")
    assert result.returncode != 0
    assert "gone.jsonl" in result.stderr
    assert "Traceback" not in result.stderr
