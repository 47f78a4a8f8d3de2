"""Terms beside the judge's reward: off unless asked for, and never in its place."""

import pytest

from prover.sources import UserInputError
from rl.rollouts.rollout import Rollout, Turn
from rl.shaping import Shaping, language_share, learner_reward, length_excess, terms


def rollout(*texts, reward=1, tokens=4):
    turns = tuple(Turn((1,), (2,) * tokens, (-0.5,) * tokens, "stop", text) for text in texts)
    return Rollout(turns, reward, "proved" if reward else "refused")


def test_all_terms_are_off_by_default():
    assert terms(rollout("simp"), Shaping()) == {}
    assert learner_reward(1, {}) == 1
    assert learner_reward(0, {}) == 0


def test_an_unscored_rollout_stays_unscored_whatever_its_form():
    shaping = Shaping(format_weight=1.0, format_pattern=".*")
    added = terms(rollout("simp", reward=None), shaping)
    assert added == {"format": 1.0}
    assert learner_reward(None, added) is None


def test_each_term_is_weighted_and_named():
    shaping = Shaping(
        format_weight=0.2, language_weight=0.1, length_weight=0.5, length_free=2, length_most=10,
    )  # fmt: skip
    added = terms(rollout("<think>we\nguess</think>\nsimp", "simp"), shaping)
    # One answer of two has the form; all words are Latin; 8 tokens: (8 - 2) / (10 - 2) of the penalty.
    assert added == pytest.approx({"format": 0.1, "language": 0.1, "length": -0.375})
    assert learner_reward(1, added) == pytest.approx(0.825)


def test_words_are_counted_by_script():
    assert language_share("the sum пять 3 + x_1", "LATIN") == pytest.approx(3 / 4)  # the, sum, x
    assert language_share("aб", "LATIN") == 0  # one word of two scripts
    assert language_share("1 + 1", "LATIN") == 1


@pytest.mark.parametrize(("script", "word"), [("CYRILLIC", "пять"), ("CJK", "定理"), ("GREEK", "λ")])
def test_a_script_is_named_as_unicode_names_its_letters(script, word):
    assert language_share(word, Shaping(language_script=script).language_script) == 1


def test_length_costs_nothing_then_more_and_no_more_than_all():
    assert [length_excess(tokens, 10, 20) for tokens in (0, 10, 15, 20, 99)] == [0, 0, 0.5, 1, 1]


@pytest.mark.parametrize(
    "given",
    [
        {"format_pattern": "("},
        {"length_free": 5, "length_most": 5},
        {"length_free": -1},
        {"format_weight": -0.1},
        {"language_weight": -0.1},
        {"length_weight": -0.1},
        {"length_weight": float("nan")},
        {"language_script": "latin"},
        {"language_script": "LATN"},
        {"language_script": ""},
    ],
)
def test_what_makes_no_sense_is_refused(given):
    with pytest.raises(UserInputError):
        Shaping(**given)
