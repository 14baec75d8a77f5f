"""What the analyzers said, in the forms that it came in and, when asked for, in the other."""

from __future__ import annotations

from analyzers.compact import Form, as_json, compact
from analyzers.lane import Fragments


class Values:
    """The analyzers' values, key by key.

    A worker writes the forms that somebody wanted when it did. Whoever wants another one, since
    they came in the meantime or look at a session once, has it made here.

    Parameters
    ----------
    json, cbor
        As they came; None for a form that they did not come in.
    """

    def __init__(self, json: Fragments | None = None, cbor: Fragments | None = None) -> None:
        self._json = {} if json is None and cbor is None else json
        self._cbor = cbor

    @property
    def json(self) -> Fragments:
        """As JSON."""
        if self._json is None:
            self._json = {key: as_json(value) for key, value in (self._cbor or {}).items()}
        return self._json

    @property
    def cbor(self) -> Fragments:
        """In the compact form."""
        if self._cbor is None:
            self._cbor = {key: compact(value) for key, value in (self._json or {}).items()}
        return self._cbor

    @property
    def forms(self) -> frozenset[Form]:
        """Those that are there."""
        there = {Form.JSON: self._json, Form.CBOR: self._cbor}
        return frozenset(form for form, fragments in there.items() if fragments is not None)

    def __contains__(self, key: str) -> bool:
        return key in (self._json if self._json is not None else self.cbor)

    def one(self, key: str) -> bytes:
        """One key's as JSON, without making the others'."""
        return as_json(self.cbor[key]) if self._json is None else self._json[key]

    def updated(self, newer: Values) -> Values:
        """These with what is newer in place of what is old, in the forms that both have."""
        forms = self.forms & newer.forms or {Form.JSON}
        return Values(
            {**self.json, **newer.json} if Form.JSON in forms else None,
            {**self.cbor, **newer.cbor} if Form.CBOR in forms else None,
        )

    def replaced(self, key: str, value: bytes) -> Values:
        """These with another value, given as JSON, of one key, in the forms that there are."""
        return Values(
            None if self._json is None else {**self._json, key: value},
            None if self._cbor is None else {**self._cbor, key: compact(value)},
        )
