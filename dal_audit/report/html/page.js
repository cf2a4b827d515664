"use strict";
// Search, filters and groups. All that is shown comes from the page itself, as nodes and text:
// no markup is ever made from strings.
(() => {
  const byId = (id) => document.getElementById(id);
  const list = byId("findings");
  const tools = byId("tools");

  // Paper cannot be unfolded.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = [...document.querySelectorAll("details:not([open])")];
    folded.forEach((part) => (part.open = true));
  });
  addEventListener("afterprint", () => folded.forEach((part) => (part.open = false)));

  const findings = [...list.querySelectorAll("article.finding")];
  if (tools === null || findings.length === 0) {
    return;
  }
  const filters = ["clause", "rule", "package", "driver"];
  const places = [list, ...list.querySelectorAll(".group, .block > details")];
  const contents = new Map(places.map((place) => [place, [...place.childNodes]]));
  const texts = new Map();

  const textOf = (finding) => {
    if (!texts.has(finding)) {
      texts.set(finding, finding.textContent.toLowerCase());
    }
    return texts.get(finding);
  };

  const keysOf = {
    clause: (finding) => finding.dataset.clauses.split(" "),
    rule: (finding) => [finding.dataset.rule],
    package: (finding) => [finding.dataset.package],
    driver: (finding) => [finding.dataset.driver],
    file: (finding) => [finding.dataset.file],
  };

  const counted = (number) => `${number} finding${number === 1 ? "" : "s"}`;

  const section = (title, members, asCopies) => {
    const group = document.createElement("section");
    group.className = "group";
    const head = document.createElement("h2");
    const small = document.createElement("small");
    small.textContent = counted(members.length);
    head.append(`${title} `, small);
    const shown = members.map((finding) =>
      asCopies.has(finding) ? finding.cloneNode(true) : finding);
    members.forEach((finding) => asCopies.add(finding));
    group.append(head, ...shown);
    return group;
  };

  // As the page came, without what is not wanted: causes stay above what they reach.
  let isMoved = false;
  const showByRule = (wanted, isChosen) => {
    if (isMoved) {
      contents.forEach((children, place) => place.replaceChildren(...children));
      isMoved = false;
    }
    const kept = new Set(wanted);
    findings.forEach((finding) => (finding.hidden = !kept.has(finding)));
    for (const part of list.querySelectorAll(".block, .group")) {
      part.hidden = part.querySelector("article.finding:not([hidden])") === null;
    }
    list.querySelectorAll(".block > details").forEach((part) => (part.open = isChosen));
  };

  const showBy = (name, wanted) => {
    isMoved = true;
    const groups = new Map();
    for (const finding of wanted) {
      finding.hidden = false;
      for (const key of keysOf[name](finding)) {
        if (!groups.has(key)) {
          groups.set(key, []);
        }
        groups.get(key).push(finding);
      }
    }
    // A finding against two clauses stands under both: the first time itself, then as a copy.
    const seen = new Set();
    const names = [...groups.keys()].sort();
    list.replaceChildren(...names.map((key) => section(key, groups.get(key), seen)));
  };

  const show = () => {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = filters.filter((name) => byId(name).value);
    const wanted = findings.filter((finding) =>
      chosen.every((name) => keysOf[name](finding).includes(byId(name).value)) &&
      words.every((word) => textOf(finding).includes(word)));
    const name = byId("group").value;
    if (name === "rule") {
      showByRule(wanted, words.length + chosen.length > 0);
    } else {
      showBy(name, wanted);
    }
    byId("count").textContent = `${wanted.length} of ${counted(findings.length)}`;
  };

  const choose = (event) => {
    const chosen = event.target.closest("[data-clause], a[data-package], a[data-driver], .edge");
    if (chosen === null || list.contains(chosen)) {
      return;
    }
    tools.reset();
    for (const name of filters) {
      byId(name).value = chosen.dataset[name] ?? "";
    }
    show();
    tools.scrollIntoView();
    list.focus({ preventScroll: true });
    event.preventDefault();
  };

  // Within the list, j and k go from one finding to the next.
  const step = (event) => {
    const way = { j: 1, k: -1 }[event.key];
    if (way === undefined || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    const seen = [...list.querySelectorAll("article.finding")]
      .filter((finding) => finding.closest("[hidden], details:not([open])") === null);
    const here = seen.indexOf(document.activeElement.closest("article.finding"));
    const next = seen[here < 0 ? 0 : Math.max(0, Math.min(seen.length - 1, here + way))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  };

  let waiting = 0;
  tools.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, 80);
  });
  tools.addEventListener("reset", () => setTimeout(show));
  tools.addEventListener("submit", (event) => event.preventDefault());
  list.addEventListener("keydown", step);
  document.addEventListener("click", choose);
  tools.hidden = false;
  byId("count").textContent = `${findings.length} of ${counted(findings.length)}`;
})();
