"""Amending a file: what is edited changes, and nothing else does."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dal_audit.extract.source import Lines
from dal_audit.facts import Edit, Span
from dal_audit.fix.model import Fix
from dal_audit.fix.rewrite import AmendError, amended, compatible, text_of


def fix_of(*edits: tuple[int, int, int, str]) -> Fix:
    """Return a fix of edits on single lines: line, column, end column, text."""
    return Fix("", tuple(Edit(Span(a, b, a, c), text) for a, b, c, text in edits), "safe")


def test_columns_count_utf16_units() -> None:
    data = "x = '🦆é'  # old\n".encode()
    assert amended(data, [fix_of((1, 14, 17, "new"))], is_script=False) == (
        "x = '🦆é'  # new\n".encode()
    )


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("is_script", [True, False])
def test_line_ends_and_marks_stay(*, end: bytes, mark: bytes, last: bool, is_script: bool) -> None:
    data = mark + end.join([b"a", b"b", b"c"]) + end * last
    new = amended(data, [fix_of((2, 1, 2, "new"))], is_script=is_script)
    assert new == mark + end.join([b"a", b"new", b"c"]) + end * last


def test_the_declared_encoding_stays() -> None:
    data = "# coding: latin-1\nx = 'é'  # old\n".encode("latin-1")
    new = amended(data, [fix_of((2, 12, 15, "é"))], is_script=False)
    assert new == "# coding: latin-1\nx = 'é'  # é\n".encode("latin-1")


def test_what_the_encoding_lacks_is_refused() -> None:
    with pytest.raises(AmendError, match="iso8859-1 has no `€`"):
        amended(b"# coding: latin-1\nx\n", [fix_of((2, 1, 2, "€"))], is_script=False)


def test_no_other_line_may_come_to_declare_the_encoding() -> None:
    data = b"#\n#\n# coding: latin-1\nx\n"
    taken_out = Fix("", (Edit(Span(1, 1, 2, 1), ""),), "safe")
    with pytest.raises(AmendError, match="another line"):
        amended(data, [taken_out], is_script=False)


def test_what_is_not_written_as_it_was_read_is_refused() -> None:
    data = b"# coding: utf-7\nx = '+AGE-'\n"
    assert text_of(data, is_script=False).endswith("'a'\n")
    with pytest.raises(AmendError, match="not what utf-7 writes"):
        amended(data, [fix_of((2, 1, 2, "y"))], is_script=False)


@pytest.mark.parametrize("is_script", [True, False])
def test_what_cannot_be_decoded_is_refused(*, is_script: bool) -> None:
    with pytest.raises(AmendError, match="0xff"):
        amended(b"\xff", [fix_of((1, 1, 1, "x"))], is_script=is_script)


def test_of_fixes_that_overlap_the_first_is_kept() -> None:
    whole, inner, beside = fix_of((1, 1, 9, "")), fix_of((1, 3, 5, "")), fix_of((1, 9, 10, ""))
    assert compatible([inner, beside, whole]) == [whole, beside]
    assert compatible([fix_of((1, 1, 1, "a")), fix_of((1, 1, 1, "b"))]) == [fix_of((1, 1, 1, "a"))]


def test_a_fix_is_applied_whole_or_not_at_all() -> None:
    first, both = fix_of((1, 3, 4, "x")), fix_of((1, 1, 2, "y"), (1, 3, 4, "y"))
    assert compatible([first, both]) == [both]
    assert compatible([fix_of((1, 1, 2, "x")), both]) == [fix_of((1, 1, 2, "x"))]


@given(st.text(st.sampled_from("ab é🦆\n\r"), max_size=30), st.data())
def test_what_stands_outside_the_edits_stays(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    span = Lines(text).span(start, end)
    expected = text[:start] + "new" + text[end:]
    # A line end in two parts is not two places.
    if "\r\n" in (text[start - 1 : start + 1], text[end - 1 : end + 1]):
        return
    fix = Fix("", (Edit(span, "new"),), "safe")
    assert amended(text.encode(), [fix], is_script=True) == expected.encode()
