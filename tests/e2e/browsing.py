"""Chromium as people use it: with scripts and without, on a telephone and on a desk, in light and in dark.

A plugin of pytest, `-p browsing`, whose fixture `visit` is somebody at such a browser.
"""

import os
import re
import shutil
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

SCREENS = {"narrow": {"width": 320, "height": 640}, "wide": {"width": 1280, "height": 900}}
COLOURS = {"narrow": "dark", "wide": "light"}
WAYS = [f"{screen}-{scripts}" for screen in SCREENS for scripts in ("scripts", "plain")]
# In milliseconds: a sign-in at a site is behind some pages.
PATIENCE = 60_000
# More pages than the console has for what a test makes.
MOST_PAGES = 150
AXE = {"resultTypes": ["violations"]}
# What has moved by itself since the page began, as a browser counts it.
SHIFTED = """() => new Promise(done => {
    let sum = 0;
    const observer = new PerformanceObserver(list => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
    });
    observer.observe({ type: 'layout-shift', buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum))));
})"""


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"])
        yield browser
        browser.close()


@pytest.fixture(params=WAYS)
def visit(request, chromium, gateway):
    """Someone at a browser, who is not signed in yet."""
    screen, scripts = request.param.split("-")
    with_scripts = scripts == "scripts"
    context = chromium.new_context(
        base_url=gateway.url,
        viewport=SCREENS[screen],
        color_scheme=COLOURS[screen],
        java_script_enabled=with_scripts,
        permissions=["clipboard-read", "clipboard-write"],
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE)
    visit = Visit(context.new_page(), request.param, with_scripts, shots(request))
    visit.listen()
    yield visit
    visit.look("end")
    context.close()
    assert not visit.broken, visit.broken


def shots(request):
    """The folder for the pictures of one test."""
    folder = Path(os.environ["E2E_SCREENSHOTS"]) / re.sub(r"\W+", "-", request.node.name).strip("-")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@dataclass
class Visit:
    """A browser's window on the console."""

    page: object
    way: str
    with_scripts: bool
    folder: Path
    broken: list = field(default_factory=list)
    pictures: int = 0

    def listen(self):
        """Notes what the browser complains of: a policy that was broken, a script that failed, a file that is not there."""
        self.page.on("pageerror", lambda error: self.broken.append(str(error)))
        self.page.on("console", lambda said: "Policy" in said.text and self.broken.append(said.text))
        self.page.on("response", self.note)

    def note(self, response):
        if response.status >= 400 and response.request.resource_type != "document":
            self.broken.append(f"{response.status} {response.url}")
        host = urlsplit(response.url).netloc
        if host != urlsplit(self.page.url).netloc and self.page.url != "about:blank":
            self.broken.append(f"another host: {response.url}")

    # Doing

    def open(self, path, status=200):
        answer = self.page.goto(path)
        assert answer.status == status, f"{path}: {answer.status}"
        return self

    def sign_in(self, person):
        self.open("/console")
        self.fill("E-mail address", person.email).fill("Password", person.password).press("Sign in")
        assert self.heading() == "Home", self.text()
        return self

    def fill(self, label, value):
        self.page.get_by_label(label, exact=True).fill(value)
        return self

    def choose(self, label, words):
        self.page.get_by_label(label, exact=True).select_option(label=words)
        return self

    def check(self, label, on=True):
        self.page.get_by_label(label).set_checked(on)
        return self

    def press(self, words):
        """Sends the form with this button."""
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=words, exact=True).first.click()
        return self.look(words)

    def follow(self, words):
        with self.page.expect_navigation():
            self.page.get_by_role("link", name=words, exact=True).first.click()
        return self.look(words)

    # Seeing

    def heading(self):
        return self.page.locator("h1").inner_text()

    def text(self):
        return self.page.locator("main").inner_text()

    def says(self, part):
        assert part in self.text(), f"{part!r} is not in {self.text()!r}"
        return self

    def shown_once(self):
        """The secret that the page shows."""
        # Not above: pytest loads conftest.py after its plugins, and once more where it was loaded before.
        from conftest import SECRETS

        secret = self.page.locator("#secret").input_value()
        SECRETS.add(secret)
        return secret

    def look(self, words):
        """Takes a picture of the whole page."""
        self.pictures += 1
        name = f"{self.pictures:02}-{re.sub(r'[^a-z0-9]+', '-', words.lower()).strip('-')[:40]}.png"
        self.page.screenshot(path=self.folder / name, full_page=True)
        return self

    # Judging

    def must_be_sound(self):
        """What holds for every page: nothing beyond the screen's edge, nothing that moves, nothing that shuts people out."""
        at = self.page.url
        wide, edge = self.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert wide <= edge, f"{at} is {wide} wide on a screen of {edge}"
        assert self.page.locator("h1").count() == 1, at
        if self.with_scripts:
            assert self.page.evaluate(SHIFTED) < 0.01, f"{at} moves"
            found = Axe().run(self.page, options=AXE)
            assert found.violations_count == 0, f"{at}: {found.generate_report()}"

    def walk(self, start):
        """Opens every page that links lead to from `start`, and gives their paths; judges and pictures each."""
        ways, known = deque([start]), {start}
        while ways:
            way = ways.popleft()
            self.open(way).must_be_sound()
            self.look(urlsplit(way).path.removeprefix("/console") or "home")
            for link in self.page.locator("a[href]").all():
                path = link.get_attribute("href").split("#")[0]
                assert not path or path.startswith("/console"), f"{path} at {way}"
                if path and path not in known:
                    known.add(path)
                    ways.append(path)
            assert len(known) <= MOST_PAGES, known
        return known
