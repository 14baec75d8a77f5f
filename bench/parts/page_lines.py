"""Attacks by pages and links that somebody opens in a browser."""

import json
import os

from playwright.async_api import async_playwright

from bench.harness.browser import CHROMIUM, FLAGS
from bench.parts.attack_lines import CAMERA, SOMEBODY, Attacker, line, token

KEPT = "sessionStorage.getItem('kinecast.token')"


@line(
    "another site's page shows /stream.mjpg, 50 times a second",
    flags=CAMERA,
    asks_for_tokens=False,
)
async def foreign_page(attacker: Attacker) -> None:
    pages = [
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Referer": "http://elsewhere.example/page"},
    ]
    async with attacker.http(None) as http:
        async for number in attacker.rounds(50.0):
            await attacker.ask(http, "GET", "/stream.mjpg", headers=pages[number % 2])
        _, body = await attacker.ask(http, "GET", "/camera/status", "status")
    attacker.checks["the camera stays off"] = json.loads(body).get("state") not in (
        "running",
        "starting",
    )


@line("a link to the page with the attacker's token, opened where somebody has one, 2 a second")
async def link_with_a_token(attacker: Attacker) -> None:
    mine, theirs = token(SOMEBODY), token()
    # The browser is somebody else's machine: it must not take the server's core.
    os.nice(19)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = await browser.new_page()
        await page.goto(f"{attacker.url}/#train&token={mine}")
        await page.wait_for_function(f"{KEPT} === '{mine}'")
        async for number in attacker.rounds(2.0):
            view = ("", "train&", "sessions&")[number % 3]
            await page.goto(f"{attacker.url}/#{view}token={theirs}")
            # It has looked at the link when that is out of the address.
            await page.wait_for_function("!location.hash.includes('token=')")
            attacker.seen["opened"] += 1
            attacker.seen["token replaced"] += await page.evaluate(KEPT) != mine
        asked = await page.locator("#notice").inner_text()
        await browser.close()
    attacker.checks["the tab's token stays"] = not attacker.seen["token replaced"]
    attacker.checks["the page says whose the other is"] = "attacker" in asked
