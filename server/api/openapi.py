"""The OpenAPI 3.1 document, made from the table of routes and the models in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Literal, cast

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from server.api.models import Error
from server.http.route import Route

_FORM = "multipart/form-data"
_REFERENCE = "#/components/schemas/{model}"
_PATH_PARAMETER = re.compile(r"{(\w+)(?::[^{}]*)?}")
_DESCRIPTION = (
    "Video goes in over WebRTC or as single pictures; what the analyzers see in it comes back."
    " WebSockets are listed with their path and scope; what goes over them is described in"
    " docs/protocol.md and docs/image-apis.md. Heart and breathing rates, where the server measures"
    " them, are no medical information: Kinecast is not a medical device."
)

Json = dict[str, Any]
_Mode = Literal["validation", "serialization"]
_Schemas = dict[tuple[type[BaseModel], _Mode], Json]


def document(routes: Sequence[Route]) -> Json:
    """Describe what is served.

    Parameters
    ----------
    routes
        The table.
    """
    schemas, components = _schemas(routes)
    paths: dict[str, Json] = {}
    for route in routes:
        path = _PATH_PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Kinecast",
            "version": version("kinecast"),
            "description": _DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


def _schemas(
    routes: Sequence[Route],
) -> tuple[_Schemas, dict[str, Json]]:
    """Reference to each model, and what the references lead to."""
    wanted: dict[tuple[type[BaseModel], _Mode], None] = {(Error, "serialization"): None}
    for route in routes:
        for taken in (route.body, route.form):
            if taken is not None:
                wanted[taken, "validation"] = None
        for answer in route.answers.values():
            if answer is not None and not isinstance(answer, str):
                wanted[answer, "serialization"] = None
    references, definitions = models_json_schema(list(wanted), ref_template=_REFERENCE)
    return cast(_Schemas, references), definitions["$defs"]


def _operation(route: Route, schemas: _Schemas) -> Json:
    operation: Json = {
        "summary": route.summary,
        "operationId": f"{route.method.lower()} {route.path}",
        "responses": {
            str(status): _answer(answer, schemas) for status, answer in route.answers.items()
        },
    }
    if route.websocket:
        operation["tags"] = ["WebSocket"]
        operation["responses"]["101"] = {"description": "The WebSocket is open"}
    operation["responses"].setdefault("default", _answer(Error, schemas))
    names = _PATH_PARAMETER.findall(route.path)
    if names:
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in names
        ]
    for model, media_type in ((route.body, "application/json"), (route.form, _FORM)):
        if model is not None:
            content = {media_type: {"schema": schemas[model, "validation"]}}
            operation["requestBody"] = {"required": True, "content": content}
    if route.scope is not None:
        operation["security"] = [{"bearer": [str(route.scope)]}]
    return operation


def _answer(answer: type[BaseModel] | str | None, schemas: _Schemas) -> Json:
    if answer is None:
        return {"description": "Done"}
    if isinstance(answer, str):
        return {"description": answer, "content": {answer: {}}}
    return {
        "description": (answer.__doc__ or answer.__name__).strip().splitlines()[0],
        "content": {"application/json": {"schema": schemas[answer, "serialization"]}},
    }
