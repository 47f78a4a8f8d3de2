"""Which theorems a round of expert iteration attempts. Pure functions."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from prover.benchmarks.row import Row
from rl.expert_iteration.drawing import drawn

ROWS = [Row(f"t{number}", f"theorem t{number} : {number} = {number}") for number in range(20)]
NAMES = [row.name for row in ROWS]


def names(*arguments, **options):
    return [row.name for row in drawn(ROWS, *arguments, **options)]


def test_without_a_size_all_that_have_no_proof_and_a_share_of_those_that_have():
    proved, dropped = set(NAMES[:10]), {"t0", "t19"}
    found = names({}, proved, dropped, None, 0.5, 0, 1)
    # Nine with a proof are left; half of them is 4 (4.5, rounded to the even).
    assert sum(name in proved for name in found) == 4
    assert [name for name in found if name not in proved] == NAMES[10:19]
    assert found == sorted(found, key=NAMES.index)
    assert names({}, proved, dropped, None, 0.0, 0, 1) == NAMES[10:19]


def test_with_a_size_the_share_is_the_round_s():
    found = names({}, set(NAMES[:10]), set(), 10, 0.3, 0, 1)
    assert (len(found), sum(name in NAMES[:10] for name in found)) == (10, 3)
    # Too few with a proof: the others fill the round. Too few of those: it is smaller.
    assert len(names({}, {"t0"}, set(), 10, 0.3, 0, 1)) == 10
    assert len(names({}, set(NAMES[:18]), set(), 10, 0.3, 0, 1)) == 3 + 2


def test_no_theorem_is_attempted_again_before_all_were_attempted():
    attempted: Counter[str] = Counter()
    for number in range(6):
        found = names(attempted, set(), set(), 7, 0.0, 5, number)
        assert len(found) == 7
        attempted.update(found)
    assert attempted.total() == 42
    assert set(attempted.values()) == {2, 3}  # 42 over 20


@settings(deadline=None)
@given(st.sets(st.sampled_from(NAMES)), st.sets(st.sampled_from(NAMES)), st.integers(1, 25), st.floats(0, 1))
def test_a_round_is_never_larger_and_never_has_what_was_dropped(proved, dropped, size, share):
    found = names({}, proved, dropped, size, share, 1, 2)
    assert len(found) <= size
    assert not dropped & set(found)
    assert sum(name in proved for name in found) <= round(share * size)
    assert found == names({}, proved, dropped, size, share, 1, 2)


def test_seed_and_round_draw_others():
    drawings = {tuple(names({}, set(), set(), 8, 0.0, seed, number)) for seed in (0, 1) for number in (0, 1)}
    assert len(drawings) == 4
