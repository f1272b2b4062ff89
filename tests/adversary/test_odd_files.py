"""Odd files and paths: what is no regular file, or lies about itself, is refused in one line, and nothing hangs."""

from __future__ import annotations

import os
import random
import socket
from contextlib import suppress

import numpy as np
import polars as pl
import pytest
from fuzzers import npy as fuzzer

from recipe import demo_pool
from recipe.errors import InputError, RecipeError
from recipe.io.arrow import read_parquet
from recipe.io.cache import open_store
from recipe.stages.embed.cached import embed
from recipe.stages.read._sources import expand


def refused(call, *given, **knobs):
    """The one line with which a file or path is refused."""
    with pytest.raises(RecipeError) as caught:
        call(*given, **knobs)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700
    return str(caught.value)


def test_what_is_no_regular_file_is_no_source(tmp_path):
    """A pipe, a socket, a device and a link to itself or to nothing are refused before they are opened."""
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "lost").symlink_to(tmp_path / "nothing")
    here = os.getcwd()  # noqa: PTH109  the path of a socket is short
    os.chdir(tmp_path)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind("socket.json")
    finally:
        os.chdir(here)
    for name in ("pipe.json", "socket.json"):
        assert "a pipe, a socket or a device" in refused(expand, str(tmp_path / name))
    assert "a pipe, a socket or a device" in refused(expand, "/dev/zero")
    assert "Too many levels" in refused(expand, str(tmp_path / "self"))
    assert "a link to nothing" in refused(expand, str(tmp_path / "lost"))
    assert "a pipe, a socket or a device" in refused(expand, str(tmp_path))


@pytest.mark.parametrize("name", ["a" * 5000, "b/" * 3000, "c\0d", "\udcff", "x.json/y", "["])
def test_odd_names_are_not_found(name, tmp_path):
    """Names that no file can have, and those that none has, are said not to exist."""
    (tmp_path / "x.json").write_text("[]")
    refused(expand, str(tmp_path / name))


def test_a_glob_over_a_loop_of_links_ends(tmp_path):
    """`**` enters each folder once, however many links lead there, and finds each file once."""
    inner = tmp_path / "a" / "b" / "c"
    inner.mkdir(parents=True)
    (tmp_path / "a" / "x.json").write_text("[]")
    (inner / "y.json").write_text("[]")
    for number in range(12):
        (inner / f"up{number}").symlink_to(tmp_path)
    for pattern in ("**", "**/*.json", "a/**/*.json"):
        assert [file.path.name for file in expand(str(tmp_path / pattern))] == ["y.json", "x.json"] or pattern == "**"
    (beside := tmp_path.parent / f"{tmp_path.name}-linked").mkdir()
    (beside / "linked").symlink_to(tmp_path / "a")
    assert {file.path.name for file in expand(str(beside / "**" / "*.json"))} == {"x.json", "y.json"}


@pytest.mark.parametrize("cache", ["", "s3://", "://", "no-such-protocol://x", "a\0b", "\udcff", 3, b"x", "a" * 5000])
def test_an_odd_cache_is_one_line(cache, tmp_path, monkeypatch):
    """A cache without a name, of an unknown protocol, or with a name that no folder can have is refused."""
    monkeypatch.chdir(tmp_path)

    def opened():
        open_store(cache).put_json("a/b.json", {})

    with pytest.raises(RecipeError) as caught:
        opened()
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


LIES = {
    "larger than the file": "{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999, 4)}",
    "objects": "{'descr': '|O', 'fortran_order': False, 'shape': (4, 4)}",
    "negative": "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 4)}",
    "one number": "{'descr': '<f4', 'fortran_order': False, 'shape': ()}",
    "structs": "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4, 4)}",
    "no dtype": "{'descr': 'x', 'fortran_order': False, 'shape': (4, 4)}",
    "brackets": "(" * 5000,
    "nothing": "",
    "code": "__import__('os').abort()",
}


@pytest.mark.parametrize("name", LIES)
def test_a_header_that_lies_is_one_line(name, tmp_path):
    """A .npy file whose header promises what the file does not have is refused, whatever it promises."""
    file, header = tmp_path / "v.npy", LIES[name].encode()
    file.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(64))
    assert "v.npy" in refused(embed, demo_pool(images=2), path=file)


def test_columns_and_bytes_in_another_order_are_read_as_they_are(tmp_path):
    """Fortran's order and big-endian numbers give the same vectors as those of C's order."""
    pool = demo_pool(images=4)
    vectors = np.random.default_rng(0).normal(size=(len(pool), 4)).astype(np.float32)
    found = []
    for number, one in enumerate((vectors, np.asfortranarray(vectors), vectors.astype(">f4"))):
        np.save(tmp_path / f"{number}.npy", one)
        found.append(embed(pool, path=tmp_path / f"{number}.npy"))
    assert all(np.array_equal(one, found[0]) for one in found)


def test_what_a_reader_prints_when_it_panics_is_not_shown(tmp_path, monkeypatch, capfd):
    """Rust prints a panic on standard error by itself; the user sees the error alone, and all that is printed after."""

    def panics(_):
        os.write(2, b"thread '<unnamed>' panicked")
        raise pl.exceptions.PanicException("index out of bounds")

    monkeypatch.setattr(pl, "read_parquet", panics)
    with pytest.raises(InputError, match="index out of bounds"):
        read_parquet(tmp_path / "scores.parquet")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_damaged_files_of_numbers_end_in_numbers_or_in_one_line(tmp_path):
    """A hundred odd files of vectors and scores raise nothing but errors of the library."""
    state = fuzzer.prepare(tmp_path)
    for seed in range(120):
        with suppress(RecipeError):
            fuzzer.attempt(random.Random(seed), state, tmp_path)
