"""What learning costs."""
