"""``/openapi.json``, and ``/docs``: the same document as a page, without a script.

Ours, because of the ready-made ones only Swagger UI runs under our Content-Security-Policy, and no
package that is kept carries its 1.9 MB alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from itertools import starmap
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
    title, version, about = (
        escape(document["info"][key]) for key in ("title", "version", "description")
    )
    operations = [
        ("WS" if "WebSocket" in operation.get("tags", ()) else method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    contents = "".join(
        f'<li><a href="#{kind}{escape(path)}"><b>{kind}</b> <code>{escape(path)}</code></a></li>'
        for kind, path, _ in operations
    )
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} API</title>
<link rel="stylesheet" href="docs.css">
<header>
<h1>{title} API <small>{version}</small></h1>
<p>{about}</p>
<p>For programs: <a href="openapi.json">openapi.json</a> (OpenAPI {document["openapi"]}).</p>
</header>
<nav aria-label="Contents"><ul>{contents}</ul></nav>
<main>{"".join(starmap(_operation, operations))}
{"".join(starmap(_model, document["components"]["schemas"].items()))}</main>
</html>
"""


def _operation(kind: str, path: str, operation: Json) -> str:
    needs = "".join(
        f"<p>Where tokens are asked for: one with the scope <b>{escape(scope)}</b>.</p>"
        for need in operation.get("security", ())
        for scope in need["bearer"]
    )
    takes = {"Takes": operation["requestBody"]} if "requestBody" in operation else {}
    rows = (
        (
            "Otherwise" if name == "default" else name,
            "<br>".join(starmap(_content, body.get("content", {}).items())),
            body.get("description", ""),
        )
        for name, body in [*takes.items(), *sorted(operation["responses"].items())]
    )
    return (
        f'<section id="{kind}{escape(path)}">'
        f"<h2><b>{kind}</b> <code>{escape(path)}</code></h2>"
        f"<p>{escape(operation['summary'])}</p>{needs}{_table('Status', 'Content', rows)}</section>"
    )


def _content(media_type: str, content: Json) -> str:
    schema = _type(content["schema"]) if "schema" in content else ""
    return f"{schema} <small>{escape(media_type)}</small>"


def _model(name: str, schema: Json) -> str:
    keys = schema.get("properties", {})
    rows = (
        (key, _type(value), _note(value, key in schema.get("required", ())))
        for key, value in keys.items()
    )
    content = _table("Key", "Type", rows) if keys else f"<p>{_type(schema)}</p>"
    about = escape(schema.get("description", ""))
    return f'<section id="{escape(name)}"><h2>{escape(name)}</h2><p>{about}</p>{content}</section>'


def _note(value: Json, is_required: bool) -> str:
    about, default = value.get("description", ""), value.get("default")
    if default is not None:
        return f"{about} Default: {json.dumps(default)}."
    return about if is_required else f"{about} Optional."


def _table(key: str, content: str, rows: Iterable[tuple[str, str, str]]) -> str:
    body = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{html}</td><td>{escape(note)}</td></tr>"
        for name, html, note in rows
    )
    return f"<table><tr><th>{key}</th><th>{content}</th><th>Meaning</th></tr>{body}</table>"


def _type(value: Json) -> str:
    """What a value is, as HTML that leads to the models in it."""
    match value:
        case {"$ref": reference}:
            name = escape(reference.rpartition("/")[2])
            return f'<a href="#{name}">{name}</a>'
        case {"const": const}:
            return escape(json.dumps(const))
        case {"enum": choices}:
            return " or ".join(escape(json.dumps(choice)) for choice in choices)
        case {"anyOf": choices}:
            return " or ".join(map(_type, choices))
        case {"items": dict() as items}:
            return f"list of {_type(items)}"
        case {"additionalProperties": dict() as values}:
            return f"object, its values {_type(values)}"
    return escape(str(value.get("type", "any")))
