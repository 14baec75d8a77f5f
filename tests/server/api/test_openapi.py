"""The document that describes the API says what is true, and the page shows all of it."""

import json
import re
import urllib.error

import pytest
from jsonschema import Draft202012Validator

from server.api import docs
from server.api.openapi import document
from server.api.routes import ROUTES
from tests.support.server import COUNTER, running_server


@pytest.fixture(scope="module")
def described():
    return document(ROUTES)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running_server(
        tmp_path_factory.mktemp("openapi"), "--analyzers", COUNTER, "--workers", "1"
    ) as running:
        yield running


def test_every_route_is_described(described):
    operations = {(m.upper(), p) for p, methods in described["paths"].items() for m in methods}
    assert operations == {(r.method, re.sub(r":[^{}]*}", "}", r.path)) for r in ROUTES}


def test_every_reference_leads_somewhere(described):
    references = re.findall(r"#/components/schemas/([^'\"]+)", str(described))
    assert references
    assert set(references) <= described["components"]["schemas"].keys()


@pytest.mark.parametrize(
    ("path", "status"),
    [("/health", "200"), ("/sessions", "200"), ("/sessions/{id}", "default")],
)
def test_answers_are_what_the_document_says(described, server, path, status):
    try:
        answer = server.get(path.replace("{id}", "nobody"))
    except urllib.error.HTTPError as error:
        answer = json.loads(error.read())
    schema = described["paths"][path]["get"]["responses"][status]["content"]["application/json"]
    validator = Draft202012Validator({**schema["schema"], "components": described["components"]})
    assert list(validator.iter_errors(answer)) == []
    # A key that the model does not have would pass above.
    model = schema["schema"]["$ref"].rpartition("/")[2]
    assert answer.keys() == described["components"]["schemas"][model]["properties"].keys()


def test_served_as_made(described, server):
    assert server.get("/openapi.json") == described


def test_the_page_shows_every_operation_and_asks_no_other_host(server):
    page = server.get("/docs")
    for route in ROUTES:
        assert page.count(f"<code>{re.sub(':[^{}]*}', '}', route.path)}</code>") >= 2, route.path
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page)
    assert "light-dark" in server.get("/docs.css")


def test_the_page_escapes_what_it_shows():
    hostile = "<script>alert(1)</script>"
    shown = docs.page(
        {
            "openapi": "3.1.0",
            "info": {"title": hostile, "version": hostile, "description": hostile},
            "paths": {f"/{hostile}": {"get": {"summary": hostile, "responses": {}}}},
            "components": {"schemas": {}},
        }
    )
    assert "<script" not in shown
