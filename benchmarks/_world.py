"""The words and templates of `world.yaml` as numbers: texts are rows of fragment numbers, written by one join.

A template is a row of fragment numbers, in which a slot is a negative number. To make m question-answer pairs,
`Bank.fill` takes m rows of templates and puts the m words of each slot in place: no Python step per word.

Slots: `a`, `b` two things of the image (`A`, `B` with their boxes, `as` in the plural), `look`, `color`, `look2`,
`color2` their attributes, `where` the part of the image that `a` is in, `relation` of `a` to `b`, `material`, `number`,
`use` of `a`, `claim` another color than that of `a`; `person`, `garment`, `doing`; `kind`, `place`, `time`, `weather`,
`mood` of the scene; `actors`, `actions`, `conditions`, `advice` of whoever may be there; `name` on a sign; `well` an
adverb or nothing. `a {slot}` becomes `an {slot}` where the word asks for it.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Ids = NDArray[np.int32]

PLAIN, ARTICLE, PLURAL = range(3)  # forms of a word; their fragments have consecutive numbers
FORMS = 3
SLOTS = (
    *("a", "b", "look", "color", "look2", "color2", "where", "relation", "material", "number", "use", "use2", "claim"),
    *("person", "garment", "doing", "kind", "place", "time", "weather", "mood", "name", "well", "end"),
    *("actors", "actions", "conditions", "actors2", "actions2", "conditions2", "advice"),
    *("ax1", "ay1", "ax2", "ay2", "bx1", "by1", "bx2", "by2"),
)
MACROS = {
    "{as}": "{a:2}",
    "{A}": "<st>{a}{ax1}{ay1}{ax2}{ay2}",
    "{B}": "<st>{b}{bx1}{by1}{bx2}{by2}",
}
FRAME = {  # JSON around the texts
    "comma": ", ",
    "topic": '{"topic": "',
    "after topic": '", "content": [',
    "content": '{"content": [',
    "user": '{"from": "user", "value": "',
    "end of answer": '"}',
    "end": "]}",
}
WHERE = [
    f"{across} {up} part" if across != "the middle" else f"the middle of the {up} part"
    for up, across in product(("upper", "central", "lower"), ("the left", "the middle", "the right"))
]
LISTS = {  # slot and its list in world.yaml
    "color": "colors",
    "material": "materials",
    "relation": "relations",
    "person": "people",
    "garment": "garments",
    "doing": "doings",
    "use": "uses",
    "time": "times",
    "weather": "weather",
    "mood": "moods",
    "actors": "actors",
    "actions": "actions",
    "conditions": "conditions",
    "advice": "advices",
    "well": "adverbs",
    "end": "ends",
    "number": "numbers",
    "topic": "topics",
    "place": "places",
    "kind": "kinds",
}
WORLD = Path(__file__).with_name("world.yaml")
_TABLE_BITS = 14


@cache
def zipf(n: int) -> NDArray[np.int32]:
    """Return a table of 2**14 ranks in which rank r of n stands in proportion to 1 / (r + 1)."""
    cumulated = np.cumsum(1.0 / np.arange(1, n + 1))
    points = (np.arange(1 << _TABLE_BITS) + 0.5) / (1 << _TABLE_BITS) * cumulated[-1]
    return np.searchsorted(cumulated, points).clip(0, n - 1).astype(np.int32)


class Draws:
    """Numbers from one seed and the number of a chunk, the same in every version of numpy."""

    def __init__(self, seed: int, chunk: int) -> None:
        self._bits = np.random.Philox(np.random.SeedSequence([seed, chunk]))

    def raw(self, *shape: int) -> NDArray[np.uint64]:
        """Draw 64-bit integers."""
        return self._bits.random_raw(int(np.prod(shape))).reshape(shape)

    def below(self, n: int, *shape: int) -> NDArray[np.int64]:
        """Draw integers on 0..n-1."""
        return ((self.raw(*shape) >> np.uint64(32)) * np.uint64(n) >> np.uint64(32)).astype(np.int64)

    def ranks(self, n: int, *shape: int) -> NDArray[np.int64]:
        """Draw ranks on 0..n-1 by Zipf's law."""
        return zipf(n)[self.raw(*shape) >> np.uint64(64 - _TABLE_BITS)].astype(np.int64)

    def uniform(self, *shape: int) -> NDArray[np.float64]:
        """Draw numbers on 0..1."""
        return self.raw(*shape) / 2.0**64


class Bank:
    """Fragments of text by number; 0 is nothing."""

    def __init__(self) -> None:
        self.fragments: list[bytes] = [b""]
        self._number: dict[str, int] = {"": 0}

    def constant(self, text: str) -> int:
        """Return the number of a fragment."""
        if text not in self._number:
            self._number[text] = self._add(text)
        return self._number[text]

    def words(self, words: Iterable[str]) -> Ids:
        """Return the numbers of words; the form with an article and the plural have the two numbers after each."""
        numbers = [[self._add(form) for form in forms(word)] for word in words]
        return np.array(numbers, dtype=np.int32)[:, PLAIN]

    def templates(self, texts: Iterable[str]) -> Ids:
        """Return (t, width) numbers of fragments and, below 0, of slots."""
        rows = [self._template(text) for text in texts]
        width = max(map(len, rows))
        return np.array([row + [0] * (width - len(row)) for row in rows], dtype=np.int32)

    def _template(self, text: str) -> list[int]:
        """Cut one template into fragments and slots."""
        for short, long in MACROS.items():
            text = text.replace(short, long)
        text = re.sub(r"\ba \{(\w+)\}", r"{\1:1}", text)
        row = []
        for at, part in enumerate(re.split(r"\{([\w:]+)\}", text)):
            if at % 2:
                name, _, form = part.partition(":")
                row.append(-(1 + FORMS * SLOTS.index(name) + int(form or PLAIN)))
            elif part:
                row.append(self.constant(part))
        return row

    def _add(self, text: str) -> int:
        """Append a fragment as it is in JSON."""
        self.fragments.append(text.encode("ascii").replace(b"\n", b"\\n"))
        return len(self.fragments) - 1

    @staticmethod
    def fill(templates: Ids, which: NDArray[np.int64], slots: Ids) -> Ids:
        """Return (m, width) fragment numbers: for each line its template with its words in the slots.

        Parameters
        ----------
        templates
            (t, width) as `templates` returns it.
        which
            (m,) a row of `templates` for each line.
        slots
            (m, len(SLOTS)) fragment numbers.
        """
        rows = templates[which]
        line, column = np.nonzero(rows < 0)
        code = -1 - rows[line, column]
        rows[line, column] = slots[line, code // FORMS] + code % FORMS
        return rows


def forms(word: str) -> tuple[str, str, str]:
    """Return a word, with its article, and in the plural.

    Examples
    --------
    >>> forms("old couch")
    ('old couch', 'an old couch', 'old couches')
    """
    article = "an" if word[:1] in tuple("aeio") else "a"  # words in u are mostly said as `you`
    plural = f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"
    return word, f"{article} {word}", plural


def made_up(syllables: str, count: int, label: int, *, ending: str = "") -> list[str]:
    """Make pronounceable words, none twice."""
    draws, parts, words = Draws(label, 0), syllables.split(), {}
    while len(words) < count:
        for three in draws.below(len(parts), 2 * count, 3).tolist():
            words["".join(parts[i] for i in three[: 2 + three[0] % 2]) + ending] = None
    return list(words)[:count]


class World:
    """All words, templates and scenes, as fragment numbers."""

    def __init__(self) -> None:
        lore: dict[str, Any] = yaml.load(WORLD.read_bytes(), Loader=yaml.CSafeLoader)
        self.bank, self.lines = Bank(), {}
        words = self.bank.words
        self.word = {name: words(lore[key]) for name, key in LISTS.items()}
        self.word["where"] = words(f"in {part}" for part in WHERE)
        self.word["look"] = words(lore["looks"] + made_up(lore["syllables"], lore["more_looks"], 1, ending="y"))
        self.word["name"] = words(name.capitalize() for name in made_up(lore["syllables"], lore["names"], 2))
        self._place_things(lore)
        self._compile(lore)
        self.frame = {name: self.bank.constant(text) for name, text in FRAME.items()}
        for corner, (before, after) in {
            "x1": ("<ed> [", ""),
            "y1": (", ", ""),
            "x2": (", ", ""),
            "y2": (", ", "]"),
        }.items():
            self.word[corner] = np.array(
                [self.bank.constant(f"{before}{_milli(i)}{after}") for i in range(1001)], np.int32
            )

    def _place_things(self, lore: dict[str, Any]) -> None:
        """Give each scene its things by frequency: the place's own, those of every place, made-up ones."""
        places, kinds = lore["places"], len(lore["kinds"])
        share = lore["nouns"]["more"] // len(places)
        tail = made_up(lore["syllables"], share * len(places), 0)
        own = [self.bank.words(dict.fromkeys(things)) for things in places.values()]
        common, rare = self.bank.words(lore["everywhere"]), self.bank.words(tail).reshape(len(places), share)
        draws, scenes = Draws(3, 0), []
        for at in range(len(places) * kinds):
            parts = (own[at // kinds], common, rare[at // kinds])
            scenes.append(np.concatenate([part[np.argsort(draws.raw(len(part)), kind="stable")] for part in parts]))
        self.things = np.stack(scenes)
        self.kinds = kinds

    def _compile(self, lore: dict[str, Any]) -> None:
        """Compile the templates of each task."""
        turn = '"}, {"from": "gpt", "value": "'
        facts, refer = lore["conversation"], lore["referring"]
        pairs = {
            "open": [pair for fact in facts for pair in product(fact["ask"], fact["say"])],
            "yes": [pair for fact in facts for pair in product(fact.get("check", ()), fact.get("agree", ()))],
            "no": [pair for fact in facts for pair in product(fact.get("check", ()), fact.get("deny", ()))],
            "referring": [pair for fact in refer for pair in product(fact["ask"], fact["say"])],
        }
        for name, both in pairs.items():
            for _, answer in both:
                if "{well}" not in answer or not answer.endswith("."):
                    raise ValueError(f"world.yaml: expected an answer with {{well}} and a full stop, got {answer!r}")
            self.lines[name] = self.bank.templates(f"{ask}{turn}{answer[:-1]}" for ask, answer in both)
        self.lines["remark"] = self.bank.templates(lore["remark"])
        for task in ("reasoning", "description"):
            for part, texts in lore[task].items():
                self.lines[f"{task}.{part}"] = self.bank.templates(
                    f"{text}{turn}" if part == "ask" else text for text in texts
                )


def _milli(i: int) -> str:
    """Write a number of thousandths as SVIT writes a coordinate."""
    return f"{i / 1000:.3f}".rstrip("0").rstrip(".") if i else "0"
