"""The learner on tiny models: its loss and gradient, steps, state, and what it refuses."""

import copy
from dataclasses import replace

import pytest
import torch

from prover.sources import UserInputError
from rl.learner.config import Layout, LearnerConfig
from rl.learner.forward import layout_for
from rl.learner.layout import lines_of, micro_batches
from rl.learner.learner import Learner, NonFiniteLoss
from rl.learner.schedule import learning_rate
from rl.objective.policy_loss import PolicyObjective
from rl.objective.rows import TokenRow
from rl.objective.supervised import Supervised
from tests.rl.learning import PAD, batch, bits, gpt2, gradient, llama, plain_log_probs, relative, weights

KL = PolicyObjective(kl="k3", kl_coefficient=0.1)
ON_POLICY = PolicyObjective(importance_cap=None)
AGGREGATIONS = (
    KL,
    replace(KL, aggregation="sequence_mean"),
    replace(KL, aggregation="constant_length", constant_length=16),
)
LAYOUTS: tuple[Layout, ...] = ("right", "left", "packed", "shared")


def computed(objective, rows, model=None, **options):
    """Loss and gradient of a batch."""
    model = model or llama()
    told = Learner(model, PAD, LearnerConfig(**options)).backward(rows, objective)
    return told["loss"], gradient(model), told


def cut(rows, parts):
    """The most tokens a micro-batch may have for the rows to be cut into that many."""
    lines = lines_of(rows, range(len(rows)), "right")
    return next(most for most in range(1, 10_000) if len(micro_batches(lines, most)) == parts)


@pytest.mark.parametrize("objective", [*AGGREGATIONS, Supervised()])
def test_fault_1_the_loss_does_not_depend_on_how_a_batch_is_cut(objective):
    """In 1, 2, 4 and 8 micro-batches; in rows that lie as they will."""
    rows = batch()
    whole, direction, told = computed(objective, rows, layout="right", micro_tokens=10_000)
    assert abs(whole) > 0.1
    for parts in (2, 4, 8):
        loss, found, others = computed(objective, rows, layout="right", micro_tokens=cut(rows, parts))
        assert loss == pytest.approx(whole, rel=1e-6)
        assert relative(found, direction) < 5e-6
        assert others == pytest.approx(told, rel=1e-5)
    for layout in LAYOUTS:
        for most in (10_000, 60):
            loss, found, others = computed(objective, rows, layout=layout, micro_tokens=most)
            assert loss == pytest.approx(whole, rel=1e-6), (layout, most)
            assert relative(found, direction) < 5e-6
            assert others == pytest.approx(told, rel=1e-5)


def test_the_loss_of_a_batch_against_the_plainest_way():
    """Row by row, unpadded, and the formula written out once more."""
    rows = batch()
    model = llama()
    total, count = torch.tensor(0.0), 0
    for row in rows:
        log_probs = plain_log_probs(model, row)
        old, sampler, reference = map(torch.tensor, (row.old_log_probs, row.sampler_log_probs, row.reference_log_probs))
        ratio, correction = (log_probs - old).exp(), (old - sampler).exp().clamp(max=2)
        gain = torch.min(ratio * row.advantage, ratio.clamp(0.8, 1.28) * row.advantage)
        k3 = (reference - log_probs).exp() - 1 + log_probs - reference
        losses = correction * (-gain + 0.1 * ratio * k3)
        mask = torch.tensor(row.weight_mask or [True] * len(losses))
        total, count = total + losses[mask].sum(), count + int(mask.sum())
    (total / count).backward()
    expected = gradient(model)
    loss, found, told = computed(KL, rows)
    assert loss == pytest.approx(total.item() / count, rel=1e-6)
    assert relative(found, expected) < 1e-6
    assert told["tokens"] == count


@pytest.mark.parametrize("temperature", [1.0, 0.6])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_fault_4_log_probabilities_are_at_the_sampling_temperature(layout, temperature):
    rows = batch()
    model = llama()
    found = Learner(model, PAD, LearnerConfig(layout=layout, micro_tokens=100)).log_probs(rows, temperature)
    for row, log_probs in zip(rows, found, strict=True):
        assert log_probs == pytest.approx(plain_log_probs(model, row, temperature).tolist(), abs=2e-6)


def test_fault_4_the_loss_is_at_the_sampling_temperature():
    """With the old log-probabilities of temperature 0.6 the ratio is 1 at 0.6, and not at 1."""
    learner = Learner(llama(), PAD, LearnerConfig())
    rows = batch()
    old = learner.log_probs(rows, 0.6)
    rows = [replace(row, old_log_probs=each) for row, each in zip(rows, old, strict=True)]
    at = learner.backward(rows, replace(ON_POLICY, temperature=0.6))
    beside = learner.backward(rows, ON_POLICY)
    assert at["ratio"] == pytest.approx(1, abs=1e-6)
    assert abs(beside["ratio"] - 1) > 0.05


def test_fault_5_ids_are_learned_as_they_are_given():
    """The learner has no tokenizer that could spell them another way; the padding token is learned as any other."""
    model = llama()
    row = TokenRow((PAD, 5), (PAD, 7, PAD, PAD))
    (found,) = Learner(model, PAD, LearnerConfig()).log_probs([row])
    assert len(found) == 4
    assert found == pytest.approx(plain_log_probs(model, row).tolist(), abs=2e-6)


def test_fault_3_the_padding_token_in_an_answer_counts():
    rows = [TokenRow((3, 4, 5, 6), (7, PAD)), TokenRow((3,), (PAD,))]
    for pad in (PAD, 9):
        model = llama()
        expected = -sum(plain_log_probs(model, row).sum().item() for row in rows) / 3
        for layout in LAYOUTS:
            learner = Learner(model, pad, LearnerConfig(layout=layout))
            assert learner.evaluate(rows, Supervised()) == pytest.approx(expected, rel=1e-6)


def test_fault_6_the_ratio_is_1_on_policy_and_not_off_policy():
    """Old log-probabilities of the same weights, of weights an update later, and of another model."""
    learner = Learner(llama(), PAD, LearnerConfig(learning_rate=1e-2))
    rows = batch()
    old = learner.log_probs(rows)
    rows = [replace(row, old_log_probs=each, sampler_log_probs=each) for row, each in zip(rows, old, strict=True)]
    objective = PolicyObjective(clip_low=0.05, clip_high=0.05)
    first = learner.update(rows, objective)
    assert (first["ratio"], first["ratio_max"], first["sampler_ratio_max"]) == pytest.approx((1, 1, 1), abs=1e-6)
    assert first["clip_low"] == first["clip_high"] == 0
    second = learner.update(rows, objective)
    assert second["ratio_max"] > 1.05
    assert second["clip_high"] > 0
    assert second["sampler_ratio_max"] == first["sampler_ratio_max"]
    others = learner.log_probs(rows, model=llama(seed=1))
    elsewhere = [replace(row, sampler_log_probs=each) for row, each in zip(rows, others, strict=True)]
    assert learner.backward(elsewhere, objective)["sampler_ratio_max"] > 1.5


def test_old_log_probabilities_that_are_left_out_are_those_of_the_weights_as_they_are():
    learner = Learner(llama(), PAD, LearnerConfig())
    rows = [replace(row, old_log_probs=None, sampler_log_probs=None) for row in batch()]
    told = learner.backward(rows, ON_POLICY)
    without = gradient(learner.model)
    given = [replace(row, old_log_probs=old) for row, old in zip(rows, learner.log_probs(rows), strict=True)]
    assert learner.backward(given, ON_POLICY) == pytest.approx(told, rel=1e-5)
    assert relative(gradient(learner.model), without) < 1e-5


def test_fault_8_an_advantage_of_0_moves_nothing():
    """What a group without variance is given; the learner adds nothing of its own."""
    learner = Learner(llama(), PAD, LearnerConfig(learning_rate=0.1))
    before = weights(learner.model)
    learner.update([replace(row, advantage=0.0) for row in batch()], PolicyObjective())
    assert torch.equal(weights(learner.model), before)


def test_entropy_and_log_probability_that_are_told():
    model = llama()
    row = TokenRow((3, 4), (5, 6, 7))
    every = (model(torch.tensor([[3, 4, 5, 6]])).logits[0, 1:] / 0.7).log_softmax(-1)
    told = Learner(model, PAD, LearnerConfig()).backward([row], replace(ON_POLICY, temperature=0.7))
    assert told["entropy"] == pytest.approx(-(every.exp() * every).sum(-1).mean().item(), rel=1e-5)
    expected = sum(every[place, token].item() for place, token in enumerate(row.answer_ids)) / 3
    assert told["log_prob"] == pytest.approx(expected, rel=1e-5)


def test_updates_learn_what_they_are_given():
    learner = Learner(llama(), PAD, LearnerConfig(learning_rate=3e-2, warmup_steps=2))
    rows = [TokenRow((3, 4), (5, 6, 7, 1)), TokenRow((3, 5), (9, 1))]
    before = learner.evaluate(rows, Supervised())
    told = [learner.update(rows, Supervised()) for _ in range(15)]
    assert told[0]["loss"] == pytest.approx(before, rel=1e-6)
    assert before > 3
    assert told[-1]["loss"] < 0.1
    assert [each["learning_rate"] for each in told[:3]] == pytest.approx([1.5e-2, 3e-2, 3e-2])
    assert told[0]["tokens"] == 6
    assert told[0]["tokens_per_second"] * told[0]["seconds"] == pytest.approx(10)
    assert learner.step == 15


def test_a_step_is_adamws():
    """Decay of matrices alone, the gradient clipped to norm 0.5, and the first step of Adam: the rate in each sign."""
    rate, decay = 1e-3, 0.1
    model = llama()
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    learner = Learner(model, PAD, LearnerConfig(learning_rate=rate, weight_decay=decay, max_grad_norm=0.5))
    learner.backward(batch(), Supervised())
    unclipped = {name: weight.grad.clone() for name, weight in model.named_parameters()}
    norm = torch.cat([each.flatten() for each in unclipped.values()]).norm().item()
    told = learner.update(batch(), Supervised())
    assert told["grad_norm"] == pytest.approx(norm, rel=1e-5)
    assert norm > 0.5
    for name, weight in model.named_parameters():
        clipped = unclipped[name] * (0.5 / norm)
        decayed = before[name] * (1 - rate * decay) if weight.dim() > 1 else before[name]
        expected = decayed - rate * clipped / (clipped.abs() + 1e-8)
        torch.testing.assert_close(weight.detach(), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [0.5, 1, 1, 1, 1, 1, 1, 1]),
        ("linear", [0.5, 1, 1, 0.75, 0.5, 0.25, 0, 0]),
        ("cosine", [0.5, 1, 1, (1 + 0.5**0.5) / 2, 0.5, (1 - 0.5**0.5) / 2, 0, 0]),
    ],
)
def test_schedules(schedule, expected):
    config = LearnerConfig(learning_rate=2.0, warmup_steps=2, schedule=schedule)
    assert [learning_rate(step, config, 6) / 2 for step in range(8)] == pytest.approx(expected)


def test_resumed_numbers_are_equal_to_the_bit():
    config = LearnerConfig(learning_rate=1e-2, weight_decay=0.1, schedule="cosine", micro_tokens=100)

    def steps(learner, numbers):
        return [
            {name: value for name, value in learner.update(batch(number), KL).items() if "second" not in name}
            for number in numbers
        ]

    straight = Learner(llama(), PAD, config, 6)
    told = steps(straight, range(4))
    first = Learner(llama(), PAD, config, 6)
    assert steps(first, range(2)) == told[:2]
    saved, kept = copy.deepcopy(first.state_dict()), copy.deepcopy(first.model)
    resumed = Learner(kept, PAD, config, 6)
    resumed.load_state_dict(saved)
    assert resumed.step == 2
    assert steps(resumed, range(2, 4)) == told[2:]
    assert bits(list(kept.parameters())) == bits(list(straight.model.parameters()))


def test_state_can_be_saved_and_read_as_weights_only(tmp_path):
    learner = Learner(llama(), PAD, LearnerConfig(learning_rate=1e-2))
    learner.update(batch(), Supervised())
    torch.save(learner.state_dict(), tmp_path / "state.pt")
    other = Learner(copy.deepcopy(learner.model), PAD, LearnerConfig(learning_rate=1e-2))
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    told = [each.update(batch(1), Supervised())["grad_norm"] for each in (learner, other)]
    assert told[0] == told[1]
    assert bits(list(learner.model.parameters())) == bits(list(other.model.parameters()))
    with pytest.raises(ValueError, match="parameter group"):
        Learner(llama(layers=1), PAD, LearnerConfig()).load_state_dict(learner.state_dict())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_takes_no_step(value):
    learner = Learner(llama(), PAD, LearnerConfig(learning_rate=0.1))
    rows = batch()
    before = weights(learner.model)
    with pytest.raises(NonFiniteLoss, match=str(value)):
        learner.update([replace(rows[0], advantage=value), *rows[1:]], PolicyObjective())
    assert torch.equal(weights(learner.model), before)
    assert learner.step == 0
    assert all(weight.grad is None for weight in learner.model.parameters())
    learner.update(rows, PolicyObjective())
    assert torch.isfinite(weights(learner.model)).all()


def test_a_batch_of_which_no_token_counts_takes_no_step():
    learner = Learner(llama(), PAD, LearnerConfig(learning_rate=0.1, weight_decay=0.5))
    before = weights(learner.model)
    told = learner.update(batch(truncated=True), PolicyObjective(mask_truncated=True))
    assert (told["loss"], told["tokens"], told["grad_norm"], learner.step) == (0, 0, 0, 0)
    assert torch.equal(weights(learner.model), before)


def test_fault_3_truncated_rollouts_leave_the_loss_as_it_is_without_them():
    rows = batch()
    others = [replace(row, truncated=True, sequence=row.sequence + 100) for row in batch(seed=1)]
    for objective in AGGREGATIONS:
        alone = computed(objective, rows)
        together = computed(replace(objective, mask_truncated=True), [*rows, *others])
        counted = computed(objective, [*rows, *others])
        assert together[0] == pytest.approx(alone[0], rel=1e-6)
        assert relative(together[1], alone[1]) < 1e-6
        assert abs(counted[0] / alone[0] - 1) > 1e-3


def test_gradient_checkpointing_changes_no_number():
    _, plain, told = computed(KL, batch())
    _, again, others = computed(KL, batch(), gradient_checkpointing=True)
    assert others == pytest.approx(told, rel=1e-6)
    assert relative(again, plain) < 1e-6


def test_gradient_checkpointing_computes_layers_twice():
    for checkpointing, times in ((False, 1), (True, 2)):
        model = llama()
        calls: list[int] = []
        model.model.layers[0].mlp.register_forward_pre_hook(lambda *_, seen=calls: seen.append(1))
        learner = Learner(model, PAD, LearnerConfig(gradient_checkpointing=checkpointing))
        learner.backward(batch(), Supervised())
        assert len(calls) == times
        assert not model.model.layers[0].training


def test_bfloat16_keeps_float32_weights():
    exact, direction, _ = computed(KL, batch())
    model = llama()
    loss, found, _ = computed(KL, batch(), model, dtype="bfloat16")
    assert loss != exact
    assert loss == pytest.approx(exact, rel=0.05)
    assert relative(found, direction) < 0.1
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert found.dtype == torch.float32
    halved = llama().to(torch.bfloat16)
    Learner(halved, PAD, LearnerConfig(dtype="bfloat16")).update(batch(), KL)
    assert {weight.dtype for weight in halved.parameters()} == {torch.float32}


def test_any_causal_model_is_run_padded_at_the_end():
    """GPT-2, with dropout that is left out: what is learned from is what was sampled."""
    model = gpt2()
    rows = batch()
    learner = Learner(model, PAD, LearnerConfig(micro_tokens=60))
    for row, found in zip(rows, learner.log_probs(rows), strict=True):
        assert found == pytest.approx(plain_log_probs(model, row).tolist(), abs=2e-6)
    first, second = (learner.backward(rows, KL) for _ in range(2))
    assert first == second
    assert layout_for(model, "auto") == "right"
    with pytest.raises(UserInputError, match="layout shared needs a model of the kind llama"):
        Learner(model, PAD, LearnerConfig(layout="shared"))


def test_a_window_of_attention_is_not_run_under_a_mask_of_ours():
    model = llama()
    assert layout_for(model, "auto") == "shared"
    model.config.layer_types = ["full_attention", "sliding_attention"]
    assert layout_for(model, "auto") == "right"
    eager = llama()
    eager.set_attn_implementation("eager")
    assert layout_for(eager, "auto") == "right"


def test_logits_are_computed_of_learned_tokens_alone():
    model = llama(tied=False)
    seen = []
    model.lm_head.register_forward_hook(lambda module, given, made: seen.append(made.shape))
    rows = [TokenRow((3,) * 20, (4, 5, 6)), TokenRow((3,) * 7, (4, 5), weight_mask=(True, False))]
    for layout in LAYOUTS:
        Learner(model, PAD, LearnerConfig(layout=layout)).backward(rows, Supervised())
    assert [shape[1] for shape in seen] == [4] * len(LAYOUTS)
    assert not model.lm_head._forward_pre_hooks


def test_a_shared_prompt_is_computed_once():
    seen = []
    model = llama()
    model.model.register_forward_pre_hook(
        lambda module, given, named: seen.append(named["input_ids"]), with_kwargs=True
    )
    rows = [TokenRow((3,) * 20, (4, 5, number)) for number in range(8)]
    Learner(model, PAD, LearnerConfig()).backward(rows, Supervised())
    assert [ids.shape for ids in seen] == [(1, 20 + 8 * 2)]  # an answer's last token is no input


def test_a_row_longer_than_the_context():
    learner = Learner(llama(), PAD, LearnerConfig())
    with pytest.raises(UserInputError, match="A row of 130 tokens is longer than"):
        learner.update([TokenRow((3,) * 127, (4, 5, 6))], Supervised())


def test_frozen_weights_stay():
    model = llama()
    model.model.layers[0].requires_grad_(False)
    before = copy.deepcopy(model)
    Learner(model, PAD, LearnerConfig(learning_rate=0.1)).update(batch(), Supervised())
    for (name, weight), other in zip(model.named_parameters(), before.parameters(), strict=True):
        assert torch.equal(weight, other) == name.startswith("model.layers.0.")
    model.requires_grad_(False)
    with pytest.raises(UserInputError, match="frozen"):
        Learner(model, PAD, LearnerConfig())


def test_an_adapter_is_learned_and_nothing_else():
    peft = pytest.importorskip("peft")
    base = llama()
    before = copy.deepcopy(base)
    model = peft.get_peft_model(base, peft.LoraConfig(r=2, target_modules=["q_proj", "lm_head"]))
    rows = batch()
    learner = Learner(model, PAD, LearnerConfig(learning_rate=0.1, gradient_checkpointing=True))
    expected = before_log_probs = [plain_log_probs(before, row).tolist() for row in rows]
    for found, each in zip(learner.log_probs(rows), expected, strict=True):
        assert found == pytest.approx(each, abs=2e-6)
    learner.update(rows, Supervised())
    assert learner.log_probs(rows)[0] != pytest.approx(before_log_probs[0], abs=1e-3)
    with model.disable_adapter():
        assert learner.log_probs(rows)[0] == pytest.approx(before_log_probs[0], abs=2e-6)


def test_rows_without_tokens_have_no_log_probabilities():
    learner = Learner(llama(), PAD, LearnerConfig())
    assert learner.log_probs([]) == []
    assert learner.log_probs([TokenRow((1, 2), ())]) == [()]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"betas": (0.9, 1.0)}, "betas"),
        ({"warmup_steps": -1}, "warmup_steps"),
        ({"max_grad_norm": 0.0}, "max_grad_norm"),
        ({"micro_tokens": 0}, "micro_tokens"),
    ],
)
def test_options_that_cannot_be_used(options, said):
    with pytest.raises(UserInputError, match=said):
        LearnerConfig(**options)


@pytest.mark.parametrize(
    ("schedule", "total", "said"),
    [("linear", None, "no end is told"), ("cosine", 3, "more updates than the 3 of warmup_steps; there are 3")],
)
def test_a_schedule_without_an_end_after_its_warm_up_is_refused(schedule, total, said):
    with pytest.raises(UserInputError, match=said):
        Learner(llama(), PAD, LearnerConfig(schedule=schedule, warmup_steps=3), total)


def test_the_rate_is_that_of_the_step_that_the_caller_has_set():
    learner = Learner(llama(), PAD, LearnerConfig(learning_rate=1.0, schedule="linear"), 4)
    learner.step = 3
    assert learner.update(batch(), Supervised())["learning_rate"] == pytest.approx(0.25)
    assert learner.step == 4
