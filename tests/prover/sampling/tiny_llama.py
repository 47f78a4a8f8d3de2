"""A randomly initialised Llama of 27,000 parameters over ASCII, as a transformers folder and as a GGUF file."""

from pathlib import Path
from typing import Any

import gguf
import torch
from tokenizers import AddedToken, Tokenizer, decoders, processors
from tokenizers.models import BPE
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

UNKNOWN, BEGIN, END = 0, 1, 2
SPECIAL = ("<unk>", "<s>", "</s>")
ASCII = tuple(map(chr, range(1, 128)))  # token 2 + c is the character c; llama.cpp has no token that is empty in C
CONTEXT = 256
TEMPLATE = "{% for message in messages %}{{ message['role'][0] }}:{{ message['content'] }}\n{% endfor %}a:"


def tiny_llama(seed: int = 0) -> LlamaForCausalLM:
    """The model, in float32; its head is large, so that some tokens are clearly likelier than others."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(SPECIAL) + len(ASCII),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        rms_norm_eps=1e-5,
        bos_token_id=BEGIN,
        eos_token_id=END,
        tie_word_embeddings=False,
    )
    model = LlamaForCausalLM(config).eval()
    with torch.no_grad():
        model.lm_head.weight.mul_(20)
    return model


def save_folder(model: LlamaForCausalLM, folder: Path) -> Path:
    """The model and its tokenizer as `from_pretrained` reads them; sampling, not greedy, unless asked otherwise."""
    model.generation_config = GenerationConfig(do_sample=True, bos_token_id=BEGIN, eos_token_id=END, pad_token_id=END)
    model.save_pretrained(folder)
    vocabulary = {token: number for number, token in enumerate((*SPECIAL, *ASCII))}
    tokenizer = Tokenizer(BPE(vocabulary, [], unk_token=SPECIAL[UNKNOWN]))
    tokenizer.decoder = decoders.Fuse()
    tokenizer.post_processor = processors.TemplateProcessing(f"{SPECIAL[BEGIN]} $A", None, [(SPECIAL[BEGIN], BEGIN)])
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=SPECIAL[BEGIN], eos_token=SPECIAL[END])
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    return folder


def save_gguf(model: LlamaForCausalLM, path: Path) -> Path:
    """The same weights as llama.cpp reads them, in float32."""
    config, heads = model.config, model.config.num_attention_heads
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.hidden_size // heads)
    writer.add_vocab_size(config.vocab_size)
    writer.add_tokenizer_model("llama")
    writer.add_token_list([*SPECIAL, *(character.replace(" ", "▁") for character in ASCII)])
    writer.add_token_scores([0.0] * config.vocab_size)
    kinds = gguf.TokenType
    writer.add_token_types([kinds.UNKNOWN, kinds.CONTROL, kinds.CONTROL, *[kinds.NORMAL] * len(ASCII)])
    writer.add_unk_token_id(UNKNOWN)
    writer.add_bos_token_id(BEGIN)
    writer.add_eos_token_id(END)
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(TEMPLATE)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for name, tensor in model.state_dict().items():
        if name.endswith("q_proj.weight"):
            tensor = _interleaved(tensor, heads)
        elif name.endswith("k_proj.weight"):
            tensor = _interleaved(tensor, config.num_key_value_heads)
        known = names.get_name(name, (".weight",))
        assert known is not None
        writer.add_tensor(known, tensor.numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def teacher_forced(model: LlamaForCausalLM, prompt: list[int], answer: list[int], temperature: float = 1.0) -> Any:
    """The log-probabilities (n,) of `answer` after `prompt`, from one forward pass."""
    with torch.no_grad():
        logits = model(torch.tensor([prompt + answer])).logits[0, len(prompt) - 1 : -1]
    every = torch.log_softmax(logits / temperature, dim=-1)
    return every.gather(1, torch.tensor(answer)[:, None])[:, 0].tolist()


def token_ids(text: str) -> list[int]:
    """The prompt's tokens: the begin token and one for each character."""
    return [BEGIN, *(END + ord(character) for character in text)]


def text_of(ids: tuple[int, ...]) -> str:
    """The text of generated tokens."""
    return "".join(chr(token - END) for token in ids if token > END)


def _interleaved(weight: torch.Tensor, heads: int) -> torch.Tensor:
    """Rotary halves side by side in transformers, pair by pair in llama.cpp."""
    rows = weight.shape[0]
    return weight.reshape(heads, 2, rows // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape).contiguous()
