"""What an analyzer remembers of a session, as bytes, for another process to go on with.

Plain values and objects of classes that are named, as CBOR, compressed: nothing that is read here
runs code of its own, as with pickle it would. What was changed on its way is noticed, and so is
what another version has written: a session then begins anew.

An object that is there already is filled, and not replaced, so that those who share it still do.
"""

from __future__ import annotations

import hashlib
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import cbor2
import numpy as np

_MARK = b"KCS1"
_DIGEST_BYTES = 16
# Beyond this nothing is unpacked, whatever it claims to be.
_MAX_UNPACKED_BYTES = 1 << 24
_NUMBERS = frozenset(("<f8", "<f4", "<i8", "|b1"))
_PLAIN = (bool, int, float, str)
_CONTAINERS = (list, dict, deque, set, tuple)
# So few numbers are as short one by one.
_WORTH_PACKING = 4


class BadState(ValueError):
    """Bytes that are no state of this version's: one line that says why."""


@dataclass(frozen=True, slots=True)
class Constant:
    """Something that both ends have, and that is told by its name.

    Attributes
    ----------
    name_of
        Returns what it is called.
    find
        Returns it by that; raises KeyError where there is none.
    """

    name_of: Callable[[Any], str]
    find: Callable[[str], Any]


class StateFormat:
    """Writes and reads the objects of some classes.

    Parameters
    ----------
    label : str
        Of what and of which version: another one's is refused.
    classes : mapping of type to callable or None
        All that may be among them, and what makes an empty one; None where all of it is told.
    constants : mapping of type to Constant
        What is told by name.
    left_out : iterable of type
        What each end has of its own. Functions are, too.
    caches : iterable of str
        Attributes that are found again by themselves.
    """

    def __init__(
        self,
        label: str,
        classes: Mapping[type, Callable[[], Any] | None],
        constants: Mapping[type, Constant] | None = None,
        left_out: Iterable[type] = (),
        caches: Iterable[str] = (),
    ) -> None:
        self.label = label
        self.classes = classes
        self.constants = dict(constants or {})
        self.left_out = tuple(left_out)
        self.caches = frozenset(caches)
        self.by_name = {_name(each): each for each in classes}
        self.constants_by_name = {_name(each): one for each, one in self.constants.items()}

    def dump(self, root: object) -> bytes:
        """Return an object as bytes.

        Raises
        ------
        TypeError
            There is something in it of a class that is not named.
        """
        body = zlib.compress(cbor2.dumps([self.label, _Writer(self).node(root)]), 1)
        return _MARK + hashlib.sha256(body).digest()[:_DIGEST_BYTES] + body

    def fill(self, root: object, state: bytes) -> None:
        """Make an object what another one was.

        Raises
        ------
        BadState
            It is damaged, or of another version; the object may be filled in part.
        """
        begin = len(_MARK) + _DIGEST_BYTES
        body = state[begin:]
        if state[:begin] != _MARK + hashlib.sha256(body).digest()[:_DIGEST_BYTES]:
            raise BadState("it is damaged, or no state at all")
        try:
            inflating = zlib.decompressobj()
            label, node = cbor2.loads(inflating.decompress(body, _MAX_UNPACKED_BYTES))
            if label != self.label:
                raise BadState(f"it is of {str(label)[:60]!r}, and not of {self.label!r}")
            if _Reader(self).value(node, root) is not root:
                raise BadState("it is of something else")
        except BadState:
            raise
        except Exception as error:
            # Whatever reading nonsense leads to.
            raise BadState(f"it can not be read ({type(error).__name__}: {error})") from error

    def told_of(self, of: object) -> dict[str, Any]:
        """Return what is told of an object, by attribute."""
        return {
            name: value
            for name, value in _attributes(of).items()
            if name not in self.caches
            and (type(value) in self.classes or not self._is_each_ends_own(value))
        }

    def _is_each_ends_own(self, value: object) -> bool:
        return callable(value) or isinstance(value, self.left_out)


def _name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _attributes(of: object) -> dict[str, Any]:
    if is_dataclass(of):
        return {each.name: getattr(of, each.name) for each in fields(of)}
    slots = [name for cls in type(of).__mro__ for name in getattr(cls, "__slots__", ())]
    return {name: getattr(of, name) for name in slots} | getattr(of, "__dict__", {})


@dataclass(slots=True)
class _Writer:
    """Makes nodes: a plain value, or a list of a letter and what is in it."""

    format: StateFormat
    seen: dict[int, int] = field(default_factory=dict)
    # An address may be used again once what was there is gone.
    alive: list[Any] = field(default_factory=list)

    def node(self, value: Any) -> Any:
        if value is None or type(value) in _PLAIN:
            return value
        if isinstance(value, np.generic):
            return value.item()
        if (constant := self.format.constants.get(type(value))) is not None:
            return ["n", _name(type(value)), constant.name_of(value)]
        if id(value) in self.seen:
            return ["r", self.seen[id(value)]]
        self.seen[id(value)] = len(self.seen)
        self.alive.append(value)
        return self._new(value)

    def _new(self, value: Any) -> Any:
        match value:
            case np.ndarray():
                return ["a", *_packed(value)]
            case list():
                return self._list(value)
            case tuple():
                return ["t", [self.node(each) for each in value]]
            case set():
                return ["s", [self.node(each) for each in sorted(value)]]
            case deque():
                return ["q", value.maxlen, [self.node(each) for each in value]]
            case Counter() | dict():
                code = "c" if isinstance(value, Counter) else "d"
                return [code, [[self.node(key), self.node(one)] for key, one in value.items()]]
        if type(value) not in self.format.classes:
            raise TypeError(f"a {type(value).__name__} can not be kept")
        told = self.format.told_of(value)
        return ["o", _name(type(value)), {name: self.node(one) for name, one in told.items()}]

    def _list(self, value: list[Any]) -> Any:
        if len(value) >= _WORTH_PACKING:
            kinds = set(map(type, value))
            if kinds == {float}:
                return ["f", *_packed(np.array(value))]
            if kinds == {list} and _is_matrix(value):
                return ["m", *_packed(np.array(value))]
            if kinds == {np.ndarray} and len({(one.dtype, one.shape) for one in value}) == 1:
                return ["v", *_packed(np.array(value))]
        return ["l", [self.node(each) for each in value]]


def _is_matrix(rows: list[list[Any]]) -> bool:
    return len({len(row) for row in rows}) == 1 and all(set(map(type, r)) == {float} for r in rows)


def _packed(array: Any) -> tuple[str, list[int], bytes]:
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    if little.dtype.str not in _NUMBERS:
        raise TypeError(f"an array of {array.dtype} can not be kept")
    return little.dtype.str, list(array.shape), little.tobytes()


def _unpacked(kind: str, shape: list[int], data: bytes) -> Any:
    if kind not in _NUMBERS:
        raise BadState(f"there are no arrays of {kind!r}")
    return np.frombuffer(data, kind).reshape(shape).copy()


@dataclass(slots=True)
class _Reader:
    """Makes values of nodes, and fills what is there."""

    format: StateFormat
    known: list[Any] = field(default_factory=list)

    def value(self, node: Any, there: Any = None) -> Any:
        """Return what a node says.

        Parameters
        ----------
        node
            As a writer made it.
        there
            What is in its place now; filled, if it can be.
        """
        if not isinstance(node, list):
            if not (node is None or type(node) in _PLAIN):
                raise BadState(f"{type(node).__name__} is no value")
            return node
        code, *more = node
        if code == "r":
            return self.known[more[0]]
        if code == "n":
            return self.format.constants_by_name[more[0]].find(more[1])
        place = len(self.known)
        self.known.append(None)
        if code == "o":
            name, attributes = more
            return self._object(place, name, attributes, there)
        self.known[place] = value = self._container(place, code, more, there)
        return value

    def _container(self, place: int, code: str, more: list[Any], there: Any) -> Any:
        match code:
            case "a":
                return _unpacked(*more)
            case "t":
                return tuple(self.value(each) for each in more[0])
        into: Any
        match code:
            case "l" | "f" | "m" | "v":
                into = there if type(there) is list else []
            case "s":
                into = there if type(there) is set else set()
            case "q":
                into = there if type(there) is deque else deque(maxlen=more[0])
            case "c":
                into = there if type(there) is Counter else Counter()
            case "d":
                into = there if type(there) is dict else {}
            case _:
                raise BadState(f"there are no {str(code)[:20]!r}")
        # What is in it may name it.
        self.known[place] = into
        before = list(into.values()) if isinstance(into, dict) else list(into)
        keys = list(into) if isinstance(into, dict) else []
        by_key = dict(zip(keys, before, strict=True)) if keys else {}
        into.clear()
        if code in ("c", "d"):
            for key_node, one in more[0]:
                key = self.value(key_node)
                into[key] = self.value(one, by_key.get(key))
        elif code in ("f", "m"):
            into.extend(_unpacked(*more).tolist())
        elif code == "v":
            into.extend(_unpacked(*more))
        elif code == "s":
            into.update(self.value(each) for each in more[0])
        else:
            for number, each in enumerate(more[-1]):
                into.append(self.value(each, before[number] if number < len(before) else None))
        return into

    def _object(self, place: int, name: str, attributes: dict[str, Any], there: Any) -> Any:
        cls = self.format.by_name[name]
        is_frozen = is_dataclass(cls) and cls.__dataclass_params__.frozen  # type: ignore[attr-defined]
        if is_frozen or (type(there) is not cls and is_dataclass(cls)):
            told = {key: self.value(one) for key, one in attributes.items()}
            self.known[place] = made = cls(**told)
            return made
        make = self.format.classes[cls]
        filled = there if type(there) is cls else make() if make else object.__new__(cls)
        self.known[place] = filled
        has = self.format.told_of(filled) if type(there) is cls or make else {}
        if has and attributes.keys() != has.keys():
            raise BadState(f"{name} has other attributes: {sorted(attributes.keys() ^ has.keys())}")
        for key, node in attributes.items():
            now = self.value(node, has.get(key))
            if not _fits(has.get(key), now):
                raise BadState(f"{name}.{key} is {type(now).__name__}")
            setattr(filled, key, now)
        return filled


def _fits(there: Any, now: Any) -> bool:
    """Tell whether a value may stand where another one stood."""
    if there is None:
        return True
    if isinstance(there, bool):
        return isinstance(now, bool)
    if isinstance(there, int | float):
        return isinstance(now, int | float) and not isinstance(now, bool)
    if isinstance(there, (str, *_CONTAINERS)):
        return type(now) is type(there)
    if isinstance(there, np.ndarray):
        return isinstance(now, np.ndarray) and (now.dtype, now.ndim) == (there.dtype, there.ndim)
    return now is None or type(now) is type(there)
