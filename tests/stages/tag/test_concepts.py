"""Concepts: matching against a naive search, the built-in list, and the user's own lists."""

from __future__ import annotations

import unicodedata

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recipe.data.pool import SCHEMA, Pool
from recipe.errors import ConfigError
from recipe.stages.tag.concepts import load_concepts, tag

MME = """
    existence count position color posters celebrity scene landmark artwork OCR
    commonsense_reasoning numerical_calculation text_translation code_reasoning
"""
MMBENCH = """
    action_recognition attribute_comparison attribute_recognition celebrity_recognition function_reasoning
    future_prediction identity_reasoning image_emotion image_quality image_scene image_style image_topic
    nature_relation object_localization ocr physical_property_reasoning physical_relation social_relation
    spatial_relationship structuralized_image_text_understanding
"""


def pool_of(*texts):
    """A pool of text-only samples, each with one answer to an empty question; None for a sample without turns."""
    rows = [
        {
            "row": row,
            "key": f"{row:032x}",
            "turns": [] if text is None else [{"from": "human", "value": ""}, {"from": "gpt", "value": text}],
        }
        for row, text in enumerate(texts)
    ]
    return Pool(pl.DataFrame(rows, schema=SCHEMA))


def words(text):
    """The words of a text, letter by letter: runs of letters, marks, digits and underscores, in lower case."""
    letters = (c if unicodedata.category(c)[0] in "LMN" or c == "_" else " " for c in text.lower())
    return "".join(letters).split()


def says(text, keyword):
    """Whether the words of the keyword follow each other somewhere in the text, tried place by place."""
    text, keyword = words(text), words(keyword)
    return any(text[i : i + len(keyword)] == keyword for i in range(len(text)))


def naive(texts, concepts, min_frequency=0):
    """Concepts and number of keywords of each text, one keyword after the other."""
    keywords = {" ".join(words(keyword)) for many in concepts.values() for keyword in many}
    least = min_frequency * len(texts) if min_frequency < 1 else min_frequency
    common = {k for k in keywords if sum(text is not None and says(text, k) for text in texts) >= least}
    for text in texts:
        found = {k for k in common if text is not None and says(text, k)}
        names = [name for name, many in concepts.items() if any(" ".join(words(k)) in found for k in many)]
        yield names, len(found)


WORDS = st.sampled_from(
    ["red", "Red", "dark", "blue", "dark red", "read", "a", "İs", "is", "i̇s", "ΟΔΟΣ", "straße", "7", "x_y"]
)
GAPS = st.sampled_from([" ", "  ", "-", ", ", "\n", ".\u00a0", "'", "", "\u200b"])
LETTERS = st.characters(exclude_categories=["Cs", "Cn"])  # on unassigned ones Python and polars may disagree
TEXTS = st.none() | st.text(LETTERS, max_size=20) | st.lists(WORDS | GAPS, max_size=12).map("".join)
KEYWORDS = st.lists(WORDS, min_size=1, max_size=3).map(" ".join)
CONCEPTS = st.dictionaries(st.sampled_from("abcde"), st.lists(KEYWORDS, min_size=1, max_size=4), min_size=1)


@given(st.lists(TEXTS, max_size=8), CONCEPTS, st.sampled_from([0, 1, 2, 3.5, 0.3, 0.99]))
@example(
    ["red red dark red", "dark red", "reddish", "red"], {"a": ["red red", "red dark"], "b": ["red", "dark red"]}, 2
)
@example(["İs it?", "is it?", "İS"], {"a": ["is"], "b": ["İs"]}, 0)
def test_matching_equals_a_naive_search(texts, concepts, min_frequency):
    """One pass for all keywords finds what a search for each keyword finds: adjacent, overlapping, at the ends."""
    labels = tag(pool_of(*texts), concepts=concepts, min_frequency=min_frequency)
    assert labels.rows() == [(names, count) for names, count in naive(texts, concepts, min_frequency)]


def test_whole_words_only():
    """A keyword inside another word is not found; case, punctuation and line breaks do not matter."""
    concepts = {"art": ["art"], "place": ["in front of"]}
    texts = ["A party, a cart, smart art_1.", "ART!", "In front\nof", "in front. Of it", "in front the of"]
    labels = tag(pool_of(*texts), concepts=concepts)
    assert labels["concepts"].to_list() == [[], ["art"], ["place"], ["place"], []]


def test_order_and_counts_by_hand():
    """Concepts stand in the order of the list, each once; a keyword of two concepts counts once."""
    concepts = {"b": ["cat", "dog"], "a": ["dog", "dark dog"], "c": ["bird"]}
    assert tag(pool_of("The dark dog, the DOG and the cat.", "-"), concepts=concepts).rows() == [
        (["b", "a"], 3),
        ([], 0),
    ]


def test_rare_keywords_are_dropped():
    """A keyword that too few samples contain is dropped, by count or by share."""
    pool, concepts = pool_of("cat cat cat", "dog", "a dog", "-"), {"pets": ["cat", "dog"]}
    everything, common = [1, 1, 1, 0], [0, 1, 1, 0]
    assert tag(pool, concepts=concepts, min_frequency=1)["n_keywords"].to_list() == everything
    assert tag(pool, concepts=concepts, min_frequency=2)["n_keywords"].to_list() == common
    assert tag(pool, concepts=concepts, min_frequency=0.25)["n_keywords"].to_list() == everything
    assert tag(pool, concepts=concepts, min_frequency=0.5)["n_keywords"].to_list() == common


def test_format_prompts_are_not_searched():
    """A prompt for a single-word answer contains no concept."""
    prompts = [
        "Answer the question using a single word or phrase.",
        "Answer with the option's letter from the given choices directly.",
        "Provide a one-sentence caption for the provided image.\nReference OCR token: ",
    ]
    assert tag(pool_of(*prompts))["concepts"].to_list() == [[], [], []]
    assert "mme/count" in tag(pool_of("Is it one word?\n" + prompts[0]))["concepts"][0].to_list()


def test_the_shipped_list_is_complete_and_clean():
    """One concept for each MME subtask and MMBench ability, each with 15 to 60 lower-case keywords of 1 to 4 words."""
    concepts = load_concepts()
    assert list(concepts) == [f"mme/{name}" for name in MME.split()] + [f"mmbench/{name}" for name in MMBENCH.split()]
    for name, keywords in concepts.items():
        assert 15 <= len(set(keywords)) == len(keywords) <= 60, name
        assert all(keyword == " ".join(words(keyword)) and len(keyword.split()) <= 4 for keyword in keywords), name


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("Is there a bicycle in this image? Please answer yes or no.", "mme/existence"),
        ("Are there three spoons?", "mme/count"),
        ("Is the vase on the left side of the lamp?", "mme/position"),
        ("Is this a poster of that movie?", "mme/posters"),
        ("Should I stop when I cross here?", "mme/commonsense_reasoning"),
        ("Is the product of these 12? Calculate it.", "mme/numerical_calculation"),
        ("Is it appropriate to translate the Chinese into English?", "mme/text_translation"),
        ("Is the output of the Python code 'Hello'?", "mme/code_reasoning"),
        ("What will happen next to the glass?", "mmbench/future_prediction"),
        ("What can be the relationship between the two?", "mmbench/social_relation"),
        ("What is the mood of this picture?", "mmbench/image_emotion"),
        ("Which trend does the bar chart show?", "mmbench/structuralized_image_text_understanding"),
        ("Who is the predator in this food chain?", "mmbench/nature_relation"),
    ],
)
def test_questions_call_on_their_concept(text, concept):
    """A question in the style of a subtask has the subtask's concept."""
    assert concept in tag(pool_of(text))["concepts"][0].to_list()


def test_a_list_of_ones_own_from_a_file(tmp_path):
    """A YAML file means the same as a mapping."""
    path = tmp_path / "mine.yaml"
    path.write_text("sight/colour: [red, dark blue]\n'no': ['7']\n", encoding="utf-8")
    mine = {"sight/colour": ("red", "dark blue"), "no": ("7",)}
    assert load_concepts(path) == load_concepts(str(path)) == load_concepts(mine) == mine
    pool = pool_of("Red 7", "dark-blue")
    assert tag(pool, concepts=path).equals(tag(pool, concepts=mine))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["expected a mapping", "nothing"]),
        ("- red\n", ["expected a mapping", "list"]),
        ("a: [red\n", ["expected YAML"]),
        ("a: red\n", ["'a'", "expected a list of keywords", "'red'"]),
        ("a: []\n", ["'a'", "expected a list of keywords"]),
        ("no: [red]\n", ["False", "expected a name", "quotes"]),
        ("a: [red, no]\n", ["'a'", "False", "quotes"]),
        ("a: [red, 7]\n", ["'a'", "7", "quotes"]),
        ("a: ['--']\n", ["'a'", "'--'", "remove"]),
    ],
)
def test_a_bad_list_says_where_and_what_to_do(tmp_path, text, expected):
    """Each fault of a user's file is one line with the file, the key, what came and what to do."""
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_concepts(path)
    message = str(error.value)
    assert str(path) in message
    assert "\n" not in message
    assert all(part in message for part in expected)


def test_unreadable_lists_are_refused(tmp_path):
    """A missing file, a folder, bytes that are no UTF-8 and a negative frequency are each refused by name."""
    (tmp_path / "latin.yaml").write_bytes(b"a: [caf\xe9]\n")
    for path in (tmp_path / "none.yaml", tmp_path, tmp_path / "latin.yaml"):
        with pytest.raises(ConfigError, match=path.name):
            load_concepts(path)
    with pytest.raises(ConfigError, match="min_frequency from 0 on, got -1"):
        tag(pool_of("a"), min_frequency=-1)


def test_slices_do_not_show(monkeypatch):
    """The text is searched slice by slice, and the labels are the same."""
    pool = pool_of(*(f"cat {i} dog" if i % 3 else "bird" for i in range(50)))
    concepts = {"a": ["cat", "7 dog"], "b": ["bird"]}
    whole = tag(pool, concepts=concepts, min_frequency=2)
    monkeypatch.setattr("recipe.stages.tag.concepts._SLICE", 7)
    assert tag(pool, concepts=concepts, min_frequency=2).equals(whole)
