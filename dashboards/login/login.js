"use strict";
// Sends the form as JSON and goes on to the page that was asked for.
(function () {
  const form = document.getElementById("login-form");
  const problem = document.getElementById("login-problem");
  const button = document.getElementById("login-submit");
  const password = document.getElementById("login-password");
  const label = button.textContent;

  document.getElementById("login-show").addEventListener("change", function (event) {
    password.type = event.target.checked ? "text" : "password";
  });

  function say(words) {
    problem.textContent = words;
    button.disabled = false;
    button.textContent = label;
  }

  form.addEventListener("submit", async function (event) {
    event.preventDefault();
    problem.textContent = "";
    button.disabled = true;
    button.textContent = form.dataset.working;
    const body = JSON.stringify({ name: form.elements.name.value.trim(), password: password.value });
    let answer;
    try {
      answer = await fetch(form.action, {
        method: "POST", body: body, headers: { "Content-Type": "application/json" }, credentials: "same-origin",
      });
    } catch (failure) {
      say(form.dataset.unreachable);
      return;
    }
    if (answer.ok) {
      window.location.replace(form.dataset.next || "/");
      return;
    }
    if (answer.status === 401 || answer.status === 422) {
      say(form.dataset.wrong);
      password.select();
    } else if (answer.status === 429) {
      say(form.dataset.locked);
    } else {
      say(form.dataset.unreachable);
    }
  });
})();
