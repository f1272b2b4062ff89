"""Questions and answers about facts, from templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recipe.demo._facts import Fact, words_of, words_of_scene
from recipe.demo._scenes import article, some, world

if TYPE_CHECKING:
    import numpy as np

    from recipe.demo._scenes import Scene, Thing

    QA = tuple[str, str]

YES_SHARE = 0.7  # closed questions whose answer is yes, as in SVIT, which balancing corrects
CLOSED_SHARE = 0.4  # questions that are closed, where the kind of fact allows it


def write_box(thing: Thing) -> str:
    """Write the box of a thing as SVIT does."""
    return f"[{', '.join(f'{edge:g}' for edge in thing.box)}]"


def fill(template: str, scene: Scene, fact: Fact, *, boxed: bool = False, claim: str = "") -> str:
    """Fill a template.

    Parameters
    ----------
    template
        A sentence of telling.yaml.
    scene
        The scene of the image.
    fact
        The fact that the sentence is about.
    boxed
        Write a box after the thing that the fact is about.
    claim
        The answer that a closed question proposes.

    Returns
    -------
    str
        A sentence that begins with a capital letter.
    """
    words = words_of_scene(scene) | {"answer": fact.answer, "claim": claim}
    words |= {"a_answer": article(fact.answer or "-"), "a_claim": article(claim or "-")}
    if fact.the:
        words |= words_of(fact.the)
        words["the"] = _mention(fact.the, boxed=boxed)
        words["claimed"] = fact.the.noun if claim == "one" else fact.the.plural
        words["region"] = f"<st>this region<ed> {write_box(fact.the)}"
    if fact.other:
        words["other"] = _mention(fact.other, boxed=boxed)
    sentence = template.format_map(words | fact.words)
    return sentence[0].upper() + sentence[1:]


def _mention(thing: Thing, *, boxed: bool) -> str:
    """Return the name of a thing that was mentioned before."""
    return f"the <st>{thing.name}<ed> {write_box(thing)}" if boxed else f"the {thing.name}"


def ask(rng: np.random.Generator, scene: Scene, fact: Fact, *, boxed: bool = False, closed: bool | None = None) -> QA:
    """Ask about a fact, with the true answer.

    Parameters
    ----------
    rng
        The random generator.
    scene
        The scene of the image.
    fact
        The fact that is asked about.
    boxed
        Write boxes into the question, the answer, or both.
    closed
        Whether the answer begins with yes or no; None to choose at random.

    Returns
    -------
    tuple of str
        Question and answer.
    """
    templates = world("telling")[fact.kind]
    if closed is None:
        closed = "ask" not in templates or ("check" in templates and rng.random() < CLOSED_SHARE)
    in_question, in_answer = some(rng, [(True, False), (False, True), (True, True)], 1)[0] if boxed else (False, False)
    if closed:
        truth = rng.random() < YES_SHARE
        claim = fact.answer if truth else some(rng, fact.wrong, 1)[0]
        kinds = "check", "agree" if truth else "deny"
    else:
        claim, kinds = "", ("ask", "say")
    question, answer = (some(rng, templates[kind], 1)[0] for kind in kinds)
    return (
        fill(question, scene, fact, boxed=in_question and fact.kind != "region", claim=claim),
        fill(answer, scene, fact, boxed=in_answer, claim=claim),
    )


def describe(rng: np.random.Generator, scene: Scene) -> str:
    """Describe everything in a scene, things first and people in a second paragraph."""
    templates = world("telling")["describe"]

    def sentence(kind: str, fact: Fact) -> str:
        return fill(some(rng, templates[kind], 1)[0], scene, fact)

    things = [sentence("open", Fact("open")), *(sentence("thing", Fact("thing", the=thing)) for thing in scene.things)]
    people = [sentence("person", Fact("person", the=person)) for person in scene.people]
    if scene.sign:
        people.append(sentence("sign", Fact("sign", scene.text, the=scene.sign)))
    return f"{' '.join(things)}\n{' '.join([*people, sentence('close', Fact('close'))])}"


def caption(rng: np.random.Generator, scene: Scene) -> QA:
    """Describe the main thing of a scene in one sentence."""
    templates = world("telling")["caption"]
    fact = Fact("caption", the=scene.people[0], words={"also": scene.things[0].what})
    return templates["ask"][0], fill(some(rng, templates["say"], 1)[0], scene, fact)


def chats(rng: np.random.Generator, k: int) -> list[QA]:
    """Return k different questions that need no image, with answers."""
    pairs: dict[QA, None] = {}
    while len(pairs) < k:
        pairs[_chat(rng)] = None
    return list(pairs)


def _chat(rng: np.random.Generator) -> QA:
    """Return a question that needs no image, with its answer."""
    data = world("world")
    a, b = (int(n) for n in rng.integers(2, 60, size=2))
    noun, doing, place = (some(rng, list(data[kind]), 1)[0] for kind in ("things", "activities", "places"))
    thing = data["things"][noun]
    words = {"a": a, "b": b, "product": a * b, "minutes": 60 * a + b, "thing": noun, "some": article(noun).split()[0]}
    words |= {
        "things": thing.get("plural", f"{noun}s"),
        "use": thing["use"],
        "doing": doing,
        "place": place,
        "a_place": article(place),
    }
    words |= data["activities"][doing] | {word: data["places"][place][word] for word in ("rule", "sound")}
    words["somebody"] = article(some(rng, data["people"], 1)[0])
    question, answer = (template.format_map(words) for template in some(rng, world("telling")["text"], 1)[0])
    return question, answer[0].upper() + answer[1:]
