"""The text that generated tokens make after a prompt, and stop texts in it, which may lie across tokens."""

from collections.abc import Callable, Sequence

Decode = Callable[[Sequence[int]], str]

CONTEXT = 6  # tokens of the prompt that the first generated ones are decoded with: some decoders drop a leading space
CHARACTER = 4  # tokens, at most, that one character's bytes are spread over
BROKEN = "\ufffd"  # how a decoder shows bytes that are not yet a character


def continued(prompt: Sequence[int], generated: Sequence[int], decode: Decode) -> str:
    """What `generated` adds to the text of `prompt`."""
    tail = list(prompt[-CONTEXT:])
    before, whole = decode(tail), decode([*tail, *generated])
    return whole[len(before) :] if whole.startswith(before) else decode(generated)


def first_stop(text: str, stops: Sequence[str], start: int = 0) -> int | None:
    """Where the first of the stop texts begins in `text`, looked for from `start` on."""
    return min((at for stop in stops if stop and (at := text.find(stop, start)) >= 0), default=None)


class StopWatch:
    """Says when the text of the tokens so far has a stop text in it. Decodes the last few tokens only, each time."""

    def __init__(self, prompt: Sequence[int], stops: Sequence[str], decode: Decode) -> None:
        self._ids = list(prompt[-CONTEXT:])
        self._stops, self._decode = stops, decode
        self._reach = max((len(stop) for stop in stops), default=1) - 1
        # Tokens before `_shown` are in the text; those from `_from` on are decoded, so that borders come out right.
        self._from, self._shown = 0, len(self._ids)
        self._text = ""

    def add(self, token: int) -> bool:
        """Whether the text has a stop text in it, now that `token` follows."""
        self._ids.append(token)
        known = self._decode(self._ids[self._from : self._shown])
        now = self._decode(self._ids[self._from :])
        if now.endswith(BROKEN) and len(self._ids) - self._shown < CHARACTER:
            return False
        start = max(0, len(self._text) - self._reach)
        self._text += now[len(known) :]
        self._from, self._shown = self._shown, len(self._ids)
        return first_stop(self._text, self._stops, start) is not None
