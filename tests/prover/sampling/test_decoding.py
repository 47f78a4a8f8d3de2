"""The sampling loop over a model that is a table: what follows a token hangs on that token alone."""

from itertools import pairwise

import numpy as np
import pytest

from prover.sampling import drawing
from prover.sampling.decoding import DecoderFault, Vocabulary, sample_all
from prover.sampling.sampler import INTERRUPTED, Prompt, Request, Sample, Settings

LETTERS = "abcdefgh."
END = LETTERS.index(".")
NOTHING = np.empty(0, dtype=np.int64)


class TableDecoder:
    """`table` (v, v) is the logits of the next token after each. `most` is the rows that there is memory for."""

    spread = 1.0

    def __init__(self, table, rows=64, most=64):
        self.table, self.rows, self.most = np.asarray(table, dtype=np.float32), rows, most
        self.sizes: list[int] = []
        self.held = NOTHING

    def start(self, prompts, rows, room):
        assert not self.held.size
        assert len(set(prompts)) == len(prompts)
        if len(rows) > self.most:
            raise MemoryError
        self.held = np.array([prompts[row][-1] for row in rows])

    def draw(self, temperatures, top_ps, chosen):
        self.sizes.append(len(self.held))
        return drawing.draw(self.table[self.held], temperatures, top_ps, chosen)

    def advance(self, kept, tokens):
        assert len(kept) == len(tokens) <= len(self.held)
        self.held = tokens

    def stop(self):
        self.held = NOTHING


def encode(prompt):
    if prompt.messages:
        raise ValueError("no messages here")
    return [LETTERS.index(letter) for letter in prompt.text]


VOCABULARY = Vocabulary(
    encode, lambda ids: "".join(LETTERS[i] for i in ids if i != END), frozenset([END]), {".": END}, 10, len(LETTERS)
)


def chain(text):
    """A table in which each letter of `text` is followed by the next."""
    table = np.full((len(LETTERS), len(LETTERS)), -np.inf)
    for left, right in pairwise(text):
        table[LETTERS.index(left), LETTERS.index(right)] = 0
    return table


def chance(seed=0):
    return np.random.default_rng(seed).normal(size=(len(LETTERS), len(LETTERS)))


def request(text, seed=0, **settings):
    return Request(Prompt(text), Settings(**{"max_tokens": 6, **settings}), seed)


def ids(text):
    return tuple(LETTERS.index(letter) for letter in text)


def one(table, asked, vocabulary=VOCABULARY):
    (sample,) = sample_all([asked], vocabulary, TableDecoder(table))
    return sample


def test_an_answer_ends_with_the_end_which_is_a_token_but_no_text():
    sample = one(chain("abcd."), request("ab"))
    assert (sample.text, sample.finish, sample.token_ids, sample.tokens) == ("cd", "stop", ids("cd."), 3)
    assert sample.token_log_probabilities == (0.0, 0.0, 0.0)


def test_an_answer_is_cut_at_the_limit():
    sample = one(chain("abcdefgh"), request("a", max_tokens=3))
    assert (sample.text, sample.finish, sample.token_ids) == ("bcd", "length", ids("bcd"))
    assert one(chain("ab"), request("a", max_tokens=0)).finish == "length"


def test_a_stop_text_is_left_out_of_the_text_and_its_tokens_are_told():
    sample = one(chain("abcdefgh"), request("a", stop=("fg", "de")))
    assert (sample.text, sample.finish, sample.token_ids) == ("bc", "stop", ids("bcde"))


def test_a_stop_that_is_a_special_token_ends_an_answer_though_it_is_no_text():
    vocabulary = Vocabulary(encode, VOCABULARY.decode, frozenset(), {".": END}, 10, len(LETTERS))
    table = chain("abc.def")
    assert one(table, request("a"), vocabulary).text == "bcdef"[:5]
    assert one(table, request("a", stop=(".",)), vocabulary).text == "bc"


def test_a_prompt_as_long_as_the_context_is_refused_and_a_longer_answer_cut():
    assert one(chain("abcdefgh"), request("ab" * 4 + "a", max_tokens=5)).tokens == 1
    sample = one(chain("abcdefgh"), request("ab" * 5, max_tokens=5))
    assert (sample.finish, sample.error) == ("length", "the prompt has 10 tokens, the model's context 10")


def test_prompts_that_cannot_be_used_fail_alone():
    small = Vocabulary(encode, VOCABULARY.decode, frozenset([END]), {}, None, 3)
    found = sample_all([request(""), request("ah"), request("ab")], small, TableDecoder(chain("abc.")))
    assert [sample.finish for sample in found] == ["error", "error", "stop"]
    assert [found[0].error, found[1].error[:40]] == ["the prompt is empty", "the prompt has tokens that the model doe"]


def test_output_that_is_no_number_is_an_error_of_that_row_alone():
    table = chain("abc.")
    table[LETTERS.index("d"), 0] = np.nan
    found = sample_all([request("d"), request("a")], VOCABULARY, TableDecoder(table))
    assert [(sample.finish, sample.text, sample.error) for sample in found] == [
        ("error", "", "the model's output is not a number"),
        ("stop", "bc", ""),
    ]


def test_a_sample_does_not_hang_on_what_is_sampled_beside_it():
    asked = [request("ab"[i % 2] + "c" * (i % 3), seed=i, temperature=0.3 * (i % 4), top_p=0.9) for i in range(24)]
    together = sample_all(asked, VOCABULARY, TableDecoder(chance()))
    assert together == [one(chance(), each) for each in asked]
    assert together == sample_all(asked, VOCABULARY, TableDecoder(chance(), rows=5))
    assert len({sample.text for sample in together}) > 12


def test_finished_rows_are_dropped():
    table = chain("abcdefgh.")
    decoder = TableDecoder(table)
    found = sample_all([request(letter, max_tokens=9) for letter in "aceg"], VOCABULARY, decoder)
    assert [sample.text for sample in found] == ["bcdefgh", "defgh", "fgh", "h"]
    assert decoder.sizes == [4, 4, 3, 3, 2, 2, 1, 1]


def test_a_batch_that_memory_does_not_suffice_for_is_halved():
    asked = [request("ab"[i % 2], seed=i) for i in range(16)]
    decoder = TableDecoder(chance(), rows=8, most=3)
    assert sample_all(asked, VOCABULARY, decoder) == sample_all(asked, VOCABULARY, TableDecoder(chance()))
    assert max(decoder.sizes) == 2  # 8, then 4, then 2


def test_want_of_memory_in_one_call_is_no_limit_for_the_next():
    decoder = TableDecoder(chance(), rows=8, most=3)
    asked = [request("a", seed=i) for i in range(8)]
    sample_all(asked, VOCABULARY, decoder)
    decoder.most = 64  # another process had the memory
    decoder.sizes.clear()
    assert sample_all(asked, VOCABULARY, decoder) == [one(chance(), each) for each in asked]
    assert decoder.sizes[0] == 8


def test_a_call_that_is_stopped_ends_before_the_next_token():
    asks = iter([False, False, False, True, True])  # before the first batch, its three tokens, the second batch
    decoder = TableDecoder(chain("abcdefgh."), rows=2)
    asked = [request("a", max_tokens=1), request("b", max_tokens=9), request("e", max_tokens=9)]
    found = sample_all(asked, VOCABULARY, decoder, lambda: next(asks))
    assert found == [
        Sample("b", ids("b"), (0.0,), "length", 1),
        Sample("", finish="error", tokens=2, error="interrupted"),  # c and d were drawn
        INTERRUPTED,  # in a batch of its own, which was not begun
    ]
    assert decoder.sizes == [2, 1]
    assert not decoder.held.size


def test_a_sample_that_memory_does_not_suffice_for_is_an_error():
    found = sample_all([request("a"), request("b")], VOCABULARY, TableDecoder(chance(), most=0))
    assert [sample.error for sample in found] == ["not enough memory for one sample of this prompt"] * 2


def test_a_model_that_fails_costs_its_batch_and_no_more():
    class Failing(TableDecoder):
        def advance(self, kept, tokens):
            if len(tokens) == 2:
                raise DecoderFault("the device is gone")
            super().advance(kept, tokens)

    found = sample_all([request("a"), request("a", seed=1), request("bc")], VOCABULARY, Failing(chain("abcd.")))
    assert [sample.finish for sample in found] == ["error", "error", "stop"]
    assert found[0].error == "the model failed: the device is gone"


def test_no_requests():
    assert sample_all([], VOCABULARY, TableDecoder(chance())) == []


@pytest.mark.parametrize("seed", [0, 2**63, -5])
def test_any_seed_will_do(seed):
    assert one(chance(), request("a", seed=seed)) == one(chance(), request("a", seed=seed))
