// The table of picks: search, filters, sorting, pages, and why each was picked. Data are inserted as text only.
"use strict";
(() => {
  const PAGE = 50;
  const data = JSON.parse(document.getElementById("data").textContent);
  const picks = data.picks.map((line) => Object.fromEntries(data.fields.map((field, at) => [field, line[at]])));
  const get = (id) => document.getElementById(id);
  const count = new Intl.NumberFormat("en");
  const number = (value) => (value === null || value === undefined ? "–" : count.format(value));
  const compact = (value) => (value === 0 ? "0" : Math.abs(value) < 0.001 ? value.toExponential(2) : String(value));
  const label = (name, at) => (at === null || at === undefined ? null : data.labels[name][at]);

  function make(tag, content, attributes = {}) {
    const element = document.createElement(tag);
    if (Array.isArray(content)) element.append(...content);
    else if (content !== undefined && content !== null) element.textContent = content;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  for (const pick of picks) {
    for (const name of ["task", "answer", "source"]) pick[name] = label(name, pick[name]);
    pick.concept = pick.concepts.map((at) => label("concept", at));
    pick.gain = pick.gains ? pick.gains.reduce((sum, gain) => sum + gain, 0) : null;
    pick.searched = [pick.question, pick.answer_text, pick.id, pick.key, pick.image, pick.source].join("\n").toLowerCase();
  }

  const columns = [
    ["rank", "Rank", true, true],
    ["question", "Question and answer", false, true],
    ["task", "Task", false, true],
    ["answer", "Answer", false, true],
    ["cluster", "Cluster", true, true],
    ["words", "Words", true, true],
    ["gain", "Gain", true, data.terms.length > 0],
    ["represents", "Represents", true, data.representatives],
  ].filter((column) => column[3]);

  const state = { by: "rank", down: false, page: 0, found: picks };

  // The values of the filters, with how many of the listed picks have each.
  for (const select of document.querySelectorAll("[data-by]")) {
    const name = select.dataset.by;
    const counts = new Map();
    for (const pick of picks) for (const value of [pick[name]].flat()) if (value !== null) counts.set(value, (counts.get(value) || 0) + 1);
    const values = [...counts].sort(([a], [b]) => (typeof a === "number" ? a - b : a < b ? -1 : 1));
    for (const [value, n] of values) select.append(make("option", `${value} (${count.format(n)})`, { value }));
    select.closest("label").hidden = values.length < 2;
  }
  for (const [name, title, numeric] of columns) {
    const head = make("th", [make("button", title, { type: "button" })], { scope: "col", role: "columnheader", "data-by": name });
    if (numeric) head.className = "n";
    head.firstChild.addEventListener("click", () => order(name, state.by === name && !state.down));
    get("heads").append(head);
    const ways = numeric ? ["low first", "high first"] : ["A to Z", "Z to A"];
    ways.forEach((way, down) => get("sort").append(make("option", `${title}, ${way}`, { value: `${name} ${down}` })));
  }
  get("heads").append(make("th", [make("span", "Why picked", { class: "hidden" })], { scope: "col", role: "columnheader" }));

  function compare(one, other) {
    const [a, b] = [one[state.by], other[state.by]];
    if (a === b || (a ?? null) === (b ?? null)) return one.rank - other.rank;
    if (a === null || a === undefined) return 1; // unknown values last, in both directions
    if (b === null || b === undefined) return -1;
    return (a < b ? -1 : 1) * (state.down ? -1 : 1);
  }

  function order(by, down) {
    Object.assign(state, { by, down, page: 0 });
    get("sort").value = `${by} ${Number(down)}`;
    for (const head of get("heads").querySelectorAll("[data-by]")) {
      const sorted = head.dataset.by === by;
      if (sorted) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    find();
  }

  function find() {
    const words = get("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = [...document.querySelectorAll("select[data-by]")].filter((select) => select.value);
    const fits = (pick) => words.every((word) => pick.searched.includes(word))
      && wanted.every((select) => [pick[select.dataset.by]].flat().some((value) => String(value) === select.value));
    state.found = picks.filter(fits).sort(compare);
    const n = state.found.length;
    get("count").textContent = n === picks.length ? `${count.format(n)} picks` : `${count.format(n)} of ${count.format(picks.length)} picks match`;
    show();
  }

  function show() {
    const pages = Math.max(1, Math.ceil(state.found.length / PAGE));
    state.page = Math.min(state.page, pages - 1);
    const part = state.found.slice(state.page * PAGE, (state.page + 1) * PAGE);
    get("rows").replaceChildren(...part.map(row));
    if (!part.length) get("rows").append(make("tr", [make("td", "No pick matches: remove a filter.", { colspan: columns.length + 1, role: "cell" })], { role: "row" }));
    get("place").textContent = `Page ${state.page + 1} of ${count.format(pages)}`;
    get("back").disabled = state.page === 0;
    get("next").disabled = state.page === pages - 1;
  }

  function row(pick) {
    const cells = columns.map(([name, title, numeric]) => {
      if (name === "question") {
        return make("td", [make("p", pick.question || "–"), make("p", pick.answer_text, { class: "reply" })], { class: "text", role: "cell" });
      }
      const value = name === "gain" ? compact(Number(pick.gain.toPrecision(3))) : numeric ? number(pick[name]) : pick[name] ?? "–";
      return make("td", value, { role: "cell", "data-label": title, ...(numeric ? { class: "n" } : {}) });
    });
    const whole = `why-${pick.rank}`;
    const button = make("button", "Why", { type: "button", "aria-expanded": "false", "aria-label": `Why was pick ${pick.rank} picked` });
    button.addEventListener("click", () => {
      const open = get(whole);
      if (open) open.remove();
      else line.after(make("tr", [make("td", [why(pick)], { colspan: columns.length + 1, role: "cell" })], { id: whole, class: "whole", role: "row" }));
      button.setAttribute("aria-expanded", String(!open));
      if (open) button.removeAttribute("aria-controls");
      else button.setAttribute("aria-controls", whole);
    });
    const line = make("tr", [...cells, make("td", [button], { role: "cell" })], { role: "row" });
    return line;
  }

  function measured(name, share, value) {
    const bar = make("i");
    bar.style.width = `${Math.max(0, Math.min(100, share))}%`;
    return make("li", [make("span", name), make("span", [bar], { class: "track", "aria-hidden": "true" }), make("span", value)], { class: "line" });
  }

  function why(pick) {
    const part = (title, ...content) => make("div", [make("h4", title), ...content]);
    const parts = [];
    const total = pick.gain || 1;
    const terms = data.terms.map((term, at) => measured(term, (100 * pick.gains[at]) / total, `${compact(pick.gains[at])} (${Math.round((100 * pick.gains[at]) / total)} %)`));
    const place = `Rank ${number(pick.rank)} of ${number(data.picked)} picks; its gain in each term of the objective:`;
    parts.push(terms.length ? part("Gain by term", make("p", place), make("ul", terms)) : part("Rank", make("p", `Rank ${number(pick.rank)} of ${number(data.picked)} picks; the selector has no terms.`)));
    if (data.scores.length) {
      const lines = data.scores.map((name, at) => measured(name, pick.scores[at][1] ?? 0, pick.scores[at][0] === null ? "–" : `${compact(pick.scores[at][0])}, above ${pick.scores[at][1]} %`));
      parts.push(part("Scores", make("p", "Each with the share of the pool that has a lower score."), make("ul", lines)));
    }
    const about = [];
    if (pick.cell !== null && pick.quota !== undefined) {
      const cell = [pick.task, pick.answer, pick.cluster === null ? null : `cluster ${pick.cluster}`].filter(Boolean).join(", ");
      about.push(make("p", `Cell ${number(pick.cell)} (${cell}): a quota of ${number(pick.quota)} out of ${number(pick.supply)} samples that may be picked.`));
    }
    if (pick.concept.length) about.push(make("p", `Concepts: ${pick.concept.join(", ")}.`));
    about.push(make("p", [`Key `, make("code", pick.key), `, id `, make("code", pick.id)]));
    about.push(make("p", `${pick.source}${pick.image ? `, ${pick.image}` : ", no image"}`));
    parts.push(part("Where it is", ...about));
    if (data.representatives) {
      const near = pick.near.map(([cosine, question, answer]) => make("li", [`${cosine.toFixed(2)} – ${question} `, make("span", answer, { class: "reply" })]));
      const summary = pick.represents ? `${number(pick.represents)} more ${pick.represents === 1 ? "sample" : "samples"} of the pool; the nearest, by cosine:` : "No other sample of the pool.";
      parts.push(part("Represents", make("p", summary), make("ul", near)));
    }
    return make("div", parts, { class: "why" });
  }

  let waiting;
  const fromFirstPage = () => { state.page = 0; find(); };
  get("find").addEventListener("submit", (event) => event.preventDefault());
  get("find").addEventListener("reset", () => setTimeout(() => order("rank", false)));
  get("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(fromFirstPage, 100); });
  document.querySelectorAll("select[data-by]").forEach((select) => select.addEventListener("change", fromFirstPage));
  get("sort").addEventListener("change", (event) => {
    const [by, down] = event.target.value.split(" ");
    order(by, down === "1");
  });
  function turn(by) {
    state.page += by;
    show();
    get("table").scrollIntoView({ block: "start" });
    if (document.activeElement === document.body) get(by < 0 ? "next" : "back").focus(); // a disabled button loses the focus
  }
  get("back").addEventListener("click", () => turn(-1));
  get("next").addEventListener("click", () => turn(1));
  order("rank", false);
})();
