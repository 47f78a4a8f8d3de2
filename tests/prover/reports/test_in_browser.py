"""The page in a real browser, opened from disk: what is shown after its script ran, and that nothing goes wrong."""

import pytest

from prover.reports.facts import gather
from prover.reports.write import write_report
from tests.prover.reports.browser import CHROMIUM, Browser
from tests.prover.reports.made_runs import attempt, made_run, reader, with_trees

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")

NAMES = "[...document.querySelectorAll('#table > tbody > tr:not(.open)')].filter(r => !r.hidden)"
NAMES += ".map(r => r.cells[0].textContent)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    run = made_run(folder / "first", with_trees())
    return write_report(gather([run]), folder, *reader(run))[0]


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    run = made_run(folder / "first", with_trees())
    other = made_run(folder / "second", [attempt(0, 0, 0), attempt(1, 0, 1, "h.symm"), attempt(2, 0, 1, "by omega")])
    return write_report(gather([run, other]), folder, *reader(run, other))[0]


def opened(browser: Browser, name: str) -> str:
    """The text that a click on a theorem shows."""
    row = f"[...document.querySelectorAll('#table tbody button')].find(b => b.textContent === {name!r})"
    browser.value(f"{row}.click()")
    return str(browser.value(f"{row}.closest('tr').nextElementSibling.innerText"))


def clean(browser: Browser, page) -> None:
    """No error, no warning, no violated policy, and nothing was asked for but the file itself."""
    assert browser.problems == []
    assert browser.requests == [page.resolve().as_uri()]
    assert browser.value("document.title") != "harmed"


def test_rows_are_shown_sorted_and_filtered(browser, one):
    browser.open(one)
    everything = ["add_zero'", "or_swap", "hard", "lost_one", "not_lean", "untouched"]
    assert browser.value(NAMES) == everything
    seconds = "[...document.querySelectorAll('#table thead button')].find(b => b.textContent === 'seconds')"
    browser.value(f"{seconds}.click()")
    # Not attempted ones first, then 0.5, 6, 21.5 and 40 s.
    assert browser.value(NAMES) == ["not_lean", "untouched", "or_swap", "lost_one", "add_zero'", "hard"]
    assert browser.value(f"{seconds}.closest('th').getAttribute('aria-sort')") == "ascending"
    browser.value(f"{seconds}.click()")
    assert browser.value(NAMES) == ["hard", "add_zero'", "lost_one", "or_swap", "not_lean", "untouched"]
    browser.value("document.querySelector('#table thead button').click()")
    assert browser.value(NAMES) == sorted(everything)

    def choose(field: str, value: str) -> list[str]:
        event = "new Event('input', {bubbles: true})"
        browser.value(
            f"{{ const f = document.getElementById({field!r}); f.value = {value!r}; f.dispatchEvent({event}) }}"
        )
        return list(browser.value(NAMES))

    assert choose("outcome", "proved") == ["add_zero'", "or_swap"]
    assert choose("topic", "logic") == ["or_swap"]
    assert choose("outcome", "") == ["lost_one", "or_swap", "untouched"]
    assert browser.value("document.getElementById('count').textContent") == "3 of 6 theorems"
    assert choose("find", "OR_s") == ["or_swap"]
    assert choose("find", "q ∨ p") == ["or_swap"]  # in the statement
    clean(browser, one)


def test_a_click_shows_statement_proof_attempts_tree_and_messages(browser, one):
    browser.open(one)
    shown = opened(browser, "or_swap")
    assert "theorem or_swap (p q : Prop) (h : p ∨ q) : q ∨ p := by\n  cases h with\n" in shown
    assert "Tree of attempt 1" in shown
    assert "4 states, 7 tactics in all" in shown
    assert "cases h proves it" in shown
    assert "exact Or.inr a closes the goal" in shown
    assert "3 tactics failed" in shown
    assert "no progress" not in shown  # until it is asked for
    browser.value("document.querySelectorAll('details').forEach(d => d.open = true)")
    browser.value("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
    assert "no progress </script>" in browser.value("document.querySelector('.detail').innerText")
    shown = opened(browser, "hard")
    assert "theorem hard (n : Nat) (h : 2 < n) : n * n < 2 ^ (n * n) := by sorry" in shown
    assert "budget: policy </script>" in shown
    assert "Lean's messages on attempt 2" in shown
    assert "error, line 2, column 4: unsolved goals" in shown
    assert "unknown identifier 'Natt'" in opened(browser, "not_lean")
    button = "document.querySelector('#t1 button')"
    assert browser.value(f"{button}.getAttribute('aria-expanded')") == "true"
    browser.value(f"{button}.click()")
    assert browser.value("document.querySelector('#t1').nextElementSibling.id") == "t2"
    clean(browser, one)


def test_the_keyboard_is_enough(browser, one):
    browser.open(one)
    browser.value("document.querySelector('#t0 button').focus()")
    browser.press("Enter", 13, "\r")
    assert browser.value("document.querySelector('#t0').nextElementSibling.className") == "open"
    browser.press("Tab", 9)  # to the statement, which scrolls
    assert browser.value("document.activeElement.tagName") == "PRE"
    browser.value("document.querySelector('thead button').focus()")
    browser.press("Enter", 13, "\r")
    assert browser.value("document.querySelector('thead th').getAttribute('aria-sort')") == "ascending"
    # A sorted row takes what is open below it along.
    assert browser.value("document.querySelector('#t0').nextElementSibling.className") == "open"


def test_two_runs_side_by_side(browser, two):
    browser.open(two, fragment="#t2")
    assert browser.value("document.querySelector('#t2').nextElementSibling.className") == "open"
    browser.value("{ const f = document.getElementById('outcome'); f.value = '*';"
                  " f.dispatchEvent(new Event('input', {bubbles: true})) }")  # fmt: skip
    assert browser.value(NAMES) == ["add_zero'", "hard"]
    cells = "[...document.querySelectorAll('.square td')].map(c => c.textContent)"
    # Of four: or_swap by both, add_zero' by the first, hard by the second, not_lean by neither.
    assert browser.value(cells) == ["", "1", "1", "1", "1"]
    assert "by omega" in browser.value("document.querySelector('.detail').innerText")
    clean(browser, two)


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_and_can_be_read_at_any_width_and_in_the_dark(browser, two, width, dark):
    browser.open(two, width, dark, fragment="#t1")
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value("getComputedStyle(document.body).backgroundColor") == (
        "rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)"
    )
    assert browser.value(CONTRASTS) == []
    clean(browser, two)


def test_without_a_script_the_table_is_read(browser, one):
    browser.open(one, script=False)
    assert browser.value(NAMES)[:2] == ["add_zero'", "or_swap"]
    assert browser.value("getComputedStyle(document.getElementById('filters')).display") == "none"
    assert browser.value("document.querySelectorAll('#table button').length") == 0


# Texts whose contrast is below 4.5 (WCAG 2, level AA), with what is behind them; in plots against the page.
CONTRASTS = """(() => {
  const rgba = (text) => (text.match(/[0-9.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => { for (; e; e = e.parentElement) {
    const c = rgba(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] > 0) return c; } };
  const found = [];
  for (const e of document.querySelectorAll("body *:not(script):not(style)")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.getClientRects().length) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(rgba(e.closest("svg") ? style.fill : style.color)), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push([e.tagName, e.textContent.slice(0, 40), ratio]);
  }
  return found;
})()"""
