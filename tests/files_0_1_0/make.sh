#!/usr/bin/env bash
# How these files were made: once, by hand, with recipe 0.1.0 (commit 1c6fc78). They are never made again: that the code
# of today opens them is what tests/test_old_files.py is about. recipe.yaml, parts.yaml, tolerance.yaml, benchmark.jsonl
# and clip.csv were written by hand.
#
# usage: PYTHON=python tests/files_0_1_0/make.sh   (a Python that has 0.1.0)
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-python}
case $("$python" -c 'from importlib.metadata import version; print(version("recipe"))') in
    0.1.*) ;;
    *) echo "expected recipe 0.1" >&2; exit 2 ;;
esac
recipe() { "$python" -m recipe "$@"; }

"$python" -c 'from recipe.demo import write_demo; write_demo(".", images=2)'
recipe select recipe.yaml --cache off
recipe select parts.yaml --cache off
env -u CI "$python" -m recipe check mix.json --baseline good.stats.json --update

"$python" - <<'END'
from pathlib import Path
from tempfile import TemporaryDirectory

from recipe import compare_mixes
from recipe.demo import write_demo

with TemporaryDirectory() as folder:
    found = compare_mixes(write_demo(folder, images=10), [], sizes=[30], seeds=2)
    Path("comparison.json").write_text(found.to_json(), "utf-8")  # as `recipe compare --out comparison.json`
END
