"""Cuts Adyen's public description of Checkout v72 down to what a bank is asked here: `python cut.py CheckoutService-v72.yaml`.

From https://github.com/Adyen/adyen-openapi (MIT; `LICENSE` beside this file). Schemas stay as they are; what goes is other
paths, descriptions and examples. Written as JSON: the whole file takes seconds to load.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

PATHS = ("/payments", "/cancels", "/payments/{paymentPspReference}/captures", "/paymentMethods")
PATHS += ("/payments/{paymentPspReference}/refunds", "/payments/{paymentPspReference}/cancels")
PATHS += ("/storedPaymentMethods/{storedPaymentMethodId}",)
PROSE = ("description", "summary", "examples", "example")
CUT = Path(__file__).with_name("checkout-v72.json")


def without_prose(node: Any, names_are_ours: bool = False) -> Any:
    """`names_are_ours`: the keys are names of fields, and one may be called `description`."""
    if isinstance(node, dict):
        kept = {key: value for key, value in node.items() if names_are_ours or key not in PROSE}
        return {key: without_prose(value, key in ("properties", "schemas")) for key, value in kept.items()}
    return [without_prose(one) for one in node] if isinstance(node, list) else node


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "$ref" and isinstance(value, str))
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def cut(whole: dict[str, Any]) -> dict[str, Any]:
    paths = without_prose({path: whole["paths"][path] for path in PATHS}, names_are_ours=True)
    components: dict[str, Any] = {"securitySchemes": whole["components"]["securitySchemes"]}
    waiting, done = list(references(paths)), set()
    while waiting:
        reference = waiting.pop()
        if reference in done:
            continue
        done.add(reference)
        _, _, kind, name = reference.split("/")
        components.setdefault(kind, {})[name] = without_prose(whole["components"][kind][name])
        waiting += references(components[kind][name])
    info = {"title": whole["info"]["title"], "version": whole["info"]["version"]}
    responses = {"200", "201", "204", "422", "401", "403", "400", "500"}
    for path in paths.values():
        (asked,) = path.values()
        asked["responses"] = {code: said for code, said in asked["responses"].items() if code in responses}
        for said in asked["responses"].values():
            said["description"] = ""  # OpenAPI 3.1 wants one
    return {
        "openapi": whole["openapi"],
        "info": info,
        "servers": whole["servers"],
        "paths": paths,
        "components": components,
    }


if __name__ == "__main__":
    whole = yaml.load(Path(sys.argv[1]).read_bytes(), Loader=yaml.CSafeLoader)
    CUT.write_text(json.dumps(cut(whole), separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")
