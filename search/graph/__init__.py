"""The proof graph, the proofs in it, and its forms outside of memory."""
