"""Whatever goes wrong in a command is one line on standard error and exit code 2; the traceback only with `--debug`."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from recipe.cli import main
from recipe.demo import write_demo
from recipe.mix.flow import select_mix


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A folder with a mix that was written."""
    folder = tmp_path_factory.mktemp("mix")
    (folder / "pool").mkdir()
    write_demo(folder / "pool", images=8)
    select_mix(folder / "pool", size=40).write(folder / "mix.json")
    return folder


@pytest.fixture
def mix(written, tmp_path):
    """A copy of the mix, to be damaged."""
    for file in written.glob("mix.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path / "mix.json"


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command in this process; return its exit code and what it printed on standard error."""

    def command(*arguments):
        return _run(monkeypatch, capsys, *arguments)

    return command


def _run(monkeypatch, capsys, *arguments):
    """Run a command with these arguments."""
    monkeypatch.setattr(sys, "argv", ["recipe", *map(str, arguments)])
    code = 0
    try:
        main()
    except SystemExit as stop:
        code = stop.code or 0
    return code, capsys.readouterr().err


def is_refused(result, *words):
    """Return whether a command failed with one line that has these words."""
    code, err = result
    return code == 2 and err.count("\n") == 1 and "Traceback" not in err and all(word in err for word in words)


def edited(file, path, value):
    """Replace the value at a path of keys in a JSON file."""
    content = json.loads(file.read_bytes())
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    file.write_text(json.dumps(content))


def test_gaps_over_a_column_that_the_pool_has_not(mix, run):
    """The margins of a manifest are checked against the pool as those of a recipe are."""
    edited(mix.with_name("mix.manifest.json"), ("recipe", "balance", "margins"), {"clusters": "even"})
    assert is_refused(run("gaps", mix), "clusters", "did you mean 'cluster'?")


@pytest.mark.parametrize(
    "odd",
    [
        (("keys",), [3], "keys"),
        (("keys",), None, "keys"),
        (("recipe",), [], "recipe"),
        (("recipe",), {"sizes": 3}, "sizes"),
        (("sources", 0, "sha256"), "abc", "sources"),
        (("sources",), {}, "sources"),
        (("margins", 0, "quota"), "many", "margins"),
        (("certificate",), "high", "certificate"),
        (("certificate",), 1e999, "Infinity"),
        (("fidelity",), [1], "fidelity"),
        (("copies",), {"9999": 1}, "copies"),
        (("copies",), {"-1": 1}, "copies"),
        (("parts",), {"a": 3}, "parts"),
        (("mix",), "mix.json", "mix"),
        (("mix", "files"), [{"name": "../mix.json", "records": 1, "sha256": "0" * 64}], "files"),
        (("mix", "ending"), "/../../etc/x.json", "ending"),
        (("format",), True, "format"),
        (("counts",), {"read": -1}, "counts"),
        (("versions",), {"recipe": {}}, "versions"),
    ],
)
@pytest.mark.parametrize("command", ["gaps", "rebuild"])
def test_a_hostile_manifest_is_refused_by_its_key(command, odd, mix, run):
    """A manifest is checked key by key, and the message names the one that is wrong."""
    path, value, where = odd
    manifest = mix.with_name("mix.manifest.json")
    edited(manifest, path, value)
    arguments = (
        ("gaps", mix) if command == "gaps" else ("select", "--manifest", manifest, "--out", mix.parent / "b.json")
    )
    assert is_refused(run(*arguments), manifest.name, where)
    assert not mix.with_name("b.json").exists()


@pytest.mark.parametrize(
    "odd",
    [
        (("mix", "samples"), "x", "mix.samples"),
        (("mix", "samples"), -1, "mix.samples"),
        (("mix", "samples"), 10**400, "mix.samples"),
        (("mix", "yes_no"), {"a": [1]}, "mix.yes_no"),
        (("mix", "tasks"), [], "mix.tasks"),
        (("mix", "clusters"), {"reached": 3}, "mix.clusters"),
        (("pool", "quantiles"), {"words": {"p5": 1.0}}, "mix.quantiles.words"),
        (("coverage",), {"mix": 0.5}, "coverage"),
        (("pool",), None, "pool"),
        (("mix", "vendi"), [], "mix.vendi"),
        (("rejected",), {"dup": "1"}, "rejected"),
    ],
)
def test_a_hostile_baseline_is_refused_by_its_key(odd, mix, run):
    """Statistics are checked key by key, and the message names the one that is wrong."""
    path, value, where = odd
    baseline = mix.with_name("mix.stats.json").rename(mix.with_name("old.json"))
    edited(baseline, path, value)
    assert is_refused(run("check", mix, "--baseline", baseline), baseline.name, where)


@pytest.mark.parametrize(
    "text",
    ["[" * 3000, '{"format": 2, "mix": ' + "[" * 100_000, "\ufeff", "NaN", '{"format": NaN}', "9" * 5000, "\x00"],
)
def test_text_that_is_no_statistics_is_refused(text, mix, run):
    """Deep, cut, odd and empty JSON is refused by the name of its file."""
    odd = mix.with_name("odd.json")
    odd.write_text(text)
    assert is_refused(run("check", mix, "--baseline", odd), "odd.json")


def test_files_beside_a_mix_are_believed_only_as_they_were_written(mix, run):
    """Statistics and scores that were edited or exchanged since are refused, whatever they say."""
    edited(mix.with_name("mix.stats.json"), ("mix", "yes"), 1)
    assert is_refused(run("stats", mix), "mix.stats.json", "got another")
    scores = mix.with_name("mix.scores.parquet")
    pl.read_parquet(scores).with_columns(task=pl.lit("x")).write_parquet(scores)
    assert is_refused(run("gaps", mix), "got another")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda table: table.drop("rank"), "rank"),
        (lambda table: table.with_columns(task=pl.struct("key")), "task"),
        (lambda table: table.with_columns(cell=pl.lit(2**30, pl.Int32)), "cell"),
        (lambda table: table.with_columns(cell_quota=pl.lit(2**60, pl.Int64)), "cell_quota"),
        (lambda table: table.with_columns(novelty=pl.col("key")), "novelty"),
        (lambda table: table.with_columns(rank=pl.lit(0, pl.UInt32)), "rank"),
        (lambda table: table.reverse(), "row"),
        (lambda table: table.with_columns(concepts=pl.lit("a")), "concepts"),
    ],
)
def test_scores_that_are_no_scores_are_refused_by_their_column(change, where, mix, run):
    """A table is checked column by column: that it is there, its type, and its range."""
    scores, manifest = mix.with_name("mix.scores.parquet"), mix.with_name("mix.manifest.json")
    change(pl.read_parquet(scores)).write_parquet(scores)
    content = json.loads(manifest.read_bytes())
    del content["mix"]["beside"]  # as of a mix that an earlier version wrote
    manifest.write_text(json.dumps(content))
    assert is_refused(run("gaps", mix), "scores.parquet", where)


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied", "x"), MemoryError(), RecursionError("x"), KeyError("x")]
)
def test_errors_of_the_system_and_faults_are_one_line(error, mix, run, monkeypatch):
    """Every exception is one line and exit 2; `--debug`, at any place, adds the traceback."""

    def fails(*_, **__):
        raise error

    monkeypatch.setattr("recipe.mix.from_file.file_stats", fails)
    assert is_refused(run("stats", mix))
    code, err = run("stats", mix, "--debug")
    assert code == 2
    assert "Traceback" in err


def test_a_file_without_a_manifest_is_refused_in_words(mix, run):
    """A file that is no mix of this library is named as that, without a number of the system."""
    plain = mix.with_name("small.json")
    plain.write_text("[]")
    assert is_refused(run("report", plain), "small.manifest.json beside it")


@pytest.mark.skipif(os.name != "posix", reason="pipes and /dev/full are POSIX")
def test_a_closed_pipe_and_a_full_disk_behind_the_output_are_one_line(mix):
    """A reader that leaves early, or a disk that is full, ends the command with one line and no noise at exit."""
    command = [sys.executable, "-m", "recipe", "stats", str(mix)]
    read, write = os.pipe()
    os.close(read)
    piped = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert is_refused((piped.returncode, piped.stderr), "output was closed")
    if Path("/dev/full").exists():
        with Path("/dev/full").open("w") as full:
            spent = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        assert is_refused((spent.returncode, spent.stderr), "o space left")


def test_kernels_compile_where_no_folder_can_be_written_to(monkeypatch):
    """Without a folder for compiled code a kernel is compiled in memory."""
    from numba.core import caching

    from recipe.engine.compiled import compiled

    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    assert compiled()(lambda number: number + 1)(2) == 3


def test_a_comparison_without_any_mix_fails(written, tmp_path, run):
    """Where none of the recipes gives a mix, the command says why and exits with 2."""
    where = ("compare", written / "pool", "--cache", "off", "--seeds", "2")
    code, err = run(*where, "--size", "9000")
    assert code == 2
    assert err.count("\n") == 1
    bad = tmp_path / "bad.yaml"
    bad.write_text("balance: {at_most: {task: {conversation: 0, referring_qa: 0, complex_reasoning: 0}}}")
    code, err = run(*where, "--size", "150", "--recipe", bad)
    assert code == 2
    assert "none of the recipes" in err


@pytest.mark.parametrize("images", [0, 1, -1, 10**9])
def test_images_of_the_demo_have_a_range(images, run, tmp_path):
    """A number of images out of its range is one line with the range, and no folder is made."""
    assert is_refused(run("demo", "--images", images, "--out", tmp_path / "new"), "expected 2 to", f"images={images}")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("workers", [0, -1, 10**9])
def test_workers_have_a_range(workers, written, run):
    """A number of workers out of its range is one line with the range."""
    result = run("score", written / "pool", "--workers", workers, "--cache", "off", "--out", written / "s.parquet")
    assert is_refused(result, "expected a count from 1 to 65,536", f"workers={workers}")


def test_the_name_of_the_program_is_said_once(written, run):
    """What is wrong with a recipe is one line that begins with `recipe:` once."""
    result = run("select", written / "pool", "--size", "0")
    assert is_refused(result, "recipe: expected size as a count", "got size=0")
    assert "recipe: recipe:" not in result[1]


def test_a_former_name_is_said_once(written, run):
    """A former name of a score works, and one line says the current one."""
    code, err = run("select", written / "pool", "--score", "coverage", "--print-recipe")
    assert (code, err) == (0, "recipe: the score 'coverage' is called 'concept_coverage'; use that name\n")


def test_an_exception_of_ones_own_is_one_line_and_with_debug_its_cause(written, run, tmp_path, monkeypatch):
    """A function of a user that fails is named with file and line; `--debug` shows where it was raised."""
    (tmp_path / "fails.py").write_text("def score(pool):\n    raise ValueError('boom')\n")
    monkeypatch.syspath_prepend(tmp_path)
    where = ("score", written / "pool", "--score", "fails:score", "--cache", "off", "--out", tmp_path / "s.parquet")
    assert is_refused(run(*where), "recipe: fails:score raised ValueError: boom (fails.py, line 2)\n")
    code, err = run(*where, "--debug")
    assert code == 2
    assert "in score\n    raise ValueError('boom')" in err
    sys.modules.pop("fails", None)


def test_an_output_that_is_closed_is_one_line(mix, run, monkeypatch):
    """Where nothing can be printed any more, the one line on standard error says so."""
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)
    assert is_refused(run("stats", mix), "the output was closed before all of it was printed")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["report", "mix.json", "--rows", "0"], ("'--rows'", "see `recipe report --help`")),
        (["compare", "pool", "--seeds", "1"], ("'--seeds'", "see `recipe compare --help`")),
        (["check", "mix.json"], ("missing option '--baseline'", "see `recipe check --help`")),
        (["diff", "mix.json"], ("missing argument 'b'", "see `recipe diff --help`")),
        (["cache", "bogus"], ("no such command 'bogus'", "see `recipe cache --help`")),
        (["bogus"], ("no such command 'bogus'", "see `recipe --help`")),
        (["select", "--bogus\n\n"], ("no such option", "see `recipe select --help`")),
        (["select", "--size"], ("'--size' requires an argument",)),
    ],
)
def test_wrong_options_are_one_line(arguments, said, run):
    """What is wrong with the words of a command is said in one line, with the command that lists the right ones."""
    result = run(*arguments)
    assert is_refused(result, *said)
    assert result[1].startswith("recipe: ")
    assert "Usage" not in result[1]


@pytest.mark.parametrize("arguments", [[], ["cache"]])
def test_a_command_without_a_name_lists_the_commands(arguments, monkeypatch, capsys):
    """Nothing at all, and a group of commands alone, print their help and no error."""
    monkeypatch.setattr(sys, "argv", ["recipe", *arguments])
    with pytest.raises(SystemExit):
        main()
    said = "".join(capsys.readouterr())
    assert "Usage" in said
    assert "see `" not in said


@pytest.mark.parametrize("name", ["POLARS_MAX_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS"])
@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", "2,", "\n"])
def test_a_bad_number_of_threads_in_the_environment_is_one_line(name, value):
    """A variable that a library would panic at is named with its value before the library is used."""
    command = [sys.executable, "-m", "recipe", "recipes"]
    done = subprocess.run(command, env={**os.environ, name: value}, capture_output=True, text=True, check=False)
    assert is_refused((done.returncode, done.stderr), f"recipe: {name}: expected a number of threads from 1", "unset")
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("name", "value"), [("POLARS_MAX_THREADS", "2"), ("OMP_NUM_THREADS", "4,2"), ("OMP_NUM_THREADS", "")]
)
def test_a_good_number_of_threads_in_the_environment_passes(name, value, run, monkeypatch):
    """What the libraries understand, and an empty variable, is no error."""
    monkeypatch.setenv(name, value)
    assert run("recipes") == (0, "")
