"""Proof search over any policy: what it wants of one, budgets that mean the same for all, and the algorithms.

Everything public is named here; the rest is behind it.
"""

from search.algorithms.beam import Beam
from search.algorithms.best_first import BestFirst
from search.algorithms.deepening import IterativeDeepening
from search.algorithms.rmaxts import RMaxTS
from search.algorithms.sample import Sample
from search.algorithms.step_mcts import StepMCTS
from search.budget import Budget, Spent
from search.critics import FewGoals, SmallGoals
from search.driver import Limits
from search.entry import Plan, prove
from search.events import EdgeTried, NodeAdded, ProofFound, SearchEvent
from search.graph.proof_graph import Edge, Node, ProofGraph
from search.policy import Completion, Critic, Judge, ProofPolicy, ProofPrompt, Proposal, Session, TacticPolicy
from search.result import SearchResult, Stopped, proof_text

__all__ = [
    "Beam",
    "BestFirst",
    "Budget",
    "Completion",
    "Critic",
    "Edge",
    "EdgeTried",
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
    "SmallGoals",
    "Spent",
    "StepMCTS",
    "Stopped",
    "TacticPolicy",
    "proof_text",
    "prove",
]
