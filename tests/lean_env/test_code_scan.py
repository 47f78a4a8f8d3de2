"""Which texts are elaborated in a process of their own."""

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
        "@[local instance, reducible] def x := 1",
        "attribute [local simp] Nat.add_comm in\ntheorem t : True := trivial",
        "by rw [show #[1].size = 1 from rfl]",
        "instance : Inhabited Nat := ⟨0⟩\ntheorem t : True := trivial",
        "theorem t : True := by simp (arith := true)",
        "-- sorry, an axiom\nby omega",
        "by exact foo (a + b) -- done",
        "f $ g x",
    ],
)
def test_these_do_not(text: str) -> None:
    assert not runs_code(text)
