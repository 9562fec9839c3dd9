/* What every page does: theme, menus, toasts, dialogs, finding and sorting in lists, keys. */

import { takeFiles } from "./upload.js";

const words = document.body.dataset;
const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
export const typing = (target) => target.closest?.("input, textarea, select, [contenteditable]");

/* Toasts ---------------------------------------------------------------- */
export function toast(text, { kind = "good", undo = "" } = {}) {
  const box = document.createElement("div");
  box.className = kind === "bad" ? "toast toast--bad" : "toast";
  const sentence = document.createElement("span");
  sentence.className = "grow";
  sentence.textContent = text;
  box.append(sentence);
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn--s";
    button.dataset.undo = undo;
    button.textContent = words.wordUndo;
    box.append(button);
  }
  $$("#toasts .toast:not(.toast--bad)").forEach((old) => old.remove());
  $("#toasts").append(box);
  // Errors stay until they are read; the rest goes by itself, slowly enough to undo.
  if (kind !== "bad") setTimeout(() => box.remove(), 8000);
  else box.addEventListener("click", () => box.remove());
}

document.body.addEventListener("toast", (event) => toast(event.detail.text, event.detail));
document.body.addEventListener("htmx:sendError", () => toast(words.wordOffline, { kind: "bad" }));
document.body.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  if (xhr.status === 403 || xhr.status === 401) window.location.reload();
  else if (!xhr.getResponseHeader("HX-Trigger")) toast(words.wordFailed, { kind: "bad" });
});

/* Clicks, in one place ------------------------------------------------------ */
document.addEventListener("click", (event) => {
  const hit = (selector) => event.target.closest(selector);
  let found;
  if (hit("[data-dismiss]")) hit("[data-toast]").remove();
  if ((found = hit("[data-theme-set]"))) {
    try { localStorage.setItem("theme", found.dataset.themeSet); } catch { /* storage is switched off */ }
    window.dispatchEvent(new Event("rollcall:theme"));
  }
  if (hit("[data-keys]")) $("#keys-dialog")?.showModal();
  if ((found = hit("[data-open-dialog]"))) $(found.dataset.openDialog)?.showModal();
  if ((found = hit("[data-close-dialog]"))) {
    const dialog = found.closest("dialog");
    if (dialog) dialog.close();
    else history.back();
  }
  if (event.target instanceof HTMLDialogElement) event.target.close();
  if (hit("[data-print]")) window.print();
  if ((found = hit("[data-undo]"))) {
    found.closest(".toast").remove();
    const row = found.dataset.undo.match(/marks\/(\d+)\/undo/);
    window.htmx.ajax("POST", found.dataset.undo, {
      target: row ? `#s${row[1]}` : "#live", swap: "morph:outerHTML", source: document.body,
      headers: { "X-CSRFToken": csrf() },
    });
  }
  if ((found = hit("[data-copy]"))) {
    navigator.clipboard?.writeText($(found.dataset.copy).textContent).then(() => toast(found.dataset.copied));
  }
  if ((found = hit("[data-sort]"))) sort(found.closest("th"));
  $$("details[data-menu][open]").forEach((menu) => { if (!menu.contains(event.target) || hit(".menu__list button")) menu.open = false; });
});

export const csrf = () => $("[name=csrfmiddlewaretoken]")?.value ?? "";

/* Dialogs that fill from the server ------------------------------------------- */
document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "face-dialog-body") $("#face-dialog").showModal();
});
document.body.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful && event.detail.elt.closest("[data-closes-dialog]")) event.detail.elt.closest("dialog")?.close();
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-other]")) {
    const go = $("[data-other-go]", event.target.form);
    go.value = event.target.value;
    go.disabled = !event.target.value;
  }
  if (event.target.matches("[data-autosubmit]")) event.target.form.requestSubmit();
});

/* Find as you type, without accents -------------------------------------------- */
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
export function filter(input) {
  const list = $(input.dataset.filter);
  if (!list) return;
  const parts = plain(input.value).split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const item of $$("[data-text]", list)) {
    const text = plain(item.dataset.text);
    item.hidden = !parts.every((part) => text.includes(part));
    shown += !item.hidden;
  }
  const none = $(`[data-filter-none="${input.dataset.filter}"]`);
  if (none) none.hidden = shown > 0 || !parts.length;
}
document.addEventListener("input", (event) => { if (event.target.matches("[data-filter]")) filter(event.target); });

/* Sort a table by a column --------------------------------------------------------- */
function sort(head) {
  const table = head.closest("table");
  const up = head.getAttribute("aria-sort") !== "ascending";
  const index = [...head.parentElement.children].indexOf(head);
  const key = (row) => row.children[index].dataset.key ?? row.children[index].textContent.trim();
  const collator = new Intl.Collator(document.documentElement.lang, { numeric: true, sensitivity: "base" });
  const rows = [...table.tBodies[0].rows].sort((a, b) => (up ? 1 : -1) * collator.compare(key(a), key(b)));
  $$("th[aria-sort]", head.parentElement).forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  table.tBodies[0].append(...rows);
}

/* Keys every page knows ------------------------------------------------------------------ */
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    $$("details[data-menu][open]").forEach((menu) => { menu.open = false; $("summary", menu).focus(); });
    if (event.target.matches?.("[data-filter]")) { event.target.value = ""; filter(event.target); event.target.blur(); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (event.key === "?") { $("#keys-dialog")?.showModal(); event.preventDefault(); }
  if (event.key === "/") {
    const find = $("[data-filter]");
    if (find) { find.focus(); event.preventDefault(); }
  }
});

/* Files, dropped or chosen ------------------------------------------------------------------ */
$$("form[data-upload]").forEach(takeFiles);

/* One file, chosen or dropped on its field, shows its name */
for (const drop of $$("[data-file-drop]")) {
  const input = $("input[type=file]", drop);
  const name = $("[data-file-name]", drop);
  const show = () => { if (input.files.length) name.textContent = input.files[0].name; };
  input.addEventListener("change", show);
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("is-over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("is-over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("is-over");
    if (event.dataTransfer.files.length) { input.files = event.dataTransfer.files; show(); }
  });
}

/* A changed part keeps what a person typed or opened, and what the scripts measured. */
window.Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, element) => !(
  (name === "value" && element.matches("[data-filter]")) || (name === "open" && element.matches("details, dialog"))
  || (name === "style" && element instanceof SVGElement)
);

/* A part that asks the server again sends along what it has; nothing new is a 304.
   A page nobody looks at does not ask, and a quiet one asks less often. -------------------------- */
let beats = 0;
document.body.addEventListener("htmx:configRequest", (event) => {
  const { elt, headers } = event.detail;
  const live = elt.id === "poll" ? $(elt.getAttribute("hx-target")) : null;
  if (event.detail.verb === "post" && !headers["X-CSRFToken"]) headers["X-CSRFToken"] = csrf();
  if (!live) return;
  beats += 1;
  const polled = !event.detail.triggeringEvent || event.detail.triggeringEvent.type !== "rollcall:refresh";
  if (polled && (document.hidden || (live.dataset.pace === "slow" && beats % 8))) { event.preventDefault(); return; }
  if (live.dataset.etag) headers["If-None-Match"] = live.dataset.etag;
  if (live.dataset.photo) event.detail.parameters.photo = live.dataset.photo;
});
document.body.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.elt.id !== "poll") return;
  const fresh = $("[data-fresh]");
  if (fresh) fresh.classList.toggle("stale", !event.detail.successful && event.detail.xhr.status !== 304);
});
document.addEventListener("visibilitychange", () => { if (!document.hidden && $("#poll")) window.htmx.trigger("#poll", "rollcall:refresh"); });
