"use strict";
// What a key does, and the overlay that lists it. Single letters can be switched off (WCAG 2.1, 2.1.4).
(function () {
  const GO = { o: "/", a: "/alarms", e: "/equipment", w: "/work-orders" };
  const SWITCH = "ec_single_keys";
  let waiting = false;

  function byId(id) { return document.getElementById(id); }
  function areOn() { return localStorage.getItem(SWITCH) !== "off"; }

  function toggleHelp() {
    const help = byId("shell-help");
    if (!help) { return; }
    byId("shell-keys").setAttribute("aria-checked", String(areOn()));
    if (help.open) { help.close(); } else { help.showModal(); }
  }

  // The alarm that has the focus, else the first of the list, else the one whose page this is.
  function acts() {
    const row = document.activeElement.closest("tr[data-alarm]") || document.querySelector("tr[data-alarm]");
    return row || document.querySelector(".acts");
  }

  function acknowledge() {
    const field = acts() && acts().querySelector("form.acknowledge textarea");
    if (field) { field.scrollIntoView({ block: "nearest" }); field.focus(); }
    return Boolean(field);
  }

  function shelve() {
    const shelf = acts() && acts().querySelector("details.shelve");
    if (!shelf) { return false; }
    shelf.open = !shelf.open;
    const first = shelf.open ? shelf.querySelector("select") : shelf.querySelector("summary");
    first.focus();
    return true;
  }

  function search() {
    const field = byId("equipment-search");
    if (field) { field.focus(); }
    return Boolean(field);
  }

  function step(by) {
    const links = Array.from(document.querySelectorAll("main tr:not([hidden]) a.title, main a.alarm-card"));
    const seen = links.filter(function (link) { return link.offsetParent !== null; });
    if (!seen.length) { return false; }
    const row = document.activeElement.closest("tr");
    const now = row ? row.querySelector("a.title") : document.activeElement;
    seen[Math.max(0, Math.min(seen.length - 1, seen.indexOf(now) + by))].focus();
    return true;
  }

  const ON_KEY = {
    "?": function () { toggleHelp(); return true; },
    "/": search,
    a: acknowledge,
    s: shelve,
    j: function () { return step(1); },
    k: function () { return step(-1); },
    g: function () { waiting = true; setTimeout(function () { waiting = false; }, 1200); return true; },
  };

  function inField(event) {
    const field = event.target.closest("input, textarea, select");
    if (!field) { return false; }
    if (event.key === "Escape") { field.blur(); }
    // A field of one line sends its form, as an input does.
    if (event.key === "Enter" && field.matches('textarea[rows="1"]') && !event.shiftKey) {
      event.preventDefault();
      field.form.requestSubmit();
    }
    return true;
  }

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) { return; }
    if (event.key === "Escape") { closeShelves(null); }
    if (inField(event)) { return; }
    const cell = event.target.closest("[data-explain]");
    if (cell && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      window.energyCenter.explain(cell);
      return;
    }
    if (!areOn() && event.key !== "?") { return; }
    if (document.querySelector("dialog[open]") && event.key !== "?") { return; }
    if (waiting) {
      waiting = false;
      if (GO[event.key]) { event.preventDefault(); window.energyCenter.go(GO[event.key]); }
      return;
    }
    const act = ON_KEY[event.key];
    if (act && act()) { event.preventDefault(); }
  });

  // One shelf open at a time; a click anywhere else closes it.
  function closeShelves(except) {
    document.querySelectorAll("details.shelve[open]").forEach(function (shelf) {
      if (shelf !== except) { shelf.open = false; }
    });
  }

  document.addEventListener("click", function (event) {
    closeShelves(event.target.closest("details.shelve"));
    if (event.target.closest("[data-help]")) { toggleHelp(); return; }
    if (event.target.id === "shell-keys") {
      localStorage.setItem(SWITCH, areOn() ? "off" : "on");
      event.target.setAttribute("aria-checked", String(areOn()));
      return;
    }
    // A click on the shade around a dialog closes it.
    if (event.target.matches("dialog[open]")) { event.target.close(); }
  });
})();
