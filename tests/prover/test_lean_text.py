"""The lexer: it loses nothing, and it is not fooled by comments, strings and names."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from prover.lean_text import code_tokens, line_and_column, offset_of, tokens

PIECES = st.sampled_from(
    ["theorem", " ", "\n", ":=", "--", "/-", "-/", "/--", '"', "\\", "'", "a", "h'", "«x y»", "(", ")", "⟨", "⟩", "{",
     "}", "s!", 'r#"', '"#', "∀", "n₁", "0x1F", "3.14", "#eval", "@[", "]", "sorry", "→", "«", "\t", "é"]
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join) | st.text(max_size=40))
@example('s!"{')
@example("/-")
@example('"\\')
@example("'\\")
def test_the_tokens_are_the_text(text):
    found = list(tokens(text))
    assert "".join(token.text for token in found) == text
    assert all(token.text for token in found)
    assert [token.start for token in found] == [sum(len(t.text) for t in found[:i]) for i in range(len(found))]


@pytest.mark.parametrize("unit", ['s!"{', 's!"{(', '"{', "/-", "⟨", 's!"{} '])
def test_however_deep_it_is_nested(unit):
    text = unit * 20_000
    assert "".join(token.text for token in tokens(text)) == text


def test_strings_in_strings_in_strings():
    inner = "x"
    for _ in range(30):
        inner = f's!"{{{inner}}}"'
    assert [token.text for token in code_tokens(f"{inner} := a")] == [inner, ":=", "a"]


@settings(deadline=None)
@given(st.lists(PIECES, max_size=20).map("".join))
def test_what_is_commented_out_is_no_code(text):
    inner = text.replace("/-", "").replace("-/", "")
    # A `/` at the end of what is left would close the comment together with a `-`, or open another.
    assert [t.text for t in code_tokens(f"a /- {inner} -/ b")] == ["a", "b"] or "-/" in f"{inner} "


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a -- b := c\nd", ["a", "d"]),
        ("a /- b /- c -/ := -/ d", ["a", "d"]),
        ("/-- doc := -/ theorem", ["theorem"]),
        ('"a := \\" b" := c', ['"a := \\" b"', ":=", "c"]),
        ('r#"a " := "# := c', ['r#"a " := "#', ":=", "c"]),
        ('s!"x {f "y := }"} z" := c', ['s!"x {f "y := }"} z"', ":=", "c"]),
        ("h' 'a' '\\'' f''", ["h'", "'a'", "'\\''", "f''"]),
        ("Nat.succ_le.1 «odd name».foo x.2", ["Nat.succ_le.1", "«odd name».foo", "x.2"]),
        ("h₁:=h₂", ["h₁", ":=", "h₂"]),
        ("⟨x,(y)⟩", ["⟨", "x", ",", "(", "y", ")", "⟩"]),
        ("n!≠0", ["n!", "≠", "0"]),
        ("1.5e3 0xFF 2", ["1.5e3", "0xFF", "2"]),
        ("#eval x", ["#eval", "x"]),
        ("a -1", ["a", "-", "1"]),
    ],
)
def test_code(text, code):
    assert [token.text for token in code_tokens(text)] == code


@settings(deadline=None)
@given(st.text(alphabet="ab\n", max_size=30), st.data())
def test_lines_and_columns_go_both_ways(text, data):
    offset = data.draw(st.integers(0, len(text)))
    line, column = line_and_column(text, offset)
    assert offset_of(text, line, column) == offset
    assert text.split("\n")[line - 1][:column] == text[offset - column : offset]


def test_a_place_outside_of_the_text_is_moved_inside():
    assert offset_of("ab\nc", 1, 99) == 2
    assert offset_of("ab\nc", 9, 0) == 4
