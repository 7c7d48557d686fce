// Papers of a duty: a chosen file is sent at once, so that the record then names it by its number.
(function () {
  "use strict";

  const LARGEST = 10 * 1024 * 1024;
  const KINDS = ["application/pdf", "image/jpeg", "image/png"];

  async function send(file) {
    const answer = await fetch("/api/v1/attachments", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name: file.name, media_type: file.type, content: await window.energyCenter.base64(file) }),
    });
    const told = await answer.json();
    if (!answer.ok) { throw new Error(told.detail || told.title || String(answer.status)); }
    return told.attachment_id;
  }

  document.addEventListener("change", async function (event) {
    const chooser = event.target.closest("[data-paper] input[type=file]");
    if (!chooser) { return; }
    const paper = chooser.closest("[data-paper]");
    const buttons = chooser.closest("form").querySelectorAll("button");
    delete paper.dataset.attachment;
    chooser.setCustomValidity("");
    const file = chooser.files[0];
    if (!file) { return; }
    buttons.forEach(function (b) { b.disabled = true; });
    try {
      if (file.size > LARGEST || !KINDS.includes(file.type)) { throw new Error("PDF, JPEG, PNG; ≤ 10 MiB"); }
      paper.dataset.attachment = await send(file);
    } catch (failure) {
      chooser.setCustomValidity(String(failure.message || failure));
      chooser.reportValidity();
    } finally {
      buttons.forEach(function (b) { b.disabled = false; });
    }
  });

  // What the form's papers come to, for the body that shell.js sends.
  window.energyCenterPapers = function (form) {
    const papers = [];
    for (const paper of form.querySelectorAll("[data-paper]")) {
      const reference = paper.querySelector(".paper-reference").value.trim();
      const attachment = Number(paper.dataset.attachment) || null;
      if (reference || attachment) {
        papers.push({ kind: paper.dataset.paper, attachment_id: attachment, reference: reference });
      }
    }
    return papers;
  };
})();
