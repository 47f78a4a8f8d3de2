"""What is learned from: rows of tokens with their advantages, and the losses on them."""
