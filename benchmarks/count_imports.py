"""Count what a newcomer has to know: top-level names, layers of the contract, imports between them.

``python benchmarks/count_imports.py [TREE ...]`` counts one checkout or several, each in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path


def count(tree: Path) -> dict[str, int]:
    """Count the imports of the package of a checkout."""
    import grimp

    sys.path.insert(0, str(tree))
    graph = grimp.build_graph("recipe", cache_dir=None)
    modules = {name for name in graph.modules if name != "recipe"}
    arrows: Counter[tuple[str, str]] = Counter()
    for name in modules:
        for target in graph.find_modules_directly_imported_by(name):
            one, other = (part.split(".")[1] if "." in part else part for part in (name, target))
            if one != other and "recipe" not in (one, other):
                arrows[one, other] += 1
    contract = tomllib.loads((tree / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    top = [path for path in (tree / "recipe").iterdir() if path.name not in ("__pycache__", "py.typed")]
    return {
        "things at the top": len(top),
        "modules": len(modules),
        "layers of the contract": len(contract["layers"]),
        "floors (longest chain of things)": _floors(arrows),
        "arrows between things": len(arrows),
        "imports across things": sum(arrows.values()),
        "circles of two": sum((b, a) in arrows for a, b in arrows) // 2,
    }


def _floors(arrows: Counter[tuple[str, str]]) -> int:
    """Return the length of the longest chain of imports; 0 if there is a cycle."""
    below: dict[str, set[str]] = {}
    for one, other in arrows:
        below.setdefault(one, set()).add(other)
    depth: dict[str, int] = {}

    def down(thing: str, path: tuple[str, ...]) -> int:
        """Return the floors from a thing down."""
        if thing in path:
            raise RecursionError
        if thing not in depth:
            depth[thing] = 1 + max((down(one, (*path, thing)) for one in below.get(thing, ())), default=0)
        return depth[thing]

    try:
        return max(down(thing, ()) for thing in below)
    except RecursionError:
        return 0


def main() -> None:
    """Print the counts of each checkout side by side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("trees", nargs="*", type=Path, default=[Path(__file__).parents[1]])
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if asked.json:
        print(json.dumps(count(asked.trees[0])))
        return
    lines = []
    for tree in asked.trees:
        command = [sys.executable, __file__, str(tree), "--json"]
        lines.append(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))  # noqa: S603  itself
    for name in lines[0]:
        print(f"{name:<34}", *(f"{line[name]:>6}" for line in lines))


if __name__ == "__main__":
    main()
