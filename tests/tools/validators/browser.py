"""Try the HTML report in a real browser: its script, its keyboard, and that nothing else runs.

Usage: python -m tests.tools.validators.browser [--browser PROGRAM] [FILE.html...]

Without files it tries two reports of its own, one of them hostile. It needs Chromium or Chrome and
nothing else: a page of its own holds the report in a frame, works it, and writes down what it sees.
Exits 1 where anything is amiss, 2 where there is no browser, or it breaks.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from dal_audit.report.render import render
from tests.reports import finding_of, hostile_report, report_of, rule_of

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

_HARNESS: Final = r"""<!DOCTYPE html><meta charset="utf-8"><body>
<iframe src="%s" style="width:400px;height:600px"></iframe><pre id="seen"></pre>
<script>
const seen = [];
const ok = (what, is) => { if (!is) { seen.push(what); } };
const pause = () => new Promise((done) => setTimeout(done, 20));
const work = async (frame) => {
  const view = frame.contentWindow, page = frame.contentDocument;
  const byId = (id) => page.getElementById(id);
  const all = [...page.querySelectorAll("article.finding")];
  const shown = () => page.querySelectorAll("article.finding").length;
  const set = (id, value) => {
    byId(id).value = value;
    byId(id).dispatchEvent(new view.Event("input", { bubbles: true }));
  };
  ok("something smuggled in has run", view.owned === undefined);
  ok("it is wider than a narrow window",
     page.documentElement.scrollWidth <= page.documentElement.clientWidth);
  ok("the style is not in force", view.getComputedStyle(all[0]).borderLeftStyle === "solid");
  ok("the script has not run", !byId("tools").hidden);
  ok("it counts wrong", byId("count").textContent.startsWith(`${all.length} of ${all.length} `));
  set("search", "no such words anywhere");
  ok("the search finds what is not there", shown() === 0);
  const word = all[0].querySelector(".place code").textContent.toLowerCase();
  set("search", word);
  ok("the search does not find a place", shown() > 0);
  set("search", "");
  for (const group of ["clause", "package", "file", "rule"]) {
    set("group", group);
    const heads = page.querySelectorAll("#findings h2").length;
    ok(`grouping by ${group} loses findings`, shown() >= all.length && heads > 0);
  }
  for (const name of ["clause", "rule", "package", "driver"]) {
    for (const choice of [...byId(name).options].slice(1)) {
      set(name, choice.value);
      ok(`${name} ${choice.value} finds nothing`, shown() > 0);
      ok(`${name} ${choice.value} counts wrong`,
         byId("count").textContent.startsWith(`${shown()} of `));
    }
    set(name, "");
  }
  for (const link of page.querySelectorAll("svg a, a[data-clause]")) {
    link.focus();
    ok("a link cannot be reached by the keyboard", page.activeElement === link);
    link.dispatchEvent(new view.MouseEvent("click", { bubbles: true, cancelable: true }));
    await pause();
    ok(`choosing ${link.textContent} finds nothing`, shown() > 0);
    ok("the focus does not move to the findings", page.activeElement === byId("findings"));
  }
  for (const edge of page.querySelectorAll("svg .edge")) {
    edge.dispatchEvent(new view.MouseEvent("click", { bubbles: true, cancelable: true }));
    await pause();
    ok("choosing a line finds nothing", shown() > 0);
  }
  byId("tools").reset();
  await pause();
  ok("showing all does not show all", shown() === all.length);
  ok("something smuggled in has run", view.owned === undefined);
};
document.querySelector("iframe").addEventListener("load", async (event) => {
  try { await work(event.target); } catch (error) { seen.push(`it broke: ${error}`); }
  document.getElementById("seen").textContent = `seen ${JSON.stringify(seen)} end`;
});
</script>"""


class BrowserError(RuntimeError):
    """There is no browser, or it broke."""


def find_browser(given: str | None) -> str:
    """Return a browser's program."""
    for name in [given] if given else BROWSERS:
        program = shutil.which(name)
        if program is not None:
            return program
    raise BrowserError(f"no {given or ' nor '.join(BROWSERS)} on this machine")


def amiss(program: str, file: Path) -> list[str]:
    """Return what is amiss with a page, in the browser's own view."""
    with tempfile.TemporaryDirectory() as folder:
        harness = Path(folder, "harness.html")
        harness.write_text(_HARNESS % html.escape(file.resolve().as_uri()), encoding="utf-8")
        command = [
            *(program, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *("--allow-file-access-from-files", f"--user-data-dir={folder}/profile"),
            *("--virtual-time-budget=60000", "--enable-logging=stderr", harness.as_uri()),
        ]
        run = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=180,
        )
    found = re.search(r"seen (\[.*\]) end", html.unescape(run.stdout), re.DOTALL)
    if found is None:
        raise BrowserError(f"it did not finish {file}: {run.stderr[-2000:]}")
    # A policy that refuses something says so on the console, and so does a script that fails.
    said = re.findall(r'CONSOLE[^\]]*\] "((?:Refused|Uncaught|Executing)[^"]*)', run.stderr)
    return [*json.loads(found[1]), *said]


def own_pages(folder: Path) -> list[Path]:
    """Write the two pages that are tried where none is given."""
    smuggled = "<img src=x onerror=window.owned=1><script>window.owned=1</script>"
    hostile = hostile_report()
    plain = report_of(
        *(
            finding_of(f"app/{name}/x.py", line, rule=rule_of(rule), driver=driver)
            for name, line, rule, driver in (
                ("web", 1, "driver-import", "sqlite3"),
                ("web", 2, "driver-type", "psycopg"),
                ("jobs", 1, "driver-import", "psycopg"),
                ("jobs/deep", 1, "trigger", ""),
                (smuggled, 1, "raw-sql", smuggled),
            )
        ),
        sources={"app/web/x.py": f"import sqlite3 {smuggled}".encode()},
        assumptions=(smuggled,),
    )
    pages = []
    for name, report in (("plain", plain), ("hostile", hostile)):
        page = folder / f"{name}.html"
        page.write_text(render(report, "html"), encoding="utf-8")
        pages.append(page)
    return pages


def main(arguments: list[str] | None = None) -> int:
    """Try the pages that the command line names, or two of its own."""
    parser = argparse.ArgumentParser(description="Try the HTML report in a real browser.")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE.html")
    parser.add_argument("--browser", help="the browser's program")
    options = parser.parse_args(arguments)
    bad = 0
    try:
        program = find_browser(options.browser)
        with tempfile.TemporaryDirectory() as folder:
            for file in options.files or own_pages(Path(folder)):
                found = amiss(program, file)
                bad += len(found)
                print(f"{file.name}: {'; '.join(found) or 'nothing amiss'}")
    except (BrowserError, subprocess.TimeoutExpired) as error:
        print(f"browser: {error}", file=sys.stderr)
        return 2
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
