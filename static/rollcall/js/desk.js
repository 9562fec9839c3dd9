/* The desk's keys: Enter and 1-5 choose, / finds somebody else, N F S U do what they say. */

const $ = (selector, within = document) => within.querySelector(selector);
const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
const busy = () => Boolean($(".htmx-request"));

function other() {
  const input = $("[data-desk-other]");
  const option = $$("#desk-roster option").find((each) => each.value === input.value)
    ?? ((found) => (found.length === 1 ? found[0] : undefined))(
      $$("#desk-roster option").filter((each) => input.value.trim() && each.value.toLowerCase().includes(input.value.trim().toLowerCase())));
  const go = $("[data-desk-other-go]");
  go.value = option?.dataset.pk ?? "";
  go.disabled = !option;
  return option ? go : null;
}
document.addEventListener("input", (event) => { if (event.target.matches("[data-desk-other]")) other(); });

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]") || !$(".desk")) return;
  if (event.target.matches?.("[data-desk-other]")) {
    if (event.key === "Enter") { event.preventDefault(); if (!busy()) other()?.click(); }
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.target.closest?.("input:not([type=checkbox]), select, textarea")) return;
  if (event.repeat || busy()) return;
  let button;
  if (event.key === "Enter") {
    if (event.target.closest?.("button, a, summary")) return;
    button = $(".desk__candidate--likely");
  } else if (/^[1-5]$/.test(event.key)) button = $(`[data-choice="${event.key}"]`);
  else if (event.key === "/") { $("[data-desk-other]")?.focus(); event.preventDefault(); return; }
  else button = $(`.desk [data-key="${event.key.toUpperCase()}"]`);
  if (button) { event.preventDefault(); button.click(); }
});

/* The next item takes the keys: nothing of the old one keeps the focus. */
document.body.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target.id === "live" || event.detail.elt?.id === "live") document.activeElement?.blur?.();
});
