"""The proofs that GRPO has found: each different one once, cut back with the run, and harvested."""

import json
from pathlib import Path

import pytest

from prover.sources import UserInputError
from rl.data.harvest import harvest
from rl.data.pairs import ProofPair
from rl.data.proved import FILE, append_proved, read_proved
from rl.rollouts.rollout import Group
from tests.rl.made_groups import group, rollout, row

RFL, TRIVIAL, TERM = "by\n  rfl", "by\n  trivial", "True.intro"


def proved(name: str, *proofs: str) -> Group:
    return Group(row(name), tuple(rollout(1, proof) for proof in proofs), 0)


def test_only_what_the_judge_accepted_and_every_proof_once(tmp_path: Path) -> None:
    append_proved(tmp_path, 1, [group("a", [1, 0, None, 1]), group("b", [0, None])])
    append_proved(tmp_path, 2, [proved("a", TRIVIAL, RFL), proved("b", RFL, RFL)])
    assert read_proved(tmp_path) == [(row("a"), TRIVIAL), (row("a"), RFL), (row("b"), RFL)]
    lines = [json.loads(line) for line in (tmp_path / FILE).read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 2]
    assert lines[1] == {
        "step": 2, "theorem": "a", "statement": "theorem a : True", "header": "", "split": "", "topic": "", "proof": RFL
    }  # fmt: skip


def test_a_run_that_is_gone_on_with_writes_the_same_again(tmp_path: Path) -> None:
    steps = [[proved("a", RFL)], [proved("b", RFL)], [group("c", [0])], [proved("a", TRIVIAL)]]
    for step, groups in enumerate(steps, 1):
        append_proved(tmp_path, step, groups)
    whole = (tmp_path / FILE).read_bytes()
    # It was killed while step 4 was written, and its last checkpoint is that of step 1.
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"step": 5, "theo')
    append_proved(tmp_path, 2, steps[1])
    assert read_proved(tmp_path) == [(row("a"), RFL), (row("b"), RFL)]
    for step in (3, 4):
        append_proved(tmp_path, step, steps[step - 1])
    assert (tmp_path / FILE).read_bytes() == whole


def test_they_are_harvested(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"version": 1, "algorithm": "grpo", "settings": {}, "sessions": []}')
    with pytest.raises(UserInputError, match=r"is a run of grpo that has proved nothing\.$"):
        harvest([tmp_path])
    append_proved(tmp_path, 1, [proved("a", RFL, TERM), proved("b", TRIVIAL)])
    found = harvest([tmp_path])
    proofs = [(pair.theorem, pair.proof) for pair in found.pairs if isinstance(pair, ProofPair)]
    assert proofs == [("a", "rfl"), ("b", "trivial")]
    assert len(found.pairs) == 2
    assert (found.pairs[0].source, found.pairs[0].policy, found.pairs[0].reward) == (str(tmp_path), "grpo", 1)
    (taken,) = found.taken
    assert (taken.proved, taken.proofs, taken.steps, taken.without_steps) == (2, 2, 0, 2)


def test_a_line_that_is_no_proof(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"step": 1, "theorem": "a"}\n')
    with pytest.raises(UserInputError, match=r"proofs\.jsonl, line 1: no proof of a run; mend it or take it out\.$"):
        read_proved(tmp_path)
