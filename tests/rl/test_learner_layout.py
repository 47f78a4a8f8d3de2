"""How rows are put into lines, micro-batches and shares, and what the model is given."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rl.learner.collate import collate
from rl.learner.layout import LINE, Line, lines_of, micro_batches, share
from rl.objective.rows import TokenRow

LAYOUTS = ("right", "left", "packed", "shared")


def rows_of(lengths):
    """A row for each prompt's number and length, and length of the answer; prompts of a number are equal."""
    return [TokenRow((number + 1,) * prompt, (9,) * answer) for number, prompt, answer in lengths]


DRAWN = st.lists(st.tuples(st.integers(0, 3), st.integers(1, 700), st.integers(1, 500)), min_size=1, max_size=20)


@given(DRAWN, st.sampled_from(LAYOUTS), st.integers(1, 3000), st.integers(1, 4))
def test_every_row_is_computed_once_and_no_batch_is_too_large(lengths, layout, most, processes):
    rows = rows_of(lengths)
    chosen = range(0, len(rows), 2)
    lines = lines_of(rows, chosen, layout)
    assert [line.length for line in lines] == sorted((line.length for line in lines), reverse=True)
    for line in lines:
        assert len(line.rows) == 1 or line.length <= LINE
        prompts = {rows[number].prompt_ids for number in line.rows}
        assert layout == "packed" or len(prompts) == 1
        repeated = (
            sum(len(rows[number].prompt_ids) for number in line.rows) if layout != "shared" else len(min(prompts))
        )
        assert line.length == repeated + sum(len(rows[number].answer_ids) - 1 for number in line.rows)
    shares = share(lines, processes)
    batches = [batch for lines_of_one in shares for batch in micro_batches(lines_of_one, most)]
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(line.length for line in batch) <= most
    assert sorted(number for batch in batches for line in batch for number in line.rows) == list(chosen)
    loads = [sum(line.length for line in each) for each in shares]
    assert max(loads) - min(loads) <= max(line.length for line in lines)


ROWS = [TokenRow((1, 2, 3), (4, 5)), TokenRow((1, 2, 3), (6, 7, 8)), TokenRow((9,), (4,))]
ALL = [(True, True), (True, False, True), (True,)]


def test_shared_prompts_by_hand():
    lines = lines_of(ROWS, range(3), "shared")
    assert lines == [Line((0, 1), 6), Line((2,), 1)]
    found = collate(ROWS, ALL, lines, "shared", 0, "cpu")
    assert found.inputs["input_ids"].tolist() == [[1, 2, 3, 4, 6, 7], [9, 0, 0, 0, 0, 0]]
    assert found.inputs["position_ids"].tolist() == [[0, 1, 2, 3, 3, 4], [0, 0, 0, 0, 0, 0]]
    # 4 and 6 are predicted after 3, 5 after 4, 8 after 7 (7 itself is not learned); in the second line 4 after 9
    assert found.targets.tolist() == [4, 5, 6, 8, 4]
    assert found.places.tolist() == [2, 3, 2, 5, 6]
    assert found.inputs["attention_mask"].shape == (2, 1, 6, 6)
    assert found.inputs["attention_mask"][0, 0].int().tolist() == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 1, 1, 0, 1, 0],  # 6 does not see 4, which is of the other answer
        [1, 1, 1, 0, 1, 1],
    ]


@pytest.mark.parametrize(
    ("layout", "ids", "places", "more"),
    [
        ("right", [[1, 2, 3, 6, 7], [1, 2, 3, 4, 0], [9, 0, 0, 0, 0]], [2, 4, 7, 8, 10], {}),
        (
            "left",
            [[1, 2, 3, 6, 7], [0, 1, 2, 3, 4], [0, 0, 0, 0, 9]],
            [2, 4, 8, 9, 14],
            {
                "attention_mask": [[1, 1, 1, 1, 1], [0, 1, 1, 1, 1], [0, 0, 0, 0, 1]],
                "position_ids": [[0, 1, 2, 3, 4], [0, 0, 1, 2, 3], [0, 0, 0, 0, 0]],
            },
        ),
        (
            "packed",
            [[1, 2, 3, 6, 7, 1, 2, 3, 4, 9]],
            [2, 4, 7, 8, 9],
            {"position_ids": [[0, 1, 2, 3, 4, 0, 1, 2, 3, 0]]},
        ),
    ],
)
def test_other_layouts_by_hand(layout, ids, places, more):
    found = collate(ROWS, ALL, lines_of(ROWS, range(3), layout), layout, 0, "cpu")
    assert found.inputs["input_ids"].tolist() == ids
    assert found.targets.tolist() == [6, 8, 4, 5, 4]
    assert found.places.tolist() == places
    assert {name: given.tolist() for name, given in found.inputs.items() if name != "input_ids"} == more


def test_a_line_without_company_needs_no_mask():
    for layout in ("packed", "shared"):
        found = collate(ROWS[2:], ALL[2:], lines_of(ROWS[2:], [0], layout), layout, 0, "cpu")
        assert found.inputs.keys() == {"input_ids"}
        assert found.places.dtype == torch.long
