"""Where a script is cut: what goes on with the tactic above, what begins one, and that no code is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.segments import segments

# Scripts that are one tactic, as they stand.
ONE = [
    "constructor <;>\nsimp",
    "constructor <;> -- both\nsimp",
    "constructor\n<;> simp",
    "have h : p :=\nby simp",
    "have h : p :=\n\nby simp",
    "have h : p :=\n-- why\nby simp",
    "have h : p\n:= by simp",
    "have h : ∀ x,\nx = x := fun _ => rfl",
    "have h : a +\nb = c ∧\nd := x",
    "have h : a\n= b := x",
    "have h : p := by\nsimp",
    "exact foo <|\nbar",
    "intro x\n  -- inside\n  y",
    "calc a = b := h\n_ = c := h2",
    "calc\na = b := h\n_ = c := h2",
    "refine foo (\na) b",
    "rw [a,\nb,\nc]",
    "exact fun x =>\nx",
    "rw [← a, b]; simp",
    "/- c -/ simp",
    "simp /- a\nb -/",
    "/- a /- b -/ ( c -/ simp",
    "cases h with\n| inl a => x\n| inr b => y",
    "induction n with\n| zero => simp\n| succ n ih => omega",
    "rcases h with a |\nb",
    "first\n| simp\n| omega",
    "· simp\n  omega",
    "·\n  simp\n  omega",
    ". simp",
    "case inl h =>\n  simp\n  omega",
    "simp\nat h",
    "set_option maxRecDepth 9 in\nsimp",
    'exact "a\n  b\nc ("',
    'exact r#"a\n"b ("#',
    "suffices h : p\nfrom x",
]

# Scripts, and the tactics that they are.
SEVERAL = [
    ("simp\nomega", ["simp", "omega"]),
    ("  simp\n  omega", ["simp", "omega"]),
    ("/- tactic state:\nx\n-/\n  simp\n  omega", ["/- tactic state:\nx\n-/\nsimp", "omega"]),
    ("-- a\n  simp\n-- b\n  omega\n-- c", ["-- a\nsimp", "-- b\nomega"]),
    ("simp /- a\nb -/\nomega", ["simp /- a\nb -/", "omega"]),
    ("exact f '('\nsimp", ["exact f '('", "simp"]),
    ("exact f '\\'' '\"' '['\nsimp", ["exact f '\\'' '\"' '['", "simp"]),
    ("exact h' (f'' x) g'\nsimp\nexact h'", ["exact h' (f'' x) g'", "simp", "exact h'"]),
    ("exact g '' s\nsimp", ["exact g '' s", "simp"]),
    ('exact "( -- /- \\" ["\nsimp', ['exact "( -- /- \\" ["', "simp"]),
    ("exact «a (b»\nsimp", ["exact «a (b»", "simp"]),
    ("simp at *\nomega", ["simp at *", "omega"]),
    ("norm_num at h ⊢\nomega", ["norm_num at h ⊢", "omega"]),
    ("exact abs_nonneg |x|\nsimp", ["exact abs_nonneg |x|", "simp"]),
    ("simp -- so that (\nomega", ["simp -- so that (", "omega"]),
    ("by_contra h\nwith_reducible rfl", ["by_contra h", "with_reducible rfl"]),
    ("constructor\n· intro h\n  simp\n· omega", ["constructor", "· intro h\n  simp", "· omega"]),
    ("simp\n\n\nomega\n", ["simp", "omega"]),
    ("simp\r\nomega\r\n", ["simp", "omega"]),
    ("\tsimp\n\tintro\n\t\tx", ["simp", "intro\n  x"]),
    ("  have h : p :=\nby simp\n  omega", ["have h : p :=\nby simp", "omega"]),
    ("cases h with\n| inl a =>\n  x\n| inr b => y\nsimp", ["cases h with\n| inl a =>\n  x\n| inr b => y", "simp"]),
    ("", []),
    ("-- a", []),
    ("/- a", []),
    ("\n \n", []),
]


@pytest.mark.parametrize("text", ONE)
def test_one_tactic(text):
    assert segments(text) == [text]
    assert segments(f"intro\n{text}\ndone")[0] == "intro"
    assert segments("\n".join("    " + row for row in text.split("\n")))[0].split() == text.split()


@pytest.mark.parametrize(("text", "tactics"), SEVERAL)
def test_several_tactics(text, tactics):
    assert segments(text) == tactics


@settings(deadline=None)
@given(st.lists(st.sampled_from(ONE), min_size=1, max_size=6))
def test_tactics_below_each_other_are_cut_apart(tactics):
    assert segments("\n".join(tactics)) == tactics


PIECES = st.sampled_from(
    ["simp", "h'", "'('", "(", ")", "[", "⟩", "|", "·", ":=", "by", "_", "=>", "<;>", '"', '"a b"', " ", "  ", "\t",
     "\n", "\n", "\n  ", "\r\n", ",", "at *", "'", "«", "\\"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join))
def test_no_row_of_code_is_lost_or_moved(text):
    rows = [row.split() for row in text.replace("\r\n", "\n").split("\n") if row.strip()]
    assert [row.split() for tactic in segments(text) for row in tactic.split("\n") if row.strip()] == rows


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["-- c (", "/- a -/", "/- a\n b\n-/", "  -- d", "x", "  y", "· z", "\n"]), max_size=12))
def test_comments_change_nothing_of_the_code(rows):
    code = [row.strip() for row in rows if row.strip() in ("x", "y", "· z")]
    found = "\n".join(segments("\n".join(rows))).split("\n")
    assert [row.strip() for row in found if row.strip() in ("x", "y", "· z")] == code
