"""The proof out of an answer: whatever it is wrapped in it comes out as it was, and nothing makes it fail or slow."""

import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lean_env import Candidate, Theorem
from lean_env.proof_text import proof_of as proof_text
from prover.prompts.blocks import Block, blocks, parted
from prover.prompts.extraction import continuation_of, one_tactic, proof_of
from prover.prompts.tactics import after_prefix

TACTICS = [
    "simp",
    "intro h",
    "sorry",
    "exact ⟨h.1, fun x => x⟩",
    "have h₂ : a ∧ b := by\n  constructor\n  · exact h.1\n\n  · exact h.2",
    "rw [foo,\n  bar] at h ⊢",
    "induction n with\n| zero => simp\n| succ n ih =>\n  omega",
    "calc a = b := by rfl\n  _ = c := h",
    "-- The reason\nomega",
    "/- because\n   of it: theorem t : p := by -/\nlinarith",
    'exact absurd rfl (by decide) -- "not closed',
    "open Classical in\nsimp",
    "set_option maxRecDepth 1000 in\nnorm_num",
    "nlinarith [sq_nonneg (a - b),\nMul.foo x, h]",
    'exact ("a -- b /- c" : String) ▸ h',
    "constructor <;>\n  simp_all",
]
# A `sorry` alone loses against any sketch.
PROOFS = (
    st.lists(st.sampled_from(TACTICS), min_size=1, max_size=5).map("\n".join).filter(lambda proof: proof != "sorry")
)
HEADERS = [
    "",
    "import Mathlib\nimport Aesop\n\nset_option maxHeartbeats 400000\n\nopen BigOperators Real Nat\n\n",
    "open Nat\n\n/-- Say what `sorry` is. -/\n",
    "namespace Foo\nvariable (x : Nat)\n",
]
STATEMENTS = [
    "theorem t (a b : Nat) (h : a = b) : a + 0 = b := by\n",
    "theorem   t (a b : Nat)\n    (h : a = b)\n  : a + 0 = b\n  :=\n  by\n",
    "@[simp]\nlemma t {n : ℕ} (h : n = 1 := by decide) : let x := n; x = 1 := by\n",
    "private theorem Foo.t : ∀ s ∈ {x : ℕ | x > 0}, s > 0 := by\n",
    "set_option maxRecDepth 100 in\ntheorem t : p := by\n",
]
TAILS = ["", "\n\n#print axioms t", "\n\nend Foo", "\n\n/-- Next. -/\ntheorem other : 1 = 1 := rfl", "\n-- done"]
BEFORE = [
    "",
    "Here is the proof:\n\n",
    "<think>\nFirst\n```lean4\ntheorem t : p := by\n  draft\n```\nWait.\n</think>\n",
    "It goes on thinking, opened by the prompt.\n</think>\n\n### Proof\n",
    "### Plan\n1. Don't panic\n```lean4\ntheorem t : p := by\n  have h : q := by sorry\n  bad_sketch\n```\n- then\n",
]
AFTER = [
    "",
    "\n\nThis completes the proof.",
    "\n```text\nno errors\n```\n",
    "\n\nRun it with\n```bash\nlake build\n```\nQ",
]
FENCES = [
    ("```lean4\n", "\n```"),
    ("```lean\n", "\n```"),
    ("```\n", "\n```"),
    ("``` Lean 4\n", "```"),
    ("````lean4\n", "\n````"),
]


def indented(proof: str, blanks: int) -> str:
    return "\n".join(" " * blanks + row if row else "" for row in proof.split("\n"))


def tabbed(text: str) -> str:
    return re.sub(r"(?m)^(?:  )+", lambda blanks: "\t" * (len(blanks[0]) // 2), text)


CODES = st.builds(
    lambda proof, header, statement, blanks, tail: (proof, header + statement + indented(proof, blanks) + tail),
    PROOFS,
    st.sampled_from(HEADERS),
    st.sampled_from(STATEMENTS),
    st.sampled_from([2, 4, 1]),
    st.sampled_from(TAILS),
)
LINE_ENDS = st.sampled_from([str, tabbed, lambda text: text.replace("\n", "\r\n"), lambda text: tabbed(text) + "\n\n"])


@given(CODES, st.sampled_from(BEFORE), st.sampled_from(FENCES), st.sampled_from(AFTER), LINE_ENDS)
@settings(max_examples=150, deadline=None)
def test_a_proof_in_a_block_comes_out_as_it_was(code, before, fence, after, line_ends):
    proof, text = code
    assert proof_of(line_ends(before + fence[0] + text + fence[1] + after), "t") == proof


@given(CODES, st.sampled_from(["", BEFORE[2], "```lean4\n", "Here it is:\n"]), LINE_ENDS)
@settings(max_examples=100, deadline=None)
def test_so_does_one_whose_block_is_not_closed_or_not_there(code, before, line_ends):
    proof, text = code
    assert proof_of(line_ends(before + text), "t") == proof


@given(
    PROOFS,
    st.sampled_from(["", "```lean4\n", "by\n", ":= by\n", "import Mathlib\nopen Nat\n\n"]),
    st.sampled_from([0, 2, 5]),
)
@settings(max_examples=100, deadline=None)
def test_so_do_tactics_without_a_statement(proof, before, blanks):
    assert proof_of(before + indented(proof, blanks), "t") == proof


@given(PROOFS, st.sampled_from(["", "\n", "\n```", "\n```\n\nThe proof uses ...", "```"]))
@settings(max_examples=100, deadline=None)
def test_an_answer_that_goes_on_in_the_block(proof, after):
    assert continuation_of(indented(proof, 2) + after, indent=2) == proof


FRAGMENTS = [
    "```", "```lean4", "\n", "\n", "\n  ", "theorem t", " : p ", ":=", " by", "(", ")", "⟨", "/-", "-/", "--", '"',
    "<think>", "</think>", "  ", "\t", "\r", "simp", "The ", "\nopen A", " in", "@[x]", "private ", "example",
    "lemma a", "have", "let", "exact", "sorry", "#print", "<th", "ink>", "``", "end", "where", "def x", "import",
    "'\"'", "\\", ".", "\x0c", "\u2028", "|", "| 0", "=>", "fun",
]  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join)), st.booleans())
@settings(max_examples=600, deadline=None)
@example("<thi<think></think>nk>", False)
@example("by\nby by simp", False)
@example("theorem a : p := by\n  (\n@[simp] theorem b : p := by simp\nThe end", False)
@example("- a\n/- b\n c -/ simp\n  open X", False)
def test_it_never_fails_and_is_done_at_once(answer, truncated):
    for name in ("t", ""):
        proof = proof_of(answer, name, truncated)
        assert proof_of(proof, name) == proof
    goes_on = continuation_of(answer, 2, truncated)
    assert continuation_of(goes_on) == goes_on
    tactic = one_tactic(answer, truncated)
    assert one_tactic(tactic) == tactic


SIZE = 1_000_000
HOSTILE = [
    "```", "```lean4\n", "<think>", "</think><think>", "theorem t : p := by\n", "theorem t (", "/-", "by ", ":= ", "\n",
    " ", "\t", '"', "\\", "(", "open x in\n", "```lean4\ntheorem t : p := by\n  simp\n```\n", "let x ", "'\"", "@[",
    "lemma a : p := by\n exact a\n", "lemma a : p\n| 0 => a\n", "| x ", "a.", "«",
    "private ", "A", "in ", "/- -/", "-/", "  (\n", "simp\n  ",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
def test_its_time_is_linear_in_a_megabyte_of_anything(unit):
    # A quadratic step would take 10^12 of the simplest steps: a quarter of an hour, not seconds.
    begun = time.process_time()
    proof_of(unit * (SIZE // len(unit)) + "-/\n```lean4\ntheorem t : p := by simp", "t", truncated=True)
    continuation_of(unit * (SIZE // 10 // len(unit)), 2)
    assert time.process_time() - begun < 30


def test_the_last_theorem_with_a_proof_wins_over_later_blocks_and_earlier_sketches():
    block = "```lean4\ntheorem t : p := by\n  {}\n```\n"
    assert proof_of(block.format("first") + block.format("second"), "t") == "second"
    assert proof_of(block.format("first") + block.format("sorry"), "t") == "first"
    assert proof_of(block.format("first") + "```lean4\nlemma other : q := by simp\n```", "t") == "first"
    assert proof_of(block.format("first") + "```lean4\n#check t\n```\n```\noutput\n```", "t") == "first"
    assert proof_of("```\nno\n```\n```lean4\nsimp\n```\n```\nno\n```", "t") == "simp"
    assert proof_of(block.format("sorry"), "t") == "sorry"
    assert proof_of("```lean4\nThis block was never ended:\n" + block.format("second"), "t") == "second"
    assert proof_of(block.format("sorry") + "A fence too many:\n```lean4\n```\n" + block.format("b")[9:], "t") == "b"


def test_thoughts_count_only_where_nothing_was_said_and_only_with_the_theorem():
    draft = "<think>\n```lean4\ntheorem t : p := by\n  draft\n```\n"
    assert proof_of(draft + "</think>\n```lean4\ntheorem t : p := by\n  final\n```", "t") == "final"
    assert proof_of(draft, "t") == "draft"
    assert proof_of("<think>\n```tactics\nsimp\n```\nso simp\n```lean4\nomega\n```", "t") == ""
    assert parted("a<think>b</think>c") == ("a\nc", "b")
    assert parted("a</think>b") == ("b", "a")


def test_lemmas_become_haves_and_only_those_that_are_used():
    code = """
lemma unused : 1 = 1 := rfl

/-- Doc. -/
lemma base (n : ℕ) -- of all
    (h : n > 0) : n ≠ 0 := by
  omega

theorem step (n : ℕ) : n = n := Eq.refl (base n)

theorem t (n : ℕ) (h : n > 0) : n ≠ 0 := by
  have := step n
  exact base n h
"""
    assert proof_of(code, "t") == (
        "have base (n : ℕ)\n    (h : n > 0) : n ≠ 0 := by\n  omega\n"
        "have step (n : ℕ) : n = n := by\n  exact Eq.refl (base n)\n"
        "have := step n\nexact base n h"
    )


@pytest.mark.parametrize(
    "tactic",
    [
        "exact both.mp trivial",
        "rw [←both]",
        "exact (@both |>.mp)",
        "exact both.2.mp",
        "simp [-foo,both]",
        "exact h ▸both",
        "exact both.{0} h",
        "exact ‹p›.trans both.symm.symm",
        'exact (both) -- so "it" is',
    ],
)
def test_a_lemma_is_used_however_its_name_stands_in_the_proof(tactic):
    code = f"theorem both : p ↔ q := H\n\ntheorem t : q := by\n  {tactic}"
    assert proof_of(code, "t") == f"have both : p ↔ q := by\n  exact H\n{tactic}"


@pytest.mark.parametrize(
    ("statement", "above", "written", "reward"),
    [
        ("theorem t : ∀ n : Nat, n + 0 = n", "", "\n| 0 => rfl\n| n + 1 => by\n  have h : n = n := rfl\n  simp", 1),
        ("theorem t : ∀ n m : Nat, n + m = m + n", "", " | 0, m => by\n    simp\n  | n + 1, m => by omega", 1),
        ("theorem t : ∀ n : Nat, n = 0", "", "\n  | 0 => rfl", 0),
        # A theorem may speak of itself, a `have` may not.
        ("theorem t : ∀ n : Nat, 0 + n = n", "", "\n  | 0 => rfl\n  | n + 1 => congrArg Nat.succ (t n)", 1),
        (
            "theorem t : 0 + 1 = 1",
            "theorem l : ∀ n : Nat, 0 + n = n\n  | 0 => rfl\n  | n + 1 => congrArg Nat.succ (l n)\n\n",
            " := l 1",
            0,
        ),
        ("theorem t : ¬ True ∨ 1 = 1", "theorem A.l : True ↔ 1 = 1 := by simp\n\n", " := .inr (A.l.mp trivial)", 1),
    ],
)
def test_what_comes_out_is_what_lean_takes(verifier, statement, above, written, reward):
    proof = proof_of(f"```lean4\n{above}{statement}{written}\n```", "t")
    verdict = verifier.verify(Theorem("t", statement), Candidate(proof_text([proof])))
    assert verdict.reward == reward, verdict.message


def test_a_lemma_of_a_namespace_is_used_by_its_whole_name():
    code = "theorem A.both : p ↔ q := H\n\ntheorem t : q := by\n  "
    assert proof_of(code + "exact A.both.mp h", "t").startswith("have A.both : p ↔ q := by")
    for tactic in ("exact A.bot h", "exact A.both' h", "exact x.A.both", 'exact f "A.both" -- A.both'):
        assert proof_of(code + tactic, "t") == tactic


@pytest.mark.parametrize(
    ("code", "proof"),
    [
        ("theorem t : p := H x", "exact H x"),
        ("theorem t : p :=\n  fun h => match h with\n  | a => b", "exact fun h => match h with\n  | a => b"),
        ("theorem t : p := fun h =>\n  h", "exact fun h =>\n  h"),
        ("theorem t : p := by simp", "simp"),
        ("theorem t : p := by intro h\n                    exact h", "intro h\nexact h"),
        ("theorem t : p := by simp\n  <;> omega", "simp\n  <;> omega"),
        ("theorem t : p := by\nintro h\nexact h", "intro h\nexact h"),
        ("theorem other : p := by\n  simp", "simp"),
        ("example : p := by\n  simp", "simp"),
        ("theorem t : ∀ n, p n\n  | 0 => a\n  | n + 1 => b", "exact fun\n  | 0 => a\n  | n + 1 => b"),
        ("theorem t : ∀ n, p n\n| 0 => a\n| n + 1 => b", "exact fun\n  | 0 => a\n  | n + 1 => b"),
        ("theorem t : ∀ n, p n | 0 => a | n + 1 => b", "exact fun\n  | 0 => a | n + 1 => b"),
        (
            "theorem t (k : Nat) : ∀ n, p n\n  | 0 => by\n    have h : q := r\n    simp\n  | _ => b",
            "exact fun\n  | 0 => by\n    have h : q := r\n    simp\n  | _ => b",
        ),
        ("theorem t :\n    |x| < 1 → ∃ f, f = fun y => y := by\n  simp", "simp"),
        ("theorem t : match n with | 0 => p | _ => q := by\n  simp", "simp"),
        ("theorem t : a || b ∧ P (fun | 0 => p | _ => q) := by\n  simp", "simp"),
        ("theorem t : let f := g; ∀ n, f n\n  | 0 => a", "exact fun\n  | 0 => a"),
        (
            "lemma l : ∀ n, p n\n  | 0 => a\ntheorem t : p 0 := l 0",
            "have l : ∀ n, p n := by\n  exact fun\n    | 0 => a\nexact l 0",
        ),
        ("theorem t : p := by", ""),
        ("theorem t : p", ""),
        ("axiom bad : False\ndef f : Nat :=\n  1\ntheorem t : p := by\n  exact bad.elim", "exact bad.elim"),
        ("theorem t : p := by\n  simp\nThe proof is over.", "simp"),
        ("theorem t : p := by\n  simp\n  where_is_it", "simp\nwhere_is_it"),
        ("theorem t : p := by\n  simp [aux]\nwhere\n  aux := 1", "simp [aux]"),
        ("theorem t : p := by\n    simp\n  omega", "simp\nomega"),
        ("I do not know.", ""),
        ("", ""),
    ],
)
def test_single_shapes(code, proof):
    assert proof_of(code, "t") == proof
    assert proof_of(f"```lean4\n{code}\n```", "t") == proof


@pytest.mark.parametrize(
    ("answer", "proof"),
    [
        ("```lean4\ntheorem t : p := by\n  intro h\n  exa", "intro h"),
        ("```lean4\ntheorem t : p := by\n  intro h\n  have : q := by\n    si", "intro h"),
        ("```lean4\ntheorem t : p := by\n  intro h\n  simp [a,\n    b,\n    c", "intro h"),
        ("```lean4\ntheorem t : p := by\n  intro h -- so\n  /- and\n  now", "intro h -- so"),
        ("```lean4\ntheorem t : p := by\n  simp at *\n  rw [a", "simp at *"),
        ("```lean4\ntheorem t : p := by\n  simp\n```\nThis pro", "simp"),
        ("```lean4\ntheorem t : p := by si", ""),
        ("<think>\nHmm, we", ""),
    ],
)
def test_an_answer_that_was_cut_off_is_cut_back_to_whole_tactics(answer, proof):
    assert proof_of(answer, "t", truncated=True) == proof


def test_going_on_with_a_proof():
    assert continuation_of("  simp\n  omega\n```\nprose", indent=2) == "simp\nomega"
    assert continuation_of("simp\n  omega\n```", indent=2) == "simp\nomega"  # the first blanks were lost
    assert continuation_of("have h : p := by\n    simp\n  omega", indent=2) == "have h : p := by\n  simp\nomega"
    assert continuation_of("    simp\n  omega", indent=2) == "simp\nomega"
    assert continuation_of("  simp\n\ntheorem next : p := by\n  omega", indent=2) == "simp"
    assert continuation_of("  simp\n  ome", indent=2, truncated=True) == "simp"


def test_what_follows_a_prefix():
    prefix = "intro h\nhave q : a := by\n  simp"
    assert after_prefix("intro  h -- first\n\nhave q : a :=\n  by simp\nexact q\nomega", prefix) == "exact q\nomega"
    assert after_prefix("intro k\nexact q", prefix) == ""
    assert after_prefix("intro h", prefix) == ""
    assert after_prefix(prefix, prefix) == ""
    assert after_prefix("intro h", "") == "intro h"
    assert after_prefix("intro hx\nexact q", "intro h") == ""


def test_blocks():
    assert blocks("a ```lean4 simp``` b ```\nx\n```c```python\ny") == (
        [Block(" simp", "lean4"), Block("\nx\n", ""), Block("\ny", "python")],
        "a \n b \nc",
    )
    assert blocks("```lean4\na\n```Lean\nb")[0] == [Block("\na\n", "lean4"), Block("\nb", "lean")]


def test_one_tactic():
    assert one_tactic("\n  simp [h]\r\n") == "simp [h]"
    assert one_tactic("have h : p := by\n  simp\n") == "have h : p := by\n  simp"
    assert one_tactic("simp [h", truncated=True) == ""
