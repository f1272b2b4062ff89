"""Functions of your own: what they are called, how they are found, and what their hash depends on."""

from __future__ import annotations

import sys
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe.config.code import code_of, load, name_of
from recipe.config.recipe import Recipe
from recipe.config.registry import check_knobs, find
from recipe.config.resolve import own_functions
from recipe.errors import ConfigError

SOURCE = '''
def score(pool, *, half=50):
    """Nothing much."""

def pick(pool, quotas): ...

def rule(counts): ...

class Embedder:
    def encode(self, part, learned, *, width=2): ...

embedder = Embedder()
print("imported")
'''


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A module of your own in the path of imports."""
    (tmp_path / "mine.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    yield tmp_path / "mine.py"
    sys.modules.pop("mine", None)


def test_a_name_and_the_object_are_one(mine):
    """What is named and what is given have one name and one hash, that of the file."""
    module = __import__("mine")
    digest = sha256(mine.read_bytes()).hexdigest()
    for name in ("score", "embedder", "Embedder"):
        assert load(f"mine:{name}") is getattr(module, name)
        assert code_of(getattr(module, name)) == code_of(f"mine:{name}") == (f"mine:{name}", digest)


def test_a_hash_runs_nothing(mine, capsys):
    """To hash a function that is named, its module is not imported."""
    assert code_of("mine:score").sha256 == sha256(mine.read_bytes()).hexdigest()
    assert "mine" not in sys.modules
    assert capsys.readouterr().out == ""


def test_a_function_in_no_file_is_hashed_by_its_source_if_there_is_one():
    """A function made from a string has no source, so no hash; neither has one of a missing module."""
    scope = {"__name__": "nowhere"}
    exec("def f(pool): ...", scope)
    assert code_of(scope["f"]) == ("nowhere:f", None)
    assert code_of("nowhere:f") == ("nowhere:f", None)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("nowhere:f", "no such module can be imported"),
        ("mine:g", "the module has no 'g', but Embedder, embedder, pick, rule, score"),
        ("mine:", "expected module:function, got 'mine:'"),
        (":score", "expected module:function"),
        ("mine:score()", "expected module:function"),
        ("../mine:score", "expected module:function"),
        ("broken:f", "importing it failed with ZeroDivisionError: division by zero"),
        ("lacks:f", "importing it failed with ModuleNotFoundError: No module named 'nowhere'"),
    ],
)
def test_what_cannot_be_found_is_named(mine, name, what):
    """A malformed name, a module that is missing or fails, and a missing attribute are refused in one line."""
    (mine.parent / "broken.py").write_text("1 / 0")
    (mine.parent / "lacks.py").write_text("import nowhere")
    with pytest.raises(ConfigError, match="^" + name.partition(":")[0].replace(".", r"\.") + "|^expected") as caught:
        find("score", name)
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("room", "name", "what"),
    [
        ("select", "mine:score", r"select: expected a function of \(pool, quotas, \*, ...\), got mine:score"),
        ("balance", "mine:rule", r"balance: expected a function of \(counts, size, \*, ...\), got mine:rule"),
        ("score", "mine:pick", r"score: expected a function of \(pool, \*, ...\), got mine:pick"),
        ("score", "mine:Embedder.encode", r"score: expected a function of \(pool"),
        ("score", "builtins:min", "score: expected a function written in Python, got builtins:min"),
        ("embed", "os:system", "embed: expected a function written in Python"),
        ("score", "mine:Embedder", "score: expected a function"),
        ("score", "math:pi", "score: expected math:pi to be a function"),
    ],
)
def test_what_does_not_fit_is_refused(mine, room, name, what):  # noqa: ARG001  it makes the module
    """A function that does not take what its room gives it is refused by what it should take, before it is called."""
    with pytest.raises(ConfigError, match=what):
        check_knobs(room, name, {})


def test_knobs_are_those_of_the_function(mine):  # noqa: ARG001  it makes the module
    """Knobs of a function of your own, and of an embedder's `encode`, are checked like all others."""
    check_knobs("score", "mine:score", {"half": 3})
    check_knobs("embed", "mine:embedder", {"width": 3})
    with pytest.raises(ConfigError, match=r"score\.mine:score: unknown knob 'haff', did you mean 'half'"):
        check_knobs("score", "mine:score", {"haff": 3})
    with pytest.raises(ConfigError, match="unknown knob 'height'"):
        check_knobs("embed", "mine:embedder", {"height": 3})


def test_a_recipe_lists_them_all(mine):
    """Functions of every section and part are listed once, in order, whether they are named or given."""
    given = __import__("mine").score
    recipe = Recipe(
        sources=[{"path": "a.json", "format": "mine:pick"}],
        embed="mine:embedder",
        score=[given, "novelty", {"mine:score": {"called": "again"}}],
        balance={"margins": {"task": "mine:rule"}},
        parts={"one": {"size": 3, "select": "mine:pick"}, "two": {"balance": {"margins": {"task": "os.path:join"}}}},
        write={"format": "mine:write"},
    )
    digest = sha256(mine.read_bytes()).hexdigest()
    names = ["mine:embedder", "mine:pick", "mine:rule", "mine:score", "mine:write"]
    assert own_functions(recipe)[:5] == [(name, digest) for name in names]
    assert [code.name for code in own_functions(recipe)[5:]] == ["os.path:join"]
    assert Recipe.of(recipe.model_dump(mode="json")).score[0].name == "mine:score"
    assert recipe.score[0].label == "score"
    assert recipe.score[2].label == "again"


@given(st.text(st.characters(blacklist_characters=":")))
def test_a_name_without_a_colon_is_no_code(name):
    """Only a colon makes a name that of a function."""
    assert name_of(name) is None
    assert code_of(name) is None


def test_keys_on_the_command_line():
    """`--set` changes the key it names and no other, deep or not, and refuses what a recipe file would."""
    plan = Recipe(balance={"per_image": 2})
    changed = plan.with_keys(
        ["balance.margins.task=even", "size=7", "write.format=my_writer:write", "select={mmr: {}}"]
    )
    assert changed.balance.margins["task"].name == "even"
    assert {name: step for name, step in changed.balance.margins.items() if name != "task"} == {
        name: step for name, step in plan.balance.margins.items() if name != "task"
    }
    assert (changed.balance.per_image, changed.size, changed.write.format.name, changed.select.name) == (
        2,
        7,
        "my_writer:write",
        "mmr",
    )
    for bad, what in {
        "size": "expected key=value",
        "=3": "expected key=value",
        "balance.per_imag=3": "unknown key 'balance.per_imag', did you mean 'balance.per_image'",
        "size=[": "cannot read the value",
        "seed=x": "seed: ",
    }.items():
        with pytest.raises(ConfigError, match=what):
            plan.with_keys([bad])
