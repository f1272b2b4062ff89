"""Laws and examples of `recipe.io.atomic`."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recipe.errors import ConfigError, InputError
from recipe.io.atomic import atomic_write, expand, sha256


def fill(folder, *names):
    """Make empty arrays under these names."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("[]")


def sources(*asked):
    """Return what the files are called."""
    return [file.source for file in expand(list(asked))]


def test_a_folder_stands_for_its_json_files(tmp_path):
    """A folder gives the JSON files in it and below it, by name, without hidden, unfinished, marker and side files."""
    fill(tmp_path, "b.json", "a.jsonl", "sub/c.json.gz")
    fill(tmp_path, ".hidden.json", "_SUCCESS", "_x.json", "d.json.tmp", "notes.txt", "image_data.json", ".git/e.json")
    assert sources(tmp_path) == ["a.jsonl", "b.json", "sub/c.json.gz"]


def test_a_single_file_is_called_by_its_name(tmp_path):
    """One file bears its file name, whatever it ends in."""
    fill(tmp_path, "deep/er/mix.data")
    assert sources(tmp_path / "deep/er/mix.data") == ["mix.data"]


def test_names_depend_neither_on_order_nor_on_the_working_directory(tmp_path, monkeypatch):
    """Files are called by their path below the common parent, from wherever and in whichever order they are named."""
    fill(tmp_path, "svit/conversation.json", "llava/mix.json")
    asked = [tmp_path / "svit", tmp_path / "llava/mix.json"]
    assert sources(*asked) == ["svit/conversation.json", "llava/mix.json"]
    assert sources(*asked[::-1]) == ["llava/mix.json", "svit/conversation.json"]
    monkeypatch.chdir(tmp_path / "llava")
    assert sources("../svit", "mix.json") == ["svit/conversation.json", "llava/mix.json"]


def test_a_file_named_twice_is_read_once(tmp_path):
    """A file that its folder, a glob, a link and its own name mean is one file, under any name that was given to it."""
    fill(tmp_path, "pool/a.json")
    (tmp_path / "pool/z.json").symlink_to(tmp_path / "pool/a.json")
    own = tmp_path / "pool/a.json"
    assert sources(tmp_path / "pool", str(tmp_path / "p*/*.json"), own) == ["a.json"]
    for asked in ([{"path": own, "name": "mine"}, own], [own, {"path": own, "name": "mine"}]):
        assert sources(*asked) == ["mine"]


def test_a_mapping_names_file_and_format(tmp_path):
    """A mapping gives a source its name and its format; a folder's files share them."""
    fill(tmp_path, "a.json", "b.json")
    files = expand({"path": tmp_path, "name": "mine", "format": "llava"})
    assert [(f.path.name, f.source, f.format) for f in files] == [
        ("a.json", "mine", "llava"),
        ("b.json", "mine", "llava"),
    ]


def test_a_glob_may_match_folders_and_passes_side_data_over(tmp_path):
    """A glob gives the files that it matches and the files of the folders that it matches."""
    fill(tmp_path, "x/a.json", "x/image_data.json", "y/b.json", "x.txt")
    assert sources(str(tmp_path / "*/*.json")) == ["x/a.json", "y/b.json"]
    assert sources(str(tmp_path / "[xy]")) == ["x/a.json", "y/b.json"]


def test_a_name_with_brackets_is_no_glob_where_it_exists(tmp_path):
    """A file whose name looks like a pattern is read by its name."""
    fill(tmp_path, "mix[1].json")
    assert sources(str(tmp_path / "mix[1].json")) == ["mix[1].json"]


@pytest.mark.parametrize("name", ["gone.json", "gone/*.json", "empty"])
def test_what_is_not_there_is_named(tmp_path, name):
    """A missing path, a glob without a match and an empty folder raise, and the message names them."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=name.replace("*", r"\*")):
        expand(str(tmp_path / name))


def test_nothing_to_read_is_an_error():
    """An empty list of sources raises."""
    with pytest.raises(InputError, match="at least one"):
        expand([])


def test_odd_mappings_are_refused(tmp_path):
    """An unknown key, a missing path, and two names for one file raise."""
    fill(tmp_path, "a.json")
    own = tmp_path / "a.json"
    with pytest.raises(ConfigError, match="did you mean 'format'"):
        expand({"path": own, "formt": "llava"})
    with pytest.raises(ConfigError, match="'path'"):
        expand({"name": "a"})
    with pytest.raises(ConfigError, match="got 7"):
        expand([7])
    with pytest.raises(ConfigError, match="one name"):
        expand([{"path": own, "name": "a"}, {"path": own, "name": "b"}])


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


def test_an_unfinished_file_is_never_read(tmp_path):
    """While a file is written it bears a name that a folder's walk passes over, and not its own."""
    fill(tmp_path, "a.json")
    with atomic_write(tmp_path / "mix.json") as file:
        file.write(b"[")
        file.flush()
        assert not (tmp_path / "mix.json").exists()
        assert sources(tmp_path) == ["a.json"]
    assert sources(tmp_path) == ["a.json", "mix.json"]


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
