"""The transformers policy in process: whose weights it samples with, and when it takes others."""

import threading

import pytest

from prover.sampling.sampler import Prompt, Request, Settings
from rl.rollouts.asking import ask
from rl.rollouts.weights import PolicySampler, TransformersPolicy, copy_weights
from tests.prover.sampling.small_models import save

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

SETTINGS = Settings(max_tokens=12, temperature=0.7)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save(tmp_path_factory.mktemp("llama"))


@pytest.fixture
def model(folder):
    return transformers.AutoModelForCausalLM.from_pretrained(folder)


@pytest.fixture(scope="module")
def tokenizer(folder):
    return transformers.AutoTokenizer.from_pretrained(folder)


def update(model, seed=1):
    """What an optimiser does to the weights."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=generator, dtype=weight.dtype))


def largest_log_ratio(policy: PolicySampler, model) -> float:
    """The largest |ln pi_learner - ln pi_sampler| of the tokens of some rollouts (fault 6)."""
    prompts = [Prompt(f"theorem t : {i} = {i}") for i in range(4)]
    largest = 0.0
    for answer in ask(policy, prompts, range(4), SETTINGS):
        assert not isinstance(answer, str)
        turn = answer[0]
        with torch.no_grad():
            logits = model(torch.tensor([[*turn.prompt_ids, *turn.token_ids]])).logits[0, len(turn.prompt_ids) - 1 : -1]
        found = (logits.float() / SETTINGS.temperature).log_softmax(-1)
        found = found.gather(1, torch.tensor(turn.token_ids)[:, None])[:, 0]
        largest = max(largest, float((found - torch.tensor(turn.log_probabilities)).abs().max()))
    return largest


def test_a_copy_keeps_its_weights_until_it_is_told_to_take_others(model, tokenizer):
    policy = TransformersPolicy(model, tokenizer, copied=True)
    places = [weight.data_ptr() for weight in policy._model.parameters()]
    request = [Request(Prompt("theorem t"), SETTINGS, seed) for seed in range(3)]
    before = policy.sample(request)
    assert largest_log_ratio(policy, model) < 1e-4
    update(model)
    assert policy.sample(request) == before
    assert largest_log_ratio(policy, model) > 0.05
    policy.take_weights(model)
    assert largest_log_ratio(policy, model) < 1e-4
    assert policy.sample(request) != before
    # In place: no second copy beside the first.
    assert [weight.data_ptr() for weight in policy._model.parameters()] == places
    assert not any(weight.requires_grad for weight in policy._model.parameters())
    assert all(weight.requires_grad for weight in model.parameters())


def test_the_learner_s_own_model_is_always_of_the_present(model, tokenizer):
    policy = TransformersPolicy(model, tokenizer, copied=False)
    update(model)
    policy.take_weights(model)
    assert largest_log_ratio(policy, model) < 1e-4
    with pytest.raises(ValueError, match="another one"):
        policy.take_weights(transformers.AutoModelForCausalLM.from_config(model.config))


def test_a_model_that_trains_is_in_evaluation_mode_while_it_is_sampled(model, tokenizer):
    model.train()
    model.gradient_checkpointing_enable()
    modes = []
    model.register_forward_pre_hook(lambda module, args: modes.append(module.training))
    policy = TransformersPolicy(model, tokenizer, copied=False)
    assert model.training
    assert policy.sample([Request(Prompt("theorem t"), SETTINGS)])[0].tokens > 0
    assert model.training
    assert set(modes) == {False}
    # And it learns from what it sampled.
    model(torch.tensor([[1, 2, 3]])).logits.sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_an_adapter_and_its_copy(model, tokenizer):
    peft = pytest.importorskip("peft")
    adapted = peft.get_peft_model(model, peft.LoraConfig(r=2, target_modules=["q_proj", "v_proj"]))
    policy = TransformersPolicy(adapted, tokenizer, copied=True)
    update(adapted)
    assert largest_log_ratio(policy, adapted.eval()) > 0.05
    policy.take_weights(adapted)
    assert largest_log_ratio(policy, adapted.eval()) < 1e-4


def test_weights_of_another_shape_are_refused_whole(model, tokenizer):
    other = transformers.AutoModelForCausalLM.from_config(model.config)
    other.model.norm = torch.nn.LayerNorm(3)
    kept = {name: weight.clone() for name, weight in other.named_parameters()}
    with pytest.raises(ValueError, match=r"model\.norm"):
        copy_weights(model, other)
    assert all(torch.equal(weight, kept[name]) for name, weight in other.named_parameters())


def test_it_can_be_stopped(model, tokenizer):
    policy = TransformersPolicy(model, tokenizer, copied=True)
    model_began = threading.Event()
    policy._model.register_forward_pre_hook(lambda module, args: model_began.set())
    answers = []
    requests = [Request(Prompt("theorem t"), Settings(max_tokens=200), seed) for seed in range(64)]
    thread = threading.Thread(target=lambda: answers.extend(policy.sample(requests)))
    thread.start()
    assert model_began.wait(20)
    policy.stop()
    thread.join(20)
    assert not thread.is_alive()
    assert len(answers) == 64
