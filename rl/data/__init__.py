"""What is learned from: theorems, and the pairs of tactic states or statements with the steps that prove them."""
