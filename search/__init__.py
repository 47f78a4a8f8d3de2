"""Proof search over any policy: what it wants of one, budgets that mean the same for all, and the algorithms.

Everything public is named here; the rest is behind it.
"""

from search.algorithms.beam import Beam
from search.algorithms.best_first import BestFirst
from search.algorithms.correct import Correct
from search.algorithms.deepening import IterativeDeepening
from search.algorithms.rmaxts import RMaxTS
from search.algorithms.sample import Sample
from search.algorithms.step_mcts import StepMCTS
from search.budget import Budget, Spent
from search.critics import FewGoals, SmallGoals
from search.disprove import prove_or_disprove
from search.driver import Limits
from search.entry import Plan, prove
from search.events import EdgeTried, NodeAdded, ProofFound, SearchEvent
from search.graph.drawn import to_dot, to_graphml
from search.graph.proof_graph import Edge, Node, ProofGraph
from search.graph.stored import from_json, to_json
from search.policy import (
    Completion,
    CorrectingPolicy,
    Critic,
    FailedProof,
    Judge,
    ProofPolicy,
    ProofPrompt,
    Proposal,
    Session,
    TacticPolicy,
)
from search.result import SearchResult, Side, Stopped, proof_text
from search.shorten import Shortened, shorten

__all__ = [
    "Beam",
    "BestFirst",
    "Budget",
    "Completion",
    "Correct",
    "CorrectingPolicy",
    "Critic",
    "Edge",
    "EdgeTried",
    "FailedProof",
    "FewGoals",
    "IterativeDeepening",
    "Judge",
    "Limits",
    "Node",
    "NodeAdded",
    "Plan",
    "ProofFound",
    "ProofGraph",
    "ProofPolicy",
    "ProofPrompt",
    "Proposal",
    "RMaxTS",
    "Sample",
    "SearchEvent",
    "SearchResult",
    "Session",
    "Shortened",
    "Side",
    "SmallGoals",
    "Spent",
    "StepMCTS",
    "Stopped",
    "TacticPolicy",
    "from_json",
    "proof_text",
    "prove",
    "prove_or_disprove",
    "shorten",
    "to_dot",
    "to_graphml",
    "to_json",
]
