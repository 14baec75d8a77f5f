"""``/openapi.json``, and ``/docs``: the same document as a page, without a script."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from typing import Any

import orjson
from aiohttp import web

Json = dict[str, Any]

_STYLE = files("server.api").joinpath("docs.css").read_text(encoding="utf-8")
_OPENAPI = web.AppKey("openapi", bytes)
_PAGE = web.AppKey("docs page", str)


def set_up(app: web.Application, document: Json) -> None:
    """Keep both, which never change, with the application."""
    app[_OPENAPI] = orjson.dumps(document, option=orjson.OPT_INDENT_2)
    app[_PAGE] = page(document)


async def openapi(request: web.Request) -> web.Response:
    """The OpenAPI 3.1 document."""
    return web.Response(body=request.app[_OPENAPI], content_type="application/json")


async def docs(request: web.Request) -> web.Response:
    """The readable page."""
    return web.Response(text=request.app[_PAGE], content_type="text/html")


async def style(_request: web.Request) -> web.Response:
    """What the page looks like."""
    return web.Response(text=_STYLE, content_type="text/css")


def page(document: Json) -> str:
    """The document as HTML."""
    info = document["info"]
    schemas = document["components"]["schemas"]
    operations = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    contents = "".join(
        f'<li><a href="#{_anchor(method, path)}"><b>{_kind(method, operation)}</b>'
        f" <code>{escape(path)}</code></a></li>"
        for method, path, operation in operations
    )
    sections = "".join(_operation(*operation, schemas) for operation in operations)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(info["title"])} API</title>
<link rel="stylesheet" href="docs.css">
<header>
<h1>{escape(info["title"])} API <small>{escape(info["version"])}</small></h1>
<p>{escape(info["description"])}</p>
<p>For programs: <a href="openapi.json">openapi.json</a> (OpenAPI {document["openapi"]}).</p>
</header>
<nav aria-label="Contents"><ul>{contents}</ul></nav>
<main>{sections}</main>
</html>
"""


def _anchor(method: str, path: str) -> str:
    return escape(f"{method.lower()}{path}".replace("/", "-").replace("{", "").replace("}", ""))


def _kind(method: str, operation: Json) -> str:
    return "WS" if "WebSocket" in operation.get("tags", ()) else method


def _operation(method: str, path: str, operation: Json, schemas: Json) -> str:
    kind = _kind(method, operation)
    scopes = [scope for need in operation.get("security", ()) for scope in need["bearer"]]
    needs = (
        f"<p>Where tokens are asked for: one with the scope <b>{escape(scopes[0])}</b>.</p>"
        if scopes
        else ""
    )
    return (
        f'<section id="{_anchor(method, path)}">'
        f'<h2><b class="{kind.lower()}">{kind}</b> <code>{escape(path)}</code></h2>'
        f"<p>{escape(operation['summary'])}</p>{needs}"
        f"{''.join(_request(operation, schemas))}{''.join(_answers(operation, schemas))}"
        "</section>"
    )


def _request(operation: Json, schemas: Json) -> Iterator[str]:
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"<h3>Takes <small>{escape(media_type)}</small></h3>"
        yield _fields(content["schema"], schemas)


def _answers(operation: Json, schemas: Json) -> Iterator[str]:
    for status, answer in sorted(operation["responses"].items()):
        name = "Otherwise" if status == "default" else status
        media_types = answer.get("content", {})
        kinds = ", ".join(media_types)
        yield f"<details><summary>{name} <small>{escape(kinds)}</small></summary>"
        yield f"<p>{escape(answer['description'])}</p>"
        for content in media_types.values():
            if "schema" in content:
                yield _fields(content["schema"], schemas)
        yield "</details>"


def _fields(schema: Json, schemas: Json) -> str:
    """The keys of an object, those of objects within it included."""
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(kind)}</td>"
        f"<td>{escape(note)}</td></tr>"
        for name, kind, note in _rows(schema, schemas, "", ())
    )
    return f"<table><tr><th>Key</th><th>Type</th><th></th></tr>{rows}</table>"


def _rows(
    schema: Json, schemas: Json, prefix: str, above: tuple[str, ...]
) -> Iterator[tuple[str, str, str]]:
    name = schema.get("$ref", "").rpartition("/")[2]
    if name in above:
        return
    known = schemas.get(name, schema)
    required = known.get("required", ())
    for key, value in known.get("properties", {}).items():
        notes = [value.get("description") or ""]
        if "default" in value and value["default"] is not None:
            notes.append(f"Default: {json.dumps(value['default'])}")
        elif key not in required:
            notes.append("Optional")
        yield (
            prefix + key,
            _type(value, schemas),
            " ".join(note.rstrip(".") + "." for note in notes if note),
        )
        for inner, mark in _inner(value):
            yield from _rows(inner, schemas, f"{prefix}{key}{mark}.", (*above, name))


def _inner(value: Json) -> Iterator[tuple[Json, str]]:
    """The objects in a value, each with what stands behind the value's name to reach it."""
    if "$ref" in value:
        yield value, ""
    for choice in value.get("anyOf", ()):
        yield from _inner(choice)
    for inner, mark in ((value.get("items"), "[]"), (value.get("additionalProperties"), ".*")):
        if isinstance(inner, dict):
            yield from ((found, mark + further) for found, further in _inner(inner))


def _type(value: Json, schemas: Json) -> str:
    if "const" in value:
        return json.dumps(value["const"])
    if "enum" in value:
        return " or ".join(json.dumps(choice) for choice in value["enum"])
    if "anyOf" in value:
        return " or ".join(_type(choice, schemas) for choice in value["anyOf"])
    if "$ref" in value:
        return _type(schemas[value["$ref"].rpartition("/")[2]], schemas)
    if value.get("type") == "array" and isinstance(value.get("items"), dict):
        return f"list of {_type(value['items'], schemas)}"
    return str(value.get("type", "any"))
