// Filters the list of operations, marks the one in view, and copies commands. The pages read well without any of it.
"use strict";

const box = document.getElementById("filter");
const items = [...document.querySelectorAll("nav li[data-words]")];
const groups = [...document.querySelectorAll("nav .list section")];
const found = document.getElementById("found");
const none = document.querySelector("nav .none");
const menu = document.querySelector("nav .menu");
const wide = matchMedia("(min-width: 56.01rem)");

// The path of an operation, for who points at its name.
for (const item of items) item.querySelector("a").title = item.dataset.words.split(" ", 1)[0];

// Operations of other pages are listed only while they are looked for.
const folded = new Set(groups.filter((group) => group.querySelector("ul").hidden));

function filter() {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const item of items) {
    const told = `${item.dataset.words} ${item.textContent.toLowerCase()}`;
    const fits = words.every((word) => told.includes(word));
    item.hidden = !fits;
    count += fits;
  }
  for (const group of groups) {
    group.hidden = !group.querySelector("li:not([hidden])");
    group.querySelector("ul").hidden = !words.length && folded.has(group);
  }
  menu.open = wide.matches || words.length > 0;
  none.hidden = count > 0;
  found.textContent = words.length ? `${count} operations match` : "";
}

menu.open = wide.matches;
wide.addEventListener("change", () => (menu.open = wide.matches));
menu.addEventListener("click", (event) => {
  if (event.target.closest("a") && !wide.matches) menu.open = false;
});
box.closest(".filter").hidden = false;
box.addEventListener("input", filter);
box.addEventListener("keydown", (event) => {
  const first = document.querySelector("nav ul:not([hidden]) > li[data-words]:not([hidden]) a");
  if (event.key === "Escape") {
    box.value = "";
    filter();
    box.blur();
  } else if (event.key === "Enter" && first) {
    first.click();
  } else if (event.key === "ArrowDown" && first) {
    event.preventDefault();
    first.focus();
  }
});

document.addEventListener("keydown", (event) => {
  const link = event.target.closest?.("nav li[data-words] a");
  if (link && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    const shown = items.filter((item) => !item.hidden && !item.parentElement.hidden).map((item) => item.querySelector("a"));
    const next = shown[shown.indexOf(link) + (event.key === "ArrowDown" ? 1 : -1)];
    event.preventDefault();
    (next ?? box).focus();
    return;
  }
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    box.focus();
    box.select();
  }
});

const links = new Map(items.map((item) => [item.querySelector("a").hash.slice(1), item.querySelector("a")]));
const inView = new Set();
const watch = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) entry.isIntersecting ? inView.add(entry.target) : inView.delete(entry.target);
    const current = [...inView].sort((a, b) => a.offsetTop - b.offsetTop)[0];
    for (const [id, link] of links) {
      if (current?.id === id) {
        link.setAttribute("aria-current", "true");
        const [list, at] = [link.closest("nav"), link.getBoundingClientRect()];
        const around = list.getBoundingClientRect();
        if (wide.matches && (at.top < around.top + 120 || at.bottom > around.bottom)) list.scrollTop += at.top - around.height / 3;
      } else {
        link.removeAttribute("aria-current");
      }
    }
  },
  { rootMargin: "0px 0px -70% 0px" },
);
for (const article of document.querySelectorAll("article")) watch.observe(article);

// An operation's place on the index leads on to where all of it is shown.
function lead() {
  const place = decodeURIComponent(location.hash.slice(1));
  const ids = [...document.querySelectorAll("main > section > .operations > li[id]")].map((item) => item.id);
  const id = ids.filter((one) => place === one || place.startsWith(one + ".")).sort((a, b) => b.length - a.length)[0];
  if (id) location.replace(document.getElementById(id).querySelector("a").pathname + location.hash);
}
addEventListener("hashchange", lead);
lead();

for (const command of document.querySelectorAll(".command")) {
  const code = command.querySelector("code");
  code.textContent = code.textContent.replace("$OFFHOOK_URL", location.origin);
  const button = command.querySelector(".copy");
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
}

addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
