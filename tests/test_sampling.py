"""The sample that runs by day: nothing of a kind is missing, and what was changed is in it."""

from __future__ import annotations

from tests.examples import all_examples, read_examples
from tests.sampling import digest, sample


def test_every_document_is_in_the_sample() -> None:
    taken = sample(all_examples(), frozenset())
    assert {example.document for example in taken} == {
        example.document for example in all_examples()
    }
    assert len(taken) < len(all_examples()) / 3


def test_all_of_an_edited_document_is_in_the_sample() -> None:
    document = max(
        (example.document for example in all_examples()),
        key=[example.document for example in all_examples()].count,
    )
    every = [example for example in all_examples() if example.document == document]
    taken = sample(all_examples(), frozenset({document}))
    assert [example for example in taken if example.document == document] == every
    assert len(sample(every, frozenset())) < len(every)


def test_a_line_above_changes_no_sample() -> None:
    text = "## One\n\n`a.py`\n```python\nimport sqlite3\n```\n"
    (one,) = read_examples("x.md", text, everywhere=True)
    (moved,) = read_examples("x.md", f"Words.\n\n{text}", everywhere=True)
    (other,) = read_examples("x.md", text.replace("sqlite3", "redis"), everywhere=True)
    assert one.line != moved.line
    assert digest(one) == digest(moved) != digest(other)
