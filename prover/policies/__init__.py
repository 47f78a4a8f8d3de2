"""What a search asks: policies of a sampler and a prompt family, mixtures of them, and their names for `--policy`."""
