"""The Gymnasium environment, with Gymnasium's own checker."""

import warnings

import gymnasium
from gymnasium.utils.env_checker import check_env

import lean_env.proof_env
from lean_env import LeanPool, Theorem

THEOREM = Theorem("t", "theorem t (p q : Prop) (hp : p) (hq : q) : p ∧ q")


def test_it_passes_the_checker(pool: LeanPool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check_env(lean_env.proof_env.LeanProofEnv(THEOREM, pool), skip_render_check=True)


def test_an_episode(pool: LeanPool) -> None:
    env = gymnasium.make("LeanProof-v0", theorem=THEOREM, pool=pool, disable_env_checker=True)
    observation, _ = env.reset(seed=1)
    assert observation == "p q : Prop\nhp : p\nhq : q\n⊢ p ∧ q"
    same, reward, terminated, _, info = env.step("omega")
    assert (same, reward, terminated) == (observation, 0.0, False)
    assert "omega" in info["error"]
    observation, reward, *_ = env.step("constructor")
    assert observation.count("⊢") == 2
    env.step("assumption")
    observation, reward, terminated, _, info = env.step("assumption")
    assert (observation, reward, terminated) == ("", 1.0, True)
    assert info["proof"] == "by\n  constructor\n  assumption\n  assumption"
    env.close()
