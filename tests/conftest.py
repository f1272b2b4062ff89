"""One hypothesis profile for all, where the real data are, and which `recipe` is tested."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import recipe

settings.register_profile(
    "recipe",
    deadline=None,  # the first example compiles kernels
    derandomize=bool(os.environ.get("CI")),  # CI judges the change, not the day
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("recipe")

ROOT = Path(__file__).parents[1]
PACKAGE = Path(recipe.__file__).parent
REAL = Path(os.environ.get("RECIPE_DATA", ROOT.parent / "shared" / "data"))

CASES = Path(os.environ.get("RECIPE_CASES", ROOT.parent / "shared" / "cases"))


def pytest_configure() -> None:
    """Let processes that tests start import the same `recipe`; stop if it is not the wheel that RECIPE_WHEEL names."""
    if not PACKAGE.samefile(ROOT / "recipe"):
        return
    if os.environ.get("RECIPE_WHEEL"):
        raise pytest.UsageError(f"expected the installed wheel, got the checkout: {PACKAGE}; start pytest elsewhere")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))


def pytest_report_header() -> str:
    """Say which `recipe` is tested."""
    return f"recipe: {recipe.__version__} in {PACKAGE}"


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real samples, or skip."""
    if not (REAL / "svit").is_dir():
        pytest.skip(f"no real samples in {REAL}; set RECIPE_DATA to their folder")
    return REAL


@pytest.fixture(scope="session")
def cases() -> Path:
    """Return the folder of small made-up files of many formats, or skip."""
    if not (CASES / "formats").is_dir():
        pytest.skip(f"no cases in {CASES}; set RECIPE_CASES to their folder")
    return CASES
