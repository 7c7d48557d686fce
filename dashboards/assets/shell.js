"use strict";
// The shell's own behaviour: clock, watchdog, forms, filters, theme, language, keys. Pages need no script of their own.
(function () {
  const QUIET_MS = 5000;
  const root = document.documentElement;
  const bornAs = root.dataset.build;
  let probing = false;

  function byId(id) { return document.getElementById(id); }

  // --- clock: the site's time, corrected by the server's
  let format = null;
  function clock() {
    const shell = byId("shell");
    const element = byId("shell-clock");
    if (!shell || !element) { return; }
    if (!format) {
      format = new Intl.DateTimeFormat("en-GB", {
        timeZone: shell.dataset.zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false,
      });
    }
    element.textContent = format.format(new Date(window.energyCenter.serverNow()));
  }

  // --- watchdog: says what is wrong and since when; reloads for a new program, leaves when logged out
  function trouble() {
    const state = window.energyCenter.state;
    const quiet = performance.now() - state.lastPush;
    const now = window.energyCenter.serverNow();
    if (quiet > QUIET_MS) { return { kind: "disconnected", ms: quiet }; }
    if (state.awaySince !== null) { return { kind: "away", ms: now - state.awaySince }; }
    if (state.silentSince !== null) { return { kind: "silent", ms: now - state.silentSince }; }
    return null;
  }

  let missed = false;
  function watch() {
    const banner = byId("shell-banner");
    const shell = byId("shell");
    if (!banner || !shell) { return; }
    const now = trouble();
    banner.hidden = now === null;
    document.body.classList.toggle("is-disconnected", now !== null);
    if (now === null) {
      if (missed) { missed = false; redraw(); }
      return;
    }
    const words = shell.dataset[now.kind].replace("%AGE%", window.energyCenter.age(now.ms));
    if (banner.textContent !== words) { banner.textContent = words; }
    banner.dataset.kind = now.kind;
    if (now.kind !== "silent") { probe(); }
  }

  async function probe() {
    if (probing) { return; }
    probing = true;
    try {
      const health = await fetch("/api/health", { cache: "no-store" });
      const build = (await health.json()).build;
      if (bornAs && build && build !== bornAs) { window.location.reload(); return; }
      if (!health.ok) { return; }
      const session = await fetch("/api/v1/session", { cache: "no-store" });
      if (session.status === 401) { toLogin(); return; }
      // The server is back and knows us, yet no socket came up again in half a minute: start over.
      if (performance.now() - window.energyCenter.state.lastPush > 30000) { window.location.reload(); }
    } catch (failure) {
      // still away: the next turn tries again
    } finally {
      setTimeout(function () { probing = false; }, 2000);
    }
  }

  async function checkBuild() {
    try {
      const health = await fetch("/api/health", { cache: "no-store" });
      const build = (await health.json()).build;
      if (bornAs && build && build !== bornAs) { window.location.reload(); }
    } catch (failure) {
      // the watchdog speaks up when the socket is gone too
    }
  }

  function toLogin() {
    const next = encodeURIComponent(window.location.pathname + window.location.search);
    window.location.assign("/login?ended=1&next=" + next);
  }

  const plainFetch = window.fetch.bind(window);
  window.fetch = async function (target, options) {
    const answer = await plainFetch(target, options);
    const path = typeof target === "string" ? target : (target && target.url) || "";
    if (answer.status === 401 && path.includes("/_dash-")) { toLogin(); }
    if (answer.status === 503 && path.includes("/_dash-update")) {
      missed = true;  // what was asked for is drawn once the database is back
      say(byId("shell").dataset.later, true);
    }
    return answer;
  };

  // --- forms that call the API
  function say(words, isProblem) {
    const toast = byId("shell-toast");
    if (!toast || !words) { return; }
    toast.textContent = words;
    toast.classList.toggle("problem", Boolean(isProblem));
    toast.classList.add("on");
    clearTimeout(say.timer);
    say.timer = setTimeout(function () { toast.classList.remove("on"); }, 5000);
  }

  function refresh(subject) {
    if (subject) { window.dash_clientside.set_props("shell-" + subject, { data: Date.now() }); }
  }

  function go(path) {
    window.history.pushState({}, "", path);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  }

  function bodyOf(form, button) {
    const body = JSON.parse(form.dataset.body || "{}");
    for (const field of form.querySelectorAll("textarea[name], input[name]:not([type=file]), select[name]")) {
      if (field.multiple) {
        body[field.name] = Array.from(field.selectedOptions, function (option) { return option.value; });
        continue;
      }
      const group = form.dataset.group;  // fields of a group stand together in the body
      const place = group && field.name.startsWith(group + ".") ? (body[group] = body[group] || {}) : body;
      place[place === body ? field.name : field.name.slice(group.length + 1)] = field.dataset.minutes
        ? new Date(window.energyCenter.serverNow() + Number(field.value) * 60000).toISOString()
        : field.value;
    }
    if (form.querySelector("[data-paper]")) { body.papers = window.energyCenterPapers(form); }
    if (button && button.dataset.name) { body[button.dataset.name] = button.dataset.value; }
    const list = form.dataset.append;
    if (list) {  // what is filled in is one more entry of a list
      const { [list]: held, ...entry } = body;
      return { [list]: held.concat([entry]) };
    }
    return body;
  }

  function base64(file) {
    return new Promise(function (resolve, reject) {
      const reader = new FileReader();
      reader.onload = function () { resolve(String(reader.result).split(",")[1] || ""); };
      reader.onerror = function () { reject(reader.error); };
      reader.readAsDataURL(file);
    });
  }
  window.energyCenter = Object.assign(window.energyCenter || {}, { base64 });

  // The one file of a form goes along as base64, with its name; a file without a name was sent by itself.
  async function addFile(form, body) {
    const chosen = form.querySelector("input[type=file][name]");
    if (!chosen || !chosen.files.length) { return; }
    body.file_name = chosen.files[0].name;
    body.content = await base64(chosen.files[0]);
  }

  // A page redraws while a person types, when a colleague changes the same thing: words not yet sent must survive.
  const drafts = new Map();
  let typingIn = null;

  function draftKey(field) {
    const form = field.closest("form[data-api]");
    return form && field.name && !form.dataset.nodraft ? form.dataset.api + " " + field.name : null;
  }

  document.addEventListener("input", function (event) {
    const key = draftKey(event.target);
    if (key) { drafts.set(key, event.target.value); typingIn = key; }
  });

  document.addEventListener("focusout", function (event) {
    if (event.relatedTarget || event.target.isConnected) { typingIn = null; }
  });

  function restoreDrafts() {
    for (const [key, words] of drafts) {
      const [api, name] = key.split(" ");
      const field = document.querySelector(`form[data-api="${api}"] [name="${name}"]`);
      if (!field) { continue; }
      if (field.value !== words) { field.value = words; }
      if (key === typingIn && document.activeElement === document.body) {
        field.focus();
        if (field.setSelectionRange) { field.setSelectionRange(words.length, words.length); }
      }
    }
  }

  // So must what they have opened: a shelf is often open while others change the same alarm.
  const opened = new Set();
  function keepOpen(shelf, isOpen) {
    if (isOpen) { opened.add(shelf.id); } else { opened.delete(shelf.id); }
  }
  // The click is noted too: its toggle comes later, and a redraw in between would take the shelf away unseen.
  document.addEventListener("click", function (event) {
    const summary = event.target.closest("details.shelve[id] > summary");
    if (summary) { keepOpen(summary.parentElement, !summary.parentElement.open); }
  }, true);
  document.addEventListener("toggle", function (event) {
    if (event.target.matches("details.shelve[id]")) { keepOpen(event.target, event.target.open); }
  }, true);

  function reopen() {
    for (const id of opened) {
      const shelf = byId(id);
      if (shelf && !shelf.open) { shelf.open = true; }
    }
  }

  new MutationObserver(function () {
    if (opened.size) { reopen(); }
    if (drafts.size) { restoreDrafts(); }
  }).observe(document.body, { childList: true, subtree: true });

  // Only what was sent: the next words may have been begun before the answer came.
  function dropDrafts(form, sent) {
    for (const field of form.querySelectorAll("textarea[name]")) {
      const key = draftKey(field);
      if (drafts.get(key) === sent[field.name]) { drafts.delete(key); }
      if (field.value === sent[field.name]) { field.value = ""; }
    }
  }

  // A form whose page is drawn anew after it starts empty again.
  function forget(form) {
    for (const key of Array.from(drafts.keys())) {
      if (key.startsWith(form.dataset.api + " ")) { drafts.delete(key); }
    }
  }

  async function submit(form, button) {
    const buttons = form.querySelectorAll("button");
    const sent = bodyOf(form, button);
    buttons.forEach(function (b) { b.disabled = true; });
    try {
      await addFile(form, sent);
      const answer = await fetch(form.dataset.api, {
        method: form.dataset.method || "POST",
        body: JSON.stringify(sent),
        headers: { "Content-Type": "application/json" },
      });
      if (answer.status === 401) { toLogin(); return; }
      const told = answer.status === 204 ? {} : await answer.json();
      if (!answer.ok) {
        say(told.detail || told.title || String(answer.status), true);
        if (answer.status === 409) { refresh(form.dataset.refresh); }
        return;
      }
      say((button && button.dataset.done) || form.dataset.done);
      dropDrafts(form, sent);
      refresh(form.dataset.refresh);
      if (form.dataset.redraw) { forget(form); redraw(); }
      if (form.dataset.then) {
        go(form.dataset.then.replace(/\{(\w+)\}/g, function (_, name) { return told[name]; }));
      }
    } catch (failure) {
      say(String(failure), true);
    } finally {
      buttons.forEach(function (b) { b.disabled = false; });
    }
  }

  document.addEventListener("submit", function (event) {
    const form = event.target.closest("form[data-api], form[data-close]");
    if (!form) { return; }
    event.preventDefault();
    if (form.dataset.close) { form.closest("dialog").close(); return; }
    submit(form, event.submitter);
  });

  // --- language, theme, log-out
  async function setLanguage(code) {
    await fetch("/api/v1/session", {
      method: "PATCH", body: JSON.stringify({ language: code }), headers: { "Content-Type": "application/json" },
    });
    window.location.reload();
  }

  function setTheme(theme) {
    root.dataset.theme = theme;
    document.cookie = "ec_theme=" + theme + "; path=/; max-age=31536000; samesite=lax";
    redraw();
  }

  function redraw() {
    const view = window.dash_clientside && window.energyCenter;
    if (!view) { return; }
    window.dash_clientside.set_props("shell-view", {
      data: {
        viewer: window.energyCenter.viewer,
        path: window.location.pathname,
        search: window.location.search,
        turn: Date.now(),
      },
    });
  }

  document.addEventListener("click", async function (event) {
    const language = event.target.closest("[data-set-language]");
    if (language) { setLanguage(language.dataset.setLanguage); return; }
    if (event.target.closest("[data-toggle-theme]")) {
      setTheme(root.dataset.theme === "dark" ? "light" : "dark");
      return;
    }
    if (event.target.closest("[data-log-out]")) {
      await fetch("/api/v1/session", { method: "DELETE" });
      window.location.assign("/login");
      return;
    }
    const building = event.target.closest("[data-filter-building]");
    if (building) {
      building.parentElement.querySelectorAll("button").forEach(function (b) {
        b.setAttribute("aria-pressed", String(b === building));
      });
      filter();
    }
  });

  // --- large parts come as HTML; the server has escaped every word in them, and the CSP runs no script of theirs
  // A list that changes under somebody's hands keeps what they have typed, opened and focused.
  function whatPeopleDid(element) {
    const fields = Array.from(element.querySelectorAll("textarea[id], select[id]"));
    const focused = element.contains(document.activeElement) ? document.activeElement : null;
    const row = focused ? focused.closest("tr[data-alarm], tr[data-order], tr[data-equipment]") : null;
    return {
      typed: fields.map(function (f) { return [f.id, f.value, f.selectionStart]; }),
      open: Array.from(element.querySelectorAll("details[id][open]")).map(function (d) { return d.id; }),
      focus: focused ? { id: focused.id, href: focused.getAttribute("href"), row: row && keyOf(row) } : null,
    };
  }
  function keyOf(row) {
    const name = ["alarm", "order", "equipment"].find(function (n) { return row.dataset[n]; });
    return `tr[data-${name}="${CSS.escape(row.dataset[name])}"]`;
  }
  function giveBack(element, kept) {
    kept.typed.forEach(function ([id, value]) { const f = byId(id); if (f && element.contains(f)) { f.value = value; } });
    kept.open.forEach(function (id) { const d = byId(id); if (d) { d.open = true; } });
    if (!kept.focus) { return; }
    const where = (kept.focus.row && element.querySelector(kept.focus.row)) || element;
    const found = kept.focus.id ? byId(kept.focus.id)
      : kept.focus.href ? where.querySelector(`a[href="${CSS.escape(kept.focus.href)}"]`) : null;
    if (found) {
      found.focus({ preventScroll: true });
      const typed = kept.typed.find(function ([id]) { return id === found.id; });
      if (typed && typeof typed[2] === "number") { found.setSelectionRange(typed[2], typed[2]); }
    }
  }
  function unfold() {
    document.querySelectorAll(".still[data-html]").forEach(function (element) {
      if (element.unfolded === element.dataset.html) { return; }
      element.unfolded = element.dataset.html;
      const kept = whatPeopleDid(element);
      element.innerHTML = element.dataset.html;
      giveBack(element, kept);
      if (element.querySelector("tr[data-equipment]")) { filter(); }
    });
  }
  new MutationObserver(unfold).observe(document.documentElement, {
    childList: true, subtree: true, attributes: true, attributeFilter: ["data-html"],
  });
  document.addEventListener("click", function (event) {
    const link = event.target.closest("a[data-nav]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) { return; }
    event.preventDefault();
    go(link.getAttribute("href"));
  });

  // --- the equipment list's filters
  function filter() {
    const search = byId("equipment-search");
    if (!search) { return; }
    const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const pressed = document.querySelector('[data-filter-building][aria-pressed="true"]');
    const building = pressed ? pressed.dataset.filterBuilding : "";
    const kind = byId("equipment-kind").value;
    let shown = 0;
    document.querySelectorAll("tr[data-equipment]").forEach(function (row) {
      const fits = words.every(function (w) { return row.dataset.words.includes(w); })
        && (!building || row.dataset.building === building)
        && (!kind || row.dataset.kind === kind);
      row.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    byId("equipment-no-match").hidden = shown > 0;
  }
  document.addEventListener("input", function (event) {
    if (event.target.closest("[data-filters]")) { filter(); }
  });
  document.addEventListener("change", function (event) {
    if (event.target.closest("[data-filters]")) { filter(); }
  });

  // --- the place in the menu, the title, the count of alarms
  function mark() {
    const path = window.location.pathname;
    document.querySelectorAll(".nav-link").forEach(function (link) {
      const target = link.getAttribute("href");
      const here = target === "/" ? path === "/" : path === target || path.startsWith(target + "/");
      link.classList.toggle("here", here);
      if (here) { link.setAttribute("aria-current", "page"); } else { link.removeAttribute("aria-current"); }
    });
    const heading = document.querySelector("#shell-page h1");
    const brand = document.querySelector(".brand");
    if (heading && brand) {
      const title = heading.textContent + " · " + brand.textContent;
      if (document.title !== title) { document.title = title; }
    }
    const counted = document.querySelector("[data-alarm-count]");
    if (counted || document.querySelector("#part-alarms .state-empty")) {
      const count = counted ? counted.dataset.alarmCount : "0";
      document.querySelectorAll(".count").forEach(function (badge) {
        if (path !== "/" && path !== "/alarms") { return; }
        if (badge.textContent !== count) { badge.textContent = count; }
        badge.hidden = count === "0";
      });
    }
  }

  // --- pages that stand open for days draw their curves anew
  let drawnAt = Date.now();
  let drawnPath = window.location.pathname;
  function keepFresh() {
    if (drawnPath !== window.location.pathname) { drawnPath = window.location.pathname; drawnAt = Date.now(); }
    const page = document.querySelector("[data-refresh-s]");
    if (!page || document.hidden || document.querySelector("dialog[open]")) { return; }
    if (Date.now() - drawnAt > Number(page.dataset.refreshS) * 1000) { drawnAt = Date.now(); redraw(); }
  }

  setInterval(function () { clock(); watch(); mark(); keepFresh(); }, 500);
  setInterval(checkBuild, 60000);
  // A tab that comes back into view, or a phone that wakes, may have slept through an update.
  document.addEventListener("visibilitychange", function () { if (!document.hidden) { checkBuild(); } });
  Object.assign(window.energyCenter, { go: go, say: say, toLogin: toLogin });
})();
