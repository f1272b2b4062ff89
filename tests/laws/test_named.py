"""The option that holds functions of your own to the laws."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("given", ["scores=my_scores:brevity", "cluster=a:b", "score", "score=", "=a:b"])
def test_a_room_without_laws_is_refused(given):
    """A room that has no laws, or does not exist, stops the run, which would test nothing and pass."""
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", str(Path(__file__).parent), "--law", given]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--law: expected ROOM=NAME with one of the rooms read, embed, score, balance, select, write" in found.stderr
