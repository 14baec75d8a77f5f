"""Reads results that come as CBOR (RFC 8949), by the layout that the server tells first."""

import struct
from collections.abc import Mapping
from typing import Any

import cbor2

# RFC 8746: a multi-dimensional array, row-major, and 16 bit integers with a sign, little endian.
_TABLE, _SINT16_LE = 40, 77


class CompactReader:
    """Turns bytes into the dicts that JSON would have given.

    Parameters
    ----------
    layout
        The message ``{"type": "layout", "keys", "landmarks": {"names", "columns", "scale"}}``.
    """

    def __init__(self, layout: Mapping[str, Any]) -> None:
        self._keys = dict(enumerate(layout["keys"]))
        self._names: list[str] = layout["landmarks"]["names"]
        self._columns: list[str] = layout["landmarks"]["columns"]
        self._scale: float = layout["landmarks"]["scale"]

    def read(self, data: bytes) -> dict[str, Any]:
        """Read one result.

        Raises
        ------
        ValueError
            The bytes are damaged, or of another layout.
        """
        try:
            result = cbor2.loads(data, tag_hook=self._unpack, object_hook=self._name)
        except (cbor2.CBORError, ValueError, LookupError, TypeError, struct.error) as error:
            raise ValueError(f"no result: {error}") from error
        if not isinstance(result, dict) or "final" not in result:
            raise ValueError("no result, but something else")
        return result

    def _name(self, pairs: Mapping[Any, Any], _immutable: bool) -> dict[str, Any]:
        return {k if isinstance(k, str) else self._keys[k]: v for k, v in pairs.items()}

    def _unpack(self, tag: cbor2.CBORTag, _immutable: bool) -> Any:
        if tag.tag == _SINT16_LE:
            return [number for (number,) in struct.iter_unpack("<h", tag.value)]
        (rows, columns), numbers = tag.value
        if tag.tag != _TABLE or rows * columns != len(numbers) or columns != len(self._columns):
            raise ValueError(f"the tag {tag.tag} holds no landmarks")
        return [
            {
                "index": index,
                "name": name,
                **{
                    column: number / self._scale
                    for column, number in zip(
                        self._columns, numbers[index * columns :][:columns], strict=True
                    )
                },
            }
            for index, name in zip(range(rows), self._names, strict=True)
        ]
