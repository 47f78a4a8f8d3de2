"""The project's own small model: its shape, tokenizer, training texts, and its export to onnx."""
