"""The table of faults keeps up with the code."""

import sys
from pathlib import Path

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).parent))
from run import ROOT, TABLE, Fault

FAULTS = [Fault(**entry) for entry in yaml.safe_load(TABLE.read_text("utf-8"))]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_can_be_planted(fault):
    """Its text stands once in its file, and its tests exist."""
    assert (ROOT / fault.file).read_text("utf-8").count(fault.old) == 1
    assert all((ROOT / test.partition("::")[0]).exists() for test in fault.tests)
