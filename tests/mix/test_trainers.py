"""Mixes for every trainer: their families of files, what is never replaced, rebuilds, and the command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from trainers import TRAINERS, picture

from recipe import Recipe, read_pool, rebuild_mix, select_mix
from recipe.check import check_mix
from recipe.config.registry import home
from recipe.config.step import Step
from recipe.config.writers import beside, holds
from recipe.data.media import media_of
from recipe.demo import write_demo
from recipe.errors import ConfigError, FunctionError, InputError
from recipe.io.families import family_of

BESIDE = {"llava_next": "mix.yaml", "llama_factory": "mix.dataset_info.json", "internvl": "mix.meta.json"}
BYTES = ("trl", "webdataset")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A demo pool and its pictures."""
    folder = tmp_path_factory.mktemp("trainers")
    write_demo(folder / "pool", images=6)
    for name in read_pool(folder / "pool").rows["image"].drop_nulls().unique():
        (folder / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "images" / name).write_bytes(picture())
    return folder


@pytest.fixture(scope="module")
def mix(folder):
    """A mix of that pool."""
    return select_mix(folder / "pool", size=20, read={"images": str(folder / "images")})


def names(folder):
    """The names of files."""
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.parametrize("writer", TRAINERS)
def test_a_family_for_each_trainer(writer, mix, tmp_path):
    """A mix for a trainer has its files beside it, which its manifest knows, and its check finds nothing."""
    target = tmp_path / f"mix{TRAINERS[writer]}"
    written = mix.write(target, to=writer.replace("_", "-"))
    assert written[0] == target
    family = family_of(tmp_path / "mix.manifest.json")
    assert {file.name for file in family} == set(names(tmp_path))
    assert all(hashes for file, hashes in family.items() if file.name != "mix.manifest.json")
    assert (BESIDE.get(writer, "mix.json") in names(tmp_path)) or writer not in BESIDE
    assert {one.code for one in check_mix(target)} <= {"O04"}
    assert json.loads((tmp_path / "mix.manifest.json").read_text())["mix"]["format"] == writer


@pytest.mark.parametrize("writer", TRAINERS)
def test_rebuilt_byte_for_byte(writer, mix, tmp_path):
    """A mix is rebuilt from its manifest with the files by which its trainer finds it, under its name or another."""
    target = tmp_path / f"mix{TRAINERS[writer]}"
    mix.write(target, to=writer)
    made = {name: (tmp_path / name).read_bytes() for name in (target.name, BESIDE.get(writer)) if name}
    for name in made:
        (tmp_path / name).unlink()
    rebuild_mix(tmp_path / "mix.manifest.json")
    assert {name: (tmp_path / name).read_bytes() for name in made} == made
    rebuild_mix(tmp_path / "mix.manifest.json", tmp_path / f"other{TRAINERS[writer]}")
    assert (tmp_path / f"other{TRAINERS[writer]}").read_bytes() == made[target.name]
    if writer in BESIDE:
        assert f"other{TRAINERS[writer]}" in (tmp_path / BESIDE[writer].replace("mix", "other")).read_text()


@pytest.mark.parametrize("writer", BESIDE)
def test_what_another_wrote_is_never_replaced(writer, mix, tmp_path):
    """A file that stands in the place of one beside the mix stops the run, and no other is written."""
    (tmp_path / BESIDE[writer]).write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(InputError, match=BESIDE[writer].replace(".", r"\.")):
            mix.write(tmp_path / f"mix{TRAINERS[writer]}", to=writer, overwrite=overwrite)
    assert names(tmp_path) == [BESIDE[writer]]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "dataset_info.json").write_text("mine")
    mix.write(tmp_path / "mine" / f"mix{TRAINERS[writer]}", to=writer)
    assert (tmp_path / "mine" / "dataset_info.json").read_text() == "mine"


def test_another_trainer_replaces_the_whole_family(mix, tmp_path):
    """A mix of the same name for another trainer needs overwrite, and takes the files beside the earlier one away."""
    mix.write(tmp_path / "mix.json", to="llava-next")
    with pytest.raises(InputError, match="earlier mix"):
        mix.write(tmp_path / "mix.json", to="llama-factory")
    mix.write(tmp_path / "mix.json", to="llama-factory", overwrite=True)
    assert "mix.yaml" not in names(tmp_path)
    assert "mix.dataset_info.json" in names(tmp_path)
    mix.write(tmp_path / "mix.jsonl", to="internvl", overwrite=True)
    assert not {"mix.json", "mix.dataset_info.json"} & set(names(tmp_path))
    (tmp_path / "mix.meta.json").write_text("edited")
    with pytest.raises(InputError, match=r"mix\.meta\.json"):
        mix.write(tmp_path / "mix.jsonl", to="internvl", overwrite=True)


def test_parts_are_listed_beside(folder, tmp_path):
    """With a file for each part, the file beside the mix lists them all, in their order."""
    parts = {"stage1": {"size": 5}, "stage2": {"size": 7}}
    mix = select_mix(folder / "pool", size=12, parts=parts, write={"files": "parts"})
    for writer, listed in BESIDE.items():
        (tmp_path / writer).mkdir()
        mix.write(tmp_path / writer / f"mix{TRAINERS[writer]}", to=writer)
        text = (tmp_path / writer / listed).read_text()
        first, second = (text.index(f"mix.{part}{TRAINERS[writer]}") for part in parts)
        assert first < second
        for part in parts:
            assert check_mix(tmp_path / writer / f"mix.{part}{TRAINERS[writer]}", trainer=writer) == []


@pytest.mark.parametrize("writer", TRAINERS)
def test_the_ending_is_that_of_the_trainer(writer, mix, tmp_path):
    """A file of another ending is refused with the name that it should have, and the default name has it."""
    ending = TRAINERS[writer].replace(".", r"\.")
    with pytest.raises(ConfigError, match=rf"ending in {ending}.*got .*mix\.txt; name it mix{ending}"):
        mix.write(tmp_path / "mix.txt", to=writer)
    assert Recipe(write={"format": writer.replace("_", "-")}).write.path == f"mix{TRAINERS[writer]}"
    assert Recipe(write={"format": writer, "path": f"a{TRAINERS[writer]}"}).write.path == f"a{TRAINERS[writer]}"
    assert names(tmp_path) == []


def test_knobs_of_a_writer(mix, tmp_path):
    """A writer's own knobs are given in the recipe, also for the file beside the mix, and a typo is an error."""
    plan = {"internvl": {"root": "/data/images", "folder": "/data/mixes"}}
    own = select_mix(mix.pool, size=5, write={"format": plan})
    own.write(tmp_path / "mix.jsonl")
    meta = json.loads((tmp_path / "mix.meta.json").read_text())["mix"]
    assert (meta["root"], meta["annotation"]) == ("/data/images", "/data/mixes/mix.jsonl")
    with pytest.raises(ConfigError, match="did you mean 'root'"):
        select_mix(mix.pool, size=5, write={"format": {"internvl": {"roots": "/data"}}})


def run(*arguments, cwd):
    """Run `recipe` in a process of its own."""
    command = [sys.executable, "-m", "recipe", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=os.environ)


def test_the_command_line(folder, tmp_path):
    """`--to` writes for a trainer, `validate` knows it again, and another ending is one line."""
    done = run("select", folder / "pool", "--size", "20", "--to", "llama-factory", "--cache", "off", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {"mix.json", "mix.dataset_info.json"} <= set(names(tmp_path))
    assert run("validate", "mix.json", cwd=tmp_path).returncode == 0
    found = run("validate", "mix.json", "--for", "llava", "--json", cwd=tmp_path)
    assert (found.returncode, set(json.loads(found.stdout)["counts"])) == (1, {"L05"})
    for wrong in (["--to", "trl", "--out", "a.json"], ["--to", "trainer"], ["--to", "swift", "--out", "mix.parquet"]):
        done = run("select", folder / "pool", "--size", "20", *wrong, "--cache", "off", cwd=tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    done = run("validate", "mix.json", "--for", "swift", "--fix", "b.json", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert not {"a.json", "mix.parquet", "b.json"} & set(names(tmp_path))


def test_lines_that_recipe_wrote_are_sound(mix, tmp_path):
    """LLaVA's records in lines have no finding by their manifest; for LLaVA itself one says that they are no array."""
    mix.write(tmp_path / "mix.jsonl")
    assert {one.code for one in check_mix(tmp_path / "mix.jsonl")} <= {"O04"}
    assert [one.code for one in check_mix(tmp_path / "mix.jsonl", trainer="llava") if one.code != "O04"] == ["L01"]


@pytest.mark.parametrize("writer", TRAINERS)
def test_every_case_for_every_trainer(writer, cases, tmp_path, monkeypatch):
    """One pool of every format: read is picked and rejected, and what is written has no finding but ids that repeat."""
    monkeypatch.chdir(cases / "formats")
    folders = [folder for folder in sorted(Path().iterdir()) if folder.name != "37_csv"]
    for image, media in read_pool([str(folder) for folder in folders]).rows.select("image", "media").iter_rows():
        for one in media_of(image, media):
            if one.hash is None and not re.match(r"/|[a-z0-9]+:", one.name):
                (tmp_path / "images" / one.name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / "images" / one.name).write_bytes(picture())
    rest = {"dedup": {"exact": False, "near": None}, "balance": {"yes_share": None, "margins": {}}, "select": "random"}
    target = {"format": writer, "path": str(tmp_path / f"mix{TRAINERS[writer]}")}
    read = {"images": str(tmp_path / "images")}
    mix = select_mix([str(folder) for folder in folders], size=1.0, write=target, read=read, **rest)
    counts = mix.counts
    assert counts["read"] == sum(count for name, count in counts.items() if name != "read") > 200
    mix.write(images_out=None if writer in BYTES else tmp_path / "out")
    assert {one.code for one in check_mix(mix.recipe.write.path)} <= {"O04"}


def test_records_as_they_were_are_llava_s(mix, tmp_path):
    """Records that are kept as they were read are LLaVA's: for another trainer that is an error."""
    with pytest.raises(ConfigError, match=r"records=given.*internvl"):
        Recipe(write={"format": "internvl", "records": "given"})
    given = select_mix(mix.pool, size=5, write={"records": "given"})
    with pytest.raises(ConfigError, match=r"records=given.*llava-next"):
        given.write(tmp_path / "mix.json", to="llava-next")


def test_boxes_get_their_frame_by_an_option(tmp_path):
    """Boxes of no known frame stay, with a flag; `read.boxes_frame` says it, and then they are converted."""
    turns = [{"from": "human", "value": "<image>\nWhere?"}, {"from": "gpt", "value": "[0.1, 0.2, 0.3, 1]"}]
    (tmp_path / "pool.json").write_text(json.dumps([{"id": "1", "image": "a.jpg", "conversations": turns}]))
    marked = "<box>[[100, 200, 300, 1000]]</box>"
    for frame, said, flags in ((None, "[0.1, 0.2, 0.3, 1]", ["unknown_frame"]), ("unit", marked, [])):
        mix = select_mix(tmp_path / "pool.json", size=1, read={"boxes_frame": frame}, write={"format": "internvl"})
        assert mix.pool.rows["flags"].to_list() == [flags]
        mix.write(tmp_path / "mix.jsonl", overwrite=True)
        assert json.loads((tmp_path / "mix.jsonl").read_text())["conversations"][1]["value"] == said


def test_every_writer_says_what_it_holds():
    """Each file of the room has HOLDS and ENDINGS, and a function `beside` if it says BESIDE."""
    for writer, ending in TRAINERS.items():
        module = home("write", writer)
        assert ending in module.ENDINGS
        assert ("bytes" in module.HOLDS) == (writer in BYTES)
        assert hasattr(module, "beside") == bool(getattr(module, "BESIDE", ()))


def test_sizes_of_visual_genome_are_known(tmp_path):
    """SVIT's boxes are written 0 to 1000 by the sizes of image_data.json beside its files, with no folder of images."""
    talk = [{"from": "user", "value": "Where is <st>the jay<ed> [0, 0.5, 0.5, 1]?"}, {"from": "gpt", "value": "There."}]
    item = {"image_id": 7, "conversations": [{"content": talk}]}
    (tmp_path / "pool").mkdir()
    (tmp_path / "pool" / "referring_qa.json").write_text(json.dumps([item]))
    sizes = [{"image_id": 7, "width": 200, "height": 100}]
    (tmp_path / "pool" / "image_data.json").write_text(json.dumps(sizes))
    mix = select_mix(tmp_path / "pool", size=1, write={"format": "internvl"})
    mix.write(tmp_path / "mix.jsonl")
    record = json.loads((tmp_path / "mix.jsonl").read_text())
    assert (record["width"], record["height"]) == (200, 100)
    assert "<box>[[0, 500, 500, 1000]]</box>" in record["conversations"][0]["value"]


def own(pool, rows, path):
    """Write the keys of samples."""
    path.write_text("\n".join(pool.rows["key"].gather(rows)))
    return len(rows)


def test_a_writer_of_your_own_may_say_the_same(mix, tmp_path, monkeypatch):
    """It may state what it holds, its endings and files beside the mix; what is stated wrongly is one line."""
    chosen = select_mix(mix.pool, size=5, write={"format": own})
    for name, value in {"HOLDS": ("images",), "ENDINGS": (".txt",), "BESIDE": ("list",)}.items():
        monkeypatch.setattr(own, name, value, raising=False)
    with pytest.raises(FunctionError, match="'beside'"):
        chosen.write(tmp_path / "mix.txt")
    monkeypatch.setattr(own, "beside", list, raising=False)
    with pytest.raises(FunctionError, match="text of each file"):
        chosen.write(tmp_path / "mix.txt")
    monkeypatch.setattr(own, "beside", lambda records: {"list": " ".join(file.name for file in records)})
    chosen.write(tmp_path / "mix.txt")
    assert (tmp_path / "mix.list").read_text() == "mix.txt"
    assert tmp_path / "mix.list" in family_of(tmp_path / "mix.manifest.json")
    with pytest.raises(ConfigError, match=r"ending in \.txt"):
        chosen.write(tmp_path / "mix.json")
    assert holds(Step(own, {})) == {"images"}
    for name, value, ask in (
        ("HOLDS", ("pictures",), holds),
        ("BESIDE", ("stats.json",), beside),
        ("BESIDE", ("../a",), beside),
    ):
        monkeypatch.setattr(own, name, value)
        with pytest.raises(ConfigError, match=name):
            ask(Step(own, {}))
