"""What images show, and texts about it: a chunk of images at once, as rows of fragment numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from _world import SLOTS, Bank, Draws

if TYPE_CHECKING:
    from _world import Ids, World
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]
    Mask = NDArray[np.bool_]

CHUNK = 128  # images generated at once; a chunk has its own draws, so the texts of an image depend on this number
THINGS, PEOPLE = 12, 3  # an image
QAS = {"conversation": 15, "complex_reasoning": 15, "referring_qa": 10, "detail_description": 1}
TOPIC = 5  # pairs of one topic
NEAR, EXACT = 0.05, 0.01  # shares of near and exact duplicates
CLOSED, YES = 0.3, 0.7  # share of questions of whether in conversations, and of yes among their answers
PARTS = {  # banks of templates, one after the other
    "complex_reasoning": tuple(f"reasoning.{part}" for part in ("ask", "claim", "ground", "more", "doubt", "close")),
    "referring_qa": ("referring", "remark"),
    "detail_description": ("description.ask", "description.open"),
}
CORNERS = ("x1", "y1", "x2", "y2")
WELL, END, CLAIM = (SLOTS.index(name) for name in ("well", "end", "claim"))
_IMAGE = np.arange(CHUNK)[:, None]


class Scenes:
    """What the images of one chunk show.

    Parameters
    ----------
    world
        Words and templates.
    seed, number
        The pool's seed, and which chunk it is.
    """

    def __init__(self, world: World, seed: int, number: int) -> None:
        self.world, self.draws = world, Draws(seed, number)
        draws, word = self.draws, world.word
        place, kind = draws.ranks(len(word["place"]), CHUNK), draws.ranks(world.kinds, CHUNK)
        self.scene = place * world.kinds + kind
        # Without replacement: a thing of rank r arrives after a time in proportion to r, and the first dozen is here.
        ranks = np.arange(1, world.things.shape[1] + 1)
        arrival = np.argsort(draws.uniform(CHUNK, len(ranks)) * ranks, axis=1, kind="stable")
        self.thing = world.things[self.scene[:, None], arrival[:, :THINGS]]
        self.number = word["number"][draws.ranks(len(word["number"]), CHUNK, THINGS)]
        self.of_thing = {
            name: self._tied(name, self.thing, span=span)
            for name, span in (("look", 40), ("color", 12), ("material", 12))
        }
        people = self.scene[:, None] + np.arange(PEOPLE)
        self.of_person = {
            name: self._tied(name, people, span=span) for name, span in (("person", 6), ("garment", 10), ("doing", 30))
        }
        self.of_image = {name: self._tied(name, self.scene, span=4) for name in ("time", "weather", "mood")}
        self.of_image |= {"place": word["place"][place], "kind": word["kind"][kind]}
        self.topic = self._tied("topic", self.scene[:, None] + np.arange(3), span=len(word["topic"]))
        self._draw_boxes()

    def _tied(self, name: str, to: NDArray[np.integer], *, span: int) -> Ids:
        """Draw words by Zipf's law from an order of the list that begins elsewhere for each thing or scene."""
        words = self.world.word[name]
        return words[(self.draws.ranks(len(words), *to.shape) + to * np.int64(7919) % span) % len(words)]

    def _draw_boxes(self) -> None:
        """Draw a box for each thing, in thousandths, and return in which part of the image its middle is."""
        draws, shape = self.draws, (CHUNK, THINGS, 2)
        size = (
            20 + (30 + draws.below(500, *shape)) * (30 + draws.below(970, *shape)) // 1000
        )  # more small than large ones
        low = draws.below(1001, *shape) * (1000 - size) // 1000
        self.box = np.concatenate([low, low + size], axis=2)
        third = (2 * low + size) * 3 // 2001
        self.where = self.world.word["where"][third[..., 1] * 3 + third[..., 0]]

    def texts(self, task: str) -> Ids:
        """Return the texts about all images.

        Parameters
        ----------
        task
            A key of `QAS`.

        Returns
        -------
        ndarray
            (CHUNK * QAS[task], width) int32 fragment numbers: a line for each question-answer pair, without JSON.
        """
        lines = QAS[task]
        slots, numbers = self._slots(lines, boxed=task == "referring_qa"), self.draws.raw(3, CHUNK, lines)
        if task != "detail_description":
            source, near = self._copies(lines, TOPIC if task == "conversation" else 1)
            slots, numbers = self._altered(slots[_IMAGE, source], near), numbers[:, _IMAGE, source]
        slots, numbers = slots.reshape(-1, len(SLOTS)), numbers.reshape(3, -1)
        if task == "conversation":
            closed, yes = numbers[0] < np.uint64(CLOSED * 2**64), numbers[1] < np.uint64(YES * 2**64)
            which = (("open", ~closed), ("yes", closed & yes), ("no", closed & ~yes))
            pieces = [self._one_of(name, slots, numbers[2]) * mask[:, None] for name, mask in which]
            pieces.append(self._one_of("remark", slots, numbers[2] << np.uint64(20)))
        else:  # each part has bits of its own of the draw
            pieces = [
                self._one_of(part, slots, numbers[2] << np.uint64(10 * at)) for at, part in enumerate(PARTS[task])
            ]
        if task == "detail_description":
            pieces += [*self._body(), self._one_of("description.close", slots, numbers[1])]
        return np.concatenate([*pieces, slots[:, [END]]], axis=1)

    def _one_of(self, name: str, slots: Ids, number: NDArray[np.uint64]) -> Ids:
        """Fill one of a bank's templates for each line, chosen at random."""
        rows = self.world.lines[name]
        return Bank.fill(
            rows, ((number >> np.uint64(32)) * np.uint64(len(rows)) >> np.uint64(32)).astype(np.int64), slots
        )

    def _body(self) -> list[Ids]:
        """Return the middle sentences of a description, each about other things, in a random order for each image."""
        rows = self.world.lines["description.body"]
        order = np.argsort(self.draws.raw(CHUNK, len(rows)), axis=1, kind="stable")
        slots = self._slots(len(rows))
        return [Bank.fill(rows, order[:, at], slots[:, at]) for at in range(len(rows) - 1)]

    def _slots(self, lines: int, *, boxed: bool = False) -> Ids:
        """Choose what each of so many lines an image is about, and return (CHUNK, lines, len(SLOTS)) words."""
        draws, word = self.draws, self.world.word
        a = draws.ranks(THINGS, CHUNK, lines)
        b = (a + 1 + draws.below(THINGS - 1, CHUNK, lines)) % THINGS
        who = draws.ranks(PEOPLE, CHUNK, lines)
        thing, other = self.thing[_IMAGE, a], self.thing[_IMAGE, b]
        scene = np.broadcast_to(self.scene[:, None], (CHUNK, lines))
        color = self.of_thing["color"]
        said = {
            "a": thing,
            "b": other,
            "where": self.where[_IMAGE, a],
            "number": self.number[_IMAGE, a],
            **{name: words[_IMAGE, a] for name, words in self.of_thing.items()},
            "look2": self.of_thing["look"][_IMAGE, b],
            "color2": color[_IMAGE, b],
            **{name: words[_IMAGE, who] for name, words in self.of_person.items()},
            **{name: words[:, None] for name, words in self.of_image.items()},
            "relation": self._tied("relation", thing + other, span=20),
            "use": self._tied("use", thing, span=30),
            "use2": self._tied("use", other, span=30),
            "name": self._tied("name", scene, span=300),
            "advice": self._tied("advice", scene, span=15),
            "well": word["well"][draws.ranks(len(word["well"]), CHUNK, lines)],
            "end": word["end"][0],
        }
        for name in ("actors", "actions", "conditions"):
            said[name] = self._tied(name, thing, span=12)
            said[f"{name}2"] = self._tied(name, other + scene, span=12)
        claim = word["color"][draws.below(len(word["color"]) - 1, CHUNK, lines)]
        said["claim"] = np.where(claim == said["color"], word["color"][-1], claim)
        for letter, at in (("a", a), ("b", b)) if boxed else ():
            for side, corner in enumerate(CORNERS):
                said[letter + corner] = word[corner][self.box[_IMAGE, at, side]]
        slots = np.zeros((CHUNK, lines, len(SLOTS)), dtype=np.int32)
        for name, words in said.items():
            slots[..., SLOTS.index(name)] = words
        return slots

    def _copies(self, lines: int, unit: int) -> tuple[Rows, Mask]:
        """Draw the line that each line repeats (itself, mostly), and whether it is then to differ in something.

        Copied are whole samples, that is topics of `unit` lines or single lines: a later topic may repeat the first,
        and a single line the one before it. What is copied is itself no copy.
        """
        at = np.arange(lines // unit)
        source = np.zeros_like(at) if unit > 1 else at // 2 * 2
        scale = len(at) / (source != at).sum()  # not every sample may be a copy
        number = self.draws.uniform(CHUNK, len(at)) / scale
        copies = (number < NEAR + EXACT) & (source != at)
        line = np.where(copies, source, at)[..., None] * unit + np.arange(unit)
        return line.reshape(CHUNK, lines), np.repeat(copies & (number < NEAR), unit, axis=1)

    def _altered(self, slots: Ids, near: Mask) -> Ids:
        """Put another adverb, or another end of the answer, where a line is to be a near duplicate."""
        draws, well, ends = self.draws, self.world.word["well"], self.world.word["end"]
        rank = np.searchsorted(well, slots[..., WELL])  # fragments have rising numbers
        other = well[(rank + 1 + draws.below(len(well) - 1, *near.shape)) % len(well)]
        end = ends[1 + draws.below(len(ends) - 1, *near.shape)]
        either = draws.below(2, *near.shape) == 0
        slots[..., WELL] = np.where(near & either, other, slots[..., WELL])
        slots[..., END] = np.where(near & ~either, end, slots[..., END])
        return slots
