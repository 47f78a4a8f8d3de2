"use strict";
// Sorts, filters and opens the table. All text goes in as text: names, proofs and messages may hold anything.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const table = document.getElementById("table");
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...body.rows];
  const search = document.getElementById("find");
  const outcome = document.getElementById("outcome");
  const topic = document.getElementById("topic");
  const topicColumn = heads.findIndex((head) => head.textContent === "topic");
  const numberOf = new Map(rows.map((row, number) => [row, number]));

  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const list = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

  heads.forEach((head, column) => {
    const button = make("button", { type: "button", textContent: head.textContent });
    head.replaceChildren(button);
    for (const row of rows) {
      if (head.classList.length) row.cells[column].classList.add(...head.classList);
    }
    button.addEventListener("click", () => sort(column));
  });
  for (const row of rows) {
    const cell = row.cells[0];
    const button = make("button", { type: "button", textContent: cell.textContent });
    button.setAttribute("aria-expanded", "false");
    cell.replaceChildren(button);
    button.addEventListener("click", () => toggle(row));
  }

  function sort(column) {
    const descending = heads[column].getAttribute("aria-sort") === "ascending";
    const value = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent;
    const numbers = rows.some((row) => "v" in row.cells[column].dataset);
    const keyed = rows.map((row) => [numbers ? Number(value(row)) : value(row), numberOf.get(row), row]);
    const order = (a, b) => (numbers ? a - b : a.localeCompare(b, "en", { numeric: true }));
    keyed.sort((a, b) => (descending ? order(b[0], a[0]) : order(a[0], b[0])) || a[1] - b[1]);
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[column].setAttribute("aria-sort", descending ? "descending" : "ascending");
    for (const [, , row] of keyed) body.append(...[row, row.detail].filter(Boolean));
  }

  function filter() {
    const text = search.value.trim().toLowerCase();
    let shown = 0;
    for (const row of rows) {
      const outcomes = [...row.cells].map((cell) => cell.dataset.o).filter(Boolean);
      const fits =
        (!text || row.cells[0].textContent.toLowerCase().includes(text) || statementHas(row, text)) &&
        (!outcome.value || (outcome.value === "*" ? "differs" in row.dataset : outcomes.includes(outcome.value))) &&
        (!topic || !topic.value || row.cells[topicColumn].textContent === topic.value);
      row.hidden = !fits;
      if (row.detail) row.detail.hidden = !fits;
      shown += fits;
    }
    const all = list(rows.length, "theorem");
    document.getElementById("count").textContent = shown === rows.length ? all : `${shown} of ${all}`;
  }

  function statementHas(row, text) {
    return (data.theorems[numberOf.get(row)]?.statement ?? "").toLowerCase().includes(text);
  }

  function toggle(row, open = !row.detail) {
    const button = row.cells[0].firstChild;
    if (open === Boolean(row.detail)) return;
    button.setAttribute("aria-expanded", String(open));
    if (open) {
      row.detail = make("tr", { className: "open" });
      row.detail.append(make("td", { colSpan: heads.length }, detail(numberOf.get(row))));
      row.after(row.detail);
    } else {
      row.detail.remove();
      row.detail = null;
    }
  }

  function detail(number) {
    const theorem = data.theorems[number] ?? { runs: [] };
    const several = theorem.runs.length > 1;
    const box = make("div", { className: "detail" });
    const header = theorem.header === undefined ? "" : `${data.headers[theorem.header]}\n\n`;
    const proofs = theorem.runs.map((run) => run?.proof);
    if (theorem.statement === undefined) {
      box.append(make("p", { textContent: "The statement is left out of the page; report.json has it." }));
    } else {
      const proof = several ? undefined : proofs[0];
      const end = several ? "" : ` := ${proof ?? "by sorry"}`;
      box.append(make("pre", { textContent: header + theorem.statement.trim() + end, tabIndex: 0 }));
    }
    const about = Object.entries(theorem.about ?? {}).map(([key, value]) => `${key}: ${value}`);
    if (about.length) box.append(make("p", { className: "status", textContent: about.join(" · ") }));
    theorem.runs.forEach((run, place) => {
      if (several) box.append(make("h3", { textContent: data.runs[place] }));
      if (!run) box.append(make("p", { textContent: "The theorem is not in this run." }));
      else box.append(...ofRun(run, several));
    });
    return box;
  }

  function ofRun(run, several) {
    const parts = [];
    if (run.problem) {
      parts.push(make("p", {}, make("span", { className: "is-unscored", textContent: "It does not elaborate: " }), run.problem));
    }
    if (several && run.proof !== undefined) parts.push(make("pre", { textContent: run.proof, tabIndex: 0 }));
    if (run.axioms?.length) parts.push(make("p", { className: "status", textContent: `axioms: ${run.axioms.join(", ")}` }));
    if (run.attempts) parts.push(make("h4", { textContent: "Attempts" }), attempts(run));
    else if (!run.problem) parts.push(make("p", { textContent: "There is no attempt at it in this page." }));
    if (run.messages) {
      parts.push(make("h4", { textContent: `Lean's messages on attempt ${run.shown + 1}` }));
      for (const [severity, line, column, text] of run.messages) {
        const where = line == null ? "" : `line ${line}, column ${column}: `;
        parts.push(make("pre", { className: `message ${severity}`, textContent: `${severity ? severity + ", " : ""}${where}${text}` }));
      }
    }
    if (run.tree) parts.push(make("h4", { textContent: `Tree of attempt ${run.shown + 1}` }), ...wholeTree(run.tree));
    if (run.file) {
      const said = run.tree ? "The tree is cut here; it is whole in trees/" : "The tree is in trees/";
      parts.push(make("p", { className: "status", textContent: `${said}${run.file}` }));
    }
    return parts;
  }

  function attempts(run) {
    const names = ["#", "outcome", "ended by", "samples", "Lean calls", "seconds", "Lean seconds"];
    const head = make("tr", {}, ...names.map((name, i) => make("th", { scope: "col", textContent: name, className: i > 2 ? "number" : "" })));
    const lines = run.attempts.map(([number, reward, stopped, ...spent]) => {
      const said = reward === 1 ? "proved" : reward === 0 ? "not proved" : "unscored";
      const ended = spent[4] ? `${stopped}: ${spent[4]}` : stopped;
      return make(
        "tr", {},
        make("td", { textContent: number + 1 }),
        make("td", { className: `is-${said.replace(" ", "-")}`, textContent: said }),
        make("td", { textContent: ended }),
        ...spent.slice(0, 4).map((value) => make("td", { className: "number", textContent: value.toLocaleString("en") })),
      );
    });
    const box = make("div", { className: "scroll", tabIndex: 0 }, make("table", { className: "attempts" }, make("thead", {}, head), make("tbody", {}, ...lines)));
    if (run.more) box.append(make("p", { className: "status", textContent: `${list(run.more, "attempt")} more in report.json` }));
    return box;
  }

  function wholeTree(tree) {
    const proved = new Set(tree.proved);
    const below = new Map();
    for (const edge of tree.edges) below.set(edge[0], [...(below.get(edge[0]) ?? []), edge]);
    const [states, tactics] = tree.size;
    const context = { tree, proved, below, seen: new Set() };
    const said = `${list(states, "state")}, ${list(tactics, "tactic")} in all`;
    return [make("p", { className: "status", textContent: said }), make("div", { className: "tree scroll" }, ...node(context, 0))];
  }

  // A state with its tactics: the proof is open, other ways open on demand, what failed is one line.
  function node(context, number) {
    const { tree, proved, below, seen } = context;
    const goals = tree.nodes[number].map((goal) => tree.goals[goal]).join("\n\n");
    const parts = [make("pre", { textContent: goals })];
    if (seen.has(number)) {
      return [...parts, make("p", { className: "status", textContent: "this state is shown elsewhere in the tree" })];
    }
    seen.add(number);
    const edges = below.get(number) ?? [];
    const items = edges.filter((edge) => edge[2] !== "failed").map((edge) => make("li", {}, ...step(context, edge)));
    const failed = edges.filter((edge) => edge[2] === "failed");
    if (failed.length) {
      const tell = () => [make("ul", {}, ...failed.map(([, tactic, , , error]) =>
        make("li", { className: "failed" }, make("code", { textContent: tactic }), make("span", { className: "status", textContent: error ? ` ${error}` : "" })),
      ))];
      items.push(make("li", {}, later(`${list(failed.length, "tactic")} failed`, tell)));
    }
    const more = tree.more[number];
    if (more) items.push(make("li", { className: "status", textContent: `${list(more, "tactic")} left out` }));
    if (items.length) parts.push(make("ul", {}, ...items));
    return parts;
  }

  function step(context, [from, tactic, status, children]) {
    const closes = status === "done" && children.every((child) => context.proved.has(child));
    const words = closes ? (children.length ? "proves it" : "closes the goal") : status === "done" ? `leads to ${list(children.length, "state")}` : status;
    const label = [make("code", { textContent: tactic }), make("span", { className: "status", textContent: ` ${words}` })];
    const box = make("div", { className: closes ? "proves" : "" }, ...label);
    if (status !== "done" || !children.length) return [box];
    const states = () => [make("ul", {}, ...children.map((child) => make("li", {}, ...node(context, child))))];
    const fresh = children.some((child) => !context.seen.has(child));
    if (closes && fresh) return [box, ...states()];
    return [later(label, states, closes ? "proves" : "")];
  }

  // A part that is made when it is opened for the first time.
  function later(label, fill, className = "") {
    const summary = make("summary", { className }, ...[label].flat());
    const box = make("details", {}, summary);
    box.addEventListener("toggle", () => box.children.length > 1 || box.append(...fill()));
    return box;
  }

  function follow() {
    const row = /^#t\d+$/.test(location.hash) && document.getElementById(location.hash.slice(1));
    if (!row) return;
    toggle(row, true);
    row.scrollIntoView();
  }

  const filters = document.getElementById("filters");
  filters.hidden = false;
  filters.addEventListener("input", filter);
  filters.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", follow);
  filter();
  follow();
})();
