"""GRPO: groups of rollouts, their rewards compared within the group, and the policy moved towards the better ones."""
