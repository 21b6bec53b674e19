// Calls as they go on: a stream says that something has changed, and the parts of the page are fetched again; times
// tick meanwhile. Without this the page loads itself again now and then.
"use strict";

(() => {
  const CALM = 1000; // the shortest time between two looks
  const root = document.getElementById("watched");
  document.getElementById("unscripted")?.remove();
  if (!root || !root.dataset.live) return;

  // What the server's clock shows: that of the browser may be wrong, or the server's may be set.
  let shownAt = 0;
  let since = performance.now();
  const now = () => shownAt + performance.now() - since;
  const clocked = () => {
    const part = root.querySelector("[data-at]");
    if (!part) return;
    shownAt = Date.parse(part.dataset.at);
    since = performance.now();
  };
  const tick = () => {
    for (const one of root.querySelectorAll("time[data-since]")) {
      const gone = Math.max(0, Math.floor((now() - Date.parse(one.dateTime)) / 1000));
      const hours = Math.floor(gone / 3600);
      const minutes = Math.floor(gone / 60) % 60;
      const text = `${hours ? `${hours}:${String(minutes).padStart(2, "0")}` : minutes}:${String(gone % 60).padStart(2, "0")}`;
      if (one.textContent !== text) one.textContent = text;
    }
  };

  // What is in `old` becomes what is in `fresh`; what has the focus and what is open stays so.
  const swap = (old, fresh) => {
    const keep = old.innerHTML === fresh.innerHTML;
    for (const { name, value } of fresh.attributes) old.setAttribute(name, value);
    if (keep) return;
    const held = document.activeElement && old.contains(document.activeElement) ? document.activeElement : null;
    const form = held && held.closest("details");
    const path = held && (held.matches("summary") ? "summary" : held.matches("button") ? "button" : held.matches("a[href]") ? `a[href="${CSS.escape(held.getAttribute("href"))}"]` : held.id ? `#${CSS.escape(held.id)}` : "");
    const open = [...old.querySelectorAll("details[open]")].map((one) => one.id || one.querySelector("summary").textContent);
    const left = [...old.querySelectorAll(".wide")].map((one) => one.scrollLeft);
    old.replaceChildren(...fresh.childNodes);
    for (const one of old.querySelectorAll("details")) if (open.includes(one.id || one.querySelector("summary").textContent)) one.open = true;
    old.querySelectorAll(".wide").forEach((one, index) => { one.scrollLeft = left[index] || 0; });
    if (!path) return;
    const within = form && form.id ? old.querySelector(`#${CSS.escape(form.id)}`) : old;
    within?.querySelector(path)?.focus({ preventScroll: true });
  };

  let state = "";
  const said = (words) => {
    const place = document.getElementById("live");
    state = words;
    if (!place) return;
    if (place.textContent !== words) place.textContent = words;
    place.classList.toggle("on", words === "live");
  };
  const missing = (answer) => {
    if (!answer) return "The server is not reached; it is tried again.";
    if (answer.type === "opaqueredirect" || answer.status === 401) return "The session has ended: sign in again.";
    return `The server answered ${answer.status}: load the page again.`;
  };

  let asked = 0;
  let wait = 0;
  let last = 0;
  let pause = CALM;
  const look = async () => {
    wait = 0;
    const mine = ++asked;
    last = performance.now();
    let answer = null;
    try {
      answer = await fetch(root.dataset.page, { redirect: "manual" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (mine !== asked) return;
      const fresh = page.getElementById("watched");
      if (!fresh) throw new Error("no page");
      for (const part of root.querySelectorAll("[data-part]")) {
        const other = page.getElementById(part.id);
        if (other) swap(part, other);
        else part.remove();
      }
      if (!fresh.dataset.live) {
        leave();
        said("over");
      } else if (stream) said("live");
      clocked();
      tick();
      pause = Math.max(CALM, 8 * (performance.now() - last));
    } catch {
      if (mine === asked) said(missing(answer));
    }
  };
  const soon = () => {
    if (!wait) wait = setTimeout(look, Math.max(60, last + pause - performance.now()));
  };

  let stream = null;
  let over = false;
  let before = null;
  const leave = () => {
    if (stream) stream.close();
    stream = null;
    over = true;
  };
  // The page of one call is looked at when that call has changed.
  const changed = (told) => {
    const call = root.dataset.call;
    if (!call) return true;
    const mine = JSON.stringify(told.items.find((one) => one.id === call) || null);
    const news = before !== mine;
    before = mine;
    return news;
  };
  const watch = () => {
    if (stream || over || document.hidden) return;
    stream = new EventSource(root.dataset.live);
    stream.addEventListener("calls", (event) => {
      said("live");
      if (changed(JSON.parse(event.data))) soon();
    });
    for (const name of ["refused", "gone"]) {
      stream.addEventListener(name, () => {
        leave();
        said("not live: load the page again");
      });
    }
    stream.addEventListener("error", () => {
      if (stream && stream.readyState === EventSource.CLOSED) {
        leave();
        said("not live: load the page again");
      } else if (stream) said("connecting…");
    });
  };
  clocked();
  tick();
  setInterval(tick, 1000);
  watch();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      // A page that nobody sees keeps no connection.
      if (stream) stream.close();
      stream = null;
    } else if (!over) {
      watch();
      soon();
    }
  });
})();
