"""Dynamic sampling: which groups are dropped, and what is collected in their place."""

from hypothesis import given, settings
from hypothesis import strategies as st

from rl.grpo.refilling import fill
from rl.grpo.replay import Replay
from tests.rl.made_groups import group, row

OUTCOMES: dict[str, list[int | None]] = {
    "mixed": [1, 0, 0], "other": [0, 1, None], "never": [0, 0, 0], "always": [1, 1, 1], "lost": [None, None, None],
    "one": [1, None, None],
}  # fmt: skip


class Collect:
    """Makes the groups that `OUTCOMES` says, and keeps what it was asked for."""

    def __init__(self):
        self.asked = []

    def __call__(self, rows):
        self.asked.append([each.name for each in rows])
        return [group(each.name, OUTCOMES[each.name]) for each in rows]


def filled(names, size, refills):
    collect = Collect()
    found = fill([row(name) for name in names], size, refills, collect)
    return [each.row.name for each in found.kept], [each.row.name for each in found.dropped], collect.asked


def test_groups_whose_scored_rewards_are_equal_are_dropped():
    assert filled(["never", "mixed", "always", "lost", "one", "other"], 6, 0) == (
        ["mixed", "other"],
        ["never", "always", "lost", "one"],
        [["never", "mixed", "always", "lost", "one", "other"]],
    )


def test_what_is_missing_is_collected_of_the_theorems_that_follow():
    assert filled(["never", "mixed", "always", "other", "one"], 2, 2) == (
        ["mixed", "other"],
        ["never", "always"],
        [["never", "mixed"], ["always"], ["other"]],
    )


def test_refills_and_theorems_come_to_an_end():
    assert filled(["never", "always", "lost", "mixed"], 1, 2)[2] == [["never"], ["always"], ["lost"]]
    assert filled(["never", "mixed"], 3, 9) == (["mixed"], ["never"], [["never", "mixed"]])
    assert filled([], 3, 9) == ([], [], [])


@settings(deadline=None)
@given(st.lists(st.sampled_from(list(OUTCOMES)), max_size=20), st.integers(1, 5), st.integers(0, 4))
def test_nothing_is_lost_and_nothing_taken_twice(names, size, refills):
    rows = [row(name) for name in names]
    collect = Collect()
    found = fill(rows, size, refills, collect)
    asked = [name for call in collect.asked for name in call]
    assert asked == names[: len(asked)]
    assert sorted(each.row.name for each in (*found.kept, *found.dropped)) == sorted(asked)
    assert len(found.kept) <= size
    assert len(collect.asked) <= refills + 1
    assert all(each.row.name in ("mixed", "other") for each in found.kept)
    # It stops early only with enough groups, or without theorems.
    assert len(found.kept) == size or len(collect.asked) == refills + 1 or asked == names


def test_replay_may_make_a_group_one_to_learn_from():
    replay = Replay()
    replay.keep([group("never", [1, 0])])
    collect = Collect()
    found = fill([row("never"), row("always")], 2, 0, lambda rows: [replay.fill(each) for each in collect(rows)])
    assert [each.rewards for each in found.kept] == [(0, 0, 0, 1)]
