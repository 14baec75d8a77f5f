"""The dashboard and the alerts ask for metrics that there are, with the labels that they have."""

import json
import re

import aiohttp
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from client_test.peer import ClientPeer
from server.sessions.metrics import Metrics
from tests.support.server import COUNTER, ROOT, running_server
from tests.support.tracks import ColourTrack

DASHBOARD = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text())
ALERTS = yaml.safe_load((ROOT / "deploy" / "prometheus-alerts.yaml").read_text())
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
PANELS = {
    f"{panel['title']} {target['refId']}": target["expr"]
    for panel in DASHBOARD["panels"]
    for target in panel["targets"]
}
EXPRESSIONS = PANELS | {rule["alert"]: rule["expr"] for rule in RULES}
# What Prometheus adds to each metric that it fetches.
ADDED = {"instance", "job"}


def there_are():
    """Each name in /metrics, with its labels' names."""
    metrics = Metrics()
    metrics.sessions.labels("new").set(1)
    metrics.analyzer_errors.labels("pose").inc()
    metrics.analyzer_seconds.labels("pose").observe(1)
    return samples_in(metrics.text().decode())


def samples_in(text):
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_it_asks_for_what_there_is(expression):
    known = there_are()
    asked = set(re.findall(r"\bkinecast_\w+", expression))
    assert asked <= known.keys()
    assert asked or "up{" in expression
    assert expression.count("(") == expression.count(")")
    labels = ADDED.union(*(known[name] for name in asked))
    named = re.findall(r'([a-z]\w*)\s*(?:=~|!=|=)\s*"', expression)
    for grouping in re.findall(r"\bby \(([^)]*)\)", expression):
        named += [name.strip() for name in grouping.split(",")]
    assert set(named) <= labels


async def test_a_server_that_runs_has_what_they_ask_for(tmp_path):
    with running_server(tmp_path, "--analyzers", COUNTER, "--workers", "1") as server:
        async with ClientPeer(server.url) as peer:
            await peer.connect(ColourTrack())
            await peer.wait_for(lambda m: m.get("count", 0) > 3)
            await peer.end()
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{server.url}/metrics") as response,
        ):
            found = samples_in(await response.text())
    asked = set(re.findall(r"\bkinecast_\w+", " ".join(EXPRESSIONS.values())))
    # Until an analyzer has failed, nothing is counted of it.
    assert asked - found.keys() <= {"kinecast_analyzer_errors_total"}
    assert {name: labels for name, labels in found.items() if name in asked} == {
        name: labels for name, labels in there_are().items() if name in asked & found.keys()
    }


def test_all_that_is_measured_is_on_the_dashboard():
    shown = " ".join(PANELS.values())
    # When a counter began is of no interest.
    there = [name for name in there_are() if not name.endswith("_created")]
    names = {re.sub(r"_(bucket|sum|count)$", "", name) for name in there}
    assert not [name for name in names if not re.search(rf"\b{name}(_bucket)?\b", shown)]


def test_stages_that_are_named_are_measured():
    stages = set(re.findall(r'stage!?="(\w+)"', " ".join(EXPRESSIONS.values())))
    assert stages <= {"queue", "analyze", "deliver", "total"}
    assert "total" in stages


def test_alerts_say_what_is_wrong_and_how_bad_it_is():
    assert len({rule["alert"] for rule in RULES}) == len(RULES) > 4
    for rule in RULES:
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        assert rule["annotations"].keys() == {"summary", "description"}


def test_panels_do_not_lie_over_each_other():
    places = {(p["gridPos"]["x"], p["gridPos"]["y"]) for p in DASHBOARD["panels"]}
    assert len(places) == len(DASHBOARD["panels"])
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(places)
