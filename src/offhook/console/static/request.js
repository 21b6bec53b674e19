// A request of the workbench: its body as a form and as JSON are kept in step, it is checked as one types, and tried
// without leaving. Loaded behind console.js, whose functions it uses.
"use strict";

const request = document.getElementById("request");
const text = document.getElementById("r-body");
const result = document.getElementById("result");
const testing = document.querySelector("button[value=test]");
request.elements.scripted.value = "yes";

// The body as a form

const fields = () => request.querySelectorAll("[data-path]");
const cells = request.querySelector("fieldset.cells");
const fault = document.getElementById("form-fault");
let readable = text.value;

// What the JSON holds, or why it holds nothing that a form can fill in.
const read = () => {
  // Numbers that a script cannot hold stay as they are written.
  const kept = (_key, value, context) => (typeof value === "number" && JSON.rawJSON && context && String(value) !== context.source ? JSON.rawJSON(context.source) : value);
  try {
    const held = JSON.parse(text.value.trim() || "{}", kept);
    return held && typeof held === "object" && !Array.isArray(held) ? { held } : { why: "The JSON is no object, which the form could fill in." };
  } catch (error) {
    return { why: `The JSON cannot be read: ${error.message}.` };
  }
};
const own = (held, name, value) => Object.defineProperty(held, name, { value, enumerable: true, writable: true, configurable: true });
const meant = (value, kind) => {
  if (kind.startsWith("String")) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
};
const intoText = (input) => {
  const { held } = read();
  if (!held) return;
  const way = input.dataset.path.split(".");
  const last = way.pop();
  let place = held;
  for (const part of way) {
    if (!Object.hasOwn(place, part) || typeof place[part] !== "object" || !place[part]) {
      if (!input.value) return;
      own(place, part, {});
    }
    place = place[part];
  }
  if (input.value) own(place, last, meant(input.value, input.dataset.kind));
  else delete place[last];
  text.value = readable = JSON.stringify(held, null, 2);
};
const show = (input, value) => {
  if (input.value === value) return;
  if (input.matches("select") && !Array.from(input.options, (one) => one.value).includes(value)) input.add(new Option(value, value), 1);
  input.value = value;
};
const intoFields = () => {
  const { held, why } = read();
  if (cells) halt(why);
  if (!held) return;
  readable = text.value;
  for (const input of fields()) {
    let found = held;
    for (const part of input.dataset.path.split(".")) found = found && typeof found === "object" && Object.hasOwn(found, part) ? found[part] : undefined;
    show(input, found === undefined || found === null ? "" : typeof found === "string" ? found : JSON.stringify(found));
  }
};
// While the JSON cannot be read, nothing is typed into the form that would be lost.
const halt = (why) => {
  cells.disabled = Boolean(why);
  if (!why) return fault.replaceChildren();
  const card = document.createElement("div");
  card.className = "card warn";
  card.append(Object.assign(document.createElement("p"), { textContent: `${why} The form waits until it is mended.` }));
  const back = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: "Back to the JSON before" });
  back.addEventListener("click", () => {
    text.value = readable;
    intoFields();
    check();
    text.focus();
  });
  card.append(back);
  fault.replaceChildren(card);
};
// What was filled in without a script, and waits for the JSON to be mended, stays.
if (cells && !Number(fault.dataset.unheard)) halt(read().why);

// Another value than those that a document lists, as an expression is.
const open = (part) => {
  for (const select of part.querySelectorAll("select[data-open]")) {
    const other = new Option("another value …", "");
    other.dataset.other = "yes";
    select.add(other);
  }
};
open(request);
request.addEventListener("change", (event) => {
  if (!isOther(event.target)) return;
  const input = document.createElement("input");
  for (const one of event.target.attributes) if (one.name !== "data-open") input.setAttribute(one.name, one.value);
  input.type = "text";
  input.placeholder = "value";
  event.target.replaceWith(input);
  input.focus();
});
const isOther = (control) => Boolean(control.selectedOptions?.[0]?.dataset.other);

// A row for one more, as soon as the last is used.
const another = (row) => {
  if (row.nextElementSibling || !row.querySelector("[name$='.name']").value) return;
  const [group, number] = row.querySelector("[name$='.name']").name.split(".");
  const fresh = row.cloneNode(true);
  for (const one of fresh.querySelectorAll("[name], [id], [aria-describedby], [aria-label]")) {
    for (const name of ["name", "id", "aria-describedby"]) {
      if (one.hasAttribute(name)) one.setAttribute(name, one.getAttribute(name).replace(`${group}.${number}`, `${group}.${Number(number) + 1}`));
    }
    if (one.hasAttribute("aria-label")) one.setAttribute("aria-label", one.getAttribute("aria-label").replace(/\d+$/, String(Number(number) + 2)));
    if (one.matches("[type=text]")) one.value = "";
  }
  fresh.querySelector(".about").replaceChildren();
  row.after(fresh);
};

// Asking the server

let asked = null;
let wait = 0;
const ask = async (verb) => {
  if (asked) asked.abort();
  const mine = (asked = new AbortController());
  const body = new URLSearchParams(new FormData(request));
  body.set("do", verb);
  try {
    const answer = await fetch(request.action, { method: "POST", body, signal: mine.signal, redirect: "error" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return page.getElementById("request") ? page : null;
  } catch {
    return null;
  }
};
const put = (page, id) => document.getElementById(id).replaceChildren(...page.getElementById(id).childNodes);
// What is said of a parameter stands by its name, wherever its row is.
const putNotes = (page) => {
  const told = new Map(Array.from(page.querySelectorAll(".pair"), (row) => [`${row.dataset.group} ${row.querySelector(".about").dataset.of}`, row.querySelector(".about")]));
  for (const row of request.querySelectorAll(".pair")) {
    const name = row.querySelector("[name$='.name']").value.trim();
    const fresh = name && told.get(`${row.dataset.group} ${name}`);
    row.querySelector(".about").replaceChildren(...(fresh ? fresh.cloneNode(true).childNodes : []));
  }
};
const check = async () => {
  clearTimeout(wait);
  const page = await ask("check");
  if (!page) return;
  const opened = document.querySelector("#sample details")?.open;
  put(page, "verdict");
  put(page, "sample");
  putNotes(page);
  const fresh = document.querySelector("#sample details");
  if (opened && fresh) fresh.open = true;
  copyable(document.getElementById("sample"));
};
request.addEventListener("input", (event) => {
  if (isOther(event.target)) return;
  if (event.target === text) intoFields();
  else if (event.target.dataset.path) intoText(event.target);
  const row = event.target.closest(".pair");
  if (row) another(row);
  clearTimeout(wait);
  wait = setTimeout(check, 400);
});

// Enter looks at the request and does nothing with it, but where its name stands; with Ctrl it is tried.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && !testing.disabled) {
    event.preventDefault();
    request.requestSubmit(testing);
  } else if (event.target.closest("#request") && event.target.matches("input:not([type=checkbox])")) {
    event.preventDefault();
    if (event.target.closest(".savebox")) request.querySelector("button[value=save]:not(:disabled)")?.click();
    else check();
  }
});

const lead = (place) => {
  place.scrollIntoView({ block: "start" });
  place.focus({ preventScroll: true });
};
request.addEventListener("submit", async (event) => {
  if (event.submitter !== testing) return;
  event.preventDefault();
  clearTimeout(wait);
  const title = testing.textContent;
  testing.disabled = true;
  testing.textContent = "Under way…";
  const page = await ask("start");
  if (page) {
    put(page, "verdict");
    put(page, "result");
    const answer = document.getElementById("result-title");
    if (answer) lead(answer);
    await ended(result);
    // Whoever stood on a button that is gone stays with the answer.
    if (answer && document.activeElement === document.body) answer.focus({ preventScroll: true });
  } else if (!asked.signal.aborted) {
    say(document.getElementById("verdict"), "The server gave no page: the session may have ended. Open this page in another window to sign in, then try again.");
  }
  testing.disabled = false;
  testing.textContent = title;
  if (!document.getElementById("result-title")) {
    document.getElementById("verdict").scrollIntoView({ block: "nearest" });
    testing.focus({ preventScroll: true });
  }
});
// The answer that came with the page, without this script.
if (document.getElementById("result-title") && location.hash === "#result") lead(document.getElementById("result-title"));
