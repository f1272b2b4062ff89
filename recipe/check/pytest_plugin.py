"""A pytest plugin: `mix_regression.check(mix)` fails a test if the mix drifted from the baseline beside the test."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    from recipe.mix.mix import Mix

OPTION = "--update-mix-baselines"


class MixRegression:
    """Checks mixes against baselines beside a test.

    Parameters
    ----------
    folder
        Where the baselines are: `test_mix/` beside `test_mix.py`.
    name
        Of the test.
    test
        Its node id, as pytest takes it.
    update
        Whether new baselines are written.
    """

    def __init__(self, folder: Path, name: str, test: str, *, update: bool) -> None:
        self.folder = folder
        self.name = name
        self.test = test
        self.update = update

    def check(
        self,
        mix: Mix | str | os.PathLike[str],
        *,
        tolerances: Mapping[str, Any] | str | Path | None = None,
        strict: bool = False,
        name: str | None = None,
    ) -> None:
        """Fail the test if a mix drifted.

        Parameters
        ----------
        mix
            A mix, or its file.
        tolerances
            Metric or glob -> comparator, or a YAML file of that, as for `recipe check --tolerance`.
        strict
            Fail also if a metric of the baseline cannot be measured.
        name
            Of the baseline, where a test checks several mixes; the name of the test by default.
        """
        __tracebackhide__ = True
        from recipe.check.drift.baseline import check_baseline, write_baseline  # noqa: PLC0415  pytest starts fast without it

        baseline = self.folder / f"{_file_name(name or self.name)}.stats.json"
        if self.update:
            baseline.parent.mkdir(parents=True, exist_ok=True)
            write_baseline(mix, baseline)
            return
        line = f"pytest {OPTION} '{self.test}'"
        if not baseline.is_file():
            pytest.fail(f"no baseline {baseline}; look at the mix, and then write one: {line}", pytrace=False)
        drift = check_baseline(mix, baseline, tolerances)
        if drift.failed(strict=strict):
            pytest.fail(f"the mix drifted from {baseline}:\n{drift}\nif that is wanted: {line}", pytrace=False)


@pytest.fixture
def mix_regression(request: pytest.FixtureRequest) -> MixRegression:
    """Check mixes against baselines beside the test: `mix_regression.check(mix)`."""
    node = request.node
    update = bool(request.config.getoption(OPTION))
    return MixRegression(node.path.with_suffix(""), node.name, node.nodeid, update=update)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes baselines."""
    group = parser.getgroup("recipe", "mixes of training samples")
    group.addoption(OPTION, action="store_true", default=False, help="write new baselines for mix_regression")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to write baselines in CI: they would follow the mix and check nothing."""
    if not config.getoption(OPTION):
        return
    from recipe.check.drift.baseline import in_ci  # noqa: PLC0415  pytest starts fast without it

    if in_ci():
        raise pytest.UsageError(f"{OPTION} is refused where CI is set; write baselines at home and commit them")


def _file_name(name: str) -> str:
    """Return a file name for a test: its parameters are in brackets, and may be any text."""
    return re.sub(r"\W", "_", name)
