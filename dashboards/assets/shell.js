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

  // --- watchdog: says how old the page is when nothing comes, reloads for a new program, leaves when logged out
  function watch() {
    const banner = byId("shell-banner");
    const shell = byId("shell");
    if (!banner || !shell) { return; }
    const quiet = performance.now() - window.energyCenter.state.lastPush;
    const lost = quiet > QUIET_MS || window.energyCenter.state.away;
    banner.hidden = !lost;
    document.body.classList.toggle("is-disconnected", lost);
    if (lost) {
      banner.textContent = shell.dataset.disconnected.replace("%AGE%", window.energyCenter.age(quiet));
      probe();
    }
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
    for (const field of form.querySelectorAll("textarea[name], input[name], select[name]")) {
      body[field.name] = field.value;
    }
    if (button && button.dataset.name) { body[button.dataset.name] = button.dataset.value; }
    return body;
  }

  async function submit(form, button) {
    const buttons = form.querySelectorAll("button");
    buttons.forEach(function (b) { b.disabled = true; });
    try {
      const answer = await fetch(form.dataset.api, {
        method: form.dataset.method || "POST",
        body: JSON.stringify(bodyOf(form, button)),
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
      refresh(form.dataset.refresh);
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
    const form = event.target.closest("form[data-api]");
    if (!form) { return; }
    event.preventDefault();
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
  function unfold() {
    document.querySelectorAll(".still[data-html]").forEach(function (element) {
      if (element.unfolded === element.dataset.html) { return; }
      element.unfolded = element.dataset.html;
      element.innerHTML = element.dataset.html;
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

  // --- keys: `g` then a letter, `/` to search, `a` acknowledge, `j` `k` rows
  const GO = { o: "/", a: "/alarms", e: "/equipment", w: "/work-orders" };
  let waiting = false;
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) { return; }
    if (event.target.closest("input, textarea, select")) {
      if (event.key === "Escape") { event.target.blur(); }
      return;
    }
    if (waiting) {
      waiting = false;
      if (GO[event.key]) { event.preventDefault(); go(GO[event.key]); }
      return;
    }
    if (event.key === "g") { waiting = true; setTimeout(function () { waiting = false; }, 1200); return; }
    if (event.key === "/" && byId("equipment-search")) {
      event.preventDefault();
      byId("equipment-search").focus();
      return;
    }
    if (event.key === "j" || event.key === "k") {
      const links = Array.from(document.querySelectorAll("main tr:not([hidden]) a.title"));
      if (!links.length) { return; }
      const at = links.indexOf(document.activeElement) + (event.key === "j" ? 1 : -1);
      links[Math.max(0, Math.min(links.length - 1, at))].focus();
    }
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
    if (!page || document.hidden) { return; }
    if (Date.now() - drawnAt > Number(page.dataset.refreshS) * 1000) { drawnAt = Date.now(); redraw(); }
  }

  setInterval(function () { clock(); watch(); mark(); keepFresh(); }, 500);
  setInterval(checkBuild, 60000);
})();
