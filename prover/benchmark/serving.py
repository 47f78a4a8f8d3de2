"""What Python adds to each request of a server: 32 on their way to a server on loopback that answers at once."""

import asyncio
import json
import re
import subprocess
import sys
import time

from lean_env.benchmark.figures import Figure
from prover.sampling.openai_sampler import open_openai
from prover.sampling.sampler import Prompt, Request, Settings

MODEL = "instant"
TOKENS = 64  # of each answer, with their log-probabilities, in the words of vLLM's server


def figures(requests: int = 2_000, in_flight: int = 32) -> list[Figure]:
    """Milliseconds of wall clock a request, the server's own share and the loopback's included: an upper bound."""
    with subprocess.Popen(
        [sys.executable, "-m", "prover.benchmark.serving"], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout
            address = server.stdout.readline().strip()
            with open_openai(MODEL, address, in_flight=in_flight) as sampler:
                asked = [Request(Prompt("theorem " * 100), Settings(TOKENS), seed) for seed in range(requests)]
                sampler.sample(asked[: 2 * in_flight])  # connections are made once
                began, before = time.perf_counter(), time.process_time()
                samples = sampler.sample(asked)
                seconds, worked = time.perf_counter() - began, time.process_time() - before
        finally:
            server.kill()
    lost = sum(len(sample.token_log_probabilities) != TOKENS for sample in samples)
    detail = f"{requests:,} answers of {TOKENS} tokens, {lost} lost; {worked / requests * 1e3:.2f} ms of processor time"
    return [Figure(f"overhead a request at {in_flight} in flight", seconds / requests * 1e3, "ms", "2", detail)]


def answers() -> dict[str, bytes]:
    """The body of an answer by the word that the request begins with."""
    ids = list(range(TOKENS))
    told = {
        "tokens": [f"token_id:{number}" for number in ids],
        "token_logprobs": [-0.5] * TOKENS,
        "top_logprobs": [{f"token_id:{number}": -0.5} for number in ids],
        "text_offset": ids,
    }
    choice = {"index": 0, "text": "x" * TOKENS, "logprobs": told, "finish_reason": "length", "token_ids": ids}
    usage = {"prompt_tokens": 100, "completion_tokens": TOKENS, "total_tokens": 100 + TOKENS}
    return {
        "GET": json.dumps({"object": "list", "data": [{"id": MODEL}]}).encode(),
        "POST": json.dumps({"id": "0", "choices": [choice], "usage": usage}).encode(),
    }


async def _serve() -> None:
    bodies = {
        word: b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        for word, body in answers().items()
    }

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = re.search(r"\ncontent-length: *(\d+)", head.lower())
                await reader.readexactly(int(length[1]) if length else 0)
                writer.write(bodies[head.split(" ", 1)[0]])
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
