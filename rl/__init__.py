"""Learning: losses, data, trainers. Nothing of it is built yet."""
