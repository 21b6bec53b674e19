// Filters the list of operations, marks the one in view, and copies commands. The page reads well without any of it.
"use strict";

const box = document.getElementById("filter");
const items = [...document.querySelectorAll("nav li[data-words]")];
const groups = [...document.querySelectorAll("nav .list section")];
const found = document.getElementById("found");
const none = document.querySelector("nav .none");

function filter() {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const item of items) {
    const fits = words.every((word) => item.dataset.words.includes(word));
    item.hidden = !fits;
    count += fits;
  }
  for (const group of groups) group.hidden = !group.querySelector("li:not([hidden])");
  none.hidden = count > 0;
  found.textContent = words.length ? `${count} operations match` : "";
}

box.closest(".filter").hidden = false;
box.addEventListener("input", filter);
box.addEventListener("keydown", (event) => {
  const first = document.querySelector("nav li[data-words]:not([hidden]) a");
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
  const link = document.activeElement.closest?.("nav li[data-words] a");
  if (link && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    const shown = items.filter((item) => !item.hidden).map((item) => item.querySelector("a"));
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
        const list = link.closest(".list");
        const [top, bottom] = [link.offsetTop - list.offsetTop, link.offsetTop - list.offsetTop + link.offsetHeight];
        if (top < list.scrollTop || bottom > list.scrollTop + list.clientHeight) list.scrollTop = top - list.clientHeight / 3;
      } else {
        link.removeAttribute("aria-current");
      }
    }
  },
  { rootMargin: "0px 0px -70% 0px" },
);
for (const article of document.querySelectorAll("article")) watch.observe(article);

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
