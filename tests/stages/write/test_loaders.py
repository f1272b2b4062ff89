"""The trainers' own loaders, where they are installed, find every sample, picture and mark that is written for them."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from trainers import TRAINERS, chat, held_by, knobs_of, picture, pool_of_chats, shown, some_chats

from recipe.config.registry import find
from recipe.config.step import Step
from recipe.data.media import Medium
from recipe.stages.write import write_beside


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """Keep loaders from the network and from caches of the user's."""
    for name, value in {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "DISABLE_VERSION_CHECK": "1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("HF_HOME", "HF_DATASETS_CACHE", "MODELSCOPE_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))


def written(folder, writer, chats):
    """Write samples for a trainer with the files beside them, and their pictures; return the file and the samples."""
    held = held_by(writer, chats)
    file = folder / f"mix{TRAINERS[writer]}"
    count = find("write", writer)(pool_of_chats(held), np.arange(len(held)), file, **knobs_of(writer))
    write_beside(file, {file: count}, Step(writer, {}))
    for one in (one for each in held for one in each["media"]):
        (folder / one.name).parent.mkdir(parents=True, exist_ok=True)
        (folder / one.name).write_bytes(picture())
    return file, held


def count_of(chats, kind):
    """How many media of a kind some samples have."""
    return sum(one.kind == kind for each in chats for one in each["media"])


@pytest.mark.usefixtures("offline")
def test_datasets_and_trl(tmp_path):
    """TRL finds a place for every picture, and Hugging Face decodes each."""
    datasets = pytest.importorskip("datasets")
    utils = pytest.importorskip("trl.data_utils")
    file, held = written(tmp_path, "trl", some_chats())
    table = datasets.load_dataset("parquet", data_files=str(file), split="train", cache_dir=str(tmp_path / "cache"))
    assert len(table) == len(held)
    found = [utils.prepare_multimodal_messages(row["messages"], images=row["images"]) for row in table]
    shown_in = [part for talk in found for message in talk for part in message["content"] if part["type"] == "image"]
    assert [part["image"].size for part in shown_in] == [(64, 48)] * count_of(held, "image")


@pytest.mark.usefixtures("offline")
def test_llama_factory(tmp_path):
    """LLaMA-Factory aligns every sample by its entry, and its marks and files agree."""
    parser = pytest.importorskip("llamafactory.data.parser")
    converter = pytest.importorskip("llamafactory.data.converter")
    datasets = pytest.importorskip("datasets")
    file, held = written(tmp_path, "llama_factory", some_chats())
    shutil.copy(tmp_path / "mix.dataset_info.json", tmp_path / "dataset_info.json")
    [entry] = parser.get_dataset_list(["mix"], str(tmp_path))
    table = datasets.load_dataset("json", data_files=str(file), split="train", cache_dir=str(tmp_path / "cache"))
    arguments = type("Arguments", (), {"media_dir": str(tmp_path)})
    align = converter.SharegptDatasetConverter(entry, arguments)
    found = [align(row) for row in table]
    assert len(found) == len(held)
    assert all(row["_prompt"] and row["_response"] for row in found)
    for kind in ("image", "video", "audio"):
        said = [message["content"] for row in found for message in [*row["_prompt"], *row["_response"]]]
        given = [path for row in found for path in row[f"_{kind}s"] or []]
        assert sum(text.count(f"<{kind}>") for text in said) == len(given) == count_of(held, kind)
        assert all(path.startswith(str(tmp_path)) for path in given)


@pytest.mark.usefixtures("offline")
def test_swift(tmp_path):
    """ms-swift keeps every sample when it is strict, with its pictures and its boxes."""
    swift = pytest.importorskip("swift.dataset", exc_type=ImportError)
    file, held = written(tmp_path, "swift", some_chats())
    table, _ = swift.load_dataset([str(file)], num_proc=1, strict=True, load_from_cache_file=False)
    assert len(table) == len(held)
    assert sum(len(row["images"] or []) for row in table) == count_of(held, "image")
    boxes = [row["objects"]["bbox"] for row in table]
    assert sum(map(len, boxes)) == sum(
        text.count("<bbox>") for row in table for text in (m["content"] for m in row["messages"])
    )
    assert sum(map(len, boxes)) == 4


@pytest.mark.usefixtures("offline")
def test_a_late_film_is_read(tmp_path):
    """A video that was picked after more than 10 MiB of texts stops no loader."""
    datasets = pytest.importorskip("datasets")
    texts = [chat("Why? " * 400, "So.") for _ in range(6_000)]
    film = chat("<video>\nWhat?", "It rains.", media=[Medium("video", "a.mp4")])
    late = [chat("<image>\nWhat?", "A jay.", media=shown("a.jpg")), film]
    file, held = written(tmp_path, "swift", [*texts, *late])
    assert file.stat().st_size > 11 << 20
    table = datasets.load_dataset("json", data_files=str(file), split="train", cache_dir=str(tmp_path / "cache"))
    assert len(table) == len(held)
    assert sum(len(row) for row in table["videos"]) == sum(len(row) for row in table["images"]) == 1


def test_webdataset(tmp_path):
    """WebDataset groups the files of each key, and the record names its pictures."""
    wds = pytest.importorskip("webdataset")
    file, held = written(tmp_path, "webdataset", some_chats())
    found = list(wds.WebDataset(str(file), shardshuffle=False))
    assert len(found) == len(held)
    named = [name for row in found for name in json.loads(row["json"]).get("name", []) if name in row]
    assert len(named) == count_of(held, "image")


def test_energon(tmp_path):
    """Energon indexes the tar, and its loader yields every sample with its pictures."""
    energon = pytest.importorskip("megatron.energon", exc_type=ImportError)
    from megatron.energon.epathlib import EPath
    from megatron.energon.flavors import BaseWebdatasetFactory

    file, held = written(tmp_path, "webdataset", some_chats())
    folder = tmp_path / "energon"
    (folder / ".nv-meta").mkdir(parents=True)
    shutil.copy(file, folder / file.name)
    (folder / ".nv-meta" / "dataset.yaml").write_text("__module__: megatron.energon\n__class__: CrudeWebdataset\n")
    ratio = [("train", 1.0), ("val", 0), ("test", 0)]
    BaseWebdatasetFactory.prepare_dataset(
        EPath(str(folder)), [file.name], split_parts_ratio=ratio, tar_index_only=False, workers=1
    )

    @energon.stateless
    def cook(sample):
        """Take a sample as it is."""
        return sample

    class Encoder(energon.DefaultTaskEncoder):
        """Takes samples as they are."""

        cookers = (energon.Cooker(cook),)

        @energon.stateless
        def encode_sample(self, sample):
            return sample

        def batch(self, samples):
            return samples

        def encode_batch(self, batch):
            return batch

    table = energon.get_train_dataset(
        str(folder),
        batch_size=1,
        shuffle_buffer_size=None,
        max_samples_per_sequence=None,
        worker_config=energon.WorkerConfig(rank=0, world_size=1, num_workers=0),
        task_encoder=Encoder(),
        repeat=False,
    )
    found = [sample for batch in energon.get_loader(table) for sample in batch]
    assert len(found) == len(held)
    named = [name for sample in found for name in sample["json"].get("name", []) if name in sample]
    assert len(named) == count_of(held, "image")
