"""Pictures of picks: only theirs, with the bytes that were read, and nothing of the user's replaced."""

import base64
import json
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from recipe import read_pool, select_mix
from recipe.cli import app
from recipe.data.media import media_of
from recipe.errors import ConfigError, InputError
from recipe.mix import picture_files
from recipe.mix.picture_files import Written, write_pictures
from recipe.mix.stored import located, sorted_out

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x07\0\0\0\x05\x08\x02"


def picture(number):
    """Return the bytes of a picture of 7 by 5 pixels, different for each number."""
    return PNG + number.to_bytes(4, "big")


def name(content):
    """Return what a picture is called by its bytes."""
    return f"{blake2b(content, digest_size=16).hexdigest()}.png"


def turns(number):
    """Return a question and an answer."""
    words = ["lamp", "door", "boat", "tree", "coat", "road", "bird", "bowl", "sign", "fence"]
    said = f"The {words[number % 10]} stands near the {words[(number * 7 + 3) % 10]}, number {number}."
    return [
        {"from": "human", "value": f"<image>\nWhat is shown here, in case {number}?"},
        {"from": "gpt", "value": said},
    ]


STANDING = (lambda path: path.write_bytes(b"mine"), lambda path: path.mkdir(), lambda path: path.symlink_to("x"))


@pytest.fixture
def sources(tmp_path):
    """Write three sources: pictures in Parquet, in base64 in JSON Lines, and as files; return their paths."""
    folder = tmp_path / "pool"
    (folder / "images" / "a").mkdir(parents=True)
    shown = [{"bytes": picture(n), "path": f"{n}.png"} for n in range(8)]
    rows = [{"id": f"p{n}", "image": one, "conversations": turns(n)} for n, one in enumerate(shown)]
    pq.write_table(pa.Table.from_pylist(rows), folder / "inside.parquet", row_group_size=3)
    lines = [
        {"id": f"b{n}", "image": base64.b64encode(picture(n) + bytes(300)).decode(), "conversations": turns(n)}
        for n in range(10, 14)
    ]
    (folder / "base64.jsonl").write_text("\n".join(map(json.dumps, lines)))
    for n in range(20, 24):
        (folder / "images" / "a" / f"{n}.png").write_bytes(picture(n))
    files = [{"id": f"f{n}", "image": f"./a//{n}.png", "conversations": turns(n)} for n in range(20, 24)]
    (folder / "files.json").write_text(json.dumps(files))
    return [folder / "inside.parquet", folder / "base64.jsonl", folder / "files.json"]


def everything():
    """Return name to bytes of all pictures of `sources`."""
    found = {name(picture(n)): picture(n) for n in range(8)}
    found |= {name(picture(n) + bytes(300)): picture(n) + bytes(300) for n in range(10, 14)}
    return found | {f"a/{n}.png": picture(n) for n in range(20, 24)}


def standing(folder):
    """Return name to bytes of all files in a folder."""
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def at(pool, sources):
    """Return the path of each source."""
    return {one: sources[0].parent / one for one in pool.rows["source"].unique()}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_only_the_pictures_of_the_picks_are_written(tmp_path_factory, sources, data):
    """Of any picks, the folder holds exactly the pictures that they show, under the names that a mix has for them."""
    pool = read_pool(sources)
    picks = data.draw(st.lists(st.integers(0, len(pool) - 1), unique=True))
    out = tmp_path_factory.mktemp("out") / "deep" / "pictures"
    how = data.draw(st.sampled_from(["copy", "link"]))
    images = sources[0].parent / "images"
    written = write_pictures(pool, np.array(picks, dtype=np.int64), at(pool, sources), out, how=how, images=images)
    names = pool.rows["image"].gather(picks).to_list()
    assert standing(out) == {one: everything()[one] for one in names}
    assert written == Written(len(picks), 0, 0)
    again = write_pictures(pool, np.array(picks, dtype=np.int64), at(pool, sources), out, how=how, images=images)
    assert again == Written(0, len(picks), 0)


def test_links_are_to_the_files_themselves(tmp_path, sources):
    """A linked picture is the user's file under another name; one that was copied is not."""
    pool = read_pool(sources[2])
    images = sources[0].parent / "images"
    for how, same in (("link", True), ("copy", False)):
        write_pictures(pool, np.arange(4), {}, tmp_path / how, how=how, images=images)
        assert (tmp_path / how / "a" / "20.png").samefile(images / "a" / "20.png") is same


def test_the_folder_of_the_images_may_be_the_target(sources):
    """Pictures that lie where they should go are left, and those of Parquet are put beside them."""
    pool = read_pool(sources)
    images = sources[0].parent / "images"
    assert write_pictures(pool, np.arange(len(pool)), at(pool, sources), images) == Written(12, 4, 0)
    assert standing(images) == everything()


def test_what_stands_in_the_place_of_a_picture_is_not_replaced(tmp_path, sources):
    """Another file, a link or a folder in the place of a picture is an error, before any is written."""
    pool = read_pool(sources)
    images = sources[0].parent / "images"
    for taken in (name(picture(3)), "a/21.png"):
        for number, stand in enumerate(STANDING):
            out = tmp_path / f"{taken[:2].strip('/')}{number}"
            (out / taken).parent.mkdir(parents=True)
            stand(out / taken)
            before = standing(out)
            with pytest.raises(InputError, match="expected nothing, or what this command wrote before"):
                write_pictures(pool, np.arange(len(pool)), at(pool, sources), out, images=images)
            assert standing(out) == before


def test_a_run_that_was_killed_goes_on(tmp_path, sources, monkeypatch):
    """After a failure no file is half written or hidden, and the next run writes the rest."""
    pool = read_pool(sources[0])
    calls = []

    def fail(made, final):
        if len(calls) == 5:
            raise KeyboardInterrupt
        calls.append(final)
        place(made, final)

    place = picture_files.place
    monkeypatch.setattr(picture_files, "place", fail)
    with pytest.raises(KeyboardInterrupt):
        write_pictures(pool, np.arange(8), at(pool, sources), tmp_path / "out")
    found = standing(tmp_path / "out")
    assert len(found) == 5
    assert found.items() <= everything().items()
    monkeypatch.setattr(picture_files, "place", place)
    assert write_pictures(pool, np.arange(8), at(pool, sources), tmp_path / "out") == Written(3, 5, 0)


def test_a_source_that_changed_is_refused(tmp_path, sources):
    """Other bytes at the place of a picture are never written under its name."""
    pool = read_pool(sources[0])
    rows = pq.read_table(sources[0]).to_pylist()
    pq.write_table(pa.Table.from_pylist(rows[::-1]), sources[0])
    with pytest.raises(InputError, match="got other bytes; read the pool again"):
        write_pictures(pool, np.arange(8), at(pool, sources), tmp_path / "out")
    assert standing(tmp_path / "out") == {}


def test_missing_files_and_paths_that_lead_out_are_refused(tmp_path, sources):
    """A missing picture, a path out of the folder, and a missing folder are one line, before any is written."""
    pool = read_pool(sources[2])
    with pytest.raises(ConfigError, match=r"4 of 4 pictures that are files, as 'a/20\.png', got none"):
        write_pictures(pool, np.arange(4), {}, tmp_path / "out")
    (sources[0].parent / "images" / "a" / "22.png").unlink()
    with pytest.raises(InputError, match=r"expected 1 of 4 pictures that are files, as 'a/22\.png'"):
        write_pictures(pool, np.arange(4), {}, tmp_path / "out", images=sources[0].parent / "images")
    sources[2].write_text(json.dumps([{"image": "a/../../x.png", "conversations": turns(1)}]))
    with pytest.raises(InputError, match="leads out of it"):
        write_pictures(read_pool(sources[2]), np.arange(1), {}, tmp_path / "out", images=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="expected a folder for the pictures"):
        write_pictures(pool, np.arange(4), {}, tmp_path / "file")
    assert not (tmp_path / "out").exists()


def test_urls_and_absolute_paths_lie_where_they_say(tmp_path):
    """They are counted and not written."""
    path = tmp_path / "x.json"
    images = ["https://example.org/1.png", "/data/2.png"]
    path.write_text(json.dumps([{"image": one, "conversations": turns(n)} for n, one in enumerate(images)]))
    assert write_pictures(read_pool(path), np.arange(2), {}, tmp_path / "out") == Written(0, 0, 2)


def test_a_mix_with_pictures_in_sources_needs_a_folder_for_them(tmp_path, sources):
    """LLaVA's file cannot hold bytes: one line says what to add, and nothing is written; with it, names agree."""
    mix = select_mix(sources[:2], size=6, shortfall="allow")
    with pytest.raises(ConfigError, match=r"--images-out, images_out="):
        mix.write(tmp_path / "mix.json")
    assert list(tmp_path.glob("mix*")) == []
    mix.write(tmp_path / "mix.json", images_out=tmp_path / "images")
    shown = {record["image"] for record in json.loads((tmp_path / "mix.json").read_text())}
    assert set(standing(tmp_path / "images")) == shown
    assert mix.write_images(tmp_path / "images") == Written(0, len(shown), 0)


def test_records_that_are_written_as_given_are_made_where_they_are_no_json(tmp_path, sources):
    """With `write.records=given`, samples of Parquet and pictures in base64 are written as without it."""
    for records in ("given", "made"):
        mix = select_mix(sources[:2], size=6, shortfall="allow", write={"records": records})
        mix.write(tmp_path / f"{records}.json", images_out=tmp_path / "images")
    given, made = (json.loads((tmp_path / f"{records}.json").read_text()) for records in ("given", "made"))
    assert given == made


def test_writers_that_hold_bytes_get_them_in_any_order(tmp_path, sources):
    """A mix for TRL holds the bytes of each picture in the order of its picks, wherever they lie."""
    mix = select_mix(sources, size=9, shortfall="allow", read={"images": str(sources[0].parent / "images")})
    mix.write(tmp_path / "mix.parquet", to="trl")
    shown = [one for row in pq.read_table(tmp_path / "mix.parquet")["images"].to_pylist() for one in row]
    assert len(shown) == len(mix)
    names = [
        one.name
        for row in mix.pool.rows[mix.picks.rows].iter_rows(named=True)
        for one in media_of(row["image"], row["media"])
    ]
    assert [one["bytes"] for one in shown] == [everything()[one] for one in names]


def test_the_sizes_of_pictures_inside_of_sources_are_known(tmp_path, sources):
    """InternVL's records have the width and height that stand in the bytes of each picture."""
    mix = select_mix(sources[:2], size=5, shortfall="allow")
    mix.write(tmp_path / "mix.jsonl", to="internvl", images_out=tmp_path / "images")
    records = [json.loads(line) for line in (tmp_path / "mix.jsonl").read_text().splitlines()]
    assert {(record["width"], record["height"]) for record in records} == {(7, 5)}


def test_the_command_writes_pictures(tmp_path, sources):
    """`recipe select --images-out` writes the mix and its pictures; without it one line and the status 2 or 1."""
    asked = ["select", str(sources[0]), "--size", "4", "--cache", "off", "--out", str(tmp_path / "mix.json")]
    asked.append("--at-most")
    refused = CliRunner().invoke(app, asked)
    assert refused.exit_code != 0
    made = CliRunner().invoke(app, [*asked, "--images-out", str(tmp_path / "images"), "--images-how", "link"])
    assert made.exit_code == 0, made.output
    shown = {record["image"] for record in json.loads((tmp_path / "mix.json").read_text())}
    assert set(standing(tmp_path / "images")) == shown


def test_one_picture_in_two_sources_is_read_once(sources):
    """The same bytes in two sources are one picture, found in the source that comes first by name."""
    copy = sources[0].with_name("another.parquet")
    copy.write_bytes(sources[0].read_bytes())
    pool = read_pool([*sources, copy])
    stored, _, _ = sorted_out(pool, np.arange(len(pool)))
    assert {source for source, one in stored.values() if one.path is not None} == {"another.parquet"}
    assert located(select_mix(sources, size=3, shortfall="allow").recipe).keys() == {one.name for one in sources}
