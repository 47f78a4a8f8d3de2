"""Proof search over any policy: what it wants of one, budgets that mean the same for all, and the algorithms.

Everything public is named here; the rest is behind it.
"""

from search.budget import Budget, Spent
from search.events import EdgeTried, NodeAdded, ProofFound, SearchEvent
from search.plain import best_first
from search.policy import Proposal, Session, TacticPolicy
from search.result import SearchResult, Stopped, proof_text

__all__ = [
    "Budget",
    "EdgeTried",
    "NodeAdded",
    "ProofFound",
    "Proposal",
    "SearchEvent",
    "SearchResult",
    "Session",
    "Spent",
    "Stopped",
    "TacticPolicy",
    "best_first",
    "proof_text",
]
