"""Which texts are elaborated in a process of their own."""

import time

import pytest

from lean_env.code_scan import runs_code


@pytest.mark.parametrize(
    "text",
    [
        "#eval 1",
        "by run_tac pure ()",
        "by exact by_elab return .const ``True.intro []",
        'macro "x" : tactic => `(tactic| omega)',
        "unsafe def f := 1",
        "by native_decide",
        "@[extern \"f\"] opaque f : Nat",
        "@[simp, my_attribute] theorem t : True := trivial",
        "attribute [my_attribute] Nat.add",
        "attribute [simp",
        "set_option debug.skipKernelTC true in\ntheorem t : True := trivial",
        "by simp (config := c)",
        "def steps := 3\ntheorem t : True := by simp (maxSteps := steps)",
        "theorem lie : 0 = 1 := by decide +kernel\ntheorem t : True := by simp (maxSteps := cast (f lie) 1)",
        "by simp (maxSteps := by exact 3)",
        "by simp (maxSteps := (sorry)",
        "local «macro» x",
        'notation "x" => $(Lean.mkIdent `trivial)',
        'syntax "x" d : tactic',
        "def t : TacticM Unit := f",
        "by simp (/- -/ maxSteps := n)",
        "by simp (maxSteps -- x\n := n)",
        "by simp (maxSteps := /- ) -/ (#[1, 2, 3] : Array Nat)[9]'(h))",
        'by simp (maxSteps := f ")" (g h))',
        "by simp (maxSteps := f ')' (g h))",
        "theorem aux (h : autoParam True tac) : True := h",
        "by have : Lean.reduceBool evil = true := rfl; omega",
        "set_option doc.verso true",
        "set_option Elab.async true",
        "theorem t : True := aux where aux := trivial",
        "by let rec f := 1; trivial",
        "x" * 20_001,
        "(a := f " * 60 + ")" * 60,
    ],
)  # fmt: skip
def test_these_may_run_code(text: str) -> None:
    assert runs_code(text)


@pytest.mark.parametrize(
    "text",
    [
        "by omega",
        "by simp (maxSteps := 1000)",
        "by simp (disch := omega) [Nat.le_trans (m := k + 1) h]",
        "by\n  have h := foo (n := n) (k := x + (y * 2))\n  exact h",
        "@[simp] theorem h : True := trivial\ntheorem t : True := h",
        "attribute [local simp] Nat.add_comm in\ntheorem t : True := trivial",
        "by rw [show #[1].size = 1 from rfl]",
        "theorem t : True := by simp (arith := true)",
        "-- sorry, an axiom\nby omega",
        "by exact foo (a + b) -- done",
        "f $ g x",
    ],
)
def test_these_do_not(text: str) -> None:
    assert not runs_code(text)


@pytest.mark.parametrize("text", ["x" * 5_000_000, "(a:=f " * 3_000, "(a:=x)" * 3_000, "@[simp " * 2_800 + "]"])
def test_long_texts_take_no_time_to_speak_of(text: str) -> None:
    began = time.process_time()
    assert runs_code(text)
    assert time.process_time() - began < 5  # it was minutes
