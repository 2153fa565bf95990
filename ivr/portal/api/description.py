"""The OpenAPI 3.1 description, made of the table of operations and the shapes that requests are checked by."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

import ivr
from ivr.portal.api.operations import OPERATIONS, PLACES, ROOT, ApiOperation
from ivr.portal.api.problems import MIMETYPE, TITLES
from ivr.portal.api.shapes import ProblemDetails
from ivr.portal.roles import NEEDS, roles_with

IN_COMPONENTS = "#/components/schemas/{model}"
KEY_PATTERN = r"^[\x21-\x7e]{8,200}$"
EVERYWHERE = {
    401: "no token, or one that is none, has ended or was revoked",
    403: "the role may not do that, or the network may not reach this",
    429: "too many tokens that are none came from this address; wait as long as Retry-After says",
}
SOMETIMES = {
    400: "not as described",
    404: "no such thing",
    409: "as things stand it cannot be done",
    415: "the body is not application/json",
    422: "what was typed cannot be searched for, or the idempotency key was used for another request",
}


def description(origin: str) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for one in OPERATIONS:
        paths.setdefault(one.path, {})[one.method.lower()] = operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tonetill",
            "version": ivr.__version__,
            "description": f"What the portal does, for programs. Problems are {MIMETYPE}: {', '.join(TITLES)}.",
        },
        "servers": [{"url": f"{origin}{ROOT}"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "`tonetill token add`"}},
        },
    }


def operation(one: ApiOperation) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.summary,
        "description": f"For {', '.join(roles_of(one))}.",
        "parameters": [*placed(one), *queried(one), *keyed(one)],
        "responses": {str(one.status): answered(one)} | problems(one),
    }
    if one.body:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": named(one.body)}}}
    return made


def roles_of(one: ApiOperation) -> list[str]:
    needs = NEEDS[f"api.{one.name}"]
    return list(roles_with(needs)) if needs else []


def placed(one: ApiOperation) -> list[dict[str, Any]]:
    return [{"name": name, "in": "path", "required": True, "schema": PLACES[name]} for name in one.places]


def queried(one: ApiOperation) -> list[dict[str, Any]]:
    properties = one.query.model_json_schema()["properties"] if one.query else {}
    return [{"name": name, "in": "query", "schema": schema} for name, schema in properties.items()]


def keyed(one: ApiOperation) -> list[dict[str, Any]]:
    if not one.once:
        return []
    told = "The same for every attempt at one request, however often it is sent; kept for 30 days."
    schema = {"type": "string", "pattern": KEY_PATTERN}
    return [{"name": "Idempotency-Key", "in": "header", "required": True, "description": told, "schema": schema}]


def answered(one: ApiOperation) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": named(one.answer)}}
    if one.also_csv:
        content["text/csv"] = {"schema": {"type": "string"}}
    return {"description": one.summary, "content": content}


def problems(one: ApiOperation) -> dict[str, Any]:
    told = EVERYWHERE | {status: SOMETIMES[status] for status in one.refuses}
    content = {MIMETYPE: {"schema": named(ProblemDetails)}}
    return {str(status): {"description": words, "content": content} for status, words in sorted(told.items())}


def named(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": IN_COMPONENTS.format(model=model.__name__)}


def schemas() -> dict[str, Any]:
    taken: list[tuple[type[BaseModel], JsonSchemaMode]] = [
        (one.body, "validation") for one in OPERATIONS if one.body is not None
    ]
    answered_with: list[tuple[type[BaseModel], JsonSchemaMode]] = [(one.answer, "serialization") for one in OPERATIONS]
    _, made = models_json_schema(
        [*taken, *answered_with, (ProblemDetails, "serialization")], ref_template=IN_COMPONENTS, title=None
    )
    found: dict[str, Any] = made["$defs"]
    return found
