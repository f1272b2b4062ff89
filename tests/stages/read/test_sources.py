"""The files that a source stands for, and the name of each."""

import base64
import json

import pytest

from recipe.errors import ConfigError, InputError
from recipe.io.atomic import atomic_write
from recipe.stages.read import expand, read_pool
from recipe.stages.read._containers.pictures import picture_bytes
from recipe.stages.read._sources import survey


def fill(folder, *names):
    """Make empty arrays under these names."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("[]")


def sources(*named):
    """Return what the files are called."""
    return [file.source for file in expand(list(named))]


def test_a_folder_stands_for_its_json_files(tmp_path):
    """A folder gives the JSON files in and below it, by name, without hidden, unfinished, marker and side files."""
    fill(tmp_path, "B.JSON", "a.jsonl", "sub/c.json.gz")
    fill(tmp_path, ".hidden.json", "_SUCCESS", "_x.json", "d.json.tmp", "notes.txt", "image_data.json", ".git/e.json")
    assert sources(tmp_path) == ["B.JSON", "a.jsonl", "sub/c.json.gz"]


def test_a_single_file_is_called_by_its_name(tmp_path):
    """A single file is called by its file name, with any ending."""
    fill(tmp_path, "deep/er/mix.data")
    assert sources(tmp_path / "deep/er/mix.data") == ["mix.data"]


def test_names_depend_neither_on_order_nor_on_the_working_directory(tmp_path, monkeypatch):
    """Files are called by their path below the common parent, from wherever and in whichever order they are named."""
    fill(tmp_path, "svit/conversation.json", "llava/mix.json")
    named = [tmp_path / "svit", tmp_path / "llava/mix.json"]
    assert sources(*named) == ["svit/conversation.json", "llava/mix.json"]
    assert sources(*named[::-1]) == ["llava/mix.json", "svit/conversation.json"]
    monkeypatch.chdir(tmp_path / "llava")
    assert sources("../svit", "mix.json") == ["svit/conversation.json", "llava/mix.json"]


def test_a_file_named_twice_is_read_once(tmp_path):
    """A file that its folder, a glob, a link and its own name mean is one file, under any name that was given to it."""
    fill(tmp_path, "pool/a.json")
    (tmp_path / "pool/z.json").symlink_to(tmp_path / "pool/a.json")
    own = tmp_path / "pool/a.json"
    assert sources(tmp_path / "pool", str(tmp_path / "p*/*.json"), own) == ["a.json"]
    for named in ([{"path": own, "name": "mine"}, own], [own, {"path": own, "name": "mine"}]):
        assert sources(*named) == ["mine"]


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


def test_an_unfinished_file_is_never_read(tmp_path):
    """While a file is written it has a temporary name that is skipped in folders."""
    fill(tmp_path, "a.json")
    with atomic_write(tmp_path / "mix.json") as file:
        file.write(b"[")
        file.flush()
        assert not (tmp_path / "mix.json").exists()
        assert sources(tmp_path) == ["a.json"]
    assert sources(tmp_path) == ["a.json", "mix.json"]


@pytest.mark.parametrize(
    "name",
    ["state.json", "dataset_dict.json", "tokenizer.json", "config.json", "00000_stats.json", "cache-0f.arrow", "x.md"],
)
def test_what_holds_no_samples_stops_no_folder(tmp_path, name):
    """A file that lies beside samples is passed over with its reason, whatever it is called, and samples are read."""
    (tmp_path / "a.json").write_text("[]")
    (tmp_path / name).write_text('{"successes": 3}')
    files, passed = survey(tmp_path)
    assert [file.source for file in files] == ["a.json"]
    assert [reason for _, reason in passed]


def test_a_list_that_names_no_file_is_refused(tmp_path):
    """A list whose file is missing, or whose strategy is not understood, is refused with the place in the list."""
    (tmp_path / "a.json").write_text("[]")
    for entry, words in (
        ("json_path: b.json", "expected a file that exists, got 'b.json'"),
        ("{json_path: a.json, sampling_strategy: 'middle:3'}", "expected sampling_strategy as"),
        ("7", "expected an object with json_path"),
    ):
        (tmp_path / "mix.yaml").write_text(f"datasets:\n  - {entry}\n")
        with pytest.raises(InputError, match=r"mix.yaml: datasets\[0\]") as caught:
            survey(tmp_path / "mix.yaml")
        assert words in str(caught.value)


def test_a_picture_of_a_record_that_is_taken_is_found_again(tmp_path):
    """The place of a picture in base64 counts the records of the file, and not those that a list takes of it."""
    contents = [b"\x89PNG\r\n\x1a\n" + bytes([number]) * 99 for number in range(5)]
    turns = [{"from": "human", "value": "<image>Who?"}, {"from": "gpt", "value": "A jay."}]
    records = [{"image": base64.b64encode(one).decode(), "conversations": turns} for one in contents]
    (tmp_path / "a.json").write_text(json.dumps(records))
    (tmp_path / "mix.yaml").write_text("datasets: [{json_path: a.json, sampling_strategy: 'end:2'}]")
    rows = read_pool(tmp_path / "mix.yaml").rows.sort("order")
    places = [media[0]["place"] for media in rows["media"]]
    assert list(picture_bytes(tmp_path / "a.json", places)) == contents[3:]


@pytest.mark.parametrize(
    ("strategy", "taken"),
    [
        ("all", "01234"),
        ("first:2", "01"),
        ("end:2", "34"),
        ("first:50%", "012"),
        ("end:100%", "01234"),
        ("first:9", "01234"),
    ],
)
def test_a_list_takes_what_it_says(tmp_path, strategy, taken):
    """First, end and shares take as many records as LLaVA-NeXT's loader does; shares are rounded up."""
    turns = [{"from": "human", "value": "Who?"}, {"from": "gpt", "value": "A jay."}]
    (tmp_path / "a.json").write_text(json.dumps([{"id": str(number), "conversations": turns} for number in range(5)]))
    (tmp_path / "mix.yaml").write_text(f"datasets: [{{json_path: a.json, sampling_strategy: '{strategy}'}}]")
    assert "".join(read_pool(tmp_path / "mix.yaml").rows.sort("order")["id"]) == taken
