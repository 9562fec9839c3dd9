/* The desk's keys: Enter and 1-5 choose, / finds somebody else, N F X G S U do what they say.
   The next item lies ready behind the present one and is shown with the key press, before the server answers. */

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const now = () => $("[data-desk-now]") ?? $(".desk");
const keyOf = (part) => $("[name=key]", part)?.value ?? "";

let waiting = null; // the request that is under way
let settling = false; // the answer is on the page, but htmx has not yet made it work
let kept = null; // a key pressed in the meantime, and the item it was meant for

function other() {
  const input = $("[data-desk-other]");
  const wanted = input.value.trim().toLowerCase();
  const options = $$("#desk-roster option");
  const fits = wanted ? options.filter((each) => each.value.toLowerCase().includes(wanted)) : [];
  const option = options.find((each) => each.value === input.value) ?? (fits.length === 1 ? fits[0] : undefined);
  const go = $("[data-desk-other-go]");
  go.value = option?.dataset.pk ?? "";
  go.disabled = !option;
  return option ? go : null;
}
document.addEventListener("input", (event) => { if (event.target.matches("[data-desk-other]")) other(); });

function buttonFor(key) {
  const part = now();
  if (key === "Enter") return $("[data-enter]", part);
  if (/^[1-5]$/.test(key)) return $(`[data-choice="${key}"]`, part);
  return /^[a-z]$/i.test(key) ? $(`[data-key="${key.toUpperCase()}"]`, part) : null;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]") || !$(".desk")) return;
  if (event.target.matches?.("[data-desk-other]")) {
    if (event.key === "Enter") { event.preventDefault(); if (!waiting) other()?.click(); }
    if (event.key === "Escape") $("[data-desk]")?.focus();
    return;
  }
  if (event.target.closest?.("input:not([type=checkbox]), select, textarea")) return;
  if (event.key === "Enter" && event.target.closest?.("button, a, summary")) return;
  if (event.repeat) return;
  if (event.key === "/") {
    event.preventDefault();
    if (!waiting) $("[data-desk-other]")?.focus();
    return;
  }
  if (waiting || settling) { kept = { key: event.key, item: keyOf($("[data-desk-next]:not([hidden])") ?? now()) }; return; }
  const button = buttonFor(event.key);
  if (button) { event.preventDefault(); button.click(); }
});

function turn(forward) {
  const next = $("[data-desk-next]");
  if (!next) return;
  $("[data-desk-now]").hidden = forward;
  next.hidden = !forward;
}
/* The next item takes the focus, so that no button of the old one can; at the end Enter does nothing. */
const takeFocus = () => ($("[data-desk]") ?? $(".desk"))?.focus({ preventScroll: true });
/* A key pressed for the next item in the meantime is not lost. */
function ready() {
  if (!settling) return;
  settling = false;
  const press = kept;
  kept = null;
  if (press && press.item === keyOf(now())) buttonFor(press.key)?.click();
}
document.body.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, requestConfig, xhr } = event.detail;
  if (!elt.closest?.(".desk") || requestConfig.verb !== "post") return;
  if (waiting) { event.preventDefault(); return; }
  waiting = xhr;
  kept = null;
  if (!requestConfig.path.includes("/undo/")) turn(true);
});
/* Told that somebody else was quicker, the answer still brings what is next. */
const brings = (detail) => detail.successful || (detail.xhr.status === 409 && Boolean(detail.xhr.responseText));
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id === "live" && brings({ ...event.detail, successful: false })) event.detail.shouldSwap = true;
});
document.body.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.xhr !== waiting) return;
  waiting = null;
  settling = true;
  const swaps = brings(event.detail);
  if (!swaps) turn(false);
  takeFocus();
  setTimeout(ready, swaps ? 500 : 0); // where htmx says nothing, keys work all the same
});
document.body.addEventListener("htmx:afterSettle", ready);
/* On a phone the answers come first: the evidence is one touch away. */
if (window.matchMedia("(max-width: 55.99rem)").matches) $$(".desk__evidence").forEach((card) => { card.open = false; });
