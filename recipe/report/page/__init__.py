"""The report: numbers, charts, picks and rejects of a mix in one self-contained HTML file."""

from __future__ import annotations

import json
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from recipe.errors import ConfigError
from recipe.io.marks import has_mark, marked
from recipe.io.outputs import open_output
from recipe.io.paths import path_of
from recipe.report.page.charts import chart_data, vega
from recipe.report.page.parts import compared, facts, groups, margins, recipe_yaml, rejects, shortages, tiles
from recipe.report.page.picks_table import picks_table

if TYPE_CHECKING:
    from pathlib import Path

    from recipe.data.selection import Selection
    from recipe.report.comparison import Comparison
    from recipe.report.gaps import Gaps
    from recipe.report.stats import Stats

ROWS = 3000  # picks that are listed by default, about 1.3 kB each
SCRIPTS = ("page.js", "page_picks.js")
SCRIPT_SAFE = str.maketrans({"<": "\\u003c", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def write_page(
    mix: Selection,
    path: str | Path,
    *,
    stats: Stats,
    gaps: Gaps,
    rows: int = ROWS,
    comparison: Comparison | None = None,
) -> Path:
    """Write one self-contained page about the mix: it needs no network and no other file.

    The page has a content security policy by which only its own scripts run and nothing is loaded. Captions are
    untrusted: the template escapes them, and the scripts insert them as text only.

    Parameters
    ----------
    mix
        Any.
    path
        The file to write; the same mix gives the same bytes. An earlier report is replaced, and no other file.
    stats, gaps
        Its statistics, and the gaps of its pool by cluster.
    rows
        The maximum number of picks to list, from 1; of a larger mix a random sample is listed.
    comparison
        The result of `compare_mixes`, for a section of its own; none by default.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ConfigError
        If the path is no .html file in a folder that exists, or rows < 1.
    InputError
        If the file cannot be written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from recipe import demo_pool, select_mix
    >>> mix = select_mix(demo_pool(images=10), size=50)
    >>> with TemporaryDirectory() as folder:
    ...     mix.report(Path(folder, "report.html")).name
    'report.html'
    """
    target = check_page(path, rows)
    text = marked(render(mix, stats, gaps, rows, comparison))
    with open_output(target, own=has_mark) as file:
        file.write(text.encode())
    return target


def check_page(path: str | Path, rows: int) -> Path:
    """Return the path of a page, or raise as `write_page` would, before any work is done."""
    target = path_of(path, "path")
    if target.suffix not in {".html", ".htm"} or not target.parent.is_dir():
        raise ConfigError(f"expected a page ending in .html in a folder that exists, got {target}")
    if not isinstance(rows, int) or rows < 1:
        raise ConfigError(f"expected at least one row for the table of picks, got rows={rows!r:.80}")
    return target


def render(mix: Selection, stats: Stats, gaps: Gaps, rows: int, comparison: Comparison | None = None) -> str:
    """Return the page as text."""
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415  starts fast

    table = picks_table(mix, rows)
    charts = chart_data(mix)
    scripts = [vega() if any("spec" in one for one in charts) else "", *(_file(name) for name in SCRIPTS)]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"number": _number, "share": _share}
    return environment.from_string(_file("page.html.j2")).render(
        title=f"A mix of {len(mix):,} from {len(mix.pool):,} samples",
        mix=mix,
        table=table,
        counts=mix.counts,
        tiles=tiles(stats, mix),
        groups=groups(stats),
        charts=charts,
        margins=margins(mix),
        gaps=shortages(gaps),
        compared=None if comparison is None else compared(comparison),
        rejects=rejects(mix),
        facts=facts(mix),
        recipe=recipe_yaml(mix),
        policy=_policy(scripts),
        style=_file("page.css"),
        scripts=scripts,
        specs=_script_json({one["name"]: one["spec"] for one in charts if "spec" in one}),
        picks=_script_json(table),
    )


def _file(name: str) -> str:
    """Read a file of this package."""
    return files("recipe.report.page").joinpath(name).read_text("utf-8")


def _policy(scripts: list[str]) -> str:
    """Return the content security policy: these scripts by their hashes, inline styles, and nothing that is loaded.

    Vega evaluates its expressions by an interpreter, so `unsafe-eval` is not needed. It sets inline styles.
    """
    hashes = " ".join(f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" for script in scripts)
    allowed = f"script-src {hashes}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; {allowed}"


def _script_json(value: Any) -> str:
    r"""Return JSON for a script element: nothing in it ends the element.

    Examples
    --------
    >>> _script_json({"a": "</script><b>"})
    '{"a":"\\u003c/script>\\u003cb>"}'
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(SCRIPT_SAFE)


def _number(value: Any) -> str:
    """Format a number; a text is returned unchanged."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() and abs(value) >= 1 else f"{value:,.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _share(value: float | None) -> str:
    """Format a share in percent, without the sign."""
    return "" if value is None else f"{value:.2f}"
