"""What a crash leaves of the journal, and who may open it."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prover.corpus.collect import Collected
from prover.corpus.entry import Entry
from prover.corpus.journal import Journal
from prover.sources import UserInputError

FIRST = Collected("Init.A", (Entry("a", "theorem a (p : Prop) :\n  p → p", "1"), Entry("b", "theorem b : 1 ≠ 2", "2")))
SECOND = Collected("Init.B", (), {"own": 3, "internal": 1})
THIRD = Collected("Init.C", (Entry("c", "theorem c : True", "3"),), {"lost": 1})


def written(path: Path) -> bytes:
    with Journal(path, "Lean 4") as journal:
        for collected in (FIRST, SECOND, THIRD):
            journal.add(collected)
    return path.read_bytes()


def test_what_was_added_is_found_again(tmp_path: Path) -> None:
    written(tmp_path / "j")
    with Journal(tmp_path / "j", "Lean 4") as journal:
        assert journal.found == {"Init.A": FIRST, "Init.B": SECOND, "Init.C": THIRD}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(share=st.floats(0, 1))
def test_cut_anywhere_it_has_the_modules_whose_lines_are_whole(tmp_path: Path, share: float) -> None:
    path = tmp_path / "j"
    path.unlink(missing_ok=True)
    whole = written(path)
    cut = round(share * len(whole))
    path.write_bytes(whole[:cut])
    lines = whole[:cut].count(b"\n")
    with Journal(path, "Lean 4") as journal:
        assert list(journal.found.values()) == [FIRST, SECOND, THIRD][: max(0, lines - 1)]
        for collected in (FIRST, SECOND, THIRD)[max(0, lines - 1) :]:
            journal.add(collected)
    assert path.read_bytes() == whole


def test_another_maker_starts_afresh(tmp_path: Path) -> None:
    written(tmp_path / "j")
    with Journal(tmp_path / "j", "Lean 5") as journal:
        assert journal.found == {}
        journal.add(SECOND)
    with Journal(tmp_path / "j", "Lean 5") as journal:
        assert journal.found == {"Init.B": SECOND}


def test_only_one_process_may_have_it(tmp_path: Path) -> None:
    other = textwrap.dedent(f"""
        from pathlib import Path
        from prover.corpus.journal import Journal
        with Journal(Path({str(tmp_path / "j")!r}), "Lean 4"):
            print("open", flush=True)
            input()
    """)
    with subprocess.Popen([sys.executable, "-c", other], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        with pytest.raises(UserInputError, match="Another process is at work"):
            Journal(tmp_path / "j", "Lean 4")
        process.communicate(b"\n")
    with Journal(tmp_path / "j", "Lean 4") as journal:
        assert journal.found == {}


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(UserInputError, match="cannot be written"):
        Journal(tmp_path / "no" / "j", "Lean 4")
