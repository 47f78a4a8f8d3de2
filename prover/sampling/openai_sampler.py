"""`openai:MODEL` with `--base-url URL`: any OpenAI-compatible server: vLLM's, SGLang's, llama.cpp's, hosted ones.

Texts go to `/completions`, messages to `/chat/completions`, each request alone, so that each has its seed.
Log-probabilities that a server tells are mostly those before temperature and top-p; see `open_openai`.
"""

import asyncio
import ipaddress
import itertools
import json
import logging
import os
import random
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from prover.sampling.openai_format import AnswerError, hidden, message, path_and_body, refusals, sample_of
from prover.sampling.sampler import INTERRUPTED, Message, Prompt, Request, Sample, SamplerError, Settings

KEY = "OPENAI_API_KEY"
UNAUTHORISED = (401, 403)
REFUSED = (400, 422)
LATER = (429, 503)  # too much asked, or still loading
NOT_IMPLEMENTED = 501
NOT_THERE = (httpx.ConnectTimeout, httpx.ConnectError, httpx.ProxyError)
LISTED = 5  # names of models that a message shows

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for, in seconds.

    `connect` is for a connection, `answer` for a whole answer, the time in the server's queue included: a server sends
    nothing of it before all of it is there, so long answers of a slow model may need more. `stall` is for the next
    bytes of an answer that has begun, and for every answer when the server is opened. Nothing is tried again later than
    `retry` after the first time. Between tries lie `wait`, twice that, and so on up to `longest_wait`, less up to a
    half by chance; or longer, if the server says so.
    """

    connect: float = 10.0
    answer: float = 600.0
    stall: float = 60.0
    retry: float = 120.0
    wait: float = 0.5
    longest_wait: float = 30.0


class OpenAISampler:
    """`sampler.Sampler` over a server, with at most `in_flight` requests on their way, however many threads ask."""

    def __init__(
        self, model: str, base_url: httpx.URL, key: str, in_flight: int, patience: Patience, processed: bool
    ) -> None:
        self.name = f"openai:{model}"
        self._processed = processed
        self._model, self._url, self._key, self._patience = model, base_url, key, patience
        self._refused: frozenset[str] = frozenset()
        self._echoes = False
        self._said: set[str] = set()
        self._asked: set[asyncio.Task[Sample]] = set()
        self._slots = asyncio.Semaphore(in_flight)
        self._certificates = httpx.create_ssl_context()
        # Each has one connection: the pool of httpx looks, at every request, at each pair of connections it has.
        self._clients: list[httpx.AsyncClient] = []
        self._idle: list[httpx.AsyncClient] = []
        self._closed = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=self.name, daemon=True)
        self._thread.start()

    def __repr__(self) -> str:
        return f"OpenAISampler({self._model!r}, {str(self._url)!r})"

    def __enter__(self) -> "OpenAISampler":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def sample(self, requests: Sequence[Request]) -> list[Sample]:
        """One sample for each request, in order, all asked for at once as far as `in_flight` lets them."""
        return self._run(self._samples(requests)) if requests else []

    def stop(self) -> None:
        """As `Sampler` says, at once: what is on its way is cancelled."""
        if not self._closed:
            self._run(self._interrupt())

    def close(self) -> None:
        """Ends the connections; calls of `sample` that still wait are cancelled."""
        if not self._closed:
            self._run(self._end())
            self._closed = True
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def check(self) -> None:
        """Asks for the list of models, which anyone may see at some servers, and then for one token.

        Raises:
            SamplerError: no answers are to be had.
        """
        try:
            self._run(self._probe())
        except _Failed as failure:
            raise SamplerError(f"{self.name}: {failure}") from None

    def _run(self, work: Any) -> Any:
        if self._closed:
            work.close()
            raise RuntimeError(f"{self.name} is closed")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()  # an interrupted caller wants no answers any more
            raise

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for client in self._clients:
            await client.aclose()

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client that nobody else uses, once there is one. Those used last are taken first, being still connected."""
        async with self._slots:
            client = self._idle.pop() if self._idle else self._new_client()
            try:
                yield client
            finally:
                self._idle.append(client)

    def _new_client(self) -> httpx.AsyncClient:
        client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            timeout=httpx.Timeout(None, connect=self._patience.connect),
            limits=httpx.Limits(max_connections=1),
            verify=self._certificates,
            trust_env=not _is_loopback(self._url.host),  # a proxy cannot reach this machine's own servers
        )
        self._clients.append(client)
        return client

    async def _samples(self, requests: Sequence[Request]) -> list[Sample]:
        tasks = [self._loop.create_task(self._sample(request)) for request in requests]
        self._asked.update(tasks)
        try:
            answers = await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            self._asked.difference_update(tasks)
        samples = []
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, asyncio.CancelledError):
                raise answer
            samples.append(answer if isinstance(answer, Sample) else INTERRUPTED)
        return samples

    async def _interrupt(self) -> None:
        for task in self._asked:
            task.cancel()

    async def _sample(self, request: Request) -> Sample:
        # A request that waits to be tried again keeps its slot: a server that is overloaded is to get fewer.
        async with self._slot() as client:
            try:
                sample = await self._ask(client, request)
            except _Failed as failure:
                return Sample("", finish="error", error=str(failure))
        if sample.tokens and not sample.token_log_probabilities:
            self._say_once(f"{self.name}: the server does not tell the log-probabilities of all tokens of its answers.")
        if sample.token_log_probabilities and not self._processed and not _is_raw(request.settings):
            self._say_once(
                f"{self.name}: the server's log-probabilities are left out, as they may be those before temperature "
                "and top-p; where they are those after both, `open_openai` is to be told so by `processed`."
            )
            return replace(sample, token_log_probabilities=())
        return sample

    async def _ask(self, client: httpx.AsyncClient, request: Request, opening: bool = False) -> Sample:
        """Asks again, with fewer words, where the server refuses some that only few servers know."""
        refused = self._refused
        while True:
            path, body = path_and_body(self._model, request, refused)
            status, content = await self._send(client, "POST", path, body, opening)
            named = refusals(content, body) if status in REFUSED else frozenset()
            if not named:
                break
            refused |= named
        if status != httpx.codes.OK:
            raise self._failed(f"The server answered {status}", message(content, self._key), status=status)
        try:
            sample = sample_of(content, request, self._echoes)
        except AnswerError as error:
            raise self._failed(f"No sample: {error}") from None
        # Only now is it sure that the refusal was one of these fields.
        if new := refused - self._refused:
            self._refused |= new
            self._say_once(f"{self.name}: the server does not take {', '.join(sorted(new))}.")
        return sample

    async def _send(
        self, client: httpx.AsyncClient, method: str, path: str, body: Any = None, opening: bool = False
    ) -> tuple[int, bytes]:
        """Status and body of an answer that it is no use to ask for again. When `opening`, a server has to be there."""
        began = self._loop.time()
        seconds = self._patience.stall if opening else self._patience.answer
        for tries in itertools.count(1):
            asked = 0.0
            try:
                status, content, asked = await self._once(client, method, path, body, seconds)
                if status != NOT_IMPLEMENTED and (status in (408, 429) or status >= 500):
                    failure = self._failed(f"The server answered {status}", message(content, self._key), status=status)
                else:
                    return status, content
            except (httpx.ConnectTimeout, httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError) as error:
                failure = self._failed(f"No answer from {self._url}", _reason(error))
                # A connection that was kept may be closed meanwhile; a server that is not there is not waited for.
                if opening and (tries > 1 or isinstance(error, NOT_THERE)):
                    raise failure from None
            except (httpx.HTTPError, OSError) as error:
                raise self._failed(f"No answer from {self._url}", _reason(error)) from None
            if opening and failure.status and failure.status not in LATER:
                return status, content  # not every server has a list of its models, or takes texts and messages both
            wait = max(asked, backoff(self._patience, tries, random.random()))
            if self._loop.time() - began + wait > self._patience.retry:
                raise failure from None
            self._say_once(f"{self.name}: {failure} It is asked again.", failure.what)
            await asyncio.sleep(wait)
        raise AssertionError

    async def _once(
        self, client: httpx.AsyncClient, method: str, path: str, body: Any, seconds: float
    ) -> tuple[int, bytes, float]:
        """Status, body, and for how many seconds the server asks to be left alone."""
        content = None if body is None else json.dumps(body).encode()
        end, stall = self._loop.time() + seconds, self._patience.stall
        parts = []
        try:
            async with asyncio.timeout_at(end) as limit:
                # httpx's own time limit for reading is one and the same before and after an answer begins.
                async with client.stream(
                    method, f"{self._url}{path}", content=content, headers={"Content-Type": "application/json"}
                ) as response:
                    limit.reschedule(min(end, self._loop.time() + stall))
                    async for part in response.aiter_bytes():
                        parts.append(part)
                        limit.reschedule(min(end, self._loop.time() + stall))
        except TimeoutError:
            if limit.when() == end:
                raise self._failed("The server is too slow", f"it gave no whole answer in {seconds:g} s") from None
            raise self._failed("The server stalled", f"it sent nothing more for {stall:g} s") from None
        return response.status_code, b"".join(parts), retry_after(response.headers.get("Retry-After"), time.time())

    async def _probe(self) -> None:
        async with self._slot() as client:
            await self._probe_with(client)

    async def _probe_with(self, client: httpx.AsyncClient) -> None:
        status, content = await self._send(client, "GET", "/models", opening=True)
        if status in UNAUTHORISED:
            raise self._unauthorised(status)
        names, owners = _listed(content) if status == httpx.codes.OK else ((), ())
        # It goes on with an answer that was begun, as others do, but repeats the beginning.
        self._echoes = "llamacpp" in owners
        failures = []
        for prompt in (Prompt("."), Prompt(messages=(Message("user", "."),))):
            try:
                await self._ask(client, Request(prompt, Settings(max_tokens=1)), opening=True)
                return
            except _Failed as failure:
                failures.append(failure)
        refused = next((failure.status for failure in failures if failure.status in UNAUTHORISED), None)
        if refused:
            raise self._unauthorised(refused)
        has = f", which has {', '.join(names[:LISTED])}," if names and self._model not in names else ""
        what = str(failures[0])
        raise self._failed(f"{self._url}{has} gives no answer of {self._model}", what[:1].lower() + what[1:])

    def _unauthorised(self, status: int) -> "_Failed":
        if self._key:
            return self._failed(f"{self._url} refuses the key in {KEY} ({status}); put the right one there")
        return self._failed(f"{self._url} asks for a key ({status}); put it into the environment as {KEY}")

    def _failed(self, what: str, why: str = "", status: int = 0) -> "_Failed":
        sentence = f"{what}: {why}" if why else what
        return _Failed(hidden(sentence, self._key).rstrip(".") + ".", what, status)

    def _say_once(self, sentence: str, kind: str = "") -> None:
        if (kind or sentence) not in self._said:
            self._said.add(kind or sentence)
            log.warning(sentence)


def open_openai(
    model: str,
    base_url: str | None,
    *,
    in_flight: int = 32,
    patience: Patience | None = None,
    processed: bool = False,
) -> OpenAISampler:
    """The model of that name at a server; `base_url` as in `http://localhost:8000/v1`. Close it when done.

    A key is taken from the environment, as OPENAI_API_KEY, and from nowhere else.

    `processed` says that the server's log-probabilities are those after temperature and top-p, as vLLM's are with
    `--logprobs-mode processed_logprobs`; no answer tells. Otherwise they are kept only where both are the same: at a
    temperature of 1 and a top-p of 1, and at temperature 0, for which `Sample` wants those at 1.

    Raises:
        SamplerError: no server is there, it has no such model, or it refuses the key.
    """
    if not base_url:
        raise SamplerError(f"openai:{model} needs the address of a server, as --base-url http://localhost:8000/v1.")
    sampler = OpenAISampler(model, _checked(base_url), _key(), in_flight, patience or Patience(), processed)
    try:
        sampler.check()
    except BaseException:
        sampler.close()
        raise
    return sampler


def backoff(patience: Patience, tries: int, chance: float) -> float:
    """Seconds to wait after so many tries; `chance` in [0, 1) keeps requests that failed together apart."""
    return min(patience.longest_wait, patience.wait * 2.0 ** min(tries - 1, 30)) * (1 - chance / 2)


def retry_after(header: str | None, now: float) -> float:
    """The seconds that a Retry-After header asks for, a number or a date; 0 if it makes no sense."""
    try:
        return max(0.0, float(header or 0))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header or "").timestamp() - now)
    except (ValueError, OverflowError):
        return 0.0


class _Failed(Exception):
    """A request that got no sample, in one sentence; `what` is its kind, `status` the server's if it gave one."""

    def __init__(self, sentence: str, what: str, status: int) -> None:
        super().__init__(sentence)
        self.what, self.status = what, status


def _is_raw(settings: Settings) -> bool:
    """Whether the log-probabilities before temperature and top-p are those that `Settings` promises."""
    return settings.temperature == 0 or settings.temperature == settings.top_p == 1


def _key() -> str:
    key = os.environ.get(KEY, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise SamplerError(f"{KEY} has characters that no key has; set it anew.")
    return key


def _checked(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text.rstrip("/"))
    except httpx.InvalidURL:
        raise SamplerError("--base-url is no address; one looks like http://localhost:8000/v1.") from None
    if url.userinfo or url.query:
        raise SamplerError(f"--base-url is to hold neither password nor query; a key goes into {KEY}.")
    if url.scheme not in ("http", "https") or not url.host:
        raise SamplerError(f"--base-url {text} is no address; one looks like http://localhost:8000/v1.")
    return url if url.path.strip("/") else url.copy_with(path="/v1")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listed(content: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the models in a list of them, and who is said to own them."""
    try:
        rows = json.loads(content)["data"]
        return tuple(str(row["id"]) for row in rows), tuple(str(row.get("owned_by")) for row in rows)
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        return (), ()


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
