/* The dashboard's script: moments tick, panels are swapped in place, dialogs ask for reasons.
   Without it the page is complete, as of when it was loaded. */
"use strict";
(() => {
  const panels = document.getElementById("panels");
  const live = document.getElementById("live");
  const words = live && live.querySelector(".words");
  const aloud = document.getElementById("live-words");
  const said = document.getElementById("said");
  const dialog = document.getElementById("dialog");

  /* ---- moments ---- */
  const UNITS = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]];
  function length(seconds, exact) {
    for (const [size, name, below, small] of UNITS) {
      if (seconds >= size) {
        const rest = Math.floor((seconds % size) / below);
        const fine = exact ? seconds < 600 || size > 60 : size > 3600;
        return `${Math.floor(seconds / size)} ${name}${rest && fine ? ` ${rest} ${small}` : ""}`;
      }
    }
    return `${seconds} s`;
  }
  function tick() {
    const now = (Date.now() + skew) / 1000;
    for (const element of document.querySelectorAll("time.moment")) {
      const until = element.dataset.until;
      const at = Date.parse(until || element.dataset.since) / 1000;
      const text = until ? (at <= now ? "now" : `in ${length(Math.ceil(at - now), true)}`) : `${length(Math.max(0, Math.floor(now - at)), false)} ago`;
      if (element.textContent !== text) {
        if (!element.title) element.title = new Date(at * 1000).toLocaleString();
        if (element.firstChild) element.firstChild.data = text; else element.textContent = text;
      }
    }
  }
  let skew = 0;  /* the service's clock, not this machine's, says what is left of a lease */

  /* ---- swapping: change only what differs, so that focus, selection and scroll stay ---- */
  const KEPT = new Set(["open", "title"]);
  function keyOf(node) {
    return node.nodeType === 1 ? node.dataset.key || node.id || "" : "";
  }
  function alike(one, other) {
    return one.nodeType === other.nodeType && one.nodeName === other.nodeName && keyOf(one) === keyOf(other);
  }
  function morph(old, fresh) {
    if (old.nodeType !== 1) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !KEPT.has(name)) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value && name !== "open") old.setAttribute(name, value);
    }
    if (!old.classList.contains("moment")) children(old, fresh);
  }
  function children(old, fresh) {
    let at = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      let found = at;
      while (found && !alike(found, wanted)) found = found.nextSibling;
      if (!found) {
        old.insertBefore(wanted, at);
        if (wanted.nodeType === 1 && wanted.dataset.key) wanted.classList.add("arrived");
        continue;
      }
      while (at !== found && !(keyOf(at) && stays(fresh, at))) at = drop(at);
      if (at !== found) old.insertBefore(found, at); else at = at.nextSibling;
      morph(found, wanted);
    }
    while (at) at = drop(at);
  }
  function stays(fresh, node) {
    return [...fresh.childNodes].some((other) => alike(other, node));
  }
  function drop(node) {
    const next = node.nextSibling;
    node.remove();
    return next;
  }
  function swap(name, panel) {
    const inside = panels.querySelector(`[data-panel="${CSS.escape(name)}"]`);
    if (!inside || inside.dataset.tag === panel.tag) return;
    const template = document.createElement("template");
    template.innerHTML = panel.html;
    children(inside, template.content);
    inside.dataset.tag = panel.tag;
  }
  function take(message) {
    skew = Date.parse(message.at) - Date.now();
    if (Math.abs(skew) < 1500) skew = 0;
    const before = attention();
    for (const [name, panel] of Object.entries(message.panels)) swap(name, panel);
    tick();
    const after = attention();
    if (after !== null && after !== before) aloud.textContent = after === "0" ? "Nothing needs you." : `${after} need attention.`;
  }
  function attention() {
    const list = panels.querySelector("[data-count]");
    return list ? list.dataset.count : null;
  }

  /* ---- being live, polling, or stale ---- */
  const SILENCE_MS = 20000, POLL_MS = 5000, LONGEST_MS = 30000;
  let heard = Date.now(), pause = 1000, socket = null, polling = false;
  function state(name, text) {
    if (live.dataset.state === name && name !== "stale") return;
    const changed = live.dataset.state !== name;
    live.dataset.state = name;
    words.textContent = text;
    if (changed && name !== "live") aloud.textContent = text;
  }
  function news(message, how, text) {
    heard = Date.now();
    take(message);
    state(how, text);
  }
  function connect() {
    const url = new URL(panels.dataset.socket, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    socket = new WebSocket(url);
    socket.onopen = () => {
      const have = {};
      for (const inside of panels.querySelectorAll("[data-panel]")) have[inside.dataset.panel] = inside.dataset.tag;
      socket.send(JSON.stringify({ have }));
    };
    socket.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (message.type !== "panels") return;
      pause = 1000;
      news(message, "live", "Live");
    };
    socket.onclose = () => {
      socket = null;
      setTimeout(connect, pause + Math.random() * 500);
      pause = Math.min(LONGEST_MS, pause * 2);
      poll();
    };
  }
  async function poll() {
    if (socket && socket.readyState === WebSocket.OPEN && Date.now() - heard < SILENCE_MS) return;
    if (polling || document.hidden) return;
    polling = true;
    try {
      const answer = await fetch(panels.dataset.poll, { credentials: "same-origin", redirect: "error" });
      if (answer.ok) news(await answer.json(), "polling", "Asking every 5 s");
    } catch {
      /* the next round says that the page is stale */
    } finally {
      polling = false;
    }
  }
  function watch() {
    tick();
    if (Date.now() - heard > SILENCE_MS) {
      state("stale", `Stale: nothing heard since ${new Date(heard).toLocaleTimeString()}`);
      if (socket) socket.close();
    }
  }
  if (panels) {
    tick();
    setInterval(watch, 1000);
    setInterval(poll, POLL_MS);
    document.addEventListener("visibilitychange", poll);
    connect();
    for (const strips of document.querySelectorAll(".strips.heat")) strips.scrollLeft = strips.scrollWidth;
  }

  /* ---- filters go into the address at once ---- */
  for (const select of document.querySelectorAll(".filters select")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }
  const filters = document.querySelector(".filters");
  if (filters) {
    filters.addEventListener("submit", (event) => {
      event.preventDefault();
      const given = [...new FormData(filters)].filter(([, value]) => value);
      location.search = new URLSearchParams(given).toString();
    });
  }

  /* ---- dialogs ---- */
  function tell(text) {
    said.textContent = text;
    said.hidden = false;
    clearTimeout(tell.timer);
    tell.timer = setTimeout(() => { said.hidden = true; }, 8000);
  }
  async function ask(url, options) {
    const answer = await fetch(url, { credentials: "same-origin", headers: { "X-Requested-With": "fetch" }, ...options });
    if (answer.ok && (answer.headers.get("Content-Type") || "").includes("json")) {
      dialog.close();
      tell((await answer.json()).said);
      return;
    }
    if (!answer.ok && answer.status !== 422) throw new Error(`${answer.status}`);
    dialog.innerHTML = await answer.text();
    if (!dialog.open) dialog.showModal();
    const first = dialog.querySelector("[autofocus]");
    if (first) { first.focus(); first.select(); }
  }
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (link && dialog && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      ask(link.href, {}).catch(() => { location.href = link.href; });
    } else if (event.target.closest("#dialog .cancel")) {
      event.preventDefault();
      dialog.close();
    }
  });
  if (dialog) {
    dialog.addEventListener("submit", (event) => {
      event.preventDefault();
      const form = event.target;
      ask(form.getAttribute("action"), { method: "POST", body: new FormData(form) }).catch(() => form.submit());
    });
  }
})();
