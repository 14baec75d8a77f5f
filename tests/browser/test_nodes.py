"""A page whose node dies or drains: it is back at another one, and its count goes on."""

import json
from itertools import pairwise

import playwright.sync_api
import pytest

from tests.support.nodes import media_processes, running_nodes, wait_until_ready

WITHIN_MS = 60_000
# Counts three, and then no more.
TRAINER = "tests.support.trainer:Trainer"
BEGIN = """async () => {
  const { Kinecast } = await import("/web/kinecast.js");
  window.kinecast = new Kinecast(location.origin);
  window.told = { states: [], counts: [], came_ms: [], finals: 0 };
  const on = (type, take) => kinecast.addEventListener(type, ({ detail }) => take(detail));
  on("state", ({ code }) => told.states.push(code));
  on("repetition", ({ count }) => told.counts.push(count));
  on("result", () => told.came_ms.push(performance.now()));
  on("final", () => told.finals++);
  await kinecast.start(await navigator.mediaDevices.getUserMedia({ video: true }));
}"""


@pytest.fixture(scope="module")
def server(chromium, tmp_path_factory):
    flags = ("--no-camera-enabled", "--analyzers", TRAINER, "--connections-per-address", "0")
    with running_nodes(tmp_path_factory.mktemp("server"), 2, *flags) as running:
        yield running


@pytest.fixture
def page(server, open_tab):
    """One that is live and has counted all."""
    wait_until_ready(server)
    tab = open_tab()
    tab.evaluate(BEGIN)
    wait(tab, "told.counts.length === 3")
    # On a machine that starves, it may have taken two attempts.
    tab.evaluate("told.states = []")
    yield tab
    tab.evaluate("kinecast.stop()")


def wait(page, condition):
    try:
        page.wait_for_function(condition, timeout=WITHIN_MS)
    except playwright.sync_api.TimeoutError as error:
        raise AssertionError(f"{condition}: {page.evaluate('told')}") from error


def node(server, page):
    return media_processes(server)[int(page.evaluate("kinecast.session.id")[:2], 16)]


def longest_gap_s(page):
    return max(after - before for before, after in pairwise(page.evaluate("told.came_ms"))) / 1000


def test_a_node_dies(server, page):
    before = page.evaluate("kinecast.session")
    node(server, page).kill()
    wait(page, "told.counts.length === 6")
    assert page.evaluate("kinecast.session.id") != before["id"]
    assert page.evaluate("told.counts") == [1, 2, 3, 4, 5, 6]
    states = page.evaluate("told.states")
    assert (states[0], states[-1]) == ("reconnecting", "live")
    print(json.dumps({"results missing for, s": round(longest_gap_s(page), 2)}))


def test_a_node_drains(server, page):
    before = page.evaluate("kinecast.session")
    node(server, page).terminate()
    wait(page, f"kinecast.session.resume !== {json.dumps(before['resume'])}")
    results = page.evaluate("told.came_ms.length")
    wait(page, f"told.came_ms.length > {results + 30}")
    assert page.evaluate("kinecast.session.id") == before["id"]
    states = page.evaluate("told.states")
    # On a machine that starves, a connection may seem to be lost; that refuses nobody.
    assert set(states) <= {"live", "reconnecting"}
    assert page.evaluate("told.counts") == [1, 2, 3], "what was counted is not counted anew"
    assert page.evaluate("told.finals") == 0
    print(json.dumps({"results missing for, s": round(longest_gap_s(page), 2)}))
