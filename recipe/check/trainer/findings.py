"""What a check of a mix finds: a code, where, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

from recipe.data.problems import PROBLEMS

SEVERITIES = {"L": "stops", "T": "stops", "W": "silent", "S": "silent", "O": "other"}


@dataclass(frozen=True)
class Finding:
    """One problem in a mix file.

    Parameters
    ----------
    code
        A key of `recipe.data.problems.PROBLEMS`: L.. and T.. stop the run or drop the record, W.. and S.. silently
        train wrong, O.. stops other loaders. L, W and O are LLaVA v1.5's, T and S those of every other trainer.
    record
        Number of the record in the file, from 0; None if the file as a whole is at fault.
    turn
        Number of the turn in the record, from 0; None if the record as a whole is at fault.
    message
        What is wrong and what to do, in one line.
    detail
        Details of this place, as the image that is missing; "" if there are none.
    """

    code: str
    record: int | None
    turn: int | None
    message: str
    detail: str = ""

    @property
    def severity(self) -> str:
        """Return "stops" (the run), "silent" (trains wrong without an error) or "other" (stops other loaders only)."""
        return SEVERITIES[self.code[0]]

    @property
    def place(self) -> str:
        """Return record and turn in words."""
        record = "file" if self.record is None else f"record {self.record}"
        return record if self.turn is None else f"{record}, turn {self.turn}"

    def __str__(self) -> str:
        return f"{self.place}: {self.code} {self.message}"


def finding(code: str, record: int | None = None, turn: int | None = None, *, detail: str = "") -> Finding:
    """Make a finding of a code, with what it means and what to do."""
    what, fix = PROBLEMS[code]
    return Finding(code, record, turn, f"{what}{detail and f' ({detail})'}; {fix}", detail)
