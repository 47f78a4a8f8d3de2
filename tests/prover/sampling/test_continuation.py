"""The text of generated tokens, with single bytes as the tokens: no token's border is one of a character."""

from hypothesis import given
from hypothesis import strategies as st

from prover.sampling.continuation import StopWatch, continued, first_stop

LEAN = st.text("ab⊢∀\n 𝔽", max_size=12)


def decode(ids):
    return bytes(ids).decode("utf-8", errors="replace")


@given(LEAN, LEAN)
def test_what_is_continued_is_the_text_that_was_added(prompt, answer):
    assert continued(prompt.encode(), answer.encode(), decode) == answer


def test_a_decoder_that_drops_a_leading_space_is_given_some_of_the_prompt():
    words = {0: "▁the", 1: "▁proof", 2: "s"}

    def stripped(ids):
        return "".join(words[i] for i in ids).replace("▁", " ").removeprefix(" ")

    assert continued([0], [1, 2], stripped) == " proofs"


@given(LEAN, LEAN, st.lists(st.text("ab⊢\n", min_size=1, max_size=3), min_size=1, max_size=3))
def test_the_watch_speaks_with_the_byte_that_completes_a_stop(prompt, answer, stops):
    watch = StopWatch(prompt.encode(), stops, decode)
    data = answer.encode()
    said = next((i for i in range(len(data)) if watch.add(data[i])), None)
    expected = next((i for i in range(len(data)) if any(s.encode() in data[: i + 1] for s in stops)), None)
    assert said == expected


def test_bytes_that_never_make_a_character_do_not_hold_a_stop_back():
    watch = StopWatch([], ["ab"], decode)
    assert [watch.add(byte) for byte in [0xE2] * 40 + [ord("a"), ord("b")]] == [False] * 41 + [True]


def test_the_first_of_several_stops():
    assert first_stop("a\n\nb end", ["end", "\n\n"]) == 1
    assert first_stop("abc", ["x", ""]) is None
    assert first_stop("aXbX", ["X"], 2) == 3
