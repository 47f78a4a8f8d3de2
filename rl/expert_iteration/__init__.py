"""Expert iteration: search with the model, keep what Lean accepts, train the model on it, and again."""
