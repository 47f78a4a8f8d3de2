"""The page as text: what is in it, how large it is, and that it is the same each time."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from prover.benchmarks.row import Row
from prover.reports.details import embedded
from prover.reports.facts import gather
from prover.reports.page import page
from prover.reports.write import write_report
from prover.sources import UserInputError
from tests.prover.reports.made_runs import HARM, attempt, made_run, or_tree, reader, with_trees


class Elements(HTMLParser):
    """The start tags of a page, and the text of each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.tags and self.tags[-1][0] == "script" and self.scripts:
            self.scripts[-1] += data


def data_of(text: str) -> dict:
    data: dict = json.loads(Elements(text).scripts[0])
    return data


@pytest.fixture
def run(tmp_path):
    return made_run(tmp_path / "one", with_trees())


def test_nothing_outside_of_the_page_is_named(run):
    text = page(gather([run, run]), *reader(run)).text
    for tag, attributes in Elements(text).tags:
        for key in ("src", "href", "action", "xlink:href", "data", "poster", "srcset"):
            assert (attributes.get(key) or "#").startswith("#"), (tag, attributes)
        assert not any(key.startswith("on") for key in attributes), (tag, attributes)
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)


def test_the_policy_of_the_page_forbids_what_it_does_not_need(run):
    metas = [attributes for tag, attributes in Elements(page(gather([run]), *reader(run)).text).tags if tag == "meta"]
    (policy,) = (meta["content"] for meta in metas if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:")


def test_the_same_run_gives_the_same_bytes(run):
    report = gather([run])
    assert page(report, *reader(run)).text == page(gather([run]), *reader(run)).text


def test_without_a_script_the_table_is_there(run):
    text = page(gather([run]), *reader(run)).text
    table = text[text.index('<table id="table">') : text.index("</table>", text.index('<table id="table">'))]
    assert table.count("<tr ") == 6
    assert re.search(r'<tr id="t0"><th scope="row">add_zero&#39;</th>.*data-o="proved">proved<.*>21.5<', table)


def test_every_plot_has_a_name_and_ids_of_its_own(run):
    tags = Elements(page(gather([run]), *reader(run)).text).tags
    plots = [attributes for tag, attributes in tags if tag == "svg"]
    # Wall seconds, Lean seconds, calls, samples, pass@k, times, topics.
    assert len(plots) == 7
    ids = [attributes["id"] for _, attributes in tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    for plot in plots:
        assert plot["role"] == "img"
        assert set((plot["aria-labelledby"] or "").split()) <= set(ids)


def test_harmful_texts_stay_texts(tmp_path):
    rows = [Row(HARM, f"theorem x : True {HARM}", header=HARM, topic=f"$\\frac{HARM}", note=HARM)]
    folder = tmp_path / "<b>run</b>"
    run = made_run(folder, [attempt(0, 0, 1, HARM, message=HARM, tree=or_tree(), stage=HARM)], rows, {}, policy=HARM)
    run = replace(run, environment={"command": HARM, HARM: HARM})
    text = page(gather([run, made_run(folder, [], rows, {0: HARM})]), *reader(run)).text
    assert [tag for tag, _ in Elements(text).tags if tag in ("img", "b")] == []
    assert len(Elements(text).scripts) == 2
    assert data_of(text)["theorems"][0]["statement"] == f"theorem x : True {HARM}"
    assert data_of(text)["theorems"][0]["runs"][0]["proof"] == HARM


def test_embedded_json_cannot_end_its_element():
    assert "<" not in embedded(["</script>", "<!--", "a <;> b"])
    assert json.loads(embedded(["</script>", "a <;> b"])) == ["</script>", "a <;> b"]


def large_run(folder: Path, theorems: int = 60, attempts: int = 30):
    rows = [Row(f"t{i}", f"theorem t{i} : True ∧ " + "x" * 300) for i in range(theorems)]
    tree, message = or_tree(failures=60), {"severity": "error", "line": 1, "column": 0, "message": "no" * 400}
    made = [
        attempt(i, j, int(i % 2 == 0 and j == 3), "trivial" if j == 3 else None, tree=tree, messages=(message,))
        for i in range(theorems)
        for j in range(attempts)
    ]
    return made_run(folder, made, rows, {}, attempts=attempts)


@pytest.mark.parametrize("limit", [120_000, 200_000, 400_000])
def test_a_page_keeps_to_its_limit_and_says_what_is_left_out(tmp_path, limit):
    run = large_run(tmp_path)
    made = page(gather([run]), *reader(run), limit=limit)
    assert len(made.text.encode()) <= limit
    assert limit * 0.8 < len(made.text.encode()) or len(made.trees) == 0
    theorems = data_of(made.text)["theorems"]
    assert len(theorems) == 60
    # Each has 30 attempts, of which 12 are listed, if there is room.
    left = re.search(r"([\d,]+) attempts are left out of the lists", made.text)
    assert left is not None
    listed = sum(len(theorem["runs"][0].get("attempts", [])) for theorem in theorems)
    assert int(left[1].replace(",", "")) == 60 * 30 - listed
    # A tree that is not whole has its file, and only such a one.
    files = dict(made.trees)
    assert all(text == or_tree(failures=60) for text in files.values())
    for theorem in theorems:
        of_run = theorem["runs"][0]
        whole = "tree" in of_run and not of_run["tree"]["more"]
        assert whole == ("file" not in of_run)
    assert {theorem["runs"][0].get("file") for theorem in theorems} - {None} == set(files)


def test_proved_theorems_come_first_when_room_is_short(tmp_path):
    run = large_run(tmp_path)
    theorems = data_of(page(gather([run]), *reader(run), limit=110_000).text)["theorems"]
    trees = [bool(theorem["runs"][0].get("tree")) for theorem in theorems]
    assert sum(trees[::2]) >= sum(trees[1::2])
    shown = [theorem["runs"][0].get("shown") for theorem in theorems]
    assert {number for number in shown[::2] if number is not None} == {3}  # the attempt that proved it
    assert {number for number in shown[1::2] if number is not None} <= {29}  # else the last


def test_more_theorems_than_the_table_holds(tmp_path):
    rows = [Row(f"t{i}", f"theorem t{i} : True") for i in range(900)]
    run = made_run(tmp_path, [], rows, {})
    text = page(gather([run]), *reader(run), limit=300_000).text
    shown = text.count('<tr id="t')
    assert 100 < shown < 900
    assert f"{900 - shown} theorems have no row in the table" in text


def test_files_are_written_into_a_new_folder(run, tmp_path):
    paths = write_report(gather([run]), tmp_path / "new" / "folder", *reader(run))
    assert [path.name for path in paths] == ["report.html", "report.md", "report.json"]
    assert paths[0].read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_folder_that_cannot_be_written_is_one_sentence(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserInputError, match=r"file.* cannot be written: "):
        write_report(gather([run]), tmp_path / "file" / "below", *reader(run))


def test_half_a_surrogate_pair_does_not_stop_the_report(tmp_path):
    run = made_run(tmp_path / "one", [attempt(0, 0, 0, message="\ud83d")])
    assert write_report(gather([run]), tmp_path, *reader(run))
