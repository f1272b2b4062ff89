// The theme of the page, and its charts: each is drawn when it is scrolled into view, and again when the theme changes.
"use strict";
(() => {
  const specs = JSON.parse(document.getElementById("specs").textContent);
  const places = [...document.querySelectorAll("[data-chart]")];
  const shown = new Map(); // element -> the view that is drawn in it
  const MANY = 1500; // marks from which a canvas is faster than SVG

  const colour = (name) => {
    const probe = document.createElement("i"); // a computed colour: Vega does not know light-dark()
    probe.style.color = `var(--${name})`;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value;
  };

  function themed(narrow) {
    const [ink, quiet, line] = ["ink", "quiet", "line"].map(colour);
    const words = { labelColor: quiet, titleColor: ink, titleFontWeight: 500, labelFontSize: 12, titleFontSize: 12 };
    return {
      background: "transparent",
      font: getComputedStyle(document.body).fontFamily,
      view: { stroke: "transparent" },
      axis: { ...words, domainColor: line, gridColor: line, tickColor: line, labelLimit: narrow ? 110 : 170 },
      legend: words,
      header: words,
      title: { color: ink, subtitleColor: quiet },
      text: { color: ink },
    };
  }

  // Shows the values of a mark. Vega's own tooltip builds HTML; captions must stay text.
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);
  function showTip(_, event, item, value) {
    tip.hidden = value === null || value === undefined || value === "";
    if (tip.hidden) return;
    tip.replaceChildren();
    if (typeof value === "object") {
      const list = document.createElement("dl");
      for (const [name, shownValue] of Object.entries(value)) {
        const term = document.createElement("dt");
        const what = document.createElement("dd");
        term.textContent = name;
        what.textContent = typeof shownValue === "object" && shownValue !== null ? JSON.stringify(shownValue) : String(shownValue);
        list.append(term, what);
      }
      tip.append(list);
    } else {
      tip.textContent = String(value);
    }
    const { width, height } = tip.getBoundingClientRect();
    const left = Math.min(event.clientX + 14, document.documentElement.clientWidth - width - 8);
    const above = event.clientY + 14 + height > window.innerHeight;
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${Math.max(8, above ? event.clientY - height - 10 : event.clientY + 14)}px`;
  }
  document.addEventListener("scroll", () => { tip.hidden = true; }, { passive: true, capture: true });

  // Tables are stored as fields and lines; Vega expects records.
  const records = ({ fields, lines }) => lines.map((line) => Object.fromEntries(fields.map((field, at) => [field, line[at]])));

  async function draw(place) {
    const spec = structuredClone(specs[place.dataset.chart]);
    const most = Math.max(0, ...Object.values(spec.datasets).map((table) => table.lines.length));
    for (const [name, table] of Object.entries(spec.datasets)) spec.datasets[name] = records(table);
    const { row, column, facet } = spec.encoding || {};
    const single = !(spec.hconcat || spec.vconcat || spec.concat || spec.facet || spec.repeat || row || column || facet);
    const stepped = spec.width && typeof spec.width === "object";
    if (single && !stepped) {
      spec.width = "container"; // as wide as the page allows
      spec.autosize = { type: "fit-x", contains: "padding" };
      spec.padding = 4;
    }
    spec.config = { ...spec.config };
    for (const [part, set] of Object.entries(themed(place.clientWidth < 420))) {
      spec.config[part] = typeof set === "object" ? { ...spec.config[part], ...set } : set;
    }
    delete spec.background;
    const refuse = () => Promise.reject(new Error("the page loads nothing"));
    const drawn = await vegaEmbed(place, spec, {
      ast: true, // Vega's interpreter: the page allows no code from strings
      actions: false,
      defaultStyle: false,
      logLevel: 1, // errors only: Vega-Lite also warns of what it adapts to the width
      renderer: most > MANY ? "canvas" : "svg",
      tooltip: showTip,
      loader: { load: refuse, sanitize: refuse, http: refuse, file: refuse },
    });
    shown.get(place)?.finalize();
    shown.set(place, drawn);
    if (place.scrollWidth > place.clientWidth + 1) {
      place.tabIndex = 0;
      place.setAttribute("role", "region");
      place.setAttribute("aria-label", `${place.closest("figure").querySelector("h3").textContent}, chart`);
    }
    place.dataset.drawn = "yes";
  }

  function attempt(place) {
    return draw(place).catch((error) => {
      place.textContent = `This chart could not be drawn: ${error.message}`;
      console.error(error);
    });
  }

  if (typeof vegaEmbed === "function") {
    const watch = new IntersectionObserver((entries) => {
      for (const entry of entries.filter((one) => one.isIntersecting)) {
        watch.unobserve(entry.target);
        attempt(entry.target);
      }
    }, { rootMargin: "600px" });
    places.forEach((place) => watch.observe(place));
    window.addEventListener("beforeprint", () => places.filter((place) => !shown.has(place)).forEach(attempt));
  }

  const redraw = () => [...shown.keys()].forEach(attempt);
  document.getElementById("theme").addEventListener("change", (event) => {
    document.documentElement.dataset.theme = event.target.value;
    redraw();
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
})();
