# ruff: noqa: T201, E402  a script that prints, and that is told where the tests are before it imports them
"""A process that reads pools for the fuzzer of readers, so that a crash or a hang ends this one only.

It takes the name of a folder a line, reads the pool that its `call.json` describes, and prints what came of it.
"""

from __future__ import annotations

import json
import re
import sys
import traceback
import warnings
from pathlib import Path

sys.path[0] = str(Path(__file__).parents[1])  # not this folder, which has a recipe.py

from adversary.damage import small_shards

from recipe.data.signatures import hash_of
from recipe.engine import running
from recipe.errors import RecipeError
from recipe.io.cache import open_store
from recipe.stages import read
from recipe.stages.read._containers.pictures import picture_bytes

CACHE = "cache"


class Wrong(Exception):  # noqa: N818  named after what came
    """A pool that breaks a law; the first argument names the law."""


def main():
    """Read pools until the input ends."""
    warnings.simplefilter("ignore")
    in_memory = read.IN_MEMORY
    small_shards()
    for line in sys.stdin:
        folder = Path(line.rstrip("\n"))
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
        before = _memory("VmRSS")
        call = json.loads((folder / "call.json").read_text())
        read.IN_MEMORY = -1 if call["store"] else in_memory
        found = tried(folder, call)
        print(json.dumps({**found, "grown": (_memory("VmHWM") - before) // 1024}), flush=True)


def tried(folder, call):
    """Read a pool and judge it; return what came of it."""
    try:
        with running("serial"):
            store = open_store(folder / CACHE) if call["store"] else None
            judge(read.read_pool(_given(folder, call), store=store, **call["knobs"]), call)
    except RecipeError as error:
        lines = str(error).count("\n")
        return _broken("lines", error) if lines or len(str(error)) > 2000 else {"what": "refused", "text": str(error)}
    except Wrong as error:
        return _broken(error.args[0], error)
    except MemoryError as error:
        return _broken("MemoryError", error)
    except BaseException as error:  # noqa: BLE001  a panic of polars is none
        place = traceback.extract_tb(error.__traceback__)
        own = [one for one in place if "/recipe/" in one.filename] or place
        return _broken(f"{type(error).__name__} in {Path(own[-1].filename).name}:{own[-1].name}", error)
    return {"what": "taken"}


def judge(pool, call):
    """Raise if a pool breaks a law: each record is a row, each row is eligible or has a reason, texts are whole."""
    rows = pool.rows
    if len(pool) != int(pool.eligible.sum()) + int(rows["problem"].is_not_null().sum()):
        raise Wrong("sum", "rows are neither eligible nor rejected")
    if len(pool) < call["expected"] and not rows["problem"].str.starts_with("bad_json").any():
        raise Wrong("lost", f"{call['expected']} records, {len(pool)} rows")
    good = rows.filter(rows["problem"].is_null())
    for extra, turns, media in good.select("extra", "turns", "media").iter_rows():
        if extra is not None and not isinstance(json.loads(extra), dict):
            raise Wrong("extra", extra[:200])
        if not turns or any(turn["from"] not in ("human", "gpt") or turn["value"] is None for turn in turns):
            raise Wrong("turns", str(turns)[:200])
        for one in media or ():
            if not one["path"] and not one["hash"]:
                raise Wrong("nameless", str(one))
    _seen_again(pool, good)


def _seen_again(pool, good):
    """Raise unless the bytes of the pictures of a pool lie where it says."""
    held = pool.checkpoint.held
    files = {name: seen.path for name, seen in pool.checkpoint.sources.items()} | dict(held.files if held else {})
    for source, file in files.items():
        media = [
            one for many in good.filter(good["source"] == source)["media"] for one in (many if many is not None else ())
        ]
        lying = [one for one in media if one["place"] is not None]
        if not lying:
            continue
        try:
            contents = list(picture_bytes(Path(file), [one["place"] for one in lying]))
        except RecipeError as error:
            raise Wrong("no picture", str(error)) from None
        for one, content in zip(lying, contents, strict=True):
            if hash_of([content]) != one["hash"]:
                raise Wrong("another picture", str(one))


def _given(folder, call):
    """Return the sources: paths below the folder, or the records of a file in memory."""
    folder = folder / "files"
    if not call["held"]:
        return [str(folder / name) for name in call["paths"]]
    records = json.loads((folder / call["paths"][0]).read_bytes().decode("utf-8", "surrogatepass"))
    return {"data": records if isinstance(records, list) else [records], "name": "held"}


def _broken(name, error):
    """Describe what must not come out."""
    text = "".join(traceback.format_exception(error))
    return {"what": "broken", "name": re.sub(r"\s+", " ", name), "text": text[-3000:]}


def _memory(name):
    """Return kilobytes of memory, now or at most."""
    found = re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1])


if __name__ == "__main__":
    main()
