// What a page can do better with a script: "/" goes to the search, and a form is checked while it is filled in.
// Everything here also works without: the same requests are those of the form's own buttons.
"use strict";

const PAUSE = 600;

document.addEventListener("keydown", (event) => {
  const search = document.getElementById("search");
  const typing = event.target.closest("input, select, textarea");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing || !search) return;
  event.preventDefault();
  search.focus();
  search.select();
});

const form = document.getElementById("create");
if (form) {
  let timer = 0;
  let asking = null; // the check under way, which a later question ends
  let busy = false; // whether a row comes or goes, which nothing ends

  // The page that the server makes of the form as it stands; null if there is none, or a later question was asked.
  const ask = async (verb) => {
    if (asking) asking.abort();
    const mine = (asking = new AbortController());
    const body = new URLSearchParams(new FormData(form));
    body.set("do", verb);
    try {
      const answer = await fetch(form.action, { method: "POST", body, signal: mine.signal, redirect: "error" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      return page.getElementById("create") ? page : null;
    } catch {
      return null;
    }
  };

  const swap = (page, id) => {
    const fresh = page.getElementById(id);
    const old = document.getElementById(id);
    if (fresh && old) old.replaceChildren(...fresh.childNodes);
  };

  const check = async () => {
    if (busy) return;
    const page = await ask("check");
    if (!page) return;
    const held = document.activeElement && document.activeElement.closest("#verdict");
    if (!held) swap(page, "verdict");
    for (const slot of form.querySelectorAll(".faults")) {
      swap(page, slot.id);
      const input = document.getElementById(slot.id.replace(/-faults$/, ""));
      if (!input || !("value" in input)) continue;
      if (slot.children.length) input.setAttribute("aria-invalid", "true");
      else input.removeAttribute("aria-invalid");
    }
  };

  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(check, PAUSE);
  };

  // One row more or less in the list that `button` belongs to.
  const change = async (button) => {
    if (busy) return;
    busy = true;
    const list = button.closest("fieldset.rows");
    const adds = button.value.startsWith("add:");
    const page = await ask(button.value);
    busy = false;
    if (page) {
      // What was typed meanwhile stays, where rows keep their places.
      const typed = new Map(Array.from(list.querySelectorAll("input, select"), (input) => [input.name, input.value]));
      swap(page, list.id);
      if (adds) for (const input of list.querySelectorAll(".row :is(input, select)")) if (typed.has(input.name)) input.value = typed.get(input.name);
      const rows = list.querySelectorAll(".row");
      const next = adds && rows.length ? rows[rows.length - 1].querySelector("input, select") : list.querySelector(":scope > button");
      if (next) next.focus();
    }
    soon();
  };

  form.addEventListener("input", soon);
  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    const verb = button && button.name === "do" ? button.value : "check";
    clearTimeout(timer);
    if (verb === "create") return;
    event.preventDefault();
    if (verb !== "check") return change(button);
    if (button) button.blur();
    return check();
  });
}
