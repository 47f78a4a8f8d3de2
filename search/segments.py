"""Cuts a tactic script into its outermost tactics, from the layout alone."""


def segments(text: str) -> list[str]:
    """The tactics of a script whose first lies at the leftmost column, each as lines from column 0.

    What is indented further belongs to the tactic above it, and so do lines that begin with an operator that joins
    tactics (`<;>`, `|`, `at`), and comments and closing brackets to what they stand at. Empty if there is no tactic.
    """
    rows = _without_margin(text)
    found: list[list[str]] = []
    waiting: list[str] = []  # comments, which belong to the tactic below
    depth = comment = 0
    for row in rows:
        goes_on = depth > 0 or comment > 0 or row.startswith((" ", "\t")) or row.startswith(_JOINS)
        if not row.strip():
            if found and goes_on:
                found[-1].append("")
            continue
        only_comment = comment == 0 and depth == 0 and row.startswith(("--", "/-"))
        depth, comment = _open_brackets(row, depth, comment)
        if (
            (only_comment and not row.startswith((" ", "\t")))
            or (comment and waiting and not found)
            or (goes_on and waiting and comment == 0 and not found)
        ):
            waiting.append(row)
        elif goes_on and found:
            found[-1] += [*waiting, row]
            waiting = []
        else:
            found.append([*waiting, row])
            waiting = []
    return ["\n".join(lines).rstrip() for lines in found]


_JOINS = ("<;>", "|", "at ", "with ", ")", "]", "}", "⟩", ";", "using ", "else", "then")


def _without_margin(text: str) -> list[str]:
    rows = text.expandtabs(2).split("\n")
    margins = [len(row) - len(row.lstrip()) for row in rows if row.strip() and not row.lstrip().startswith("--")]
    margin = min(margins, default=0)
    return [row[margin:] if row[:margin].strip() == "" else row.lstrip() for row in rows]


def _open_brackets(row: str, depth: int, comment: int) -> tuple[int, int]:
    """How many brackets, and how many block comments, are open after a row."""
    at = 0
    text = False
    while at < len(row):
        two = row[at : at + 2]
        if comment:
            if two == "-/":
                comment, at = comment - 1, at + 1
            elif two == "/-":
                comment, at = comment + 1, at + 1
        elif text:
            at += row[at] == "\\"
            text = row[at : at + 1] != '"'
        elif two == "--":
            break
        elif two == "/-":
            comment, at = 1, at + 1
        elif row[at] == '"':
            text = True
        elif row[at] in "([{⟨":
            depth += 1
        elif row[at] in ")]}⟩":
            depth = max(0, depth - 1)
        at += 1
    return depth, comment
