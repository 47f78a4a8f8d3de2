"""Proof search over any policy: what it wants of one, budgets that mean the same for all, and the algorithms.

Everything public is named here; the rest is behind it.
"""

from search.algorithms.best_first import BestFirst
from search.budget import Budget, Spent
from search.driver import Limits
from search.entry import Plan, prove
from search.events import EdgeTried, NodeAdded, ProofFound, SearchEvent
from search.graph.proof_graph import Edge, Node, ProofGraph
from search.policy import Completion, Critic, Judge, ProofPolicy, ProofPrompt, Proposal, Session, TacticPolicy
from search.result import SearchResult, Stopped, proof_text

__all__ = [
    "BestFirst",
    "Budget",
    "Completion",
    "Critic",
    "Edge",
    "EdgeTried",
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
    "SearchEvent",
    "SearchResult",
    "Session",
    "Spent",
    "Stopped",
    "TacticPolicy",
    "proof_text",
    "prove",
]
