"""The JSON Schema of the configuration, made from the table of keys.

`dal-audit.schema.json` beside this file is its committed form. It says less than the checks do: no
schema can tell whether a folder or a rule exists.
"""

from __future__ import annotations

from typing import Any

from dal_audit.policy.keys import KEYS, Choice, Day, Flag, Key, Many, Shape, Table, Text


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of `dal-audit.toml` and of `[tool.dal-audit]`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "dal-audit",
        "description": "The configuration of dal-audit: dal-audit.toml, or [tool.dal-audit].",
        **_table_of(KEYS),
    }


def _table_of(keys: tuple[Key, ...]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            key.name: {"description": _text_of(key), **_schema(key.shape)} for key in keys
        },
    }
    required = [key.name for key in keys if not key.default]
    return {**schema, "required": required} if required else schema


def _text_of(key: Key) -> str:
    return f"{key.meaning} Default: {key.default}." if key.default else f"{key.meaning} Required."


def _schema(shape: Shape) -> dict[str, Any]:
    match shape:
        case Text():
            return {"type": "string", "pattern": f"^({shape.pattern})$" if shape.pattern else r"\S"}
        case Choice():
            return {"enum": list(shape.allowed)}
        case Day():
            # JSON has no dates; a TOML date reaches a schema as its text.
            return {"type": "string", "format": "date"}
        case Many():
            least = {"minItems": shape.least} if shape.least else {}
            item = _schema(shape.item)
            listed = {"type": "array", "items": item, **least}
            return {"anyOf": [item, listed]} if shape.single else listed
        case Table():
            return {
                "type": "object",
                "propertyNames": _schema(shape.key),
                "additionalProperties": _schema(shape.value),
            }
        case Flag():
            return {"type": "boolean"}
        case _:
            return _table_of(shape.keys)
