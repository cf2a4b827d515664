"use strict";
// Search, filters and groups. All that is shown comes from the page itself, as nodes and text:
// no markup is ever made from strings.
(() => {
  const byId = (id) => document.getElementById(id);
  const list = byId("findings");
  const tools = byId("tools");
  const findings = [...list.querySelectorAll("article.finding")];
  if (findings.length === 0) {
    return;
  }
  const filters = ["clause", "rule", "package", "driver"];
  const texts = new Map(findings.map((one) => [one, one.textContent.toLowerCase()]));

  const keysOf = {
    clause: (one) => one.dataset.clauses.split(" "),
    rule: (one) => [one.dataset.rule],
    package: (one) => [one.dataset.package],
    driver: (one) => [one.dataset.driver],
    file: (one) => [one.dataset.file],
  };

  const isWanted = (one, words) =>
    words.every((word) => texts.get(one).includes(word)) &&
    filters.every((name) => !byId(name).value || keysOf[name](one).includes(byId(name).value));

  const counted = (number) => `${number} finding${number === 1 ? "" : "s"}`;

  const section = (title, members, asCopies) => {
    const group = document.createElement("section");
    group.className = "group";
    const head = document.createElement("h2");
    const small = document.createElement("small");
    small.textContent = counted(members.length);
    head.append(`${title} `, small);
    group.append(head, ...members.map((one) => (asCopies.has(one) ? one.cloneNode(true) : one)));
    members.forEach((one) => asCopies.add(one));
    return group;
  };

  const show = () => {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = findings.filter((one) => isWanted(one, words));
    const groups = new Map();
    for (const one of wanted) {
      for (const key of keysOf[byId("group").value](one)) {
        if (!groups.has(key)) {
          groups.set(key, []);
        }
        groups.get(key).push(one);
      }
    }
    // A finding against two clauses stands under both: the first time itself, then as a copy.
    const seen = new Set();
    const names = [...groups.keys()].sort();
    list.replaceChildren(...names.map((name) => section(name, groups.get(name), seen)));
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

  tools.addEventListener("input", show);
  tools.addEventListener("reset", () => setTimeout(show));
  tools.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", choose);
  tools.hidden = false;
  byId("count").textContent = `${findings.length} of ${counted(findings.length)}`;
})();
