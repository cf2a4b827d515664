"""The HTML report: complete without its script, closed to whatever a source or a name smuggles in."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from dal_audit.discover.projects import ProjectScope
from dal_audit.facts import Place, Span
from dal_audit.judge.breach import Origin, Related
from dal_audit.policy import default_policy
from dal_audit.report.html.picture import PACKAGES_SHOWN
from dal_audit.report.html.sections import ON_PAPER
from dal_audit.report.render import Report, render
from dal_audit.report.terminal import safe
from tests.reports import TRICKS, finding_of, hostile_report, report_of, rule_of

VOID = {"meta"}
KNOWN = {
    "a",
    "article",
    "body",
    "button",
    "code",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "form",
    "h1",
    "h2",
    "h3",
    "head",
    "header",
    "html",
    "input",
    "label",
    "li",
    "main",
    "mark",
    "meta",
    "ol",
    "option",
    "output",
    "p",
    "path",
    "pre",
    "script",
    "section",
    "select",
    "small",
    "span",
    "strong",
    "style",
    "summary",
    "svg",
    "table",
    "tbody",
    "td",
    "text",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "ul",
}
VOID |= {"input"}


class Page(HTMLParser):
    """A page as a browser would take it apart; raises for tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.raw: dict[str, str] = {}
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in {"script", "style"}:
            self.raw[self.open[-1]] = self.raw.get(self.open[-1], "") + data
        else:
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def values(self, name: str) -> list[str]:
        """Return the values of all attributes of a name."""
        return [value for _, attribute, value in self.attributes if attribute == name]


def page_of(report: Report, *, show_suppressed: bool = False) -> Page:
    """Return a report's page, after everything that holds for all pages was checked."""
    text = render(report, "html", show_suppressed=show_suppressed)
    assert text.startswith("<!DOCTYPE html>\n")
    page = Page(text)
    assert set(page.tags) <= KNOWN
    assert page.tags["script"] == page.tags["style"] == 1
    assert not [name for _, name, _ in page.attributes if name.startswith("on") or name == "style"]
    assert not page.values("src")
    for address in page.values("href"):
        assert address.startswith(("#", "https://github.com/dal-audit/dal-audit/"))
    (policy,) = [value for value in page.values("content") if "default-src" in value]
    for kind, text in page.raw.items():
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    ids = page.values("id")
    assert len(set(ids)) == len(ids)
    for label in page.values("aria-labelledby"):
        assert label in ids
    for address in page.values("href"):
        assert not address.startswith("#") or address[1:] in ids
    return page


def test_a_finding_is_told_with_its_source_and_its_way() -> None:
    related = (Related(Place("storage/db.py", Span(2, 1, 2, 4)), "`Row` is imported here"),)
    found = finding_of(
        label="comes in",
        related=related,
        flow_length=1,
        remedy="Move it.",
        fails_on=("sqlite",),
        driver="sqlite3",
    )
    sources = {"app/a.py": b"import sqlite3  # <x>\n", "storage/db.py": b"\nRow = 1\n"}
    text = render(report_of(found, sources=sources), "html")
    assert '<pre><span class="line">1</span>import <mark>sqlite3</mark>  # &lt;x&gt;</pre>' in text
    assert '<pre><span class="line">2</span><mark>Row</mark> = 1</pre>' in text
    for told in (
        "app/a.py:1:8",
        "comes in",
        "Move it.",
        "Fails on",
        "<code>Row</code> is imported",
    ):
        assert told in text
    page = page_of(report_of(found, sources=sources))
    data = {name: value for tag, name, value in page.attributes if tag == "article"}
    assert data["data-rule"] == "DAL101 driver-import"
    assert data["data-clauses"].split() == list(found.rule.clauses)
    assert (data["data-package"], data["data-file"]) == ("app", "app/a.py")
    assert data["data-driver"] == "sqlite3"


def test_findings_stand_by_rule() -> None:
    other = rule_of("driver-type")
    page = page_of(
        report_of(finding_of("a.py", rule=other), finding_of("b.py"), finding_of("c.py"))
    )
    files = [value for _, name, value in page.attributes if name == "data-file"]
    assert files == ["b.py", "c.py", "a.py"]
    assert page.tags["article"] == 3
    options = page.values("value")
    assert {"DAL101 driver-import", "DAL103 driver-type", "CX-DBP-010"} <= set(options)


def test_hostile_names_are_text() -> None:
    page = page_of(hostile_report(), show_suppressed=True)
    assert page.tags["article"] == len(TRICKS) + 1
    shown = "".join(page.text)
    for trick in TRICKS:
        assert safe(f"{trick}/f.py:1:8").replace("\t", "\\t") in shown


@settings(max_examples=60)
@given(st.text(st.characters(), max_size=20), st.text(st.characters(), max_size=20))
def test_any_text_is_text(path: str, message: str) -> None:
    page = page_of(report_of(finding_of(path or "a", message=message, driver=path)))
    assert page.tags["article"] == 1


def test_the_picture_has_a_line_for_each_package_and_driver() -> None:
    found = [
        finding_of("a/x.py", driver="sqlite3"),
        finding_of("a/y.py", driver="sqlite3"),
        finding_of("a/y.py", 3, driver="psycopg"),
        finding_of("b/z.py", driver="psycopg"),
        finding_of("c/z.py"),
    ]
    text = render(report_of(*found), "html")
    assert "<title>a reaches sqlite3: 2 findings</title>" in text
    assert "<title>a reaches psycopg: 1 finding</title>" in text
    assert "<title>b reaches psycopg: 1 finding</title>" in text
    assert text.count("<path ") == 3
    assert text.count("<tr><td>") == 3


def test_there_is_no_picture_of_nothing() -> None:
    assert page_of(report_of(finding_of())).tags["svg"] == 0
    page = page_of(report_of())
    assert "No findings." in page.text


def test_a_picture_stays_legible() -> None:
    found = [finding_of(f"p{n:03}/x.py", driver=f"d{n % 3}") for n in range(PACKAGES_SHOWN + 7)]
    text = render(report_of(*found), "html")
    assert text.count("<path ") == PACKAGES_SHOWN
    assert "7 more packages with fewer findings" in text
    assert text.count("<tr><td>") == len(found)


@pytest.mark.parametrize("script", ["innerHTML", "insertAdjacentHTML", "document.write", "eval("])
def test_the_script_makes_no_markup_from_strings(script: str) -> None:
    assert script not in page_of(report_of()).raw["script"]


def test_a_long_line_is_quoted_around_what_is_marked() -> None:
    line = "x = '" + "y" * 5000 + "'; import sqlite3\n"
    start = line.index("sqlite3") + 1
    found = finding_of(span=Span(1, start, 1, start + 7))
    text = render(report_of(found, sources={"app/a.py": line.encode()}), "html")
    (quoted,) = re.findall(r"<pre>(.*)</pre>", text)
    assert "<mark>sqlite3</mark>" in quoted
    assert len(quoted) < 500


def luminance(color: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    parts = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(scheme: int) -> None:
    """WCAG 2.2 asks for a contrast of 4.5 (level AA)."""
    style = page_of(report_of()).raw["style"]
    roots = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    colors = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", roots[scheme]))
    pairs = [(name, "back") for name in ("link", "error", "warning", "info", "good", "faint")]
    pairs += [("text", "back"), ("text", "panel"), ("faint", "panel"), ("text", "mark")]
    for front, back in pairs:
        darker, lighter = sorted((luminance(colors[front]), luminance(colors[back])))
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (front, back)


def test_the_page_says_which_job_tests_a_backend() -> None:
    tested = (("sqlite", "by tests (3.13) in ci.yml", True), ("postgresql", "no job <b>", False))
    page = render(report_of(tested=tested), "html")
    assert "<td>by tests (3.13) in ci.yml</td><td>yes</td>" in page
    assert "<td>no job &lt;b&gt;</td><td>no</td>" in page
    assert "Storage tests on" not in render(report_of(), "html")


def test_the_head_says_what_was_audited_when_and_how(tmp_path: Path) -> None:
    file = tmp_path / "dal-audit.toml"
    scope = ProjectScope(replace(default_policy(tmp_path), file=file), (".",), (), {})
    text = render(report_of(scopes=(scope,), date="2026-01-31"), "html")
    assert f"<h1>{tmp_path.name} · dal-audit</h1>" in text
    assert '<time datetime="2026-01-31">2026-01-31</time>' in text
    assert "<dd>dal-audit 0.1.0</dd>" in text
    assert "<code>dal-audit.toml</code>" in text
    assert "<dd>sqlite 3.35, postgresql 14</dd>" in text
    assert "<time" not in render(report_of(), "html")


def test_places_lead_to_the_sources_on_the_web() -> None:
    found = finding_of("a b/#?é.py", 7)
    url = "https://example.org/{path}#L{line}-{end_line}"
    text = render(report_of(found, source_url=url), "html")
    address = "https://example.org/a%20b/%23%3F%C3%A9.py#L7-7"
    assert f'<a href="{address}" rel="noreferrer"><code>a b/#?é.py:7:8</code></a>' in text
    for trick in TRICKS:
        Page(render(report_of(finding_of(f"{trick}.py"), source_url=url), "html"))


def test_findings_of_one_cause_stand_behind_it() -> None:
    place = Place("storage/db.py", Span(2, 1, 2, 4))
    origin = Origin("storage.db.Row", place, "`Row` is imported here")
    way = (Related(place, "`Row` is imported here"),)
    found = [
        finding_of(f"app/{name}.py", related=way, flow_length=1, origin=origin) for name in "abcd"
    ]
    page = page_of(report_of(*found, finding_of("z.py")))
    assert page.tags["article"] == 5
    shown = "".join(page.text)
    assert "storage.db.Row reaches 4 files" in shown
    assert "4 findings in 4 files" in shown
    assert shown.index("4 findings in 4 files") < shown.index("z.py:1:8")


def test_of_many_findings_paper_has_a_line_each() -> None:
    many = [finding_of(f"{number}.py") for number in range(ON_PAPER + 1)]
    told = "are left out on paper"
    assert told not in render(report_of(*many[1:]), "html")
    text = render(report_of(*many), "html")
    assert '<div id="findings" class="many"' in text
    assert told in text


def test_accepted_findings_are_drawn_apart() -> None:
    found = [
        finding_of("a/x.py", driver="sqlite3"),
        finding_of("a/y.py", driver="sqlite3", standing="baselined"),
    ]
    text = render(report_of(*found), "html")
    assert '<path class="edge open"' in text
    assert '<path class="edge accepted"' in text
    assert "<title>a reaches sqlite3: 1 accepted finding</title>" in text
