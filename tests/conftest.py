"""One hypothesis profile for all, and where the real data are."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "recipe",
    deadline=None,  # the first example compiles kernels
    derandomize=bool(os.environ.get("CI")),  # CI judges the change, not the day
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("recipe")

REAL = Path(os.environ.get("RECIPE_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real samples, or skip."""
    if not (REAL / "svit").is_dir():
        pytest.skip(f"no real samples in {REAL}; set RECIPE_DATA to their folder")
    return REAL
