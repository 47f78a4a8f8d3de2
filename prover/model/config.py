"""The shape of the project's own small model: a Llama decoder with tied embeddings."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of a Llama decoder. The default has 6,951,168 parameters, 1,048,576 of them the embeddings.

    Two of the four heads share a pair of keys and values, which halves the cache. `context` is in tokens.
    """

    vocabulary: int = 4096
    hidden: int = 256
    layers: int = 8
    heads: int = 4
    key_value_heads: int = 2
    intermediate: int = 704
    context: int = 1024
    rope_theta: float = 10_000.0

    def __post_init__(self) -> None:
        if self.hidden % self.heads or self.heads % self.key_value_heads:
            raise ValueError("heads have to divide hidden, and key_value_heads heads")


DEFAULT = ModelConfig()


def parameter_count(config: ModelConfig) -> int:
    """Of the whole model, the embeddings, which are the output layer too, counted once."""
    hidden, size = config.hidden, config.hidden // config.heads
    attention = 2 * hidden * hidden + 2 * hidden * config.key_value_heads * size
    layer = attention + 3 * hidden * config.intermediate + 2 * hidden
    return config.vocabulary * hidden + config.layers * layer + hidden
