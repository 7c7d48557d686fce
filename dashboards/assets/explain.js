"use strict";
// Opens how a figure is made, asked for when somebody wants to know.
(function () {
  function byId(id) { return document.getElementById(id); }

  // The words that stand beside the figure on the page.
  function nameOf(cell) {
    const within = cell.closest(".kpi, .pair, .sump, .weather, .limit-label, .tank, tr, .block");
    const own = cell.querySelector(":scope > .label");
    const found = (own && own.textContent ? own : null)
      || (within && within.querySelector(":scope > .label, :scope > .name, :scope > td:first-child"));
    const block = cell.closest(".block");
    const heading = block && block.querySelector("h3");
    return [heading, found].filter(Boolean).map(function (e) { return e.textContent.trim(); }).join(" · ");
  }

  async function explain(cell) {
    const dialog = byId("shell-explain");
    const asked = new URLSearchParams({ path: window.location.pathname, cell: cell.dataset.explain });
    try {
      const answer = await fetch("/explain?" + asked, { cache: "no-store" });
      if (answer.redirected) { window.energyCenter.toLogin(); return; }
      if (!answer.ok) {
        const told = await answer.json();
        window.energyCenter.say(told.detail || told.title, true);
        return;
      }
      byId("shell-explain-body").innerHTML = await answer.text();  // escaped by the server, as all large parts are
      byId("shell-explain-name").textContent = nameOf(cell);
      if (!dialog.open) { dialog.showModal(); }
    } catch (failure) {
      window.energyCenter.say(String(failure), true);
    }
  }

  document.addEventListener("click", function (event) {
    if (event.target.closest("#shell-explain a")) { byId("shell-explain").close(); return; }
    if (event.target.closest("a, button, summary, form")) { return; }
    const line = event.target.closest(".kpi, .pair");
    const inLine = line ? line.querySelectorAll("[data-explain]") : [];
    const cell = event.target.closest("[data-explain]") || (inLine.length ? inLine[0] : null);
    if (cell) { explain(cell); }
  });

  window.energyCenter = Object.assign(window.energyCenter || {}, { explain: explain });
})();
