"""The charts of a page: as Vega-Lite specifications, as text, and as tables."""

from __future__ import annotations

import csv
import math
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, Any

from recipe.errors import RecipeError
from recipe.report.charts import draw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipe.data.selection import Selection

CHARTS = {  # name: title, for a chart that cannot be drawn
    "tasks": "Samples by task",
    "answers": "Samples by kind of answer",
    "yes_no": "Yes and no by task",
    "lengths": "Lengths",
    "clusters": "Clusters",
    "gains": "Gains",
    "concepts": "Concepts",
    "map": "Map of the pool",
}
SNIPPET = "window.vegaEmbed = vegaEmbed;"  # all that the page uses of the bundle
LINES = 50  # lines of data that are shown below a chart
CELL = 120  # characters of a cell in them


def chart_data(mix: Selection) -> list[dict[str, Any]]:
    """Draw every chart of a mix.

    Parameters
    ----------
    mix
        Any; for a chart that cannot be drawn, the message of the error is returned.

    Returns
    -------
    list of dict
        `name` and `title`; and either `words` (lines below the chart), `spec` (Vega-Lite without its title, its tables
        as `fields` and `lines`) and `data` (the first lines of these tables, and the number of `all`), or `message`.
    """
    charts: list[dict[str, Any]] = []
    for name, title in CHARTS.items():
        try:
            spec = draw(mix, name).to_dict()
        except RecipeError as error:
            charts.append({"name": name, "title": title, "message": str(error)})
            continue
        tables = _pack(spec)
        written, lines = _title(spec.pop("title", None))
        words = spec.setdefault("description", written or title)
        shown = [_shown(table) for table in tables if table["lines"]]
        charts.append({"name": name, "title": written or title, "words": lines or [words], "spec": spec, "data": shown})
    return charts


def _title(title: Any) -> tuple[str, list[str]]:
    """Return the title of a chart and the lines below it, which the page shows as text."""
    parameters = title if isinstance(title, dict) else {"text": title or ""}
    text, lines = parameters.get("text", ""), parameters.get("subtitle") or []
    return text if isinstance(text, str) else " ".join(text), [lines] if isinstance(lines, str) else list(lines)


def _pack(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """Move all tables of a specification into its `datasets`, as names of fields and lines of values; return them.

    This is compact. And Vega's own CSV reader generates code from the names of columns, which the page does not allow.
    """
    raw = spec.get("datasets", {})
    packed: dict[str, dict[str, Any]] = {}
    for part in _parts(spec):
        given = part.get("data") or {}
        name = given.get("name") or f"data-{len(packed)}"
        values = given.get("values", raw.get(name))
        if values is not None:
            packed.setdefault(name, _read(values, given.get("format") or {}))
            part["data"] = {"name": name}
    spec["datasets"] = packed
    return list(packed.values())


def _parts(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a specification and all that it contains."""
    yield spec
    for name in ("layer", "hconcat", "vconcat", "concat"):
        for part in spec.get(name, []):
            yield from _parts(part)
    if isinstance(spec.get("spec"), dict):
        yield from _parts(spec["spec"])


def _read(values: str | list[dict[str, Any]], form: dict[str, Any]) -> dict[str, Any]:
    """Return a table, given as CSV or as records, as names of fields and lines of values."""
    if not isinstance(values, str):
        fields = list(dict.fromkeys(field for value in values for field in value))
        return {"fields": fields, "lines": [[value.get(field) for field in fields] for value in values]}
    lines = csv.reader(StringIO(values, newline=""))
    fields = next(lines, [])
    numbers = [(form.get("parse") or {}).get(field) == "number" for field in fields]
    table = [[_number(cell) if n else cell for cell, n in zip(line, numbers, strict=True)] for line in lines]
    return {"fields": fields, "lines": table}


def _number(text: str) -> float | None:
    """Parse a number of a CSV file; None if it is not finite, since JSON cannot hold it."""
    value = float(text or "nan")
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() else value


def _shown(table: dict[str, Any]) -> dict[str, Any]:
    """Return the first lines of a table."""
    lines = [[_cell(value) for value in line] for line in table["lines"][:LINES]]
    return {
        "fields": [field.replace("_", " ") for field in table["fields"]],
        "lines": lines,
        "all": len(table["lines"]),
    }


def _cell(value: Any) -> Any:
    """Shorten a long text for a cell of a table."""
    if value is None or isinstance(value, int | float):
        return value
    text = str(value)
    return text if len(text) <= CELL else f"{text[: CELL - 1]}…"


@cache
def vega() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script, in the version that altair targets.

    It is wrapped in a function, so that its names are not global.
    """
    import altair as alt  # noqa: PLC0415  heavy
    import vl_convert  # noqa: PLC0415  heavy

    made_for = ".".join(alt.SCHEMA_VERSION.split(".")[:2])
    known = {f"v{each}" for each in vl_convert.get_vegalite_versions()}
    bundle = vl_convert.javascript_bundle(SNIPPET, vl_version=made_for if made_for in known else None)
    # Neither may be in a script element; in JavaScript both can only be part of a string or a regular expression.
    escaped = bundle.replace("\r", "").replace("</script", "<\\/script").replace("<!--", "<\\!--")
    return f"(()=>{{{escaped}\n}})();"
