"use strict";
// Appends live readings to the curves in view; the page draws itself anew every few minutes with the server's own.
(function () {
  const EVERY_MS = 2000;
  const waiting = new Map();
  let format = null;

  function siteTime(ms) {
    if (!format) {
      // "sv-SE" writes 2026-11-24 12:07:30, which is what plotly reads
      format = new Intl.DateTimeFormat("sv-SE", {
        timeZone: document.getElementById("shell").dataset.zone, dateStyle: "short", timeStyle: "medium",
      });
    }
    return format.format(new Date(ms));
  }

  function take(message) {
    for (const [key, cell] of Object.entries(message.cells)) {
      const amount = Number(String(cell.t).replace(/,/g, ""));
      if (cell.at !== null && cell.t !== "" && Number.isFinite(amount)) {
        waiting.set(key, { x: siteTime(cell.at), y: amount });
      }
    }
  }

  function flush() {
    document.querySelectorAll(".trend .js-plotly-plot").forEach(function (chart) {
      if (!window.Plotly || !chart.data) { return; }
      const at = [], x = [], y = [];
      chart.data.forEach(function (trace, place) {
        const next = trace.meta ? waiting.get(trace.meta) : undefined;
        if (!next || String(trace.x[trace.x.length - 1]).replace("T", " ") >= next.x) { return; }
        at.push(place); x.push([next.x]); y.push([next.y]);
      });
      if (!at.length) { return; }
      const newest = x.map(function (one) { return one[0]; }).sort().pop();
      window.Plotly.extendTraces(chart, { x: x, y: y }, at);
      window.Plotly.relayout(chart, { "xaxis.range[1]": newest });
      chart.dataset.newest = newest;
    });
    waiting.clear();
  }

  window.energyCenter.state.listeners.push(take);
  setInterval(flush, EVERY_MS);
})();
