"""What a file says is data: it is never run, never opens a file it should not, and never becomes markup."""

import ast
import dataclasses
import importlib
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

import recipe
from recipe import check_mix, demo_pool, select_mix
from recipe.config.recipe import Recipe
from recipe.errors import ConfigError, InputError, RecipeError
from recipe.report.comparison import Comparison, values_of

CODE = sorted(Path(recipe.__file__).parent.rglob("*.py"))
RUNS_OBJECTS = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "code", "runpy"}
RUNS_TEXT = {"eval", "exec", "compile", "__import__", "os.system", "os.popen"}
READS_ARRAYS = ("np.load", "np.lib.format.read_array")
UNSAFE = {"yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "yaml.Loader", "yaml.FullLoader", "yaml.UnsafeLoader"}
OPENED: list[str] | None = None  # what this process opens while somebody watches


def watch(event, arguments):
    """Note every file that Python opens."""
    if OPENED is not None and event == "open" and isinstance(arguments[0], str | bytes):
        OPENED.append(os.fsdecode(arguments[0]))


sys.addaudithook(watch)  # a hook stays for good, so it looks away unless somebody watches


@contextmanager
def opened():
    """Collect the paths that are opened inside the block."""
    global OPENED  # noqa: PLW0603  an audit hook is global
    OPENED = []
    try:
        yield OPENED
    finally:
        OPENED = None


def dotted(node):
    """Return the name of a function as it is written, as `yaml.load`."""
    return ast.unparse(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def dangers(source):
    """Return what a piece of Python uses that could run what a file says."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names if name.name.split(".")[0] in RUNS_OBJECTS]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found += [node.module] if node.module.split(".")[0] in RUNS_OBJECTS else []
        elif isinstance(node, ast.Call) and dotted(node.func) in RUNS_TEXT:
            found.append(dotted(node.func))
        elif isinstance(node, ast.Attribute) and dotted(node) in UNSAFE:
            found.append(dotted(node))
        elif isinstance(node, ast.Call):
            found += [dotted(node.func)] if is_dangerous(node) else []
    return found


def is_dangerous(call):
    """Return whether a call loads or starts things without the argument that makes it safe."""
    given = {word.arg: ast.unparse(word.value) for word in call.keywords}
    return (
        (dotted(call.func) == "yaml.load" and given.get("Loader") not in ("yaml.SafeLoader", "yaml.CSafeLoader"))
        or (dotted(call.func) in READS_ARRAYS and "allow_pickle" not in given)
        or any(given.get(flag, "False") != "False" for flag in ("allow_pickle", "shell", "trust_remote_code"))
    )


@pytest.mark.parametrize("file", CODE, ids=lambda file: file.relative_to(CODE[0].parents[0]).as_posix())
def test_nothing_in_the_package_runs_what_it_reads(file):
    """No file of the package unpickles, evaluates text, loads YAML that makes objects, or starts a shell."""
    assert dangers(file.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "eval(text)",
        "yaml.load(file, Loader=yaml.Loader)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "subprocess.run(command, shell=True)",
        "os.system(command)",
    ],
)
def test_the_search_for_dangers_finds_them(source):
    """The search that clears the package finds each danger where it is."""
    assert dangers(source)


RECIPES = {  # a recipe that would do something, and what the message names
    "apply": ("size: !!python/object/apply:os.system ['touch pwned']\n", "python/object/apply:os.system"),
    "name": ("select: !!python/name:os.system\n", "python/name:os.system"),
    "new": ("sources: !!python/object/new:os.system ['touch pwned']\n", "python/object/new"),
    "module": ("select: !!python/module:os\n", "python/module:os"),
    "function": ("select: os.system\nsources: [a.json]\n", "os.system"),
    "colon": ("embed: os:system\nsources: [a.json]\n", "os:system"),
    "builtin": ("score: ['builtins:exec']\nsources: [a.json]\n", "builtins:exec"),
    "expression": ("score: ['os:system(1)']\nsources: [a.json]\n", "os:system(1)"),
    "knobs": ("score: [{os.system: {command: touch pwned}}]\nsources: [a.json]\n", "os.system"),
    "margin": ("balance: {margins: {task: os.system}}\nsources: [a.json]\n", "os.system"),
    "climbing": ("select: ../embed/text\nsources: [a.json]\n", "../embed/text"),
    "helper": ("select: _kernels\nsources: [a.json]\n", "_kernels"),
    "format": ("sources: [{path: a.json, format: os.system}]\n", "os.system"),
}


@pytest.mark.parametrize(("text", "named"), RECIPES.values(), ids=RECIPES)
def test_a_recipe_file_names_functions_that_fit_only(tmp_path, monkeypatch, text, named):
    """A recipe whose function is none of a room, or that asks YAML for an object, is refused, and nothing has run."""
    monkeypatch.chdir(tmp_path)
    Path("a.json").write_text("[]")
    Path("evil.yaml").write_text(text)
    with pytest.raises((ConfigError, InputError)) as refused:
        select_mix(recipe="evil.yaml")
    assert named in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not Path("pwned").exists()


def test_a_callable_can_be_given_in_code_only():
    """What a file cannot do a caller can: a function of one's own is a room's function."""

    def first(pool, quotas, *, seed):
        """Never called here."""

    assert Recipe(select=first).select.name is first
    with pytest.raises(RecipeError, match="first"):
        select_mix(demo_pool(images=2), recipe=json.loads(json.dumps({"select": "first"})))


def test_a_pickled_array_is_refused(tmp_path):
    """Vectors of one's own are numbers; an object array, which would be unpickled, is refused."""
    import numpy as np

    class Evil:
        def __reduce__(self):
            return (Path(tmp_path, "pwned").touch, ())

    vectors = tmp_path / "vectors.npy"
    np.save(vectors, np.array([Evil()], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"is not a \.npy file of numbers"):
        select_mix(demo_pool(images=2), size=1, embed={"cached": {"path": str(vectors)}})
    assert not (tmp_path / "pwned").exists()


@pytest.fixture
def outside(tmp_path):
    """Return the paths by which a record would get at an image outside of its folder, which is there but damaged."""
    (tmp_path / "images").mkdir()
    (tmp_path / "secret.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "images" / "in.png").write_bytes(b"\x89PNG")
    return [str(tmp_path / "secret.jpg"), "../secret.jpg", "x/../../secret.jpg", f"file://{tmp_path}/secret.jpg"]


def mix_of(folder, images):
    """Write a record for each image."""
    turns = [{"from": "human", "value": "<image>\nWhat is it?"}, {"from": "gpt", "value": "A jay."}]
    records = [{"id": str(i), "image": image, "conversations": turns} for i, image in enumerate(images)]
    file = folder / "given.json"
    file.write_text(json.dumps(records))
    return file


def test_paths_out_of_the_image_folder_are_rejected_and_never_opened(tmp_path, outside):
    """An absolute or climbing image path is W08 for the mix, and no step of a run opens what it points at."""
    file = mix_of(tmp_path, [*outside, "in.png"])
    with opened() as paths:
        mix = select_mix(file, size=1, read={"images": str(tmp_path / "images")})
        mix.write(tmp_path / "mix.json")
    assert mix.counts["rejected W08"] == len(outside)
    assert [record["image"] for record in json.loads((tmp_path / "mix.json").read_bytes())] == ["in.png"]
    assert str(file) in paths
    assert [path for path in paths if "secret" in path] == []


@pytest.mark.parametrize("decode", [False, True])
def test_check_never_opens_what_lies_outside(tmp_path, outside, decode):
    """The check says W08 of such a path and nothing of the image behind it; what lies inside it does open."""
    if decode:
        pytest.importorskip("PIL")
    file = mix_of(tmp_path, [*outside, "in.png"])
    with opened() as paths:
        findings = check_mix(file, images=tmp_path / "images", decode=decode)
    codes = {finding.record: finding.code for finding in findings}
    assert codes == dict.fromkeys(range(len(outside)), "W08") | ({len(outside): "L08"} if decode else {})
    assert any(path.endswith("in.png") for path in paths) == decode
    assert [path for path in paths if "secret" in path] == []


class Tags(HTMLParser):
    """Collects the tags of a page."""

    def __init__(self, page):
        super().__init__()
        self.seen = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        """Note a tag and what would run with it."""
        self.seen |= {tag, *(name for name, _ in attrs if name.startswith("on"))}

    def handle_data(self, data):
        """Note what is shown."""
        self.text += data


def test_labels_are_text_in_a_notebook():
    """A task, an answer or a name that looks like HTML is shown as it is written, and nothing of it runs."""
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    mix = select_mix(demo_pool(images=4), size=20)
    label = pl.DataFrame({name: [evil] * len(mix.pool) for name in ("task", "answer", "source", "task_name")})
    mix = dataclasses.replace(mix, pool=mix.pool.with_labels(label))
    found = Comparison(values_of([(9, name, 0, "vendi", 1.0) for name in ("random", evil)]))
    pages = [shown._repr_html_() for shown in (mix, mix.pool, mix.show(mix.keys[0]), mix.why(mix.keys[0]), found)]
    for page in map(Tags, pages):
        assert page.seen <= {"table", "tr", "th", "td", "tbody", "thead", "div", "span", "b"}
        assert evil in page.text
    assert not {"script", "img", "onerror"} & Tags(mix.gaps()._repr_html_()).seen  # of which a mix may have none


def test_every_notebook_view_is_tested():
    """Mix, pool, sample, why, gaps and comparison are all that show themselves as HTML; others need the test above."""
    shown = [file.name for file in CODE if "_repr_html_" in file.read_text("utf-8")]
    assert sorted(shown) == ["card.py", "comparison.py", "gaps.py", "mix.py", "pool.py", "why.py"]


def recipe_says(*arguments, cwd):
    """Run the command line and return all that it says."""
    command = [sys.executable, "-m", "recipe", *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=os.environ)
    return done.stdout + done.stderr


def test_names_are_text_on_the_terminal(tmp_path):
    """Rich's markup in the name of a file is printed as it is written, in tables, in notes and in errors."""
    turns = [{"from": "human", "value": "What?"}, {"from": "gpt", "value": "A jay."}]
    name = "[red]a [link=x]b[bold].json"
    (tmp_path / name).write_text(json.dumps([{"conversations": turns}]))
    assert name in recipe_says("stats", name, cwd=tmp_path)
    assert "[b]mix.json" in recipe_says("select", name, "--size", "1", "--out", "[b]mix.json", cwd=tmp_path)
    assert "[/b]gone.json" in recipe_says("select", "[/b]gone.json", cwd=tmp_path)


def test_a_room_is_found_by_its_own_name_only():
    """No name leads out of a room's folder or to a helper in it."""
    rooms = importlib.import_module("recipe.config.registry")
    for name in ("../seed", "recipe.engine.seed", "_kernels", "__init__", "", ".", "facility.py", "facility\x00"):
        with pytest.raises(ConfigError):
            rooms.find("select", name)


def test_a_file_name_moves_no_cursor(tmp_path):
    """A control character in a file name reaches neither the output nor the error line of the command."""
    name = "e\x1b[31mvil.json"
    talk = [{"from": "human", "value": "What is it?"}, {"from": "gpt", "value": "A jay."}]
    (tmp_path / name).write_text(json.dumps([{"id": "a", "conversations": talk}]))
    for command in (["stats", name], ["stats", f"no{name}"]):
        done = subprocess.run(
            [sys.executable, "-m", "recipe", *command], cwd=tmp_path, capture_output=True, check=False
        )
        assert b"\x1b" not in done.stdout + done.stderr
        assert b"vil.json" in done.stdout + done.stderr
