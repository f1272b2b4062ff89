"""Every reason for which a sample may not be selected: its code, its meaning, and what to do.

Codes L.. stop a LLaVA-v1.5 training run, codes W.. make it train wrong without an error; they are taken from LLaVA
v1.5's own loader (`llava/train/train.py`, `llava_trainer.py`, `conversation.py`, template ``v1``). Codes O.. stop other
loaders of the same file and are harmless to LLaVA v1.5; no sample is rejected for them. The named codes are `recipe`'s
own. A code may have a detail after a colon, as ``dup:<key of the sample that is kept>``.
"""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """What a code means, and what the user can do about it."""

    what: str
    fix: str


PROBLEMS: dict[str, Problem] = {
    # stops the run
    "L01": Problem("the file is not one JSON value (JSON Lines, trailing comma, byte-order mark)", "write one array"),
    "L02": Problem("the file holds non-ASCII bytes", "escape them as \\uXXXX"),
    "L03": Problem("the top level is not an array", "put the records into one array"),
    "L04": Problem("the array is empty", "add a record"),
    "L05": Problem("conversations or a value is missing or of another type", "give every turn a string value"),
    "L06": Problem("the record holds no words at all", "remove the record"),
    "L07": Problem('image is null, empty, "none", a list or a number', "name one image file, or drop the key"),
    "L08": Problem("the image file is missing or cannot be decoded", "restore the file, or remove the record"),
    "L09": Problem("conversations is empty", "remove the record"),
    "L10": Problem("a speaker is neither human nor gpt", "rename the speaker"),
    "L11": Problem("two turns of one speaker follow each other, or two gpt turns lead", "merge or remove a turn"),
    "L12": Problem("a text holds half of a surrogate pair", "replace the broken character"),
    "L13": Problem("more than one turn holds <image>", "keep <image> in the first human turn only"),
    # trained wrong without an error
    "W01": Problem("image is given but no turn shows it", "put <image> at the start of the first human turn"),
    "W02": Problem("an image or video mark without an image", "remove the mark, or name the image"),
    "W03": Problem("a gpt turn leads and is dropped", "start with a human turn"),
    "W04": Problem("<image> is repeated, or stands elsewhere than first in its turn", "keep one, at the start"),
    "W05": Problem("the turns do not end with an answer", "add the answer, or remove the question"),
    "W06": Problem("an empty turn masks every label of the record", "fill or remove the turn"),
    "W07": Problem("the text is longer than the context leaves room for", "shorten or split the record"),
    "W08": Problem(
        "the image path is absolute, a URL, has backslashes, or climbs out of the image folder",
        "make it relative, with slashes",
    ),
    "W09": Problem("a text holds markup of the chat template (</s>, <unk>, ASSISTANT:)", "remove the markup"),
    "W10": Problem("a human turn is longer than the context", "shorten the turn"),
    # stops other loaders
    "O01": Problem("ids are of several types, at which Arrow (Hugging Face datasets) stops", "write each as a string"),
    "O02": Problem(
        "the first 10 MiB hold no image, so that Arrow (Hugging Face datasets) expects none", "shuffle the file"
    ),
    "O03": Problem("the record has no id, at which xtuner stops", "give it one"),
    "O04": Problem("ids repeat, so that what looks samples up by id finds others", "nothing, or give each its own"),
    "O05": Problem("a number is NaN or infinite, at which strict readers of JSON stop", "write null for it"),
    # recipe's own
    "not_a_record": Problem("the entry is not a record of this format", "remove or repair it"),
    "bad_json": Problem("the record cannot be decoded", "repair its JSON"),
    "many_images": Problem("the record has several images, or a video", "split it: LLaVA v1.5 shows one image"),
    "no_image_size": Problem(
        "the boxes cannot be padded to square: the image's size is unknown",
        "give image_data.json or --images, or choose boxes: keep",
    ),
    "bad_box": Problem("a bracket that should hold a box does not hold one in 0..1", "repair the box"),
    "boilerplate": Problem("the answer is a refusal or boilerplate of the model that wrote it", "write it again"),
    "bench_image": Problem("a benchmark that is held out has this image", "nothing: it is kept out of the mix"),
    "bench_ngram": Problem(
        "a turn shares a run of words with a benchmark's question", "nothing, or a larger exclude.ngram: see the place"
    ),
    "bench_similar": Problem(
        "a question says the same as a benchmark's", "nothing, or a larger exclude.similarity: see the place"
    ),
    "dup": Problem("another sample says the same", "nothing: one of them is kept"),
}


def code_of(problem: str) -> str:
    """Return the code of a problem without its detail.

    Examples
    --------
    >>> code_of("dup:0a1b"), code_of("L06")
    ('dup', 'L06')
    """
    return problem.split(":", 1)[0]
