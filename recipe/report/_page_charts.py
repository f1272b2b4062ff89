"""The charts of a page: as specifications for Vega, as words, and as tables for those who do not see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recipe.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from recipe.outcome import Mix

CHARTS = {  # name: title, and what it shows, in words
    "tasks": ("Tasks", "Share of each task in the pool and in the mix."),
    "answers": ("Kinds of answer", "Share of each kind of answer in the pool and in the mix."),
    "yes_no": ("Yes and no", "Yes and no answers of each task, in the pool and in the mix."),
    "lengths": ("Lengths", "How long samples are, in the pool and in the mix."),
    "clusters": ("Clusters", "How many samples each cluster holds in the pool and in the mix, the largest first."),
    "gains": ("Gains", "What each pick added to the objective, in pick order, and the certified bound."),
    "concepts": ("Concepts", "How often concepts are touched by samples of each task."),
    "map": ("Map of the pool", "Samples of the pool on a plane, those that were picked marked; near ones are alike."),
}
LINES = 50  # lines of data that are shown below a chart
CELL = 120  # characters of a text in them


def chart_data(mix: Mix) -> list[dict[str, Any]]:
    """Draw every chart of a mix.

    Parameters
    ----------
    mix
        Any; a chart that it cannot give is told by its message.

    Returns
    -------
    list of dict
        `name`, `title`, `words`; and either `spec` (Vega-Lite) and `data` (tables of `fields`, `lines` and the number
        of `all` lines), or `message`.
    """
    told = []
    for name, (title, words) in CHARTS.items():
        one: dict[str, Any] = {"name": name, "title": title, "words": words}
        try:
            spec = mix.plot(name).to_dict()
        except RecipeError as error:
            told.append({**one, "message": str(error)})
            continue
        one["words"] = spec.setdefault("description", words)
        told.append({**one, "spec": spec, "data": [_shown(data) for data in _data_of(spec)]})
    return told


def _data_of(spec: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Yield the lists of values that a specification holds."""
    yield from (values for values in spec.get("datasets", {}).values() if values)
    waiting = [spec]
    while waiting:
        part = waiting.pop()
        values = (part.get("data") or {}).get("values")
        if isinstance(values, list) and values and isinstance(values[0], dict):
            yield values
        for name in ("layer", "hconcat", "vconcat", "concat"):
            waiting += part.get(name, [])
        waiting += [part["spec"]] if isinstance(part.get("spec"), dict) else []


def _shown(values: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the first lines of some data."""
    fields = list(dict.fromkeys(field for value in values[:LINES] for field in value))
    lines = [[_cell(value.get(field)) for field in fields] for value in values[:LINES]]
    return {"fields": [field.replace("_", " ") for field in fields], "lines": lines, "all": len(values)}


def _cell(value: Any) -> Any:
    """Cut what is long, for a cell of a table."""
    if value is None or isinstance(value, int | float):
        return value
    text = str(value)
    return text if len(text) <= CELL else f"{text[: CELL - 1]}…"


def vega() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script, in the version that altair writes for.

    It is wrapped in a function, so that its short names do not become the page's.
    """
    import altair  # noqa: PLC0415  heavy
    import vl_convert  # noqa: PLC0415  heavy

    made_for = ".".join(altair.SCHEMA_VERSION.split(".")[:2])
    known = {f"v{each}" for each in vl_convert.get_vegalite_versions()}
    bundle = vl_convert.javascript_bundle(vl_version=made_for if made_for in known else None)
    # Neither may stand in a script element; in JavaScript both can only be part of a text or a pattern.
    sound = bundle.replace("\r", "").replace("</script", "<\\/script").replace("<!--", "<\\!--")
    return f"(()=>{{{sound}\n}})();"
