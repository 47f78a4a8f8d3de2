"""The benchmarks that others have published: where each is at home, at which commit, and how its files are read."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from prover.benchmarks.json_rows import from_json_lines
from prover.benchmarks.lean_files import from_lean_text
from prover.benchmarks.names import numbered, refuse_duplicates
from prover.benchmarks.row import Row, lean_name
from prover.lean_text import code_tokens
from prover.sources import UserInputError

Files = Mapping[str, str]  # text by path in the repository
Read = tuple[list[Row], list[str]]

# The prefix of a name in miniF2F, as in `mathd_algebra_208`, `amc12a_2002_p6` or `aimeII_2020_p6`.
_MINIF2F = re.compile(r"(mathd_algebra|mathd_numbertheory|algebra|numbertheory|induction|imo(?:sl)?|aime|amc)")
# Found by reading and by brute force. The statements are left as they are.
_DEFECTS = {
    "amc12a_2002_p21": "false",
    "amc12a_2020_p13": "false",
    "imo_1967_p3": "false",
    "mathd_algebra_275": "vacuous",
    "mathd_algebra_282": "false",
    "mathd_algebra_314": "degenerate",
    "mathd_algebra_437": "vacuous",
    "mathd_numbertheory_126": "false",
}
_DEFECTS_YANGKY11 = {"mathd_algebra_208": "false", "mathd_algebra_289": "vacuous", "mathd_algebra_433": "false"}
_ANSWER = re.compile(
    r"(\babbrev\s(?:(?!\btheorem\b|\n\n)[\s\S])*?:=\s*)sorry[ \t]*\n[ \t]*--[ \t]*([^\n]*\S)[^\n]*", re.MULTILINE
)


@dataclass(frozen=True)
class Published:
    """A benchmark of others, which is fetched and not carried.

    `road` is how: one `file` with this `sha256`, the `archive` of the repository, or `git`, which checks by itself that
    what it got is the `commit`. `inside` matches the paths of the files that are wanted; `below` is the folder that git
    is asked for. `pin` is the hash of the rows (see `pin_of`), empty where the commit alone pins them. `count` is the
    number of theorems, if it is known.
    """

    name: str
    repository: str
    commit: str
    road: Literal["file", "archive", "git"]
    url: str
    inside: str
    read: Callable[[Files], Read]
    licence: str
    needs: str
    count: int | None = None
    below: str = "."
    sha256: str = ""
    pin: str = ""

    @property
    def lineage(self) -> str:
        return f"{self.repository} @ {self.commit[:12]}"


def pin_of(rows: Sequence[Row]) -> str:
    """SHA-256, in hexadecimal, of names, splits, headers and statements, whatever the order of the rows."""
    said = sorted([row.name, row.split, row.header.strip(), row.statement.strip()] for row in rows)
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def rows_of(published: Published, files: Files, *, checked: bool) -> Read:
    """The rows in the published files, or in a file that was made of them, with topic and lineage.

    `checked` says that the files are known to be those of the commit; otherwise the rows have to have the pinned hash,
    or their lineage says that they are an unpinned copy.

    Raises:
        UserInputError: the files are not in the published format.
    """
    rows, complaints = published.read(files)
    refuse_duplicates(rows)
    checked = pin_of(rows) == published.pin if published.pin else checked
    lineage = published.lineage if checked else f"{published.repository} (unpinned copy)"
    return [replace(row, lineage=lineage, licence=published.licence) for row in rows], complaints


def minif2f_topic(name: str) -> str:
    """What the name says of where a problem of miniF2F is from; `other` if nothing."""
    found = _MINIF2F.match(name)
    return {"imosl": "imo"}.get(found[1], found[1]) if found else "other"


def read_minif2f(files: Files) -> Read:
    """Either lineage: JSON lines, or `Test/*.lean` and `Valid/*.lean` with one theorem each. Sorted by name."""
    rows: list[Row] = []
    complaints: list[str] = []
    for path, text in sorted(files.items()):
        if path.endswith(".lean"):
            split = path.split("/")[-2].lower()
            rows += [replace(row, split=split) for row in from_lean_text(text, path)]
        else:
            found, said = from_json_lines(text, path)
            rows, complaints = rows + found, complaints + said
    rows = [replace(row, topic=minif2f_topic(row.name), note=_defect(row.name, _DEFECTS)) for row in rows]
    return sorted(rows, key=lambda row: row.name), complaints


def read_minif2f_yangky11(files: Files) -> Read:
    """The same, for the lineage that has three defects of its own."""
    rows, complaints = read_minif2f(files)
    return [replace(row, note=_defect(row.name, _DEFECTS | _DEFECTS_YANGKY11)) for row in rows], complaints


def _defect(name: str, known: Mapping[str, str]) -> str:
    return f"known defect: {known[name]} as written" if name in known else ""


def read_proofnet(files: Files) -> Read:
    """JSON lines with `name`, `split`, `formal_statement` and `header`. Exercises of different books share names."""
    rows: list[Row] = []
    complaints: list[str] = []
    for path, text in sorted(files.items()):
        found, said = from_json_lines(text, path)
        rows, complaints = rows + found, complaints + said
    return numbered(rows), complaints


def read_putnambench(files: Files) -> Read:
    """`src/putnam_YEAR_A1.lean` and so on, with the answers, which stand in comments, put in: what is left is to prove.

    A problem asks for an answer with `abbrev putnam_1962_a2_solution : T := sorry`; the answer is in a comment on the
    next line. The topic is the problem's place, A1 (easiest) to A6 and B1 to B6.
    """
    rows: list[Row] = []
    complaints: list[str] = []
    for path, text in sorted(files.items()):
        if path.endswith(".jsonl"):
            found, said = from_json_lines(text, path)
            rows, complaints = rows + found, complaints + said
            continue
        answered, answers = _ANSWER.subn(r"\1\2", text)
        for row in from_lean_text(answered, path):
            if any(token.text == "sorry" for token in code_tokens(row.header)):
                complaints.append(f"{row.label}: {row.name} asks for an answer that is not in its file.")
            else:
                rows.append(replace(row, note="answer filled in" if answers else ""))
    return [replace(row, topic=_place(row.name)) for row in rows], complaints


def _place(name: str) -> str:
    found = re.search(r"_([ab][1-6])$", lean_name(name))
    return found[1].upper() if found else "other"


PUBLISHED = (
    Published(
        "minif2f",
        "yangky11/miniF2F-lean4",
        "5746b7d6c47855ce1294bed87329618ff7f1bc31",
        "archive",
        "https://codeload.github.com/yangky11/miniF2F-lean4/tar.gz/5746b7d6c47855ce1294bed87329618ff7f1bc31",
        r"(?:^|/)(?:Test|Valid)/[^/]+\.lean$",
        read_minif2f_yangky11,
        "MIT (Meta Platforms) and Apache-2.0 (openai/miniF2F)",
        "Mathlib (Lean 4.24)",
        488,
        pin="aa746c676acbb336bc5aec84d6fe5f2ed499fa433bdeeab09ee5da091d18e45d",
    ),
    Published(
        "minif2f-deepseek",
        "deepseek-ai/DeepSeek-Prover-V1.5",
        "2c4ba9119eef74d0d611f494261b2c5bae98c69a",
        "file",
        "https://raw.githubusercontent.com/deepseek-ai/DeepSeek-Prover-V1.5/"
        "2c4ba9119eef74d0d611f494261b2c5bae98c69a/datasets/minif2f.jsonl",
        r"(?:^|/)minif2f\.jsonl$",
        read_minif2f,
        "MIT (DeepSeek)",
        "Mathlib (Lean 4.9)",
        488,
        sha256="d6654c88476ff14db19d57dea25bd955a240525fb52171e460f89d98f83d7dd5",
        pin="f8bd35f8a7f400af142cd047ded845a970ebf19134d0e916e935560d87756f62",
    ),
    Published(
        "proofnet",
        "deepseek-ai/DeepSeek-Prover-V1.5",
        "2c4ba9119eef74d0d611f494261b2c5bae98c69a",
        "git",
        "https://github.com/deepseek-ai/DeepSeek-Prover-V1.5",
        r"(?:^|/)proofnet\.jsonl$",
        read_proofnet,
        "MIT (DeepSeek) and MIT (zhangir-azerbayev/ProofNet)",
        "Mathlib (Lean 4.9)",
        below="datasets",
    ),
    Published(
        "putnambench",
        "trishullab/PutnamBench",
        "9b3d278b255541e6b8f560afbeb2123ddd02f64b",
        "git",
        "https://github.com/trishullab/PutnamBench",
        r"(?:^|^lean4/|/lean4/)(?:src/)?putnam_\d{4}_[ab][1-6]\.lean$",
        read_putnambench,
        "Apache-2.0",
        "Mathlib (Lean 4.28.1)",
        below="lean4/src",
    ),
)


def published_named(name: str) -> Published | None:
    """The benchmark of others with this name."""
    return next((published for published in PUBLISHED if published.name == name), None)


def wanted(published: Published, files: Files, label: str) -> Files:
    """Those of the files that hold the benchmark.

    Raises:
        UserInputError: there is none.
    """
    found = {path: text for path, text in files.items() if re.search(published.inside, path)}
    if not found:
        raise UserInputError(f"{label} is not {published.name}: none of its files is there.")
    return found
