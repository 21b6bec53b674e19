// Workflows: a run is watched as it goes on, the editor checks and draws while one types, a form and its JSON are one.
// Everything here also works without: the same pages come by their links and buttons.
"use strict";

(() => {
  const CALM = 1000; // the shortest time between two looks at a run
  const SLOW = 15000; // after which a run that goes on is looked at anyhow, so that its bars grow
  const TYPING = 350;

  const parsed = async (answer) => new DOMParser().parseFromString(await answer.text(), "text/html");

  // What is in `old` becomes what is in `fresh`; what has the focus and what is open stays so, and nothing jumps.
  const swap = (old, fresh, asked = false) => {
    if (!fresh || old.innerHTML === fresh.innerHTML) return;
    const held = document.activeElement && old.contains(document.activeElement) ? document.activeElement : null;
    // Nobody loses what they are filling in, unless they ask for something else.
    const filled = [...old.querySelectorAll("input, textarea")].some((one) => one.value !== one.defaultValue);
    if (!asked && (filled || old.querySelector("[role=alert]") || (held && held.matches("input, textarea, select")))) return;
    const way = held && (held.id ? `#${CSS.escape(held.id)}` : held.matches("a[href]") ? `a[href="${CSS.escape(held.getAttribute("href"))}"]` : held.matches("summary") ? "summary" : "");
    const open = new Set([...old.querySelectorAll("details[open] > summary")].map((one) => one.textContent.trim()));
    old.replaceChildren(...fresh.childNodes);
    for (const one of old.querySelectorAll("details > summary")) if (open.has(one.textContent.trim())) one.parentElement.open = true;
    if (way) old.querySelector(way)?.focus({ preventScroll: true });
    copyable(old);
  };

  // A run

  const run = document.getElementById("run");
  if (run) {
    const parts = () => document.querySelectorAll("#run [data-part]");
    const live = () => document.getElementById("live");
    let asked = 0;
    let wait = 0;
    let last = 0;
    let pause = CALM;
    // What is looked at is the run's own page, also where this one answered a form; what was said of the form is not
    // said again.
    let address = new URL(run.dataset.page, location.href);
    if (location.pathname === address.pathname) address.search = location.search;
    else if (run.dataset.chosen) address.searchParams.set("task", run.dataset.chosen);
    address.searchParams.delete("done");

    // Why there is no page, for who looks at the one that was there.
    const missing = (answer) => {
      if (!answer) return "The server is not reached; it is tried again.";
      if (answer.type === "opaqueredirect" || answer.status === 401) return "The session has ended: sign in again.";
      if (answer.status === 404) return "The run is not there any more.";
      return `The server answered ${answer.status}: load the page again.`;
    };

    const look = async (chosen = false) => {
      clearTimeout(wait);
      wait = 0;
      const mine = ++asked;
      const begun = performance.now();
      last = begun;
      let answer = null;
      try {
        answer = await fetch(address, { redirect: "manual" });
        const page = await parsed(answer);
        if (mine !== asked) return true;
        if (!page.getElementById("run")) throw new Error("no page");
        for (const part of parts()) swap(part, page.getElementById(part.id), chosen && part.id === "run-attempt");
        const fresh = page.getElementById("run");
        if (!fresh.dataset.live) leave();
        document.title = page.title;
        said();
        // A page that takes long to make is asked for less often.
        pause = Math.max(CALM, 8 * (performance.now() - begun));
        return true;
      } catch {
        if (mine === asked) said(missing(answer));
        return false;
      }
    };
    const soon = () => {
      if (!wait) wait = setTimeout(() => look(), Math.max(60, last + pause - performance.now()));
    };

    // The stream says that something has happened.
    let stream = null;
    let state = "";
    const said = (words = state) => {
      const place = live();
      if (!place) return;
      state = words;
      if (place.textContent !== words) place.textContent = words;
      place.classList.toggle("on", words === "live");
    };
    const leave = () => {
      if (stream) stream.close();
      stream = null;
      if (state) said("");
    };
    const watch = () => {
      if (stream || !run.dataset.live || document.hidden) return;
      stream = new EventSource(run.dataset.live);
      stream.addEventListener("open", () => said("live"));
      stream.addEventListener("run", (event) => {
        said("live");
        colour(JSON.parse(event.data));
        soon();
      });
      stream.addEventListener("end", () => {
        leave();
        delete run.dataset.live;
        soon();
      });
      for (const name of ["refused", "gone"]) {
        stream.addEventListener(name, () => {
          leave();
          delete run.dataset.live;
          said("not live: load the page again");
        });
      }
      stream.addEventListener("error", () => {
        // The browser tries again by itself, unless it was told that there is nothing.
        if (stream && stream.readyState === EventSource.CLOSED) {
          leave();
          delete run.dataset.live;
          said("not live: load the page again");
        } else if (stream) said("connecting…");
      });
    };
    // What is known at once is shown at once: how far each task of the graph came.
    const kinds = { COMPLETED: "good", COMPLETED_WITH_ERRORS: "good", FAILED: "bad", FAILED_WITH_TERMINAL_ERROR: "bad", TIMED_OUT: "bad", IN_PROGRESS: "going", SCHEDULED: "waiting" };
    const signs = { SCHEDULED: "○", IN_PROGRESS: "◐", COMPLETED: "✓", COMPLETED_WITH_ERRORS: "!", FAILED: "✕", FAILED_WITH_TERMINAL_ERROR: "✕", TIMED_OUT: "✕", CANCELED: "–", SKIPPED: "↷" };
    const colour = (told) => {
      const latest = new Map();
      for (const one of told.tasks || []) latest.set(one.reference_name, one.status);
      for (const link of document.querySelectorAll("#run-graph a[data-ref]")) {
        const status = latest.get(link.dataset.ref);
        if (!status) continue;
        link.parentElement.classList.remove("good", "bad", "going", "waiting", "off");
        link.parentElement.classList.add(kinds[status] || "off");
        const sign = link.querySelector(".sign");
        if (sign) sign.textContent = signs[status] || "";
      }
    };
    watch();
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) {
        // A page that nobody sees keeps no connection.
        if (stream) stream.close();
        stream = null;
      } else if (run.dataset.live) {
        watch();
        soon();
      }
    });
    setInterval(() => {
      if (run.dataset.live && !document.hidden && performance.now() - last > SLOW) soon();
    }, 5000);

    // What is asked before something is done goes away by Escape, or by a click elsewhere.
    const close = (except) => {
      for (const one of document.querySelectorAll(".controls details[open]")) if (one !== except) one.open = false;
    };
    document.addEventListener("keydown", (event) => {
      const open = event.key === "Escape" && document.querySelector(".controls details[open]");
      if (!open) return;
      const held = open.contains(document.activeElement);
      open.open = false;
      if (held) open.querySelector("summary").focus();
    });
    document.addEventListener("click", (event) => close(event.target.closest(".controls details")));

    // An attempt is shown without leaving the page.
    document.addEventListener("click", async (event) => {
      const link = event.target.closest("#run-graph a[href], #run-beside a[data-task], #run-attempts a[data-task], #run-attempt a[href*='?task=']");
      if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      const to = link.getAttribute("href");
      const focus = `a[href="${CSS.escape(to)}"]`;
      const within = link.closest("[data-part]");
      address = new URL(to, location.href);
      document.activeElement?.blur();
      if (!(await look(true))) return location.assign(to);
      history.replaceState(null, "", to);
      within.querySelector(focus)?.focus({ preventScroll: true });
      const shown = document.getElementById("run-attempt");
      const box = shown.getBoundingClientRect();
      if (box.top > innerHeight - 120 || box.bottom < 120) shown.scrollIntoView({ block: "start" });
    });
  }

  // Where something is under way, failed or chosen, the graph is pushed there.
  for (const box of document.querySelectorAll(".graphbox")) {
    const node = box.querySelector(".node.selected, .node.bad, .node.going");
    const wide = box.scrollWidth > box.clientWidth;
    if (!node) continue;
    const place = node.getBoundingClientRect();
    const own = box.getBoundingClientRect();
    if (place.bottom > own.bottom || place.top < own.top) box.scrollTop += place.top - own.top - own.height / 2;
    if (wide && (place.right > own.right || place.left < own.left)) box.scrollLeft += place.left - own.left - own.width / 2;
  }

  // The editor

  const editing = document.getElementById("editing");
  if (editing) {
    const text = document.getElementById("e-text");
    const gutter = document.getElementById("e-lines");
    let asked = null;
    let wait = 0;
    let numbered = 0;

    const number = () => {
      const count = text.value.split("\n").length;
      const bad = new Set([...document.querySelectorAll("#verdict .card.bad [data-line]")].map((one) => Number(one.dataset.line)));
      const mark = `${count}:${[...bad]}`;
      if (mark === numbered) return;
      numbered = mark;
      const rows = [];
      for (let line = 1; line <= count; line++) {
        if (bad.has(line)) rows.push(Object.assign(document.createElement("span"), { className: "bad", textContent: `${line}\n` }));
        else rows.push(`${line}\n`);
      }
      gutter.replaceChildren(...rows);
      gutter.scrollTop = text.scrollTop;
    };
    text.addEventListener("scroll", () => (gutter.scrollTop = text.scrollTop));

    const goTo = (line) => {
      const rows = text.value.split("\n");
      const start = rows.slice(0, line - 1).reduce((sum, row) => sum + row.length + 1, 0);
      const inner = rows[line - 1] || "";
      text.focus({ preventScroll: true });
      text.setSelectionRange(start + inner.length - inner.trimStart().length, start + inner.length);
      const height = parseFloat(getComputedStyle(text).lineHeight);
      text.scrollTop = Math.max(0, (line - 1) * height - text.clientHeight / 3);
      text.scrollLeft = 0;
      text.scrollIntoView({ block: "nearest" });
    };
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[href^='#line-']");
      if (!link) return;
      event.preventDefault();
      goTo(Number(link.getAttribute("href").slice(6)));
    });

    const check = async () => {
      if (asked) asked.abort();
      const mine = (asked = new AbortController());
      const body = new URLSearchParams(new FormData(editing));
      body.set("do", "check");
      try {
        const page = await parsed(await fetch(editing.action, { method: "POST", body, signal: mine.signal, redirect: "error" }));
        const verdict = page.getElementById("verdict");
        if (!verdict) throw new Error("no page");
        const old = document.getElementById("verdict");
        const open = [...old.querySelectorAll("details")].map((one) => one.open);
        old.replaceChildren(...verdict.childNodes);
        if (open.length === old.querySelectorAll("details").length) old.querySelectorAll("details").forEach((one, index) => (one.open = open[index]));
        const drawn = page.getElementById("preview");
        const preview = document.getElementById("preview");
        // While the text cannot be read, the last picture stays.
        if (drawn.querySelector("svg") || !preview.querySelector("svg")) preview.replaceChildren(...drawn.childNodes);
        preview.classList.toggle("stale", !drawn.querySelector("svg"));
        number();
      } catch {
        if (mine.signal.aborted) return;
        const words = document.createElement("p");
        words.className = "problem";
        words.textContent = "The server gave no answer: the session may have ended. Keep what you typed, and sign in again in another window.";
        document.getElementById("verdict").replaceChildren(words);
      }
    };
    text.addEventListener("input", () => {
      number();
      clearTimeout(wait);
      wait = setTimeout(check, TYPING);
    });
    // A new line begins where the one before did.
    text.addEventListener("keydown", (event) => {
      if (event.key === "s" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        editing.querySelector("button[value=save]")?.click();
      }
      if (event.key !== "Enter" || event.isComposing || text.selectionStart !== text.selectionEnd) return;
      event.preventDefault();
      const before = text.value.slice(0, text.selectionStart);
      const indent = /[^\n]*$/.exec(before)[0].match(/^ */)[0] + (/[[{]\s*$/.test(before) ? "  " : "");
      text.setRangeText(`\n${indent}`, text.selectionStart, text.selectionEnd, "end");
      text.dispatchEvent(new InputEvent("input", { bubbles: true }));
    });
    // Who goes away with what is not saved is asked first.
    const opened = text.value;
    let sending = false;
    editing.addEventListener("submit", () => (sending = true));
    addEventListener("beforeunload", (event) => {
      if (!sending && text.value !== opened) event.preventDefault();
    });
    number();
  }

  // Moments stand in UTC, and with a script on the clock of who looks.

  const clocks = (part) => {
    const form = { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    for (const one of part.querySelectorAll("time[data-here]")) {
      const moment = new Date(one.dateTime);
      if (Number.isNaN(moment.getTime())) continue;
      one.title = one.textContent;
      one.textContent = `${moment.toLocaleString("en-GB", form).replace(",", "")} on your clock`;
    }
  };
  clocks(document);

  // The next moments of a cron expression, while it is typed.

  const moments = document.querySelector("#moments[data-preview]");
  if (moments) {
    const cron = document.getElementById("w-cron");
    const zone = document.getElementById("w-timezone");
    let asked = null;
    let wait = 0;
    const look = async () => {
      if (asked) asked.abort();
      const mine = (asked = new AbortController());
      const query = new URLSearchParams({ cron: cron.value, timezone: zone.value });
      try {
        const page = await parsed(await fetch(`${moments.dataset.preview}?${query}`, { signal: mine.signal, redirect: "error" }));
        const fresh = page.getElementById("moments");
        if (!fresh) throw new Error("no page");
        clocks(fresh);
        moments.replaceChildren(...fresh.childNodes);
      } catch {
        if (mine.signal.aborted) return;
        const words = document.createElement("p");
        words.className = "problem";
        words.textContent = "The server gave no answer: the session may have ended.";
        moments.replaceChildren(words);
      }
    };
    for (const one of [cron, zone]) {
      one.addEventListener("input", () => {
        clearTimeout(wait);
        wait = setTimeout(look, TYPING);
      });
    }
  }

  // Starting a run: what is filled in stands in the JSON, and the other way round.

  const starting = document.getElementById("starting");
  if (starting) {
    starting.elements.scripted.value = "yes";
    const text = document.getElementById("s-json");
    const inputs = [...starting.querySelectorAll("[data-input]")];
    const kept = (_key, value, context) => (typeof value === "number" && JSON.rawJSON && context && String(value) !== context.source ? JSON.rawJSON(context.source) : value);
    const read = () => {
      try {
        const held = JSON.parse(text.value.trim() || "{}", kept);
        return held && typeof held === "object" && !Array.isArray(held) ? held : null;
      } catch {
        return null;
      }
    };
    const meant = (value, kind) => {
      if (kind === "string") return value;
      try {
        return JSON.parse(value);
      } catch {
        return value;
      }
    };
    starting.addEventListener("input", (event) => {
      const held = read();
      if (!held) return;
      const name = event.target.dataset.input;
      if (name !== undefined) {
        if (event.target.value) Object.defineProperty(held, name, { value: meant(event.target.value, event.target.dataset.kind), enumerable: true, writable: true, configurable: true });
        else delete held[name];
        text.value = JSON.stringify(held, null, 2);
      } else if (event.target === text) {
        for (const input of inputs) {
          const found = Object.hasOwn(held, input.dataset.input) ? held[input.dataset.input] : undefined;
          const value = found === undefined || found === null ? "" : typeof found === "string" ? found : JSON.stringify(found);
          if (input.value !== value) input.value = value;
        }
      }
    });
  }
})();
