"""Laws and examples of `recipe.io.atomic` and `recipe.io.hashes`."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe.errors import InputError
from recipe.io.atomic import atomic_write
from recipe.io.hashes import sha256


def test_sha256_of_known_bytes(tmp_path):
    """The hash is FIPS 180's for its example message abc, and an unreadable file raises."""
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(InputError, match="gone"):
        sha256(tmp_path / "gone")


@pytest.mark.parametrize(("mode", "content"), [("wb", b"\xff\r\n"), ("w", "\u00e9\r\n")])
def test_atomic_write_keeps_every_byte(tmp_path, mode, content):
    """What is written is what the file holds, bytes as they are and text as UTF-8 with its line ends."""
    with atomic_write(tmp_path / "out", mode) as file:
        file.write(content)
    assert (tmp_path / "out").read_bytes() == (content if mode == "wb" else content.encode())


def test_a_failed_write_leaves_the_old_file(tmp_path):
    """After an error the old file is as it was, and nothing else lies in the folder."""
    (tmp_path / "mix.json").write_text("old")

    def stopped():
        with atomic_write(tmp_path / "mix.json") as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("mix.json", "old")]


@pytest.mark.skipif(os.name != "posix", reason="an open file cannot be renamed here")
@given(old=st.binary(max_size=200), new=st.binary(max_size=200))
def test_a_name_is_passed_on_by_a_rename(old, new):
    """The file that was written is the one that gets the name; who holds the old one, open or by a link, keeps it."""
    with tempfile.TemporaryDirectory() as folder:
        mix, link = Path(folder, "mix.json"), Path(folder, "link.json")
        mix.write_bytes(old)
        link.hardlink_to(mix)
        with mix.open("rb", buffering=0) as reader:
            with atomic_write(mix) as file:
                file.write(new)
                written = os.fstat(file.fileno()).st_ino
            assert mix.stat().st_ino == written != os.fstat(reader.fileno()).st_ino
            assert (mix.read_bytes(), reader.read(), link.read_bytes()) == (new, old, old)


def test_a_new_file_has_the_usual_rights(tmp_path):
    """A file written in one step may be read by whom any new file may be read."""
    with atomic_write(tmp_path / "ours"):
        pass
    (tmp_path / "usual").touch()
    assert Path(tmp_path / "ours").stat().st_mode == Path(tmp_path / "usual").stat().st_mode


def test_a_missing_folder_is_named(tmp_path):
    """Writing into a folder that does not exist raises and names the file."""
    with pytest.raises(InputError, match=r"mix\.json: cannot be written"), atomic_write(tmp_path / "gone/mix.json"):
        pass
