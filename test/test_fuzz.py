"""A few damaged files for every reader, always the same ones; `python -m benchmarks.fuzz` tries thousands."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.fuzz.readers import READERS
from benchmarks.fuzz.running import Subject

INPUTS = 25


@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_refused_in_one_line_or_read(name: str, tmp_path: Path) -> None:
    subject = Subject(name, tmp_path, seed=0)
    subject.check_whole()
    findings, kinds = [], set()
    for index in range(INPUTS):
        with subject.damaged(index) as (path, _):
            kind, place = subject.judge(path)
        kinds.add(kind)
        if kind not in ("read", "refused"):
            findings.append(f"#{index} {kind}: {place}")
    assert not findings
    assert "refused" in kinds
