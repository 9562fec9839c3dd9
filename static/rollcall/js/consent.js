/* Returned slips by keyboard: number or name, Enter, Y or N, who signed, Enter; then the next. */

import { filter, toast } from "./app.js";

const $ = (selector, within = document) => within.querySelector(selector);
const form = $("#answer");
const find = $("#answer-find");
const found = $("#answer-found");
const name = $("#answer-name");
const by = $("#answer-by");
const words = form.dataset;
let picked = null;

const rows = () => [...document.querySelectorAll("#open-slips [data-student]")];
const bare = (text) => text.trim().replace(/\/+$/, "").split("/").pop().replace(/[\s-]/g, "").toUpperCase();

/* A whole number or code first; else the first line that is left in the list. */
function best(text) {
  const typed = bare(text);
  if (!typed) return null;
  return rows().find((row) => row.dataset.codes.split(" ").includes(typed))
    ?? rows().find((row) => bare(row.dataset.number) === typed)
    ?? rows().find((row) => !row.hidden) ?? null;
}

function pick(row) {
  rows().forEach((other) => other.classList.toggle("is-picked", other === row));
  picked = row;
  found.classList.toggle("is-none", !row);
  found.textContent = row ? `${row.dataset.name} · ${row.dataset.number}` : words.wordNone;
  form.elements.slip.value = row && row.dataset.codes.split(" ").includes(bare(find.value)) ? bare(find.value) : "";
  if (!row) return;
  const list = row.parentElement;  // the list alone moves, not the page under the form
  list.scrollTop = row.offsetTop - list.clientHeight / 2;
  propose();
  form.elements.answer[0].focus();
}

/* Whoever signed before, or the family name to put a first name before. */
function propose() {
  if (!picked) return;
  if (by.value === "student") name.value = picked.dataset.ownName;
  else name.value = picked.dataset.signer || (picked.dataset.family ? ` ${picked.dataset.family}` : "");
}

function toName() {
  name.focus();
  if (name.value.startsWith(" ")) name.setSelectionRange(0, 0);
  else name.select();
}

function again() {
  picked = null;
  form.reset();
  form.elements.slip.value = "";
  form.elements.signed_on.value = day;
  form.elements.given_by.value = signedAs;
  find.value = "";
  filter(find);
  found.textContent = "";
  find.focus();
}
/* The day and who signs stay from one slip to the next: a pile is signed alike. */
let day = form.elements.signed_on.value;
let signedAs = by.value;
form.elements.signed_on.addEventListener("change", (event) => { day = event.target.value; });
by.addEventListener("change", () => { signedAs = by.value; propose(); });

find.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  if (find.value.trim()) { filter(find); pick(best(find.value)); }
});
find.addEventListener("input", () => { picked = null; found.textContent = ""; found.classList.remove("is-none"); });
document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-pick]")?.closest("[data-student]");
  if (row) pick(row);
});

form.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { event.preventDefault(); again(); return; }
  if (event.target.name !== "answer" || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase();
  const answers = { [words.keyYes]: 0, y: 0, [words.keyNo]: 1, n: 1 };
  if (!(key in answers)) return;
  event.preventDefault();
  form.elements.answer[answers[key]].checked = true;
  toName();
});

/* Nothing goes without a student, an answer and a name; what is missing gets the focus. */
document.body.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.elt !== form) return;
  const missing = picked ? form.elements.answer.value ? "" : words.wordChoose : words.wordNone;
  const typed = name.value.trim();
  const unsigned = !typed || (by.value === "guardian" && picked && !picked.dataset.signer && typed === picked.dataset.family);
  if (missing || unsigned) {
    event.preventDefault();
    toast(missing || words.wordWho, { kind: "bad" });
    if (!picked) find.focus();
    else if (missing) form.elements.answer[0].focus();
    else toName();
    return;
  }
  event.detail.parameters.student = picked.dataset.student;
});
document.body.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.elt === form && event.detail.successful) again();
});

if (words.slip) { find.value = words.slip; filter(find); pick(best(words.slip)); }
