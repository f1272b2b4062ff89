"""Draw the picture of the README: the report of the demo's mix, as a browser shows it.

    python docs/picture.py

needs Chromium, Playwright and Pillow, and takes half a minute. The picture is `_static/report.png`.
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import sync_playwright

from recipe import select_mix
from recipe.demo import write_demo

TARGET = Path(__file__).parent / "_static" / "report.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT, COLORS = 1280, 1250, 64
SHOWN = """
document.querySelectorAll("details").forEach((one) => one.open = false);
document.querySelectorAll("#charts").forEach((one) => one.scrollIntoView());
"""


def photograph(page: Path) -> bytes:
    """Return the top of a page as a browser shows it, its tables closed and its charts drawn."""
    browser = next(found for name in BROWSERS if (found := shutil.which(name)))
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        view = opened.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        view.goto(page.as_uri())
        view.evaluate(SHOWN)
        view.wait_for_timeout(2000)  # charts are drawn when they come into view
        view.evaluate("window.scrollTo(0, 0)")
        view.wait_for_timeout(500)
        taken = view.screenshot()
        opened.close()
    return taken


def main() -> None:
    """Make the demo's mix and its report, and keep a small picture of it."""
    with TemporaryDirectory() as folder:
        mix = select_mix(write_demo(folder), size=1000, seed=0)
        taken = photograph(mix.report(Path(folder, "report.html")))
    picture = Image.open(io.BytesIO(taken)).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    picture.save(TARGET, optimize=True)


if __name__ == "__main__":
    main()
