"""The report page: what it says, how large it is, and that it works in a real browser without a network."""

import json
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from recipe import select_mix
from recipe.data import samples
from recipe.demo import write_demo
from recipe.errors import ConfigError, InputError
from recipe.io.marks import marked
from recipe.mix.mix import Mix
from recipe.mix.open import open_mix
from recipe.report.page import charts as page_charts
from recipe.report.page import render
from recipe.report.page.picks_table import cut, picks_table

EVIL = "<script>window.pwned=1</script><img src=x onerror='window.pwned=1'></script><!-- \u2028 & \"it\""
INSTALL = "apt-get install chromium && pip install playwright"
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
]
SMALL = {"hashing": {"d": 64}}


def records(count, *, said=EVIL):
    """Make LLaVA records about as many images, every third of which says something evil in every field."""
    things = ["cat", "dog", "red car", "blue sign", "man", "clock", "river", "left door"]
    made = []
    for at in range(count):
        evil = f" {said}" if at % 3 == 0 else ""
        ask = f"<image>\nHow many of the {things[at % 8]} number {at} are there{evil}?"
        answer = f"There are {at} near the {things[(at // 8) % 8]}{evil}."
        if at % 4 == 1:
            ask, answer = f"<image>\nIs there a {things[at % 8]} at place {at}?", ["Yes", "No"][at // 4 % 2]
        talk = [{"from": "human", "value": ask}, {"from": "gpt", "value": answer}]
        name = f"{at}{'<b>' if at % 3 == 0 else ''}"
        made.append({"id": name, "image": f"coco/{at}.jpg", "conversations": talk})
    made.append({**made[-1], "id": "again"})  # a duplicate, which is rejected
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a pool of untrusted captions and the mix of it, written."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "pool.json").write_text(json.dumps(records(240)))
    mix = select_mix(str(folder / "pool.json"), size=130, recipe={"embed": SMALL})
    mix.write(folder / "mix.json")
    return folder


@pytest.fixture(scope="module")
def mix(folder):
    """Return the mix, opened again."""
    return open_mix(folder / "mix.json")


def page_of(mix, rows):
    """Return the page of a mix."""
    return render(mix, mix.stats(), mix.gaps(), rows)


@pytest.fixture(scope="module")
def text(mix):
    """Return its page."""
    return page_of(mix, 3000)


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Return a mix of the demo pool."""
    return select_mix(write_demo(tmp_path_factory.mktemp("demo"), images=60), size=600)


def block(text, name):
    """Return the JSON of a script element of a page."""
    return json.loads(re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', text, re.DOTALL)[1])


def picks_of(page):
    """Return the data of a page's picks (or the data given), and the picks as mappings."""
    data = block(page, "data") if isinstance(page, str) else page
    return data, [dict(zip(data["fields"], line, strict=True)) for line in data["picks"]]


def test_same_mix_same_bytes(mix, tmp_path):
    """The same mix gives the same bytes, wherever the page is written."""
    (tmp_path / "other").mkdir()
    one, other = mix.report(tmp_path / "a.html"), mix.report(tmp_path / "other" / "b.html")
    assert one.read_bytes() == other.read_bytes()


def test_page_names_no_address(text):
    """The page loads nothing: no src, no link except to its own sections, no import."""
    page = re.sub(r"<script.*?</script>|<style.*?</style>", "", text, flags=re.DOTALL)
    assert not re.findall(r"<[a-z][^>]*\s(?:src|srcset|action|data)=|@import|url\(", page)
    assert {link.partition(":")[0] for link in re.findall(r'href="([^"#]*)', page)} <= {"", "data"}


def test_captions_cannot_end_a_script(text):
    """A caption with markup is in the page as data only: escaped in JSON, and nowhere as markup."""
    _, picks = picks_of(text)
    assert any("<script>window.pwned" in pick["question"] for pick in picks)  # the data are complete
    assert "<script>window" not in text
    assert "<img" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert text.count("</script>") == text.count("<script")


def test_hashes_of_the_policy_are_of_the_scripts(text):
    """The content security policy allows exactly the scripts of the page, and no code from strings."""
    from base64 import b64encode
    from hashlib import sha256

    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    hashes = [b64encode(sha256(script.encode()).digest()).decode() for script in scripts]
    assert re.findall(r"'sha256-(.*?)'", unescape(policy)) == hashes
    assert "unsafe-eval" not in policy
    assert "default-src 'none'" in unescape(policy)


def test_every_listed_row_is_a_pick(demo):
    """Rows are picks, in pick order, as many as requested, each with the rank it has in the scores."""
    data, picks = picks_of(page_of(demo, 100))
    assert (len(picks), data["picked"]) == (100, 600)
    ranks = [pick["rank"] for pick in picks]
    assert ranks == sorted(set(ranks))
    assert [demo.keys[rank] for rank in ranks] == [pick["key"] for pick in picks]


def test_samples_of_picks_nest(demo):
    """A pick in a short table is in a longer one too, and a table long enough lists all."""
    few, more, every = ({pick["key"] for pick in picks_of(picks_table(demo, rows))[1]} for rows in (50, 200, 1000))
    assert few < more < every == set(demo.keys)


def test_why_agrees_with_the_scores(demo):
    """Gain, cell, supply, scores and represented samples of a pick are those of a plain count over the scores."""
    data, picks = picks_of(picks_table(demo, 40))
    scores = demo.scores
    eligible = scores.filter(scores["problem"].is_null())
    for pick in picks:
        line = scores.filter(scores["rank"] == pick["rank"]).row(0, named=True)
        assert pick["cell"] == line["cell"]
        assert pick["quota"] == line["cell_quota"]
        assert pick["supply"] == (scores["cell"] == line["cell"]).sum()
        assert data["labels"]["task"][pick["task"]] == line["task"]
        assert [data["labels"]["concept"][at] for at in pick["concepts"]] == line["concepts"]
        for term, gain in zip(data["terms"], pick["gains"], strict=True):
            assert gain == pytest.approx(line[f"gain_{term}"], rel=5e-3)
        for name, (value, below) in zip(data["scores"], pick["scores"], strict=True):
            assert value == pytest.approx(line[name], rel=5e-3, abs=1e-9)
            assert below == (eligible[name] < line[name]).sum() * 100 // len(eligible)
        represented = eligible.filter((eligible["nearest"] == line["row"]) & (eligible["row"] != line["row"]))
        assert pick["represents"] == len(represented)
        nearest = sorted(represented["similarity"].to_list(), reverse=True)[:3]
        assert [near[0] for near in pick["near"]] == pytest.approx(nearest, abs=5e-4)


def test_statistics_are_side_by_side(demo):
    """Every line of the statistics is there once, groups without shares come last, and only shares have columns."""
    from recipe.report.page.parts import groups

    found = groups(demo.stats())
    table = demo.stats().table()
    assert sum(len(group["lines"]) for group in found) == len(table)
    tasks = {line[0]: line[1:] for group in found if group["title"] == "Tasks" for line in group["lines"]}
    assert tasks == {what[7:]: tuple(rest) for what, *rest in table.iter_rows() if what.startswith("tasks: ")}
    assert all(group["shares"] == any(line[3] is not None for line in group["lines"]) for group in found)


def test_rejects_are_listed_with_what_to_do(text):
    """Every reason for rejections is listed with its count, its meaning and what to do."""
    part = unescape(re.search(r'id="rejects".*?</section>', text, re.DOTALL)[0])
    assert re.search(r"<code>dup</code>.*1 sample.*one of them is kept", part, re.DOTALL)


def test_manifest_facts_are_those_of_this_mix(folder, mix, text):
    """Hashes come from the manifest beside the mix; a manifest of other picks is ignored."""
    manifest = json.loads((folder / "mix.manifest.json").read_text())
    assert manifest["sources"][0]["sha256"] in text
    fewer = Mix(mix.pool, mix.picks.head(20), mix.quotas, mix.recipe)
    assert manifest["sources"][0]["sha256"] not in page_of(fewer, 10)


def test_size_is_bounded(demo, monkeypatch):
    """3,000 rows of the longest texts in any script stay under 5 MB, so that the page of any mix is under 8 MB."""
    long = "漢字" * 2000
    turns = [{"from": "human", "value": long}, {"from": "gpt", "value": long}]

    def all_long(table, columns, rows):
        import polars as pl

        taken = [pl.Series(n, [turns] * len(rows)) if n == "turns" else table[n].gather(rows) for n in columns]
        return pl.DataFrame(taken)

    monkeypatch.setattr(samples, "take", all_long)
    table = picks_table(demo, 300)
    assert picks_of(table)[1][0]["question"].startswith("漢字漢字")
    size = len(json.dumps(table["picks"], ensure_ascii=False, separators=(",", ":")).encode())
    assert size / len(table["picks"]) * 3000 < 5_000_000


def test_cut_keeps_to_bytes():
    """A shortened text is one line of at most so many bytes and whole characters, and its end is marked."""
    for most in range(4, 40):
        found = cut("ein Käfer\n\t漢字漢字 and 🙂🙂🙂🙂 more", most)
        assert len(found.encode()) <= most
        assert found.endswith("…")
        assert "\n" not in found
    assert cut("a\n b", 4) == "a b"


def test_a_chart_that_cannot_be_drawn_says_why(mix, monkeypatch):
    """A chart that cannot be drawn is replaced by its message; the other charts are drawn."""
    draw = page_charts.draw

    def or_not(mix, name):
        if name == "map":
            raise InputError("no places <known>; select again")
        return draw(mix, name)

    monkeypatch.setattr(page_charts, "draw", or_not)
    text = page_of(mix, 10)
    assert "Not drawn: no places &lt;known&gt;; select again" in text
    assert "map" not in block(text, "specs")
    assert "tasks" in block(text, "specs")


def test_tables_of_charts_hold_their_data(text):
    """Below a chart its data are a table, so that it can be read without seeing it."""
    part = unescape(re.search(r'id="figure-tasks".*?</figure>', text, re.DOTALL)[0])
    specs = block(text, "specs")
    table = next(iter(specs["tasks"]["datasets"].values()))
    assert part.count("<tr>") == len(table["lines"]) + 1
    assert "aria-label" in part


def test_a_mix_without_terms_or_representatives(tmp_path):
    """A random mix, without gains, scores or representatives, has a page too."""
    pool = select_mix(write_demo(tmp_path, images=10), size=40, recipe="random")
    bare = Mix(pool.pool, type(pool.picks)(pool.picks.rows), pool.quotas, pool.recipe)
    rows = [n for n in bare.pool.rows.columns if n not in {"nearest", "similarity", "x", "y", "novelty"}]
    from dataclasses import replace

    bare = replace(bare, pool=replace(bare.pool, rows=bare.pool.rows.select(rows)), stated=pool.stats())
    data, picks = picks_of(page_of(bare, 10))
    assert (data["terms"], data["representatives"], len(picks)) == ([], False, 10)
    assert np.array_equal([pick["rank"] for pick in picks], sorted(pick["rank"] for pick in picks))


@pytest.mark.parametrize(("name", "rows"), [("page.txt", 10), ("gone/page.html", 10), ("page.html", 0)])
def test_wrong_arguments_are_refused(mix, tmp_path, name, rows):
    """Another ending, a missing folder, or no rows are refused before any work."""
    with pytest.raises(ConfigError, match=r"page|rows=0"):
        mix.report(tmp_path / name, rows=rows)


def test_command_line(folder):
    """`recipe report` writes the page that the library writes, and says how large it is."""
    command = [sys.executable, "-m", "recipe", "report", "mix.json", "-o", "out.html", "--rows", "20"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"wrote out.html \(\d\.\d MB\)\n", done.stdout)
    assert (folder / "out.html").read_text("utf-8") == marked(page_of(open_mix(folder / "mix.json"), 20))


# In a browser


@pytest.fixture(scope="module")
def browser():
    """Return Chromium, or skip with the line that installs it."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        found = None
    if found is None:
        pytest.skip(f"no browser or no client for it: {INSTALL}")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def file(mix, tmp_path_factory):
    """Return the page on disk."""
    return mix.report(tmp_path_factory.mktemp("disk") / "report.html")


@pytest.fixture
def visit(browser, file):
    """Return a function that opens the page from disk with the network cut, and check that it kept quiet."""
    opened, trouble, asked = [], [], []

    def cut_off(route):
        asked.append(route.request.url)
        route.continue_() if route.request.url.startswith("file:") else route.abort()

    def visit(*, width=1280, theme="light", path=file):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        context.set_offline(True)
        context.route("**/*", cut_off)
        context.set_default_timeout(10_000)
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("console", lambda said: trouble.append(said.text) if said.type == "error" else None)
        page.goto(Path(path).as_uri())
        return page

    yield visit
    for context in opened:
        context.close()
    assert not trouble
    assert set(asked) <= {file.as_uri()}
    assert len(asked) <= len(opened)


def until(page, where, said):
    """Wait until an element says so. (A condition in JavaScript would need eval, which the page does not allow.)"""
    from playwright.sync_api import expect

    expect(page.locator(where)).to_have_text(re.compile(said))


def shown(page):
    """Return the number of picks that match, as the page says it to screen readers."""
    return int(page.locator("#count").inner_text().split()[0].replace(",", ""))


def column(page, label):
    """Return the cells of a column of the rows on the page."""
    return page.locator(f'#rows td[data-label="{label}"]').all_inner_texts()


def test_charts_are_drawn_without_eval(visit, text):
    """Every chart is drawn when it is scrolled to, under a policy that allows no code made of strings."""
    page = visit()
    for name in block(text, "specs"):
        page.locator(f"#figure-{name}").scroll_into_view_if_needed()
        page.wait_for_selector(f"[data-chart={name}][data-drawn] :is(svg, canvas)")
        box = page.locator(f"[data-chart={name}] :is(svg, canvas)").first.bounding_box()
        assert box["width"] > 200
        assert box["height"] > 50


def test_marks_tell_their_values(visit):
    """A mark shows its values while the pointer is on it."""
    from playwright.sync_api import expect

    page = visit()
    page.locator("#figure-tasks").scroll_into_view_if_needed()
    page.locator("[data-chart=tasks] .mark-rect path").first.hover()
    expect(page.locator(".tip")).to_be_visible()
    expect(page.locator(".tip")).to_contain_text("samples")
    page.locator("h1").hover()
    expect(page.locator(".tip")).to_be_hidden()


def test_captions_stay_text(visit):
    """A caption that holds a script or a broken image is shown as text, in the table, its why and a tooltip."""
    page = visit()
    page.fill("#search", "pwned")
    until(page, "#count", "match")
    assert shown(page) > 0
    page.locator("#rows button").first.click()
    assert "<script>window.pwned=1</script>" in page.locator("#rows .text").first.inner_text()
    page.locator("#figure-map").scroll_into_view_if_needed()
    page.wait_for_selector("[data-chart=map][data-drawn]")
    box = page.locator("[data-chart=map]").bounding_box()
    for at in range(12):
        page.mouse.move(box["x"] + box["width"] * (0.2 + at / 20), box["y"] + box["height"] * (0.3 + at / 30))
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("document.querySelectorAll('img, #rows script, .tip script').length") == 0


def test_search_and_filters_narrow_the_table(visit, text):
    """Search, task, answer, cluster and concept each leave the picks that have it, and reset brings all back."""
    data, picks = picks_of(text)
    page = visit()
    assert shown(page) == len(picks)
    page.fill("#search", "RED  car")
    wanted = sum("red" in s and "car" in s for s in (f"{p['question']} {p['answer_text']}".lower() for p in picks))
    until(page, "#count", "match")
    assert shown(page) == wanted > 0
    page.click("button[type=reset]")
    until(page, "#count", f"^{len(picks)} picks$")
    for name in ("task", "answer", "concept"):
        value = data["labels"][name][-1]
        held = sum(
            data["labels"][name].index(value) in np.ravel([p["concepts" if name == "concept" else name]]) for p in picks
        )
        page.select_option(f"#by-{name}", value)
        assert shown(page) == held > 0
        page.select_option(f"#by-{name}", "")
    cluster = str(picks[0]["cluster"])
    page.select_option("#by-cluster", cluster)
    assert set(column(page, "Cluster")) == {cluster}


def test_nothing_found_is_said(visit):
    """A search without a match says so and what to do."""
    page = visit()
    page.fill("#search", "no such words anywhere")
    until(page, "#count", "^0 ")
    assert "remove a filter" in page.locator("#rows").inner_text()


def test_sorting_says_its_direction(visit, text):
    """A head sorts up, then down, says so to screen readers, and ties go to the earlier pick."""
    _, picks = picks_of(text)
    page = visit()
    head = page.locator("#heads th", has_text="Words")
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    words = [int(cell.replace(",", "")) for cell in column(page, "Words")]
    ordered = sorted(picks, key=lambda pick: (pick["words"], pick["rank"]))[:50]
    assert words == [pick["words"] for pick in ordered]
    assert [int(rank) for rank in column(page, "Rank")] == [pick["rank"] for pick in ordered]
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    assert page.locator("#heads [aria-sort]").count() == 1
    assert int(column(page, "Words")[0]) == max(pick["words"] for pick in picks)


def test_pages_turn(visit, text):
    """50 picks are on a page, and every pick is on one of them."""
    _, picks = picks_of(text)
    page = visit()
    ranks = column(page, "Rank")
    assert len(ranks) == 50
    while page.locator("#next").is_enabled():
        page.click("#next")
        ranks += column(page, "Rank")
    assert [int(rank) for rank in ranks] == [pick["rank"] for pick in picks]


def test_by_keyboard_alone(visit):
    """The skip link, the search, a sort and a why can be reached and used with the keyboard, and focus is seen."""
    page = visit()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.focus("#search")
    page.keyboard.type("door")
    until(page, "#count", "match")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Why":
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    why = page.locator("#rows .whole").inner_text()
    assert all(part in why for part in ("Gain by term", "Scores", "Cell", "quota", "Represents"))
    page.keyboard.press("Space")
    assert page.locator("#rows .whole").count() == 0


def test_controls_have_names(visit):
    """Every control has a name, every table and region too, and the headings go down one step at a time."""
    page = visit()
    page.locator("#rows button").first.click()
    nameless = page.evaluate(
        """[...document.querySelectorAll('input, select, button, [role=region], main table.picks')].filter(one =>
        !(one.labels && one.labels.length) && !one.getAttribute('aria-label') && !one.textContent.trim())
        .map(one => one.outerHTML.slice(0, 100))"""
    )
    assert nameless == []
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(one => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert page.evaluate("document.querySelectorAll('main, header, nav').length") >= 3
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_fits_and_can_be_read(visit, width, theme):
    """Nothing makes the page scroll sideways, and text has enough contrast (WCAG AA)."""
    page = visit(width=width, theme=theme)
    for name in ("tasks", "concepts", "map"):
        page.locator(f"#figure-{name}").scroll_into_view_if_needed()
        page.wait_for_selector(f"[data-chart={name}][data-drawn]")
    page.locator("#rows button").first.click()
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    worst = page.evaluate(CONTRAST)
    assert worst[0] >= 4.5, worst


def test_theme_can_be_chosen(visit):
    """The choice of a theme goes before the system's, and drawn charts follow."""
    from playwright.sync_api import expect

    page = visit(theme="light")
    page.locator("#figure-tasks").scroll_into_view_if_needed()
    page.wait_for_selector("[data-chart=tasks][data-drawn] svg text")
    ink = "getComputedStyle(document.querySelector('[data-chart=tasks] svg .role-axis-title text')).fill"
    before = page.evaluate(f"[getComputedStyle(document.body).backgroundColor, {ink}]")
    page.select_option("#theme", "dark")
    expect(page.locator("[data-chart=tasks] svg .role-axis-title text").first).not_to_have_css("fill", before[1])
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before[0]


CONTRAST = """(() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  let worst = [21, ''];
  for (const one of document.querySelectorAll('body *:not(script, style, option, svg, svg *, button:disabled)')) {
    if (![...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
    const [a, b] = [light(rgb(getComputedStyle(one).color)), light(behind(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, one.outerHTML.slice(0, 80)];
  }
  return worst;
})()"""
