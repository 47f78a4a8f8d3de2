"""What the sampler is asked, and what is kept of its answers: token ids as they went in and as they came out."""

from typing import Any

import pytest

from prover.prompts.own import OwnTactic, tactic_prompt
from prover.sampling.sampler import Prompt, Sample, Settings
from prover.sources import UserInputError
from rl.rollouts.asking import ask, turn_seed
from rl.rollouts.options import RolloutOptions, training_settings
from tests.rl.scripted_sampler import CUT, TOO_LONG, Scripted

SETTINGS = Settings(max_tokens=8, stop=OwnTactic().stop)


def test_a_seed_hangs_on_each_of_its_parts_and_on_nothing_else():
    parts = (3, 7, "t", 2, 1)
    assert turn_seed(*parts) == turn_seed(*parts)
    others = [(4, 7, "t", 2, 1), (3, 8, "t", 2, 1), (3, 7, "u", 2, 1), (3, 7, "t", 3, 1), (3, 7, "t", 2, 2)]
    assert len({turn_seed(*each) for each in (parts, *others)}) == 6
    assert all(0 <= turn_seed(*each) < 2**31 for each in others)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (Settings(temperature=0.0), r"^The temperature is 0: .*\.$"),
        (Settings(temperature=-1.0), r"^The temperature is -1: "),
        (Settings(temperature=float("nan")), r"^The temperature is nan: "),
        (Settings(top_p=0.95), r"^top-p is 0\.95: .*\.$"),
        (Settings(max_tokens=0), r"^An answer may have 0 tokens"),
    ],
)
def test_what_is_not_drawn_from_the_whole_distribution_is_no_training(settings, said):
    with pytest.raises(UserInputError, match=said):
        training_settings(settings)


def test_settings_to_train_with_stay_as_they_are():
    settings = Settings(64, 0.7, 1.0, ("x",))
    assert training_settings(settings) is settings


@pytest.mark.parametrize(
    "options", [{"group_size": 0}, {"turns": 0}, {"retries": -1}, {"patience": -1}, {"tactic_seconds": 0}]
)
def test_options_that_make_no_sense(options):
    with pytest.raises(UserInputError):
        RolloutOptions(**options)


def test_answers_are_turns_or_reasons():
    sampler = Scripted({("t", 0): ["simp"], ("t", 1): ["om" + CUT], ("t", 2): [None], ("t", 3): [TOO_LONG]})
    seeds = [turn_seed(0, 0, "t", number, 0) for number in range(4)]
    answers: list[Any] = ask(sampler, [Prompt("ab")] * 4, seeds, SETTINGS)
    (whole, sample), (cut, _), reason, (unbegun, told) = answers
    assert (whole.prompt_ids, whole.token_ids, whole.finish) == ((97, 98), (115, 105, 109, 112, 0), "stop")
    assert whole.log_probabilities == (-0.5,) * 5
    assert (whole.text, sample.text) == ("simp", "simp")
    assert (cut.token_ids, cut.finish) == ((111, 109), "length")
    assert reason == "the server is away"
    assert (unbegun.token_ids, unbegun.finish) == ((), "length")
    assert told.error == "the prompt has 9 tokens, the model's context 8"
    assert len(sampler.calls) == 1


class Untold(Scripted):
    def _one(self, text):
        return Sample("simp", (1, 2), (), "stop", 2)


class Short(Scripted):
    def _one(self, text):
        return Sample("simp", (1, 2), (-1.0,), "stop", 2)


def test_answers_that_cannot_be_learned_from():
    script, seeds = {("t", 0): ["x"]}, [turn_seed(0, 0, "t", 0, 0)]
    with pytest.raises(UserInputError, match=r"^hf:script tells no log-probabilities .*\.$"):
        ask(Untold(script), [Prompt("a")], seeds, SETTINGS)
    with pytest.raises(ValueError, match="1 log-probabilities for 2 tokens"):
        ask(Short(script), [Prompt("a")], seeds, SETTINGS)


def test_token_ids_go_in_and_come_out_and_are_never_made_of_text(tmp_path):
    """Fault 5. The log-probabilities are those of the ids of a turn: ids of its text, encoded again, have others."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from rl.rollouts.weights import TransformersPolicy
    from tests.prover.sampling.small_models import save

    folder = save(tmp_path)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    prompts = [Prompt(tactic_prompt(f"n : Nat\n⊢ n + {i} = n")) for i in range(6)]
    encoded_otherwise = 0
    answers: list[Any] = ask(TransformersPolicy(model, tokenizer, copied=False), prompts, range(6), SETTINGS)
    for prompt, (turn, _) in zip(prompts, answers, strict=True):
        assert turn.prompt_ids == tuple(tokenizer(prompt.text)["input_ids"])
        with torch.no_grad():
            logits = model(torch.tensor([[*turn.prompt_ids, *turn.token_ids]])).logits[0, len(turn.prompt_ids) - 1 : -1]
        found = logits.log_softmax(-1).gather(1, torch.tensor(turn.token_ids)[:, None])[:, 0]
        assert turn.log_probabilities == pytest.approx(found.tolist(), abs=1e-4)
        again = tuple(tokenizer(turn.text)["input_ids"])
        encoded_otherwise += again != turn.token_ids[: len(again)]
    assert encoded_otherwise >= 3  # or the test would say nothing
