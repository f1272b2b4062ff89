"""Follow a page: do what it says, block by block, in a folder, and see whether it comes out as the page says.

A block of ``yaml`` or ``python`` whose first line is a comment with a file's name is written as that file; other
Python is run, and ``pycon`` must answer what it says. Of ``bash`` the lines that begin with `recipe` are run, and must
end well. A block of ``console`` is a transcript: what its commands print must be what stands below them, where a line
``...`` stands for any lines, and seconds and megabytes are left open. ``<!-- not run: why -->`` above a block excuses
it. ``python docs/follow.py`` writes transcripts again after a change.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

from recipe.cli import main
from recipe.demo import write_demo

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parent
BLOCK = re.compile(
    r"^(?P<excused><!-- not run: .+ -->\n)?```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
FILE = re.compile(r"# ([\w./-]+\.\w+)$")
VARIES = re.compile(r"^time .*$|\d+\.\d MB", re.MULTILINE)
PLAIN = {name: value for name, value in os.environ.items() if name not in {"CI", "GITHUB_ACTIONS"}}


class Block(NamedTuple):
    """A fenced block of a page."""

    kind: str
    text: str
    excused: bool
    start: int
    end: int


def pages() -> list[Path]:
    """Return every page with blocks to follow: the README and the Markdown of this folder."""
    found = [DOCS.parent / "README.md", *sorted(DOCS.rglob("*.md"))]
    return [page for page in found if list(blocks(page.read_text("utf-8")))]


def blocks(page: str) -> Iterator[Block]:
    """Yield the fenced blocks of a page, with the place of their text."""
    for found in BLOCK.finditer(page):
        yield Block(found["kind"], found["text"], bool(found["excused"]), found.start("text"), found.end("text"))


def commands(block: Block) -> list[str]:
    """Return the command lines of a block of shell lines: those of `recipe`, without what stands behind a ``#``."""
    lines = block.text.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.startswith("recipe ")] if block.kind == "bash" else []


def prepare(folder: Path) -> None:
    """Put into a folder what pages take for granted: a pool, and the files of a benchmark."""
    write_demo(folder, images=30)
    (folder / "test_image_ids.txt").write_text("1\n2\n")
    (folder / "mmbench.tsv").write_text("index\tquestion\n1\tWhich of the animals in the picture stands nearest?\n")
    (folder / "pope.json").write_text('{"question": "Is there a snowboard in the image?", "image": "1.jpg"}\n')


def run(line: str) -> tuple[int, str]:
    """Run a line of `recipe` in this process, and return its exit code and what it printed."""
    printed, code = io.StringIO(), 0
    environment = patch.dict(os.environ, PLAIN, clear=True)
    arguments = patch.object(sys, "argv", shlex.split(line, comments=True))
    with environment, arguments, contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return code, printed.getvalue()


def shell(line: str, folder: Path) -> str:
    """Run a line of a transcript in a process of its own, and return what it prints."""
    words = shlex.split(line, comments=True)
    words[:1] = [sys.executable, "-m", "recipe"]  # no other command is shown with what it prints
    done = subprocess.run(  # noqa: S603  the project's own pages
        words, cwd=folder, env={**PLAIN, "COLUMNS": "100"}, capture_output=True, text=True, check=True
    )
    return "\n".join(text.rstrip() for text in done.stdout.splitlines())


def agree(said: str, printed: str) -> bool:
    r"""Tell whether a transcript says what was printed.

    Examples
    --------
    >>> agree("time 2.4 s", "time 1.9 s"), agree("one", "two"), agree("a\n...\nc", "a\nb\nb\nc")
    (True, False, True)
    """
    said, printed = (VARIES.sub("#", text.strip()) for text in (said, printed))
    pattern = "\n".join(".*" if line == "..." else re.escape(line) for line in said.splitlines())
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


def again(transcript: str, folder: Path) -> str:
    """Run the commands of a transcript, and return it with what they print; what agrees is left as it is."""
    made = []
    for step in re.split(r"^(?=\$ )", transcript, flags=re.MULTILINE):
        command, _, said = step.partition("\n")
        if command:
            printed = shell(command.removeprefix("$ "), folder)
            made.append(step if agree(said, printed) else f"{command}\n{printed}\n")
    return "".join(made)


def follow(page: str, folder: Path) -> Iterator[tuple[Block, str]]:
    """Do what a page says; yield each block with what it printed, or with a transcript as it should be."""
    names: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.chdir(folder), patch.object(sys, "path", [str(folder), *sys.path]):
        for block in blocks(page):
            if not block.excused:
                yield block, _do(block, folder, names)
    for name, module in list(sys.modules.items()):  # another page may have other modules of these names
        if (getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]


def _do(block: Block, folder: Path, names: dict[str, Any]) -> str:
    """Do what one block says."""
    named = FILE.match(block.text.partition("\n")[0])
    if named and block.kind in {"yaml", "python"}:
        file = folder / named[1]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text, "utf-8")
    elif block.kind == "python":
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(block.text, names)  # noqa: S102  the project's own pages
        return printed.getvalue()
    elif block.kind == "pycon":
        answers = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            answers.run(doctest.DocTestParser().get_doctest(block.text, names, "page", None, 0), clear_globs=False)
        if answers.failures:
            raise ValueError(f"the page says that Python answers otherwise: {printed.getvalue()}")
    elif block.kind == "console":
        return again(block.text, folder)
    done = [(line, *run(line)) for line in commands(block)]
    failed = [f"{line}: {printed}" for line, code, printed in done if code]
    if failed:
        raise ValueError(f"the page says that this works, and it ended with an error: {failed}")
    return "".join(printed for _, _, printed in done)


def write_transcripts() -> None:
    """Write every transcript of every page again."""
    for page in pages():
        text = page.read_text("utf-8")
        if "```console" not in text:
            continue
        with TemporaryDirectory() as folder:
            prepare(Path(folder))
            changed = [(block, made) for block, made in follow(text, Path(folder)) if block.kind == "console"]
        for block, made in reversed(changed):
            text = text[: block.start] + made + text[block.end :]
        page.write_text(text, "utf-8")


if __name__ == "__main__":
    write_transcripts()
