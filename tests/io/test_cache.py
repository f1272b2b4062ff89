"""An artefact is complete or does not exist, in a folder and at a URL."""

import sys
import tempfile

import fsspec
import pytest
from fsspec.implementations import memory

from recipe.errors import InputError
from recipe.io.cache import open_store
from recipe.io.store import MARK

CONTENT = bytes(range(256)) * 1024
PIECE = 10_000
BROKEN = "the line is dead"


class WatchedFile(memory.MemoryFile):
    """A file whose bytes arrive in pieces; the listing is checked after each piece."""

    def write(self, content):
        """Take what is given in small pieces."""
        content = bytes(content)
        for start in range(0, len(content), PIECE):
            super().write(content[start : start + PIECE])
            self.fs.look()
        return len(content)


class Watched(memory.MemoryFileSystem):
    """A remote file system whose listing is watched, and whose connection can be made to fail."""

    protocol = "watched"
    cachable = False
    store, pseudo_dirs = {}, [""]
    seen, pieces_left = [], None

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.removeprefix("watched://"))

    def _open(self, path, mode="rb", **knobs):
        if "w" not in mode and "x" not in mode:
            return super()._open(path, mode, **knobs)
        if "x" in mode and self.exists(path):
            raise FileExistsError(path)
        file = WatchedFile(self, self._strip_protocol(path))
        if not self._intrans:
            file.commit()
        return file

    def pipe_file(self, path, value, mode="overwrite", **knobs):
        """Send bytes as any file is sent."""
        with self.open(path, "xb" if mode == "create" else "wb", **knobs) as file:
            file.write(value)

    def look(self):
        """Note the size under each name; fail at the chosen moment."""
        Watched.seen.append({name.rpartition("/")[2]: len(file.getvalue()) for name, file in self.store.items()})
        if Watched.pieces_left is not None:
            Watched.pieces_left -= 1
            if Watched.pieces_left <= 0:
                raise OSError(BROKEN)


@pytest.fixture
def far(tmp_path, monkeypatch):
    """Return the URL of an empty store on the watched machine, which keeps its copies in a folder of this test."""
    fsspec.register_implementation("watched", Watched, clobber=True)
    for name, fresh in (("store", {}), ("pseudo_dirs", [""]), ("seen", []), ("pieces_left", None)):
        monkeypatch.setattr(Watched, name, fresh)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return "watched://cache"


def put(store, name="stage/part.bin"):
    """Write an artefact."""
    with store.writing(name) as file:
        file.write(CONTENT)


def test_a_far_artefact_is_seen_whole_or_not_at_all(far):
    """At each moment of an upload the final name is not listed, or has all bytes."""
    store = open_store(far)
    put(store)
    assert len(Watched.seen) > len(CONTENT) // PIECE
    assert {moment.get("part.bin", 0) for moment in Watched.seen} <= {0, len(CONTENT)}
    assert store.has("stage/part.bin")
    assert fsspec.filesystem("watched").cat_file("/cache/stage/part.bin") == CONTENT
    assert store.get("stage/part.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("pieces", [1, 2, len(CONTENT) // PIECE])
def test_a_broken_upload_leaves_no_artefact(far, pieces):
    """If the connection fails during an upload the artefact does not exist, and another run can write it."""
    store = open_store(far)
    Watched.pieces_left = pieces
    with pytest.raises(OSError, match=BROKEN):
        put(store)
    assert not store.has("stage/part.bin")
    Watched.pieces_left = None
    again = open_store(far)
    put(again)
    assert again.get("stage/part.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("near", [True, False])
def test_an_artefact_appears_when_its_writing_ends(far, tmp_path, near):
    """While an artefact is written it is not there, and after an error it is not there either."""
    store = open_store(tmp_path / "cache" if near else far)

    def stopped():
        with store.writing("stage/part.bin") as file:
            file.write(CONTENT)
            file.flush()
            assert not store.has("stage/part.bin")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert not store.has("stage/part.bin")
    put(store)
    assert store.has("stage/part.bin")
    store.remove("stage/part.bin")
    assert not store.has("stage/part.bin")


def test_a_run_that_died_at_its_first_write_left_no_other_files(tmp_path):
    """After a run was killed before its cache was marked as one, the next run starts it and cleans up."""
    (tmp_path / f".{MARK}.0123abcd.tmp").write_bytes(b"{")
    put(open_store(tmp_path), open_store(tmp_path).stage("read", files=[]) + "/part.bin")
    assert (tmp_path / MARK).is_file()
    assert not list(tmp_path.glob("**/*.tmp"))


@pytest.mark.parametrize("url", ["nowhere://cache", "s3://bucket/cache"])
def test_a_url_that_nothing_opens_is_one_line(url, monkeypatch):
    """A protocol that fsspec does not know, or whose package is missing, is named with what to do."""
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(InputError, match=f"^{url}: cannot be used as a cache .*; name a folder, or another URL$"):
        open_store(url)


def test_other_files_behind_a_url_are_left_alone(far):
    """Where there are other files no cache is started, remote or local."""
    fsspec.filesystem("watched").pipe_file("/cache/thesis.tex", b"chapter 1")
    with pytest.raises(InputError, match="expected a cache of recipe or nothing, got other files"):
        open_store(far)
