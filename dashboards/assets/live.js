"use strict";
// Hands what the push channel brings to the elements of the page, and keeps ages honest between pushes.
(function () {
  const state = { lastPush: performance.now(), offset: 0, hints: {}, seen: false, awaySince: null, silentSince: null, listeners: [] };
  const viewer = (window.crypto && crypto.randomUUID) ? crypto.randomUUID() : String(Math.random()).slice(2);

  function serverNow() { return Date.now() + state.offset; }

  function ageUnits() {
    const shell = document.getElementById("shell");
    return shell ? JSON.parse(shell.dataset.ageUnits) : ["", "", "", ""];
  }

  function age(ms) {
    const units = ageUnits();
    const s = Math.max(0, Math.floor(ms / 1000));
    if (s < 60) { return s + units[0]; }
    if (s < 3600) { return Math.floor(s / 60) + units[1]; }
    if (s < 172800) { return Math.floor(s / 3600) + units[2]; }
    return Math.floor(s / 86400) + units[3];
  }

  function each(selector, visit) { document.querySelectorAll(selector).forEach(visit); }

  function setText(element, words) {
    if (element && element.textContent !== words) { element.textContent = words; }
  }

  function show(element, cell) {
    setText(element.querySelector(":scope > .v"), cell.t);
    element.dataset.state = cell.s;
    element.dataset.flag = cell.f;
    if (cell.at !== null) { element.dataset.at = String(cell.at); }
    if (cell.n) { element.title = cell.n; }
    for (const [name, value] of Object.entries(cell.v)) { element.style.setProperty(name, value); }
  }

  function apply(message) {
    state.lastPush = performance.now();
    state.seen = true;
    state.offset = message.now - Date.now();
    if (!message.away) { state.awaySince = null; } else if (state.awaySince === null) { state.awaySince = message.now; }
    state.silentSince = message.silent === undefined ? null : message.silent;
    for (const [key, cell] of Object.entries(message.cells)) {
      const name = CSS.escape(key);
      each(`[data-cell="${name}"]`, function (element) { show(element, cell); });
      each(`[data-follow="${name}"]`, function (element) {
        if (cell.at !== null) { element.dataset.at = String(cell.at); }
      });
    }
    state.listeners.forEach(function (listen) { listen(message); });
    tick();
  }

  function tick() {
    const now = serverNow();
    each(".cell[data-at]", function (element) {
      const old = now - Number(element.dataset.at);
      const stale = old > Number(element.dataset.staleMs) || element.dataset.state === "stale";
      element.classList.toggle("is-stale", stale);
      setText(element.querySelector(":scope > .age"), stale ? age(old) : "");
    });
    each(".age-now[data-at]", function (element) { setText(element, age(now - Number(element.dataset.at))); });
    each(".quality-now", function (element) {
      const cell = document.querySelector(`.cell[data-cell="${CSS.escape(element.dataset.qualityOf)}"]`);
      if (!cell) { return; }
      const named = cell.classList.contains("is-stale") ? "stale" : cell.dataset.state;
      const words = element.dataset[named];
      if (words) { setText(element, words); }
      element.dataset.state = named;
    });
  }

  function hint(name) {
    return function (message) {
      if (!message) { return window.dash_clientside.no_update; }
      const before = state.hints[name];
      const now = message.hints[name];
      state.hints[name] = now;
      // The first message of a socket starts to count again: after a break, ask, since something may have been missed.
      if (before === undefined || now === before) { return window.dash_clientside.no_update; }
      return Date.now();
    };
  }

  window.energyCenter = Object.assign(window.energyCenter || {}, {
    state: state, age: age, apply: apply, tick: tick, viewer: viewer, serverNow: serverNow,
  });
  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    live: {
      hint_alarms: function (message) {
        if (message) { apply(message); }
        return hint("alarms")(message);
      },
      hint_orders: hint("orders"),
      hint_progress: hint("progress"),
      moved: function (path, search) { return { viewer: viewer, path: path, search: search || "" }; },
    },
  });
  setInterval(tick, 1000);
})();
