"""The status page in a browser: layout, contrast and axe-core, wide and narrow, light and dark."""

import asyncio
import html
import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from synthetic.operator.monitor_cache import MonitorCache
from synthetic.operator.status_page import render
from synthetic.operator.web import serve
from tests.support.synthetic.kubernetes_objects import monitor

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
NOW = datetime(2026, 1, 31, 10, 10, tzinfo=UTC)
SETTLED_MILLISECONDS = 20_000  # of virtual time
READABLE = 4.5  # contrast of text and ground: WCAG 2.2, 1.4.3
SCHEMES = {"dark": "0", "light": "1"}  # as Blink counts them
STATES = {
    "up": ("True", "Passing"),
    "down": ("False", "Failing"),
    "degraded": ("True", "Degraded"),
    "unknown": ("Unknown", "MonitorBroken"),
    "maintenance": ("Unknown", "Maintenance"),
}
RESULTS = ("passed", "failed", "error", "disrupted")
SCRIPT = """
<script>
const parse = (text) => text.match(/[0-9.]+/g).map(Number);
const light = (rgb) => {
  const [r, g, b] = rgb.slice(0, 3).map((v) => {
    const s = v / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const found = parse(getComputedStyle(at).backgroundColor);
    if (found.length < 4 || found[3] > 0) return found;
  }
};
const contrasts = {};
const texts = "h1, h2, h3, p, a, li, strong, .state, .why, dt, dd, summary, footer span";
for (const element of document.querySelectorAll(texts)) {
  const shades = [parse(getComputedStyle(element).color), ground(element)].map(light);
  const within = element.parentElement.parentElement.className;
  contrasts[`${element.tagName} ${element.className} ${within} ${element.textContent}`] =
    (Math.max(...shades) + 0.05) / (Math.min(...shades) + 0.05);
}
const bars = {};
for (const bar of document.querySelectorAll("svg.bars > *")) {
  const box = bar.getBoundingClientRect();
  if (box.width > 0 && box.height > 5) bars[bar.classList[0]] = getComputedStyle(bar).fill;
}
const seen = {
  width: innerWidth, needed: document.documentElement.scrollWidth,
  ground: light(ground(document.body)), contrasts, bars,
};
parent.document.body.dataset.seen = JSON.stringify(seen);
</script>
"""
AXE = """
<script>
axe.run(document).then((results) => {
  const told = (rules) => rules.map((each) => [each.id, ...each.nodes.map((node) => node.html)]);
  const seen = { violations: told(results.violations), passes: results.passes.length };
  parent.document.body.dataset.seen = JSON.stringify(seen);
});
</script>
"""


class Health:
    """An operator that works."""

    alive = ready = True


@pytest.fixture(scope="module")
def browser() -> str:
    """An installed browser."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser is installed; one of {', '.join(BROWSERS)} would be used")
    return found


def filled() -> MonitorCache:
    """Return a monitor in each state with a run of each result, in groups and with incidents."""
    cache = MonitorCache()
    for name, (status, reason) in STATES.items():
        message = f"{'long-' * 30} and <i>more</i> as a message"
        condition = {"type": "Healthy", "status": status, "reason": reason, "message": message}
        runs = [f"2026-01-31T10:0{n}:00Z {r} 80 why" for n, r in enumerate(RESULTS)]
        last = {"result": "passed", "durationMs": 80, "finishedAt": "2026-01-31T10:00:01Z"}
        failure = {**last, "result": "failed", "job": "j", "step": "s" * 64, "detail": "d" * 200}
        shown = {"conditions": [condition], "runs": runs, "lastRun": last, "failures": [failure]}
        shown["incidents"] = [f"2026-01-31T0{n}:00:00Z {s} {'x' * 80}" for n, s in enumerate("9-")]
        runs.append("2026-01-31T10:05:00Z failed/maintenance 80 why")
        if name == "maintenance":
            until = "2026-01-31T12:00:00Z"
            shown["maintenance"] = {"reason": "x", "until": until, "runs": "Pause"}
        group = {"group": f"Group {name[:2]} {'y' * 50}"} if name != "unknown" else {}
        entries = [{"name": f"{at}-{'z' * 18}", **shown, "consecutiveFailures": 3} for at in "ab"]
        located = {"locations": [{"name": entry["name"]} for entry in entries]}
        stored = {**shown, "locations": entries}
        cache.upsert(monitor(f"{name}-{'x' * 50}", status=stored, **group, **located))
    return cache


@pytest.fixture(params=[390, 1200], ids=["narrow", "wide"])
def width(request: pytest.FixtureRequest) -> int:
    """The window width in pixels."""
    return int(request.param)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_page_fits_and_is_readable(
    browser: str, tmp_path: Path, scheme: str, width: int
) -> None:
    seen = measure(browser, tmp_path, scheme, width, SCRIPT)
    assert seen["width"] == width
    assert seen["needed"] <= width, "the page scrolls horizontally"
    assert (seen["ground"] < 0.1) == (scheme == "dark")
    assert len(seen["contrasts"]) > 20
    assert {k: v for k, v in seen["contrasts"].items() if v < READABLE} == {}
    assert seen["bars"].keys() == {*RESULTS, "maintenance", "none"}
    assert len(set(seen["bars"].values())) == len(seen["bars"])


@pytest.mark.long
@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing(browser: str, tmp_path: Path, scheme: str, width: int) -> None:
    engine = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
    script = f"<script>{engine}</script>{AXE}"
    seen = measure(browser, tmp_path, scheme, width, script)
    assert seen["violations"] == []
    assert seen["passes"] > 20


@pytest.mark.long
def test_the_served_page_keeps_its_policy(browser: str, tmp_path: Path) -> None:
    async def load() -> subprocess.CompletedProcess[str]:
        async with serve(0, filled(), Health()) as port:
            options = ("--enable-logging=stderr", f"http://127.0.0.1:{port}/")
            return await asyncio.to_thread(run_browser, browser, tmp_path, *options)

    done = asyncio.run(load())
    assert done.stdout.count("<article") == len(STATES)
    assert "CONSOLE" not in done.stderr  # the browser logs violations of the page's policy there


def measure(browser: str, folder: Path, scheme: str, width: int, script: str) -> dict[str, Any]:
    """Render the page in a browser with a script, and return what that has seen."""
    file = folder / "page.html"
    inner = html.escape(render(filled(), NOW).replace("</body>", f"{script}</body>"))
    # a frame, because the window is at least 500 pixels wide
    frame = f'<iframe width="{width}" height="900" frameborder="0" srcdoc="{inner}"></iframe>'
    file.write_text(f"<!doctype html><body>{frame}</body>")
    colours = f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}"
    done = run_browser(browser, folder, "--window-size=1300,1000", colours, file.as_uri())
    found = re.search(r'data-seen="([^"]*)"', done.stdout)
    assert found, done.stdout[-500:]
    measured: dict[str, Any] = json.loads(html.unescape(found[1]))
    return measured


def run_browser(browser: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Load a page until its scripts have settled; return its document and the browser's log."""
    command = [
        browser,
        *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
        f"--user-data-dir={folder / 'profile'}",
        f"--virtual-time-budget={SETTLED_MILLISECONDS}",
        *("--dump-dom", *arguments),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
