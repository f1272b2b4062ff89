"""Make SVIT-core-150K and SVIT-mix-665K at their real sizes from synthetic pools, and check the results.

    python benchmarks/synth.py --images 108077 --out /tmp/svit_full
    python benchmarks/bench_svit.py --pool /tmp/svit_full --share 1 --out /tmp/svit_665k --json svit.json

The pool is one of `synth.py`; a stand-in for LLaVA's mix with the real counts by source, 665,298 records in the shapes
of its sources, is written beside the results. `--share 0.1` makes a tenth of everything. What is checked: the sizes,
yes and no, shares of tasks, that every record kept of LLaVA's is as it was, in its order, and none of LLaVA-Instruct,
and that `recipe validate` finds nothing that stops LLaVA or trains silently wrong. (It does find O01: as in LLaVA's own
file some ids are numbers, which is what "as they were" means.)
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from _machine import GB, facts, save

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTRUCT = {"llava_conversation": 57_669, "llava_detail": 23_240, "llava_reasoning": 76_803}
COUNTS = INSTRUCT | {  # LLaVA issue 702; the three by the offsets in DataTailor's code
    "vqav2": 82_783,
    "okvqa": 8_998,
    "aokvqa": 66_160,
    "refcoco": 48_447,
    "vg": 86_417,
    "gqa": 72_140,
    "ocrvqa": 80_000,
    "textcaps": 21_953,
    "sharegpt": 40_688,
}
SIZE = 665_298
PADDED, MODEL_TURN = 673, 1  # records with blanks around a text, and with other keys in a turn
REPEATED = 40  # records that occur twice, to check that they are kept
WORD = "Answer the question using a single word or phrase."
LETTER = "Answer with the option's letter from the given choices directly."
THINGS = [
    "dog",
    "cat",
    "bus",
    "tree",
    "kite",
    "bench",
    "plate",
    "truck",
    "horse",
    "clock",
    "sheep",
    "skateboard",
    "umbrella",
    "vase",
    "laptop",
    "train",
]
LOOKS = [
    "red",
    "blue",
    "old",
    "small",
    "wooden",
    "shiny",
    "striped",
    "dark",
    "tall",
    "broken",
    "yellow",
    "wet",
    "metal",
    "round",
    "folded",
    "bright",
]
DOING = ["standing", "lying", "parked", "hanging", "leaning", "waiting", "moving", "resting"]
PLACES = ["street", "kitchen", "field", "beach", "station", "park", "office", "market", "bridge", "yard"]


class Scene:
    """Made-up words about one image, drawn by its number."""

    def __init__(self, source: str, number: int) -> None:
        self.draw = random.Random(f"{source}/{number}")  # noqa: S311  synthetic data need no secrets
        self.number = number

    def thing(self) -> str:
        """Name a thing with its look."""
        return f"{self.draw.choice(LOOKS)} {self.draw.choice(THINGS)}"

    def sentence(self) -> str:
        """Say what a thing does where."""
        does, place = self.draw.choice(DOING), self.draw.choice(PLACES)
        return f"The {self.thing()} is {does} near the {self.thing()} in the {place}."

    def paragraph(self) -> str:
        """Say it several times over."""
        return " ".join(self.sentence() for _ in range(self.draw.randint(5, 9)))

    def box(self) -> str:
        """Draw a box of two digits."""
        x, y = self.draw.random() / 2, self.draw.random() / 2
        return f"[{x:.2f}, {y:.2f}, {x + 0.3:.2f}, {y + 0.4:.2f}]"

    def short(self) -> tuple[str, str]:
        """Ask what is answered in a word."""
        kind = self.draw.randrange(3)
        if kind == 0:
            return f"Is there a {self.thing()} near the {self.thing()}?", self.draw.choice(("Yes", "No"))
        if kind == 1:
            return f"How many are near the {self.thing()} and the {self.thing()}?", str(self.draw.randint(1, 9))
        return f"What is next to the {self.thing()} by the {self.thing()}?", self.draw.choice(THINGS).capitalize()

    def region(self) -> tuple[str, str]:
        """Ask for words or for a box."""
        if self.draw.randrange(2):
            return f"Please provide a short description for this region: {self.box()}.", self.sentence()
        asked = "Please provide the bounding box coordinate of the region this sentence describes"
        return f"{asked}: {self.thing()} near the {self.thing()}.", self.box()


def pairs_of(source: str, scene: Scene) -> list[tuple[str, str]]:  # noqa: PLR0911  a case a source
    """Return the questions and answers of a source about an image."""
    many = scene.draw.randint(3, 7)
    if source in ("vqav2", "gqa", "ocrvqa"):
        first, *others = [scene.short() for _ in range(many)]
        return [(f"{first[0]}\n{WORD}", first[1]), *others]
    if source == "okvqa":
        question, answer = scene.short()
        return [(f"{question}\n{WORD}", answer)]
    if source == "aokvqa":
        options = "\n".join(f"{letter}. {scene.thing()}" for letter in "ABCD")
        return [(f"{scene.short()[0]}\n{options}\n{LETTER}", scene.draw.choice("ABCD"))]
    if source in ("refcoco", "vg"):
        return [scene.region() for _ in range(many)]
    if source == "textcaps":
        asked = "Provide a one-sentence caption for the provided image."
        return [(f"{asked}\nReference OCR token: {scene.thing()}", scene.sentence())]
    if source == "llava_detail":
        return [("Describe the following image.", scene.paragraph())]
    if source == "llava_reasoning":
        return [(f"Why might the {scene.thing()} be near the {scene.thing()}?", scene.paragraph())]
    return [(f"What about the {scene.thing()}, and the {scene.thing()}?", scene.sentence()) for _ in range(many)]


def where(source: str, number: int) -> tuple[Any, str | None]:
    """Name the id and the image of a record as its source does."""
    coco = f"{number * 7 % 581_929:012d}"
    return {
        "vg": (f"VG_100K_2/{number}", f"vg/VG_100K_2/{number}.jpg"),
        "gqa": (2_000_000 + number, f"gqa/images/{2_000_000 + number}.jpg"),
        "ocrvqa": (f"{number:010d}", f"ocr_vqa/images/{number:010d}.jpg"),
        "textcaps": (f"{number:016x}", f"textvqa/train_images/{number:016x}.jpg"),
        "sharegpt": (f"S{number:06d}_0", None),
        "aokvqa": (f"q{number}", f"coco/train2017/{coco}.jpg"),
    }.get(source, (coco, f"coco/train2017/{coco}.jpg"))


def record(source: str, number: int) -> dict[str, Any]:
    """Make one record of LLaVA's mix."""
    scene = Scene(source, number)
    name, image = where(source, number)
    turns = [
        {"from": speaker, "value": text}
        for pair in pairs_of(source, scene)
        for speaker, text in zip(("human", "gpt"), pair, strict=True)
    ]
    if image:
        asked = turns[0]["value"]
        turns[0]["value"] = f"{asked}\n<image>" if source in INSTRUCT and number % 2 else f"<image>\n{asked}"
    if source == "vqav2" and number < PADDED:
        turns[1]["value"] = f" {turns[1]['value']}\n"
    if source == "sharegpt" and number < MODEL_TURN:
        turns[1] |= {"text": "", "markdown": None}
    shown = {"image": image} if image else {"model": ""}
    return {"id": name, **shown, "conversations": turns}


def write_mix(path: Path, counts: dict[str, int]) -> None:
    """Write a synthetic version of LLaVA's mix: one array on one line, as `json.dump` writes it."""
    with path.open("w", encoding="ascii") as file:
        comma = "["
        for source, count in counts.items():
            for number in range(count):
                copy = number - 1 if source == "gqa" and 0 < number <= REPEATED else number
                file.write(comma + json.dumps(record(source, copy)))
                comma = ", "
        file.write("]")


def kept(counts: dict[str, int]) -> Iterator[str]:
    """Return the records that are to stay, in the order of the file."""
    for source, count in counts.items():
        if source not in INSTRUCT:
            for number in range(count):
                yield json.dumps(record(source, number - 1 if source == "gqa" and 0 < number <= REPEATED else number))


def made(preset: str, sources: list[str], size: int, out: Path) -> dict[str, Any]:
    """Make a mix by a preset, write it, and return its figures."""
    from recipe import check_mix, select_mix
    from recipe.engine.timing import timed

    begin = perf_counter()
    with timed() as stages:
        mix = select_mix(sources, recipe=preset, size=size)
    selected = perf_counter()
    mix.write(out)
    written = perf_counter()
    rows = mix.pool.rows
    labels = {name: Counter(rows[name].gather(mix.picks.rows).to_list()) for name in ("dataset", "task")}
    yes, no = (int(rows[name].gather(mix.picks.rows).sum()) for name in ("n_yes", "n_no"))
    seconds: dict[str, float] = {}
    for one in stages:
        seconds[one.name] = seconds.get(one.name, 0.0) + one.seconds
    findings = Counter(each.code for each in check_mix(out))
    return {
        "preset": preset,
        "samples": len(mix.pool),
        "picked": len(mix),
        "rejected": {name: count for name, count in mix.counts.items() if name.startswith("rejected")},
        "select_seconds": selected - begin,
        "write_seconds": written - selected,
        "stages": seconds,
        "yes": yes,
        "no": no,
        "datasets": {str(name): count for name, count in labels["dataset"].most_common()},
        "tasks": {str(name): count for name, count in labels["task"].most_common()},
        "findings": dict(findings),
        "peak_gb": share_of_peak() / GB,
    }


def share_of_peak() -> int:
    """Return the peak memory of this process, in bytes."""
    import resource

    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def faithful(mix: Path, counts: dict[str, int], core: int) -> dict[str, int]:
    """Count the records behind the core set that are as they were, in their order, and all others."""
    same = other = 0
    with mix.open(encoding="ascii") as file:
        lines = (line.rstrip("\n").removesuffix(",") for line in islice(file, 1 + core, None))
        wanted = kept(counts)
        for line in lines:
            if line == "]":
                break
            same, other = (same + 1, other) if line == next(wanted, None) else (same, other + 1)
    return {"kept_as_they_were": same, "kept_otherwise": other, "missing": sum(1 for _ in wanted)}


def main() -> None:
    """Make both mixes, check them, print and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pool", type=Path, required=True, help="a folder that synth.py wrote")
    parser.add_argument("--share", type=float, default=1.0, help="of the real sizes; the pool should be as large")
    parser.add_argument("--out", type=Path, required=True, help="a folder for the synthetic mix and the results")
    parser.add_argument("--json", type=Path, required=True)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    counts = {source: round(count * asked.share) for source, count in COUNTS.items()}
    stand_in = asked.out / "llava_mix.json"
    if not stand_in.exists():
        write_mix(stand_in, counts)
    core, size = sum(counts[source] for source in INSTRUCT), sum(counts.values())
    results = {"core": made("svit-core-150k", [str(asked.pool)], core, asked.out / "core.json")}
    sources = [str(asked.pool), str(stand_in)]
    results["mix"] = made("svit-mix-665k", sources, size, asked.out / "mix.json")
    results["mix"] |= faithful(asked.out / "mix.json", counts, core)
    print(json.dumps(results, indent=1))
    save(asked.json, {**results, "machine": facts()})
    got = results["mix"]["datasets"]
    wrong = [source for source, count in counts.items() if got.get(source, 0) != (0 if source in INSTRUCT else count)]
    serious = [code for one in results.values() for code in one["findings"] if code[0] in "LW"]
    if wrong or serious or results["mix"]["kept_otherwise"] or results["mix"]["missing"]:
        sys.exit(f"bench_svit.py: not as it should be: {wrong}, {serious}")


if __name__ == "__main__":
    main()
