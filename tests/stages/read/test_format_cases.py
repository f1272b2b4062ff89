"""What becomes of each folder of formats that people hold: one table, which the tests execute.

The folders are found through RECIPE_CASES, else beside the project.
"""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import ROOT

from recipe.data.media import media_of
from recipe.errors import InputError, RecipeWarning
from recipe.stages.read import read_pool
from recipe.stages.tag import modality, trouble

CASES = Path(os.environ.get("RECIPE_CASES", ROOT.parent / "shared" / "cases")) / "formats"
FOLDERS = sorted(CASES.iterdir()) if CASES.is_dir() else []
needs_cases = pytest.mark.skipif(not FOLDERS, reason=f"no cases in {CASES}; set RECIPE_CASES to their folder")

SHA = r"[0-9a-f]{32}\.(jpg|png)"
BENCH = ("What is on the bench?", "A folded umbrella and a paper bag.")
CAPTION = ("", BENCH[1])


class Case(NamedTuple):
    """What a folder gives: samples, the name of the first picture, what samples show, and what is said of the rest."""

    samples: int
    picture: str | None
    shows: str = "image"
    text_only: int = 0
    passed: tuple[str, ...] = ()
    first: tuple[str, str] = BENCH
    frame: str | None = None
    system: str | None = None
    flags: tuple[str, ...] = ()
    warns: bool = False


OUTCOMES: dict[str, Case | str] = {  # a text is what refuses the folder
    "01_llava_v1_5": Case(5, "coco/train2017/000000900001.jpg", text_only=1),
    "02_llava_next": Case(5, SHA, text_only=1),
    "02b_llava_next_to_json": Case(5, SHA, text_only=1),
    "02c_hf_export_path_null": Case(5, "n0.jpg", text_only=1),
    "02d_llava_next_raw": Case(4, "llava_next/n0.jpg"),
    "03_llava_onevision": Case(6, SHA),
    "03b_onevision_yaml": Case(7, "a/0.jpg", passed=("onevision.yaml",), warns=True),
    "03c_m4_interleave": Case(3, "x/0_0.png", "images", first=("A <image> B <image> What is on the bench?", BENCH[1])),
    "05_sharegpt4v": Case(3, "coco/train2017/000000000000.jpg"),
    "06_allava": Case(6, "allava_laion/images/90.jpeg", text_only=3),
    "07_cambrian": Case(5, "toyqa/0.jpg", text_only=2),
    "07b_cambrian_sysprompt": Case(
        3, "toyqa/0.jpg", first=(f"{BENCH[0]}\nAnswer the question using a single word or phrase.", BENCH[1])
    ),
    "08_cauldron": Case(4, SHA),
    "08b_cauldron_json": Case(3, "ai2d/0.png"),
    "09_finevision": Case(4, SHA),
    "10_bunny": Case(4, "toy/0.jpg", text_only=1),
    "11_mgm": Case(4, "llava/dataset/coco/train2017/0.jpg", text_only=1),
    "12_svit_hf": Case(6, "vg/900.jpg", passed=("image_data.json", "region_descriptions.json")),
    "13_vision_flan": Case(4, "images_191task_1k/toy+task_0.jpg"),
    "14_m3it": Case(3, SHA, first=(f"Answer from the picture.\n{BENCH[0]}", BENCH[1])),
    "15_mimic_it": Case(4, SHA, passed=("TT.json", "TT_train.json")),
    "16_lvis_instruct4v": Case(3, "coco/train2017/000000000000.jpg"),
    "17_lrv": Case(3, "vg/990.jpg"),
    "18_pixmo": Case(9, "https://example.org/0.jpg"),
    "18b_pixmo_json": Case(3, "https://example.org/0.jpg"),
    "19_openai_messages": Case(3, SHA, system="Be short."),
    "19b_trl_parquet": Case(3, SHA),
    "20_llamafactory": Case(3, "toy_data/0.jpg", passed=("dataset_info.json",)),
    "20b_lf_sharegpt_conversations": Case(3, "toy_data/0.jpg", system="Be short."),
    "20c_lf_sharegpt_no_token": Case(3, "toy_data/0.jpg", flags=("mark_added",)),
    "20d_lf_alpaca": Case(3, "toy_data/0.jpg"),
    "20e_sharegpt_system_turn": Case(3, "0.jpg", system="Be short."),
    "20f_lf_videos": Case(3, None, "video"),
    "21_swift_messages": Case(3, "/data/x/0.jpg"),
    "21b_swift_query_response": Case(3, "/data/x/0.jpg"),
    "21c_swift_grounding": Case(3, "x/0.jpg", first=("Find the kettle", "[10, 20, 110, 220]"), frame="pixels"),
    "22_qwen_vl": Case(3, "images/0.png"),
    "22b_qwen_multi": Case(3, "images/0.png", "images"),
    "22c_qwen_video": Case(3, None, "video"),
    "22e_qwen_v1": Case(3, "x/0.jpg"),
    "22f_qwen_image_list_of_one": Case(3, "images/0.png"),
    "23_internvl": Case(6, "images/0.jpg", warns=True),
    "23b_internvl_meta": Case(6, "playground/data/a/images/0.jpg", passed=("meta.json: toyqa_b.jsonl",)),
    "24_xtuner_v1": Case(3, "resource/0.jpg"),
    "25_axolotl": Case(3, "x/0.jpg"),
    "26_energon_vqa": Case(3, SHA),
    "26c_energon_metadataset": Case(3, SHA, passed=("meta.yaml: shard_0.tar",)),
    "27_img2dataset_wds": Case(3, SHA, passed=("00000.parquet", "00000_stats.json"), first=CAPTION),
    "28_save_to_disk": Case(3, SHA, passed=("dataset_info.json", "state.json")),
    "29_coco_captions": Case(3, "000000000090.jpg", first=CAPTION),
    "29b_coco_annotations_only": Case(3, "000000000090.jpg", first=CAPTION),
    "29c_karpathy_lavis": Case(3, "val2014/COCO_val2014_000000000090.jpg", first=CAPTION),
    "29d_karpathy_val": Case(6, "val2014/COCO_val2014_000000000090.jpg", first=CAPTION),
    "29e_vqav2": Case(3, "COCO_train2014_000000000090.jpg", passed=("v2_annotations.json",)),
    "29f_lavis_vqa": Case(3, "val2014/0.jpg"),
    "29g_gqa": Case(3, "550.jpg", first=(BENCH[0], "no")),
    "29h_flickr_karpathy": Case(3, "0.jpg", first=CAPTION),
    "29i_coco_results": Case(3, "000000000090.jpg", first=CAPTION),
    "30_minicpm_v": Case(3, "x/0.jpg"),
    "31_nemotron": Case(3, "x/0.png"),
    "34_llava_base64_image": Case(3, SHA),
    "34b_llava_data_uri": Case(3, SHA),
    "34c_llava_base64_png": Case(3, SHA),
    "34d_image_url": Case(3, "https://example.org/0.jpg"),
    "34e_image_path_key_no_token": Case(3, "x/0.jpg", flags=("mark_added",)),
    "35_llava_med": Case(3, "0.jpg"),
    "36_boxes_qwen25": Case(3, "0.jpg", first=("Locate the kettle, output JSON.", ""), frame="pixels"),
    "37_csv": "found only 1 file .csv",
    "38_mixed_folder": Case(8, "a/0.jpg", text_only=1),
    "39_lf_audio": Case(3, None, "audio"),
}


@needs_cases
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_each_folder_ends_as_stated(folder):
    """Every record becomes a sample with its turns, its pictures and their names, or the folder is refused by name."""
    expected = OUTCOMES[folder.name]
    if isinstance(expected, str):
        with pytest.raises(InputError, match=expected):
            read_pool(folder)
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pool = read_pool(folder)
    rows = pool.rows.sort("order")
    assert (len(rows), rows["problem"].null_count()) == (expected.samples, expected.samples)
    first = rows.row(0, named=True)
    shown = media_of(first["image"], first["media"])
    if expected.picture is not None:
        assert fits(expected.picture, shown[0].name)
    kinds = modality.tag(pool)["modality"].value_counts(name="n")
    counts = dict(zip(kinds["modality"], kinds["n"], strict=True))
    assert counts.get("text", 0) == expected.text_only
    assert counts[expected.shows] >= 1
    question, answer = expected.first
    asked = first["turns"][0]["value"]
    bare = re.sub(r"^(?:<(?:image|video|audio)>\n?)+", "", asked)
    assert bare == question if question else asked.startswith("<image>\n")
    assert first["turns"][1]["value"] == answer or not answer
    assert all(turn["value"] for row in rows["turns"] for turn in row)
    assert first["frame"] == expected.frame
    assert ("system" in (first["extra"] or "")) == (expected.system is not None)
    assert tuple(first["noted"] or ()) == expected.flags
    assert set(expected.passed) <= {name for name, _ in pool.checkpoint.passed}
    assert any(isinstance(one.message, RecipeWarning) for one in caught) == expected.warns


def fits(pattern, name):
    """Whether a name is the one that is written, or is a hash where that is."""
    return re.fullmatch(pattern, name) is not None if pattern == SHA else pattern == name


@needs_cases
def test_a_list_is_obeyed():
    """OneVision's YAML takes the first half of one file and all of the other; InternVL's roots tell pictures apart."""
    pool = read_pool(CASES / "03b_onevision_yaml" / "onevision.yaml")
    assert sorted(pool.rows["id"]) == ["a0", "a1", "b0", "b1", "b2"]
    pool = read_pool(CASES / "23b_internvl_meta" / "meta.json")
    assert pool.rows["image"].n_unique() == 6


@needs_cases
@pytest.mark.parametrize(
    "name", ["03c_m4_interleave", "20f_lf_videos", "22b_qwen_multi", "22c_qwen_video", "39_lf_audio"]
)
def test_what_llava_cannot_show_is_rejected_for_it_alone(name):
    """Several pictures, videos and sounds are `many_images` for LLaVA v1.5, and sound for a trainer that holds them."""
    pool = read_pool(CASES / name)
    assert set(trouble.tag(pool)["problem"]) == {"many_images"}
    assert trouble.tag(pool, holds=("images", "video", "videos", "audio"))["problem"].null_count() == len(pool)
