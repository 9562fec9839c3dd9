/* The session page: faces and names light each other up; marks by one key. */

import { csrf, filter, typing } from "./app.js";

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

/* Labels keep their size whatever the size of the photo ----------------------- */
const watched = new WeakSet();
const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => label(target)));
function label(svg) {
  const shown = svg.getBoundingClientRect().width;
  if (!shown) return;
  const px = Number(svg.dataset.scale) / shown;
  const height = Number(svg.viewBox.baseVal.height);
  svg.style.setProperty("--px", px);
  for (const text of $$("[data-label]", svg)) {
    const box = text.closest("a");
    const frame = $("rect", box);
    const width = text.getComputedTextLength() + 10 * px;
    const bottom = Number(frame.getAttribute("y")) + Number(frame.getAttribute("height"));
    const y = Math.min(bottom + 3 * px, height - 20 * px);
    const centre = Number(frame.getAttribute("x")) + Number(frame.getAttribute("width")) / 2;
    const x = Math.min(Math.max(centre - width / 2, 2 * px), Number(svg.dataset.scale) - width - 2 * px);
    const plate = $("[data-plate]", box);
    Object.entries({ x, y, width, height: 19 * px, rx: 4 * px }).forEach(([name, value]) => plate.setAttribute(name, value));
    text.setAttribute("x", x + 5 * px);
    text.setAttribute("y", y + 14 * px);
  }
}
function watch() {
  for (const svg of $$("[data-photo] svg")) {
    if (!watched.has(svg)) { watched.add(svg); sizes.observe(svg); }
    label(svg);
  }
}

/* Light --------------------------------------------------------------------------- */
let lit = "";
function light(student) {
  lit = student || "";
  $$(".is-lit").forEach((old) => old.classList.remove("is-lit"));
  const photo = $("[data-photo]");
  photo?.classList.remove("has-lit");
  if (!lit) return;
  const boxes = $$(`.box[data-student="${lit}"]`);
  boxes.forEach((box) => box.classList.add("is-lit"));
  $(`.roll__row[data-student="${lit}"]`)?.classList.add("is-lit");
  if (boxes.length) photo.classList.add("has-lit");
}
const owner = (target) => target.closest?.("[data-student]")?.dataset.student;
document.addEventListener("mouseover", (event) => { const who = owner(event.target); if ((who || "") !== lit) light(who); });
document.addEventListener("focusin", (event) => light(owner(event.target)));
document.addEventListener("mouseover", (event) => {
  const box = event.target.closest?.(".box[data-student]");
  if (!box) return;
  const row = $(`.roll__row[data-student="${box.dataset.student}"]`);
  const { top, bottom } = row?.getBoundingClientRect() ?? {};
  if (row && (top < 120 || bottom > window.innerHeight)) row.scrollIntoView({ block: "center", behavior: "smooth" });
});

/* After a part was changed: what the script had set is set again ---------------------- */
function afterChange() {
  const find = $("#roll-find");
  if (find?.value) filter(find);
  light(lit);
  watch();
  followStrip();
}
document.body.addEventListener("htmx:afterSwap", afterChange);
document.body.addEventListener("htmx:afterSettle", afterChange);
let shownThumb = "";
function followStrip() {
  const current = $(".strip__item[aria-current='true']");
  if (!current || current.id === shownThumb) return;
  shownThumb = current.id;
  const strip = current.parentElement;
  strip.scrollLeft = current.offsetLeft - strip.offsetLeft - (strip.clientWidth - current.clientWidth) / 2;
}
watch();
followStrip();
document.fonts?.ready.then(watch);

/* Keys ------------------------------------------------------------------------------------- */
const rows = () => $$(".roll__row:not([hidden])");
function step(by) {
  const all = rows();
  const at = all.indexOf(document.activeElement.closest?.(".roll__row"));
  const next = all[at < 0 ? 0 : Math.min(Math.max(at + by, 0), all.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}
function turnPhoto(by) {
  const all = $$(".strip__item");
  const at = all.findIndex((item) => item.getAttribute("aria-current") === "true");
  all[at + by]?.click();
}
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
  if (typing(event.target)) {
    if (event.target.id === "roll-find" && (event.key === "ArrowDown" || event.key === "Enter")) { rows()[0]?.focus(); event.preventDefault(); }
    return;
  }
  const key = event.key.length === 1 ? event.key.toUpperCase() : event.key;
  const moves = { ArrowDown: () => step(1), ArrowUp: () => step(-1), ArrowLeft: () => turnPhoto(-1), ArrowRight: () => turnPhoto(1) };
  if (moves[key]) { moves[key](); event.preventDefault(); return; }
  const row = event.target.closest?.(".roll__row");
  const button = row && $(`button[data-key="${key}"]`, row);
  if (button) { button.click(); event.preventDefault(); return; }
  if (key === "U") { $(".toast [data-undo]")?.click(); event.preventDefault(); }
});

/* The row keeps the focus through its own change, so that the next key still reaches it. */
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const row = document.activeElement?.closest?.(".roll__row");
  if (!row) return;
  const id = row.id;
  event.detail.target.ownerDocument.addEventListener("htmx:afterSettle", () => {
    if (!document.activeElement?.closest?.(".roll__row")) document.getElementById(id)?.focus({ preventScroll: true });
  }, { once: true });
});

/* Confirm lines are drawn by the server; a press while one is under way does nothing. */
document.body.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb === "post") event.detail.headers["X-CSRFToken"] ||= csrf();
});
