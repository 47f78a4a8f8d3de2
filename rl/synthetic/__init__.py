"""Synthetic theorems in core Lean: exercises drawn by seed from small grammars, tested before Lean sees them."""
