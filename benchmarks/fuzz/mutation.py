"""Damage to files: bytes, text, and the trees, tables of arrays and messages that files hold."""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Any, Final

import numpy as np
import yaml

SPECIAL_NUMBERS: Final = (
    *("0", "-0", "-1", "1", "2", "3", "7", "255", "65536", "1e-320", "1e-9", "1e9", "1e30", "1e308", "-1e308", "1e400"),
    *("nan", "NaN", "inf", "-inf", ".nan", ".inf", "Infinity", "2147483647", "4294967296", "9223372036854775808"),
    *("1" + "0" * 400, "9" * 5000, "0x10", "1_000", "1:30:00", "1,5", "1.2.3", "--1", "1e", "+", "\u0663", "\u00b2"),
)
SPECIAL_TEXTS: Final = (
    *("", " ", "null", "~", "true", "[]", "{}", "'", '"', "#", ":", "- ", "\x00", "\ufeff", "\u2028", "\r", "\t"),
    *(
        "2001-99-99",
        "2001-01-01",
        "!!int x",
        "!!float x",
        "!!binary '*'",
        "!!timestamp x",
        "!!python/object:os.system {}",
    ),
    *("&a [*a]", "*nowhere", "<<: 1", "? [1] : 2", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")),
    *("[" * 3000, "{a: " * 2000, '{"a":' * 3000, "x" * 100_000, "../../etc/passwd", "/", "%s%n", "\u202eabc"),
    "&a [x,x,x,x,x,x,x,x,x]\n"
    + "\n".join(f"- &{c} [{','.join('*' + b for _ in range(9))}]" for b, c in pairwise("abcdefgh")),
)
SPECIAL_VALUES: Final[tuple[Callable[[], Any], ...]] = (
    *(
        lambda: None,
        lambda: [],
        lambda: {},
        lambda: "",
        lambda: "abc",
        lambda: True,
        lambda: False,
        lambda: 0,
        lambda: -1,
    ),
    *(lambda: 1, lambda: 2, lambda: 3.5, lambda: float("nan"), lambda: float("inf"), lambda: 1e308, lambda: 10**400),
    *(lambda: 2**31, lambda: 2**64, lambda: [[]], lambda: [None], lambda: ["a"], lambda: {"a": 1}, lambda: [0] * 9),
    *(
        lambda: [1, 2],
        lambda: [1.0, 2.0, 3.0],
        lambda: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
        lambda: "x" * 3000,
        lambda: "1e-3",
    ),
    *(lambda: "../x", lambda: "\n", lambda: [[[[[[1]]]]]], lambda: 1e-320, lambda: 256, lambda: 64),
)
NUMBER: Final = re.compile(r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")
WORD: Final = re.compile(r"\S+")


def mutated(kind: str, seeds: Sequence[bytes], rng: random.Random) -> bytes:
    """One damaged file.

    Args:
        kind: how the files may be taken apart: "bytes", "text", "json", "yaml" or "npz"; all are damaged as bytes too.
        seeds: whole files of the reader; the first is the one to damage, others may be spliced in.
        rng: decides everything.
    """
    data = seeds[0]
    if rng.random() < 0.7 and kind in TREES:
        with suppress(ValueError, yaml.YAMLError, RecursionError, OverflowError, TypeError):  # cannot be written down
            data = TREES[kind](data, rng)
        if rng.random() < 0.8:
            return data
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        text = kind != "npz" and kind != "bytes" and rng.random() < 0.75
        data = _damaged_text(data, rng) if text else _damaged_bytes(data, seeds, rng)
    return data


def _damaged_bytes(data: bytes, seeds: Sequence[bytes], rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    length = min(rng.choice((1, 2, 4, 8, 16, 64, 256, 1024)), len(data))
    match rng.randrange(9):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + data[at + length :]
        case 2:
            return data[:at] + rng.randbytes(length) + data[at:]
        case 3:
            return data[:at] + data[at : at + length] * rng.choice((2, 3, 20)) + data[at + length :]
        case 4:
            return data[:at] + bytes([rng.choice((0, 255, 127, 10))]) * length + data[at + length :]
        case 5:
            width = rng.choice((1, 2, 4, 8))
            value = rng.choice(
                (0, 1, 2, 2 ** (8 * width - 1) - 1, 2 ** (8 * width - 1), 2 ** (8 * width) - 1, 2**7, 1000)
            )
            return (
                data[:at]
                + (value % 2 ** (8 * width)).to_bytes(width, rng.choice(("little", "big")))
                + data[at + width :]
            )
        case 6:
            other = rng.choice(seeds)
            return data[:at] + other[rng.randrange(len(other) + 1) :]
        case 7:
            start = rng.randrange(len(data) + 1)
            return data[:at] + data[start : start + length] + data[at + length :]
        case _:
            found = bytearray(data)
            for _ in range(rng.choice((1, 1, 3, 10))):
                if found:
                    found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)
            return bytes(found)


def _damaged_text(data: bytes, rng: random.Random) -> bytes:
    text = data.decode("utf-8", "surrogateescape")
    lines = text.splitlines(keepends=True)
    match rng.randrange(10):
        case 0 | 1:
            text = _replaced(NUMBER, text, rng.choice(SPECIAL_NUMBERS), rng)
        case 2:
            text = _replaced(WORD, text, rng.choice((*SPECIAL_TEXTS, *SPECIAL_NUMBERS)), rng)
        case 3:
            words = WORD.findall(text)
            text = _replaced(WORD, text, rng.choice(words) if words else "x", rng)
        case 4:
            text = _replaced(WORD, text, "", rng)
        case 5 if lines:
            del lines[rng.randrange(len(lines))]
            text = "".join(lines)
        case 6 if lines:
            lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
            text = "".join(lines)
        case 7 if lines:
            first, second = rng.randrange(len(lines)), rng.randrange(len(lines))
            lines[first], lines[second] = lines[second], lines[first]
            text = "".join(lines)
        case 8:
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice(SPECIAL_TEXTS) + text[at:]
        case _:
            whole = (text.upper, text.lower, lambda: text.replace("\n", "\r\n"), lambda: text.replace(" ", "\t"))
            text = rng.choice((*whole, lambda: "\ufeff" + text, lambda: text + "\n" + text, lambda: text[::-1]))()
    wide = rng.random() < 0.02
    return text.encode("utf-16", "surrogatepass") if wide else text.encode("utf-8", "surrogateescape")


def _replaced(pattern: re.Pattern[str], text: str, new: str, rng: random.Random) -> str:
    found = list(pattern.finditer(text))
    if not found:
        return text + new
    place = rng.choice(found)
    return text[: place.start()] + new + text[place.end() :]


def damaged_tree(tree: Any, rng: random.Random) -> Any:
    """A copy of nested lists and mappings with one to three entries changed, left out, doubled or renamed."""
    tree = _copied(tree)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        holder = _places(tree)
        if not holder:
            return rng.choice(SPECIAL_VALUES)()
        where, key = rng.choice(holder)
        match rng.randrange(6):
            case 0:
                del where[key]
            case 1 if isinstance(where, dict):
                where[rng.choice(("x", "", 1, None, True, 2.5, f"{key} ", str(key).upper()))] = where.pop(key)
            case 2 if isinstance(where, list):
                where.insert(key, _copied(rng.choice(where)))
            case 3:
                other, other_key = rng.choice(holder)
                where[key] = _copied(other[other_key])
            case _:
                where[key] = rng.choice(SPECIAL_VALUES)()
    return tree


def _copied(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _copied(value) for key, value in tree.items()}
    return [_copied(value) for value in tree] if isinstance(tree, list) else tree


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every entry of a tree: the list or mapping that holds it, and its key there."""
    if not isinstance(tree, dict | list):
        return []
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    return [(tree, key) for key in keys] + [place for key in keys for place in _places(tree[key])]


def _json(data: bytes, rng: random.Random) -> bytes:
    return json.dumps(damaged_tree(json.loads(data), rng)).encode()


def _yaml(data: bytes, rng: random.Random) -> bytes:
    return yaml.safe_dump(damaged_tree(yaml.safe_load(data), rng), sort_keys=False).encode()


ARRAY_CHANGES: Final[tuple[Callable[[Any], Any], ...]] = (
    *(lambda a: a[:0], lambda a: a[:1], lambda a: a[..., None], lambda a: a.reshape(-1), lambda a: a.T),
    *(lambda a: np.float64(1), lambda a: np.zeros(0), lambda a: a.astype(bool), lambda a: a.astype(str)),
    *(lambda a: a.astype(complex), lambda a: np.full(a.shape, np.nan), lambda a: np.full(a.shape, -1)),
    *(lambda a: np.full(a.shape, 2**62), lambda a: a.astype(object), lambda a: np.concatenate([a, a])),
    *(lambda a: np.zeros(a.shape, a.dtype), lambda a: a.astype("M8[s]"), lambda a: a.astype("S3")),
    *(lambda a: np.zeros(3, [("a", int), ("b", "U4")]), lambda a: np.full(a.shape, 1e308)),
)


def _npz(data: bytes, rng: random.Random) -> bytes:
    """Arrays of other shape, type or content, left out, or behind a header that lies."""
    with np.load(io.BytesIO(data)) as content:
        arrays: dict[str, Any] = {name: content[name] for name in content.files}
    for _ in range(rng.choice((1, 1, 2))):
        name = rng.choice(list(arrays) or ["x"])
        if rng.random() < 0.15:
            arrays.pop(name, None)
            continue
        try:
            arrays[name] = rng.choice(ARRAY_CHANGES)(arrays.get(name, np.zeros(3)))
        except (ValueError, TypeError):
            arrays[name] = np.zeros(1)
    out = io.BytesIO()
    (np.savez_compressed if rng.random() < 0.5 else np.savez)(out, **arrays)
    return _lying_header(out.getvalue(), rng) if rng.random() < 0.15 else out.getvalue()


def _lying_header(data: bytes, rng: random.Random) -> bytes:
    """Another shape in the text of one array's header, of the same length."""
    found = list(re.finditer(rb"'shape': \([\d, ]*\)", data))
    if not found:
        return data
    place = rng.choice(found)
    new = f"'shape': ({rng.choice((10**5, 10**9, 10**12, 10**18, -1))},)".encode()
    new = new[: len(place[0])] if len(new) > len(place[0]) else new + b" " * (len(place[0]) - len(new))
    return data[: place.start()] + new + data[place.end() :]


TREES: Final = {"json": _json, "yaml": _yaml, "npz": _npz}
