"""The commands that make a mix: recipe select | score | recipes | demo."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from recipe.cli._terminal import Printer, named, shown
from recipe.config.files import presets
from recipe.config.ranges import Placing  # noqa: TC001  typer asks for it
from recipe.config.recipe import Recipe
from recipe.config.writers import check_ending
from recipe.engine import Name as Engine
from recipe.engine.timing import stage, timed
from recipe.errors import ConfigError, NothingEligible
from recipe.io.cache import DEFAULT, expect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from recipe.mix.mix import Mix

out = Printer(highlight=False, soft_wrap=True)


def cache_of(cache: str) -> str | None:
    """Return the folder or URL of the cache; None if it is switched off."""
    return None if cache == "off" else cache


def _expected(cache: str) -> str:
    """Note the cache of a command before it does anything, so that a command that is stopped can name it."""
    expect(cache_of(cache))
    return cache


Inputs = Annotated[
    list[str] | None, typer.Argument(help="Files, folders, globs, lists of files; or one recipe (.yaml).")
]
Size = Annotated[str | None, typer.Option(help='Samples: a count, a share (0.2 or 20%), or "20M tokens".')]
AtMost = Annotated[
    bool, typer.Option("--at-most", help="If the pool cannot give the size, take the most that keeps the share of yes.")
]
Seed = Annotated[int | None, typer.Option(help="Seed of every random choice.")]
Preset = Annotated[str | None, typer.Option(help="A shipped recipe; see `recipe recipes`.")]
Cache = Annotated[
    str, typer.Option(callback=_expected, help="Where stages keep their results: a folder, a URL, or off.")
]
EngineName = Annotated[Engine, typer.Option("--engine", help="Where the work is done: auto, serial, processes, ray.")]
Workers = Annotated[int | None, typer.Option(help="Processes, or Ray workers; as many as there are cores by default.")]
Knobs = Annotated[
    list[str] | None,
    typer.Option("--set", help="Any key of a recipe: balance.per_image=3, write.format=module:function. Repeatable."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace an earlier mix of that name, with all its files.")]
Lenient = Annotated[bool, typer.Option("--lenient", help="Read the valid records of damaged files; list the rest.")]


def select(
    context: typer.Context,
    inputs: Inputs = None,
    *,
    size: Size = None,
    at_most: AtMost = False,
    seed: Seed = None,
    preset: Preset = None,
    out_path: Annotated[Path | None, typer.Option("--out", help="The mix: .json, or what its trainer reads.")] = None,
    to: Annotated[
        str | None,
        typer.Option(help="llava, llava-next, llama-factory, swift, trl, qwen-vl, internvl, webdataset."),
    ] = None,
    force: Force = False,
    select: Annotated[str | None, typer.Option(help="Selector: facility, mmr, random ..., or module:function.")] = None,
    embed: Annotated[str | None, typer.Option(help="Embedder: hashing, distilled, text, or module:function.")] = None,
    score: Annotated[list[str] | None, typer.Option(help="A score, or module:function; once for each.")] = None,
    knobs: Knobs = None,
    boxes: Annotated[str | None, typer.Option(help="SVIT's boxes: square, or keep.")] = None,
    boxes_frame: Annotated[
        str | None, typer.Option(help="What boxes refer to where nothing says it: unit, square, thousand, pixels.")
    ] = None,
    images: Annotated[
        str | None, typer.Option(help="Folder of the images: for sizes of boxes, for trl, webdataset.")
    ] = None,
    images_out: Annotated[
        Path | None, typer.Option(help="Folder for the pictures of the picks, which may lie inside of Parquet or tar.")
    ] = None,
    images_how: Annotated[Placing, typer.Option(help="Whether pictures that are files are copied or linked.")] = "copy",
    pack: Annotated[bool | None, typer.Option(help="Merge single questions of one image.")] = None,
    exclude_images: Annotated[
        list[str] | None, typer.Option(help="A benchmark's images: a text file of ids or paths, or one of them.")
    ] = None,
    exclude_questions: Annotated[
        list[str] | None, typer.Option(help="A benchmark's questions: a .txt, .json, .jsonl, .tsv or .csv file.")
    ] = None,
    lenient: Lenient = False,
    cache: Cache = DEFAULT,
    engine: EngineName = "auto",
    workers: Workers = None,
    manifest: Annotated[Path | None, typer.Option(help="Rebuild the mix of this manifest, byte for byte.")] = None,
    print_recipe: Annotated[bool, typer.Option("--print-recipe", help="Print the full recipe and stop.")] = False,
) -> None:
    """Pick a mix and write it with its manifest, statistics, scores and rejects."""
    if manifest is not None:
        from recipe.mix.rebuild import rebuild_mix  # noqa: PLC0415  starts fast

        _check_alone(context, "manifest", "out_path")
        out.print(f"wrote {named(rebuild_mix(manifest, out_path))}")
        return
    reading = (("boxes", boxes), ("boxes_frame", boxes_frame), ("images", images))
    read = {name: value for name, value in reading if value is not None}
    read |= _read_knobs(lenient)
    path = out_path and str(out_path)
    write = {name: value for name, value in (("path", path), ("format", to), ("pack", pack)) if value is not None}
    benchmarks = (("images", exclude_images), ("questions", exclude_questions))
    exclude = {name: tuple(given) for name, given in benchmarks if given}
    rooms = {"select": select, "embed": embed, "score": score}
    plan = _plan(
        inputs,
        preset,
        size,
        knobs,
        seed=seed,
        **rooms,
        shortfall="allow" if at_most else None,
        read=read,
        exclude=exclude,
        write=write,
    )
    if out_path is not None:
        check_ending(out_path, plan.write.format)
    if print_recipe:
        sys.stdout.write(plan.to_yaml())
        return
    pictures = {"images_out": images_out, "images_how": images_how}
    _show(_selected(plan, force=force, pictures=pictures, cache=cache_of(cache), engine=engine, workers=workers))


def score(
    inputs: Inputs = None,
    *,
    size: Size = None,
    seed: Seed = None,
    preset: Preset = None,
    score: Annotated[list[str] | None, typer.Option(help="A score, or module:function; once for each.")] = None,
    knobs: Knobs = None,
    lenient: Lenient = False,
    cache: Cache = DEFAULT,
    engine: EngineName = "auto",
    workers: Workers = None,
    out_path: Annotated[Path, typer.Option("--out", help="A .parquet file.")] = Path("scores.parquet"),
) -> None:
    """Score every sample and write the scores as Parquet."""
    from recipe.data.selection import UNSCORED  # noqa: PLC0415  starts fast
    from recipe.io.outputs import check_output, open_output  # noqa: PLC0415  starts fast
    from recipe.mix.flow import score_pool  # noqa: PLC0415
    from recipe.mix.scores import MADE, is_scores  # noqa: PLC0415
    from recipe.mix.targets import files_read  # noqa: PLC0415

    if out_path.suffix != ".parquet":
        raise ConfigError(f"expected --out ending in .parquet, got {out_path}")
    plan = _plan(inputs, preset, size, knobs, seed=seed, score=score, read=_read_knobs(lenient))
    check_output(out_path, files_read(plan), own=is_scores)
    pool = score_pool(recipe=plan, cache=cache_of(cache), engine=engine, workers=workers)
    with open_output(out_path, own=is_scores) as file:
        pool.rows.drop(UNSCORED).write_parquet(file, metadata=MADE)
    out.print(f"wrote {named(out_path)}: {len(pool):,} samples, {int(pool.eligible.sum()):,} of them eligible")


def recipes() -> None:
    """List the shipped recipes."""
    table = Table("preset", "what it is", box=None)
    for name, what in presets().items():
        table.add_row(name, shown(what))
    out.print(table)


def demo(
    out_path: Annotated[Path, typer.Option("--out", help="Folder for the pool and the mix.")] = Path("recipe-demo"),
    *,
    images: Annotated[int, typer.Option(help="Images of the pool, 29 SVIT samples each.")] = 400,
    size: Size = "1000",
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Make a small pool in SVIT's format and select a mix from it: no download, no network."""
    from recipe.demo import write_demo  # noqa: PLC0415  starts fast
    from recipe.mix.targets import check_targets  # noqa: PLC0415

    folder, target = out_path / "pool", out_path / "mix.json"
    plan = _plan([str(folder)], None, size, None, seed=seed, write={"path": str(target)})
    if out_path.exists():
        check_targets(target, plan, overwrite=force, reads=[])
    write_demo(folder, images=images)
    out.print(f"made a pool of {images} images in {named(folder)}")
    _show(_selected(plan, force=force, cache=None))


def _check_alone(context: typer.Context, name: str, *beside: str) -> None:
    """Raise if other options are given than those that are used with a certain one."""
    origins = {one: context.get_parameter_source(one) for one in context.params}
    given = [one for one, origin in origins.items() if getattr(origin, "name", "") == "COMMANDLINE"]
    if others := [one for one in given if one not in (name, *beside)]:
        words = {str(one.name): max(one.opts, key=len) for one in context.command.params}
        what = f"expected no other option with {words[name]} than {' and '.join(words[one] for one in beside)}"
        raise ConfigError(f"{what}, got {', '.join(words[one] for one in others)}; leave these out")


def _read_knobs(lenient: bool) -> dict[str, Any]:
    """Return the knobs of `read` that the option sets; without it the recipe file decides."""
    return {"lenient": True} if lenient else {}


def _plan(
    inputs: list[str] | None, preset: str | None, size: str | None, keys: list[str] | None, **knobs: Any
) -> Recipe:
    """Make the recipe that the arguments describe; `--set` overrides everything else."""
    paths = inputs or []
    files = [path for path in paths if path.endswith((".yaml", ".yml")) and not _lists_files(path)]
    if len(files) > 1 or (files and preset):
        raise ConfigError(f"expected one recipe, got {', '.join([*files, *([preset] if preset else [])])}")
    pools = tuple(path for path in paths if path not in files)
    number = None if size is None else count_or_share(size)
    plan = Recipe.of(files[0] if files else preset, sources=pools or None, size=number, **knobs)
    plan = plan.with_keys(keys or ())
    if not plan.sources:
        raise ConfigError("nothing to read: name files, folders or globs, or a recipe file with sources")
    return plan


def _lists_files(path: str) -> bool:
    """Return whether a YAML file lists files of samples, as LLaVA-OneVision's does, and so is no recipe."""
    from recipe.stages.read import read_list  # noqa: PLC0415  starts fast

    return Path(path).is_file() and read_list(Path(path)) is not None


def count_or_share(size: str) -> Any:
    """Return a size as a number where it is written as one, else as text."""
    if size.replace(".", "", 1).isdigit():
        return float(size) if "." in size else int(size)
    return size


def _selected(plan: Recipe, *, force: bool, pictures: Mapping[str, Any] | None = None, **how: Any) -> Mix:
    """Select a mix and write it, and its pictures if a folder is named for them."""
    from recipe.mix.flow import select_mix  # noqa: PLC0415  starts fast
    from recipe.mix.picture_files import check_folder  # noqa: PLC0415
    from recipe.mix.rejects import with_rejects  # noqa: PLC0415
    from recipe.mix.targets import check_targets, files_read  # noqa: PLC0415
    from recipe.stages.write import writer_of  # noqa: PLC0415

    target = Path(plan.write.path)
    writer_of(target, plan.write.format)
    if not target.parent.is_dir():
        raise ConfigError(f"expected a mix in a folder that exists, got {target}; make the folder")
    if pictures and pictures["images_out"] is not None:
        check_folder(pictures["images_out"])
    check_targets(target, plan, overwrite=force)
    with timed() as stages:
        try:
            mix = select_mix(recipe=plan, **how)
        except NothingEligible as error:
            raise with_rejects(error, target, files_read(plan)) from None
        with stage("write"):
            written = mix.write(overwrite=force, **(pictures or {}))
    folder = (pictures or {}).get("images_out")
    for file in written if folder is None else [*written, folder]:
        out.print(f"wrote {named(file)}")
    total = sum(one.seconds for one in stages)
    took = [one for one in stages if one.seconds >= 0.05]  # noqa: PLR2004  less would be shown as 0.0 s
    shares = ", ".join(f"{one.name} {one.seconds:.1f} s ({one.seconds / total:.0%})" for one in took)
    out.print(f"{'time':<12} {total:.1f} s: {shares}")
    return mix


def _show(mix: Mix) -> None:
    """Print a summary of a mix."""
    out.print(shown(repr(mix)))
    if coverage := mix.stats().coverage:
        out.print(f"coverage     {coverage['mix']:.4f}; of as many samples at random {coverage['random']:.4f}")
