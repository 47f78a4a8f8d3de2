"""Loss and gradient against trl's GRPOTrainer: the same weights, the same batch, float32 on a CPU."""

from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest
import torch

from prover.model.config import ModelConfig
from prover.model.create import create
from rl.learner.config import LearnerConfig
from rl.learner.learner import Learner
from rl.objective.advantages import advantages
from rl.objective.policy_loss import PolicyObjective
from rl.objective.rows import TokenRow
from tests.rl.learning import gradient, relative

trl = pytest.importorskip("trl")

SHAPE = ModelConfig(vocabulary=280, hidden=32, layers=2, heads=2, key_value_heads=1, intermediate=64, context=128)
LENGTH = 16  # trl's max_completion_length
PLAIN = PolicyObjective(clip_low=0.2, clip_high=0.3, importance_cap=None)
KL: dict[str, Any] = {"kl": "k3", "kl_coefficient": 0.3}
TRAINERS: dict[tuple[Any, ...], Any] = {}


@dataclass(frozen=True)
class Case:
    """trl's options, and ours that mean the same."""

    theirs: dict[str, Any]
    ours: PolicyObjective


LOSSES = {
    "grpo": replace(PLAIN, aggregation="sequence_mean"),
    "bnpo": PLAIN,
    "dapo": PLAIN,
    "dr_grpo": replace(PLAIN, aggregation="constant_length", constant_length=LENGTH),
}
CASES = {
    **{name: Case({"loss_type": name}, ours) for name, ours in LOSSES.items()},
    **{
        f"{name}, k3": Case({"loss_type": name, "beta": 0.3, "use_bias_correction_kl": True}, replace(ours, **KL))
        for name, ours in LOSSES.items()
    },
    "the paper's k3": Case(
        {"loss_type": "grpo", "beta": 0.3, "use_bias_correction_kl": False},
        replace(LOSSES["grpo"], **KL, kl_weighted=False),
    ),
    "another temperature": Case({"loss_type": "dapo", "temperature": 0.7}, replace(PLAIN, temperature=0.7)),
    "one clip": Case({"loss_type": "dapo", "epsilon_high": None}, replace(PLAIN, clip_high=0.2)),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A saved model: trl reads the reference again from where the model came from."""
    place = tmp_path_factory.mktemp("tiny")
    create(place, ["theorem t : True := trivial", "simp omega rfl"], SHAPE)
    return place


def opened(folder):
    """Weights larger than a new model's, so that its distributions are far from even."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(6)
    return model


def trainer(folder, **options):
    """trl's, on weights that nothing here steps; made once for the same options."""
    from datasets import Dataset
    from transformers import AutoTokenizer

    key = (folder, *sorted(options.items()))
    if key in TRAINERS:
        TRAINERS[key].model.zero_grad()
        return TRAINERS[key]
    given: dict[str, Any] = {"epsilon": 0.2, "epsilon_high": 0.3, "max_completion_length": LENGTH} | options
    made = trl.GRPOTrainer(
        model=opened(folder),
        reward_funcs=lambda completions, **_: [0.0 for _ in completions],
        args=trl.GRPOConfig(
            output_dir=str(folder / "out"), per_device_train_batch_size=8, num_generations=4, bf16=False, use_cpu=True,
            gradient_checkpointing=False, report_to=[], **given,
        ),
        train_dataset=Dataset.from_list([{"prompt": "a"}] * 8),
        processing_class=AutoTokenizer.from_pretrained(folder),
    )  # fmt: skip
    made.current_gradient_accumulation_steps = 1
    made.model.train()
    TRAINERS[key] = made
    return made


def rows_of(learner, temperature, spread, seed=0):
    """Two groups of four; old log-probabilities off the model's own by up to `spread`, None for 0."""
    random = Random(seed)
    rows = []
    for group in range(2):
        prompt = tuple(random.choices(range(5, 260), k=7 + 4 * group))
        told = advantages([1, 0, 0, 0.5], normalise_std=True)
        for number, advantage in enumerate(told):
            assert advantage is not None
            answer = tuple(random.choices(range(5, 260), k=random.randint(2, LENGTH)))
            rows.append(TokenRow(prompt, answer, advantage=advantage + 0.3, sequence=4 * group + number))
    own = learner.log_probs(rows, temperature)

    def moved(log_probs, by):
        return tuple(each + random.uniform(-by, by) for each in log_probs)

    return [
        replace(
            row,
            old_log_probs=moved(log_probs, spread) if spread else None,
            reference_log_probs=moved(log_probs, 0.5),
            sampler_log_probs=moved(log_probs, 0.9),
        )
        for row, log_probs in zip(rows, own, strict=True)
    ]


def inputs_of(rows, pad):
    """What trl prepares of the same: prompts padded on the left, answers on the right."""
    widest = max(len(row.prompt_ids) for row in rows)
    longest = max(len(row.answer_ids) for row in rows)

    def right(values, filler):
        return torch.tensor([[*each, *[filler] * (longest - len(each))] for each in values])

    inputs = {
        "prompt_ids": torch.tensor([[pad] * (widest - len(row.prompt_ids)) + list(row.prompt_ids) for row in rows]),
        "prompt_mask": torch.tensor([[0] * (widest - len(row.prompt_ids)) + [1] * len(row.prompt_ids) for row in rows]),
        "completion_ids": right([row.answer_ids for row in rows], pad),
        "completion_mask": right([[1] * len(row.answer_ids) for row in rows], 0),
        "advantages": torch.tensor([row.advantage for row in rows]),
        "num_items_in_batch": torch.tensor(sum(len(row.answer_ids) for row in rows)),
        "ref_per_token_logps": right([row.reference_log_probs for row in rows], 0.0),
        "sampling_per_token_logps": right([row.sampler_log_probs for row in rows], 0.0),
    }
    if rows[0].old_log_probs is not None:
        inputs["old_per_token_logps"] = right([row.old_log_probs for row in rows], 0.0)
    return inputs


def both(folder, case, spread, prepare=lambda theirs, inputs: None):
    """Loss and gradient of trl and of the learner."""
    ours = Learner(opened(folder), 0, LearnerConfig(micro_tokens=64))
    rows = rows_of(ours, case.ours.temperature, spread)
    theirs = trainer(folder, **case.theirs)
    inputs = inputs_of(rows, 0)
    prepare(theirs, inputs)
    loss = theirs._compute_loss(theirs.model, inputs)
    loss.backward()
    told = ours.backward(rows, case.ours)
    return (loss.item(), gradient(theirs.model)), (told["loss"], gradient(ours.model)), told


@pytest.mark.parametrize("spread", [0, 0.05, 0.6])
@pytest.mark.parametrize("name", CASES)
def test_loss_and_gradient_are_trls(folder, name, spread):
    (loss, direction), (found, ours), told = both(folder, CASES[name], spread)
    assert abs(loss) > 1e-3
    assert found == pytest.approx(loss, rel=1e-5)
    assert relative(ours, direction) < 1e-5
    assert (told["clip_low"] > 0, told["clip_high"] > 0) == (spread == 0.6, spread == 0.6)


def test_truncated_importance_weights_are_trls(folder):
    """trl works them out where it generates, and multiplies them in where the loss is."""

    def prepare(theirs, inputs):
        theirs.use_vllm = True
        raw = (inputs["old_per_token_logps"] - inputs["sampling_per_token_logps"]).exp()
        inputs["importance_sampling_ratio"] = raw.clamp(max=1.5)

    case = Case({"loss_type": "dapo", "max_steps": 1}, replace(PLAIN, importance_cap=1.5))
    (loss, direction), (found, ours), told = both(folder, case, 0.6, prepare)
    assert found == pytest.approx(loss, rel=1e-5)
    assert relative(ours, direction) < 1e-5
    assert told["sampler_ratio_max"] > 1.5


def test_the_reference_of_trl_has_our_log_probabilities(folder):
    """The reference that it opens itself for beta, with the weights as they were saved."""
    from transformers import AutoModelForCausalLM

    theirs = trainer(folder, loss_type="grpo", beta=0.1)
    learner = Learner(opened(folder), 0, LearnerConfig())
    rows = rows_of(learner, 1.0, 0)
    inputs = inputs_of(rows, 0)
    ids = torch.cat([inputs["prompt_ids"], inputs["completion_ids"]], dim=1)
    mask = torch.cat([inputs["prompt_mask"], inputs["completion_mask"]], dim=1)
    longest = inputs["completion_ids"].shape[1]
    with torch.no_grad():
        expected, _, _ = theirs._get_per_token_logps_and_entropies(theirs.ref_model, ids, mask, longest)
    reference = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    for row, found, each in zip(rows, learner.log_probs(rows, model=reference), expected, strict=True):
        assert found == pytest.approx(each[: len(row.answer_ids)].tolist(), abs=1e-5)


def test_metrics_are_trls(folder):
    case = CASES["the paper's k3"]  # weighted by the ratio, trl logs the weighted one
    theirs = trainer(folder, **case.theirs)
    ours = Learner(opened(folder), 0, LearnerConfig())
    rows = rows_of(ours, 1.0, 0.6)
    theirs._metrics["train"].clear()
    theirs._compute_loss(theirs.model, inputs_of(rows, 0))
    told = ours.backward(rows, case.ours)
    measured = {name: values[0] for name, values in theirs._metrics["train"].items()}
    assert told["entropy"] == pytest.approx(measured["entropy"], rel=1e-5)
    assert told["kl"] == pytest.approx(measured["kl"], rel=1e-5)
    assert told["clip_low"] == pytest.approx(measured["clip_ratio/low_mean"], rel=1e-5)
    assert told["clip_high"] == pytest.approx(measured["clip_ratio/high_mean"], rel=1e-5)


def test_fault_3_trl_counts_a_truncated_rollout_and_this_does_not(folder):
    """trl's sequence mean divides by rollouts that are masked whole; left out of its batch, it says what ours does."""
    objective = replace(LOSSES["grpo"], mask_truncated=True)
    ours = Learner(opened(folder), 0, LearnerConfig())
    rows = rows_of(ours, 1.0, 0.05)
    cut = [replace(row, truncated=row.sequence == 3) for row in rows]
    found = ours.backward(cut, objective)["loss"]
    theirs = trainer(folder, loss_type="grpo")
    inputs = inputs_of(rows, 0)
    inputs["completion_mask"][3] = 0
    assert theirs._compute_loss(theirs.model, inputs).item() == pytest.approx(found * 7 / 8, rel=1e-5)
    alone = inputs_of([row for row in cut if not row.truncated], 0)
    assert theirs._compute_loss(theirs.model, alone).item() == pytest.approx(found, rel=1e-5)
