"""The portfolio: a policy that needs no download, tactics ordered by what the goal looks like."""

from prover.portfolio.features import Features, features
from prover.portfolio.policy import PortfolioPolicy, suggestions

__all__ = ["Features", "PortfolioPolicy", "features", "suggestions"]
