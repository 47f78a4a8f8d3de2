"""Language models as samplers: text in, samples with their tokens' log-probabilities out."""
