"""The line hash, against the values that GitHub's own code gives."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from itertools import product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dal_audit.report.fingerprint import LineHashes
from tests.sampling import runs
from tests.steps import assert_linear

END = "c129715d7a2bc9a3:1"
"""The hash of an empty file, and of the line after the last line end."""

PUBLISHED = {
    # github/codeql-action, src/fingerprints.test.ts
    "": [END],
    " a\nb\n  \t\tc\n d": [
        "271789c17abda88f:1",
        "54703d4cd895b18:1",
        "180aee12dab6264:1",
        "a23a3dc5e078b07b:1",
    ],
    " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End": [
        "8b7cf3e952e7aeb2:1",
        "b1ae1287ec4718d9:1",
        "bff680108adb0fcc:1",
        "c6805c5e1288b612:1",
        "b86d3392aea1be30:1",
        "e6ceba753e1a442:1",
    ],
    "Lorem ipsum dolor sit amet.\n" * 10: [
        *(f"a7f2ff13bc495cf2:{count}" for count in range(1, 7)),
        "a7f2ff1481e87703:1",
        "a9cf91f7bbf1862b:1",
        "55ec222b86bcae53:1",
        "cc97dc7b1d7d8f7b:1",
        END,
    ],
    "x = 2\nx = 1\nprint(x)\nx = 3\nprint(x)\nx = 4\nprint(x)\n": [
        "e54938cc54b302f1:1",
        "bb609acbe9138d60:1",
        "1131fd5871777f34:1",
        "5c482a0f8b35ea28:1",
        "54517377da7028d2:1",
        "2c644846cb18d53e:1",
        "f1b89f20de0d133:1",
        END,
    ],
}

EDGES = {
    # Computed by running src/fingerprints.ts itself.
    b"\xef\xbb\xbfimport sqlite3\nx = 1\n": ["b3b4a0d87ede4714:1", "8e00d41f0ebba6bf:1", END],
    'x = "😀"\ny = "é"\n'.encode(): ["2d1c3a0101f67504:1", "ceebdce13861671c:1", END],
    b"\x78\x3d\xff\xfe\x0a\x79\x0a": ["8caf69c6d334503f:1", "c33be7e0cf7c3ca:1", END],
    "a\vb\fc\u2028d\n".encode(): ["c464badab924d8f6:1", END],
    "a\u00a0b\n".encode(): ["480a5b3cb5831ce4:1", END],
    b"a\0b\n": ["636f257f958bb544:1", END],
    b"a\r \nb\n": ["818c3a85b988abe4:1", "bf4c4d48992e2ca5:1", "ade70578248be16f:1", END],
    b'import sqlite3\n\n\ndef f(c):\n    return c.execute("SELECT ?1")\n': [
        "498a609bb1b49415:1",
        "b8fb4dc243c94e7f:1",
        "c432170dccf7c5f1:1",
        "631d2ef8a0af096b:1",
        "c380e027b82c0a2:1",
        END,
    ],
}

ENDED = [
    "e9496ae3ebfced30:1",
    "fb7c023a8b9ccb3f:1",
    "ce8ba1a563dcdaca:1",
    "e20e36e16fcb0cc8:1",
    "b3edc88f2938467e:1",
    "c8e28b0b4002a3a0:1",
    END,
]
"""The greeting's hashes where it ends in a line end; also in src/fingerprints.test.ts."""


@pytest.mark.parametrize(("text", "hashes"), PUBLISHED.items())
def test_published_vectors(text: str, hashes: list[str]) -> None:
    """The values of GitHub's own tests."""
    assert list(LineHashes(text.encode())) == hashes


@pytest.mark.parametrize(("data", "hashes"), EDGES.items())
def test_edges(data: bytes, hashes: list[str]) -> None:
    """Byte order marks, astral characters, wrong UTF-8, and what does not end a line."""
    assert list(LineHashes(data)) == hashes


def test_every_mix_of_line_ends() -> None:
    """LF, CR and CR LF are one line end each, in any mix."""
    lines = (" hello; \t", "world!!!", "", "", "  \t\tGreetings", " End")
    for ends in product(("\n", "\r", "\r\n"), repeat=len(lines)):
        text = "".join(line + end for line, end in zip(lines, ends, strict=True))
        # A CR and an LF with an empty line between them are read as one line end.
        if len(re.findall(r"\r\n|\r|\n", text)) == len(lines):
            assert list(LineHashes(text.encode())) == ENDED


def slow_line_hashes(data: bytes) -> list[str]:
    """Return the hashes as the words of the algorithm have it, a window a line."""
    stream: list[int] = []
    after_cr = False
    encoded = data.decode("utf-8", "replace").encode("utf-16-be")
    for high, low in zip(encoded[::2], encoded[1::2], strict=True):
        unit = high << 8 | low
        drop = unit in {ord(" "), ord("\t")} or (unit == ord("\n") and after_cr)
        after_cr = unit == ord("\r")
        if not drop:
            stream.append(ord("\n") if after_cr else unit)
    stream.append(65535)
    starts = [0, *(i + 1 for i, unit in enumerate(stream) if unit == ord("\n"))]
    values = []
    for start in starts:
        window = stream[start : start + 100]
        value = 0
        for unit in window + [0] * (100 - len(window)):
            value = (value * 37 + unit) % 2**64
        values.append(value)
    return [f"{value:x}:{values[: i + 1].count(value)}" for i, value in enumerate(values)]


PIECES = st.sampled_from(
    ["\n", "\r", "\r\n", " ", "\t", "x = 1", "a" * 99, "😀", "é", "\u2028", "\v", "\0", "\ufeff"]
)


@settings(max_examples=runs(500))
@given(st.lists(PIECES | st.text(), max_size=40).map("".join).map(str.encode) | st.binary())
@example(b"\r\n\n\r\r\n")
@example(b"\xed\xa0\xbd\xed\xb8\x80\xf0\x9f")
@example(b"x\n" * 300)
def test_equals_the_slow_way(data: bytes) -> None:
    """What is computed of a window alone is what rolls over the file."""
    assert list(LineHashes(data)) == slow_line_hashes(data)


@pytest.mark.parametrize("line", ["{}\n", "import sqlite3  # {}\n"])
def test_steps_are_linear(line: str) -> None:
    """However many lines there are: none is summed up that is not asked for."""

    def work(size: int) -> Callable[[], object]:
        return partial(LineHashes, "".join(map(line.format, range(size))).encode())

    assert_linear(work, 300)
