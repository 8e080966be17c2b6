"""Headless Chromium shows the device's page."""

import os
import subprocess
from pathlib import Path

from server import PATIENCE
from test_soak import soak

SCRIPT = Path(__file__).parent / "page.js"


def test_the_page_shows_live_telemetry_and_the_echo(ethernet):
    # Something to see.
    browser = subprocess.Popen(["node", SCRIPT], env={**os.environ, "URL": ethernet.url().replace("ws:", "http:")}, stdin=subprocess.DEVNULL)
    try:
        number = 0
        while browser.poll() is None:
            number += 1
            soak(ethernet, number % 100, 200 + 150 * (number % 7), under_way=1)
    finally:
        browser.kill()
    assert browser.wait(PATIENCE) == 0
