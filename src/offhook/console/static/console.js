// What a page can do better with a script: "/" goes to the page's search, a form is checked while it is filled in, a call is
// followed and slow parts are fetched without leaving the page.
// Everything here also works without: the same requests are those of links and of the form's own buttons.
"use strict";

const PAUSE = 600;

document.addEventListener("keydown", (event) => {
  const search = document.getElementById("find") || document.getElementById("search");
  const typing = event.target.closest("input, select, textarea, [contenteditable]");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing || !search) return;
  event.preventDefault();
  search.focus();
  search.select();
});

// The page at `address`; null if it cannot be had, as after the session's end.
const load = async (address) => {
  try {
    const answer = await fetch(address, { redirect: "error" });
    return new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return null;
  }
};

// Parts that may take a while are fetched once they come into sight.
const fetchPart = async (place) => {
  place.setAttribute("aria-busy", "true");
  const page = await load(place.dataset.later);
  const part = page && page.querySelector(`#${place.dataset.part} > .part`);
  if (part) place.replaceWith(part);
  else place.removeAttribute("aria-busy");
};
const inSight = new IntersectionObserver(
  (entries) => {
    for (const one of entries) {
      if (!one.isIntersecting) continue;
      inSight.unobserve(one.target);
      fetchPart(one.target);
    }
  },
  { rootMargin: "200px" },
);
for (const place of document.querySelectorAll("[data-later]")) inSight.observe(place);

// A call is followed in place: the section is the one that the link's own page has.
let following = 0;
document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-follow]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const address = link.getAttribute("href");
  const mine = ++following;
  const page = await load(address);
  if (mine !== following) return;
  const fresh = page && page.getElementById("routing");
  const section = document.getElementById("routing");
  if (!fresh || !section) return location.assign(address);
  const opened = Array.from(section.querySelectorAll("details"), (one) => one.open);
  // What is said of the call keeps its element, so that it is read out.
  const said = document.getElementById("followed");
  said.replaceChildren(...fresh.querySelector("#followed").childNodes);
  fresh.querySelector("#followed").replaceWith(said);
  section.replaceChildren(...fresh.childNodes);
  section.querySelectorAll("details").forEach((one, index) => (one.open = Boolean(opened[index])));
  history.replaceState(null, "", address);
  const again = section.querySelector(`[href="${CSS.escape(address)}"]`) || section.querySelector("a");
  if (again) again.focus({ preventScroll: true });
});

// What is searched for is found as one types: the answer's part takes the place of the one before, and nothing jumps.
for (const find of document.querySelectorAll("form[data-live]")) {
  const input = find.querySelector("input[type=search]");
  let asked = 0;
  let wait = 0;
  const look = async () => {
    const mine = ++asked;
    const address = `${find.getAttribute("action")}?${new URLSearchParams(new FormData(find))}`;
    const page = await load(address);
    const fresh = page && page.getElementById(find.dataset.live);
    if (mine !== asked || !fresh) return;
    document.getElementById(find.dataset.live).replaceChildren(...fresh.childNodes);
    history.replaceState(null, "", input.value.trim() ? address : find.getAttribute("action"));
  };
  input.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(look, 120);
  });
  // Down goes into what was found, and up comes back.
  find.parentElement.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const links = [...document.querySelectorAll(`#${find.dataset.live} li > a`)];
    const at = links.indexOf(event.target);
    if (at < 0 && (event.target !== input || event.key === "ArrowUp")) return;
    event.preventDefault();
    (links[at + (event.key === "ArrowDown" ? 1 : -1)] || (at <= 0 ? input : links[at])).focus();
  });
}

document.documentElement.classList.add("scripted");

const say = (place, words) => {
  const card = document.createElement("div");
  card.className = "card bad";
  card.append(Object.assign(document.createElement("p"), { textContent: words }));
  place.replaceChildren(card);
};

// A run that is under way is looked at until it is over; cancelling it does not leave the page.
const ended = async (place) => {
  for (let pause = 60; ; pause = Math.min(pause * 1.5, 1000)) {
    const here = place.querySelector("[data-under-way]");
    if (!here) break;
    await new Promise((go) => setTimeout(go, pause));
    const page = await load(here.dataset.underWay);
    if (!page || !page.querySelector(".result")) {
      say(place, "The server gave no page: the session may have ended. The history shows what became of it.");
      break;
    }
    const fresh = page && page.querySelector(".result");
    if (fresh && !fresh.dataset.underWay) here.replaceWith(fresh);
  }
  copyable(place);
};
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-cancel]")) return;
  event.preventDefault();
  fetch(event.target.action, { method: "POST", body: new URLSearchParams(new FormData(event.target)) });
});
for (const one of document.querySelectorAll("[data-under-way]")) ended(one.parentElement);
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});

for (const select of document.querySelectorAll("select[data-chooses]")) {
  select.addEventListener("change", () => select.form.requestSubmit(select.form.querySelector(`button[value=kind]`)));
}

// A file is read here and goes as text.
for (const pick of document.querySelectorAll("input[type=file][data-into]")) {
  pick.closest("[hidden]").hidden = false;
  pick.addEventListener("change", async () => {
    if (pick.files.length) document.getElementById(pick.dataset.into).value = await pick.files[0].text();
  });
}

function copyable(part) {
  for (const button of part.querySelectorAll("button.copy")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
      button.textContent = "Copied";
    });
  }
}
copyable(document);

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
    const hand = document.activeElement;
    const page = await ask(button.value);
    busy = false;
    if (page) {
      const stayed = document.activeElement === hand;
      // What was typed meanwhile stays, where rows keep their places.
      const typed = new Map(Array.from(list.querySelectorAll("input, select"), (input) => [input.name, input.value]));
      swap(page, list.id);
      if (adds) for (const input of list.querySelectorAll(".row :is(input, select)")) if (typed.has(input.name)) input.value = typed.get(input.name);
      const rows = list.querySelectorAll(".row");
      const next = adds && rows.length ? rows[rows.length - 1].querySelector("input, select") : list.querySelector(":scope > button");
      // Whoever went on to another field is not called back.
      if (next && stayed) next.focus();
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
