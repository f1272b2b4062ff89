"""The mix: the picked samples, the pool they were picked from, and why they were picked."""

from __future__ import annotations

import glob
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from recipe.config.recipe import Recipe
from recipe.config.sections import DEFAULT_PATH
from recipe.io.hashes import check_unchanged
from recipe.io.marks import has_mark
from recipe.io.outputs import check_output
from recipe.io.paths import path_of
from recipe.io.staging import settle_family, staged
from recipe.mix.container import Container
from recipe.mix.manifest import make_manifest
from recipe.mix.originals import writing
from recipe.mix.picture_files import check_pictures, write_pictures
from recipe.mix.stored import located
from recipe.mix.targets import check_targets, earlier_mix, files_read
from recipe.report.gaps import find_gaps
from recipe.report.representatives import representatives
from recipe.report.sample import draw_samples, show_sample
from recipe.report.stats.measure import measure
from recipe.report.summary import summary_html, summary_lines
from recipe.report.why import explain
from recipe.stages.balance._unmet import wishes
from recipe.stages.parts import part_counts, sides_of
from recipe.stages.write import write_mix, writer_of

if TYPE_CHECKING:
    import polars as pl
    from altair import TopLevelMixin as Chart

    from recipe.config.ranges import Placing
    from recipe.mix.picture_files import Written
    from recipe.report.comparison import Comparison
    from recipe.report.gaps import Gaps
    from recipe.report.sample.card import Frame, Shown
    from recipe.report.stats import Stats
    from recipe.report.why import Why


@dataclass(frozen=True, repr=False)
class Mix(Container):
    """The picked samples in pick order: a container of their records, with statistics, explanations, charts, and files.

    Parameters
    ----------
    pool, picks, quotas, recipe
        As of `recipe.data.selection.Selection`, whose columns and counts it has too.
    stated
        Its statistics, if they are known already.

    Raises
    ------
    AlignmentError
        If a pick is no eligible row, or is picked twice.
    """

    stated: Stats | None = None

    def stats(self) -> Stats:
        """Return the statistics of the mix and of the pool."""
        return self._stats

    @cached_property
    def _stats(self) -> Stats:
        if self.stated is not None:
            return self.stated
        known, seed = self.recipe.tag.concepts, self.recipe.seed
        return measure(self.pool, self.picks.rows, keywords=known, certificate=self.certificate, seed=seed)

    def explained(self) -> Mix:
        """Return the mix with the pick that represents each sample and the coordinates of the map as columns."""
        columns = representatives(self.pool, self.picks.rows, self.recipe.seed)
        return replace(self, pool=self.pool.with_labels(columns))

    def why(self, key: str) -> Why:
        """Explain why a sample was picked, or why not.

        Parameters
        ----------
        key
            Its key; the first characters are enough where no other key begins with them.

        Returns
        -------
        Why
            Rank, gains by term, cell, and the samples it represents; or the pick that represents it, or its problem.

        Raises
        ------
        ConfigError
            If no key, or more than one, begins so.
        """
        return explain(self, key)

    def sample(self, n: int = 5, **where: Any) -> pl.DataFrame:
        """Sample some picks at random to read.

        Parameters
        ----------
        n
            How many, at most.
        **where
            ``task``, ``answer``, ``source``, ``cluster``, ``concept``: the value they must have; ``seed``: any integer.

        Returns
        -------
        polars.DataFrame
            One line a pick, in pick order: rank, key, task, answer, cluster, source, image, n_turns, and the first
            question and its answer, whole (`question`, `answer_text`).

        Raises
        ------
        ConfigError
            If a filter is unknown, or no pick has its value.
        """
        return draw_samples(self, n, **where)

    def show(self, key: str, *, images: str | Path | None = None, boxes: Frame | None = None) -> Shown:
        """Show one sample: its text, its labels, and its image with the boxes drawn, if the file exists.

        Parameters
        ----------
        key
            As for `why`.
        images
            Folder of the images, as the trainer's `--image_folder`; needs Pillow.
        boxes
            ``"square"`` if the coordinates of its boxes refer to the square to which LLaVA-v1.5 pads the image,
            ``"keep"`` if to the image itself. By default SVIT's are as the recipe's `read.boxes` says, those of records
            that name a task, as Vision-Flan's, refer to the image, and all others, as LLaVA's, to the square.

        Returns
        -------
        Shown
            Displayed as a card in a notebook; `image` is a Pillow image or None.

        Raises
        ------
        ConfigError
            If no key, or more than one, begins so.
        MissingExtra
            If there is an image to draw and Pillow is not installed.
        """
        return show_sample(self, key, images=images, boxes=boxes)

    def plot(self, name: str, **knobs: Any) -> Chart:
        """Draw one of the charts: see `recipe.report.charts`.

        Parameters
        ----------
        name
            ``"tasks"``, ``"answers"``, ``"clusters"``, ``"yes_no"``, ``"lengths"``, ``"gains"``, ``"concepts"``,
            ``"map"``.
        **knobs
            Passed to the chart, as ``color="task"`` of the map.

        Returns
        -------
        altair chart
            Displayed in a notebook; no network is needed.

        Raises
        ------
        ConfigError
            If there is no such chart or knob.
        """
        from recipe.report.charts import draw  # noqa: PLC0415  altair is heavy

        return draw(self, name, **knobs)

    def gaps(self, by: Literal["cluster", "concept"] = "cluster") -> Gaps:
        """Find the cells that have fewer samples than the recipe's margins want, and how many are missing.

        Each part of a mix is measured against its own margins and its own samples.

        Parameters
        ----------
        by
            A cell is task x kind of answer x ``"cluster"`` or ``"concept"``.

        Returns
        -------
        Gaps
            A table, and a request to a data generator as JSON.
        """
        sides = sides_of(self.pool, self.picks, self.recipe, self.quotas.report)
        pairs = [wishes(side.pool, side.size, side.balance, side.asked) for side in sides]
        wish, supply = (np.sum(values, axis=0) for values in zip(*pairs, strict=True))
        return find_gaps(self, wish, supply, by, sides=sides)

    def report(
        self, path: str | Path = "report.html", *, rows: int = 3000, comparison: Comparison | None = None
    ) -> Path:
        """Write one self-contained page about the mix: it needs no network and no other file.

        Parameters
        ----------
        path
            The file to write; an earlier report is replaced, and no other file.
        rows
            The maximum number of picks to list; of more, a random sample is listed.
        comparison
            The result of `compare_mixes`, for a section of its own.

        Returns
        -------
        Path
            The file written.
        """
        from recipe.report.page import check_page, write_page  # noqa: PLC0415  altair is heavy

        target, mix = check_page(path, rows), Path(self.recipe.write.path)
        reads = [mix, *mix.parent.glob(f"{glob.escape(mix.stem)}.*"), *files_read(self.recipe)]
        check_output(target, reads, own=has_mark)
        stats, gaps = self.stats(), self.gaps()
        return write_page(self, target, stats=stats, gaps=gaps, rows=rows, comparison=comparison)

    def write(
        self,
        path: str | Path | None = None,
        *,
        to: str | None = None,
        overwrite: bool = False,
        images_out: str | Path | None = None,
        images_how: Placing = "copy",
    ) -> list[Path]:
        """Write the mix for its trainer, and beside it its manifest, statistics, scores and rejects.

        All are written before the first gets its name, and none replaces another's file. Files that stand there
        already with the same bytes are left as they are.

        Parameters
        ----------
        path
            ``mix.json`` or ``mix.jsonl``; the recipe's `write.path` by default. Files beside it are named after it, as
            are the files of the parts, ``mix.stage1.json``, if the recipe writes each part as its own file.
        to
            The trainer, as for the recipe's `write.format`, which it replaces: ``"llava"``, ``"llava-next"``,
            ``"llama-factory"``, ``"swift"``, ``"trl"``, ``"qwen-vl"``, ``"internvl"``, ``"webdataset"``.
        overwrite
            Whether to replace an earlier mix of that name with all its files, which are those that its manifest names
            and that have not changed.
        images_out, images_how
            A folder for the pictures of the picks, and how files get there, as for `write_images`. It is needed if
            pictures lie inside of sources, as in Parquet, and the trainer's file cannot hold them.

        Returns
        -------
        list of Path
            The files written, the mix first.

        Raises
        ------
        ConfigError
            If the ending names no format, or another than that of the trainer.
        InputError
            If a picked sample is more than the records of the trainer can hold, a source no longer exists, a file would
            replace one that the recipe reads, that `recipe` did not write,
            or an earlier mix, or the folder cannot be written to.
        """
        if to is not None:
            plan = Recipe.of(self.recipe, write={"format": to, "path": DEFAULT_PATH if path is None else str(path)})
            mix = replace(self, recipe=plan, stated=self.stats())
            return mix.write(path, overwrite=overwrite, images_out=images_out, images_how=images_how)
        target = path_of(self.recipe.write.path if path is None else path, "path")
        writer_of(target, self.recipe.write.format)
        check_targets(target, self.recipe, overwrite=overwrite)
        if images_out is not None:
            self.write_images(images_out, how=images_how)
        else:
            check_pictures(self.pool, self.picks.rows, self.recipe.write.format)
        with staged(target) as folder:
            made = write_mix(
                folder / target.name,
                self.pool,
                self.picks.rows,
                manifest=self.manifest(),
                stats=self.stats().to_json(),
                scores=self.scores,
                **writing(self.pool, self.recipe, part_counts(self.pool, self.picks, self.recipe), self.picks.rows),
            )
            older = check_targets(target, self.recipe, overwrite=overwrite)
            manifest, *others = settle_family(made, target.parent, older, taken=lambda _: earlier_mix(target))
        return [*others, manifest]

    save = write

    def write_images(self, folder: str | Path, *, how: Placing = "copy") -> Written:
        """Write the pictures of the picks, and no others, to the folder that is the trainer's ``--image_folder``.

        A picture that lies inside of a source, as in Parquet, is called by the hash of its bytes there and in the mix,
        and one that is a file keeps its path. A run that was killed goes on where it was; nothing is replaced.

        Parameters
        ----------
        folder
            Made if it does not exist.
        how
            ``"copy"``, or ``"link"`` for hard links in place of copies of files.

        Returns
        -------
        Written
            How many files were `written`, were there already (`kept`), or are URLs and absolute paths (`elsewhere`).

        Raises
        ------
        InputError
            If a picture is not found, another file stands in the place of one, or a source has changed.
        ConfigError
            If pictures are files, and the recipe does not say in which folder (`read.images`).
        """
        files, images = located(self.recipe, self.pool.checkpoint.held), self.recipe.read.images
        check_unchanged(self.pool.checkpoint.sources.values())
        return write_pictures(self.pool, self.picks.rows, files, path_of(folder, "folder"), how=how, images=images)

    def manifest(self) -> dict[str, Any]:
        """Return the manifest, which rebuilds the mix: recipe, versions, hashes of sources, keys in pick order."""
        return make_manifest(self)

    def __repr__(self) -> str:
        return "\n".join(f"{name:<12} {value}" for name, value in summary_lines(self))

    def _repr_html_(self) -> str:
        """Show a summary in a notebook."""
        return summary_html(self)
