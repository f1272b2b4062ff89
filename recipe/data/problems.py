"""Every reason for which a sample may not be selected: its code, its meaning, and what to do.

Codes L.. stop a LLaVA-v1.5 training run, codes W.. make it train wrong without an error; they are taken from LLaVA
v1.5's own loader (`llava/train/train.py`, `llava_trainer.py`, `conversation.py`, template ``v1``). Codes O.. stop other
loaders of the same file and are harmless to LLaVA v1.5; no sample is rejected for them. Codes T.. stop another trainer,
or make it drop the record, and codes S.. make it train wrong without an error: ``recipe validate --for NAME`` finds
them, and no sample is rejected for them. The named codes are `recipe`'s own. A code may have a detail after a colon, as
``dup:<key of the sample that is kept>``.
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
    # stops another trainer, or makes it drop the record
    "T01": Problem("the file is not what the trainer reads", "write it for this trainer (--to)"),
    "T02": Problem("the file holds no record", "add a record"),
    "T03": Problem("a key of the record is missing or of another type", "write it as the trainer's format has it"),
    "T04": Problem("a speaker that the trainer does not know", "rename the speaker"),
    "T05": Problem("the turns do not alternate from a question to an answer", "merge or remove a turn"),
    "T06": Problem(
        "there are not as many marks as pictures, videos or sounds", "put a mark for each into the questions"
    ),
    "T07": Problem("a picture, video or sound is not given as the trainer takes it", "name a file, or drop the key"),
    "T08": Problem("the image is missing or cannot be decoded", "restore it, or remove the record"),
    "T09": Problem("a text holds half of a surrogate pair", "replace the broken character"),
    "T10": Problem("the boxes or names of objects do not fit their places in the texts", "give each place its object"),
    "T11": Problem("the columns are not those of messages and images", "write the table with their types"),
    "T12": Problem("the file by which the trainer finds the mix says something else", "write the mix again"),
    "T13": Problem("the files of a key are not one record and its pictures", "write the tar again"),
    "T14": Problem(
        "the first 10 MiB have only empty lists of what comes later, so that Arrow expects none",
        "put one of each kind in front",
    ),
    # trained wrong by another trainer without an error
    "S01": Problem("a mark in an answer, or of nothing that the record shows, is trained as text", "remove the mark"),
    "S02": Problem("a turn is empty", "fill or remove the turn"),
    "S03": Problem("the path is absolute, a URL, or climbs out of the folder", "make it relative"),
    "S04": Problem("a box is not in the frame that the trainer wants", "convert it, or say its frame (--boxes-frame)"),
    # recipe's own
    "not_a_record": Problem("the entry is not a record of this format", "remove or repair it"),
    "bad_json": Problem("the record cannot be decoded", "repair its JSON"),
    "many_images": Problem(
        "the record has several images, a video or a sound", "choose a trainer that takes them by --to, or split it"
    ),
    "marks": Problem("the questions do not have as many marks as the record has images", "write one mark for each"),
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
