/* Photos to the server, three at a time, each with its own progress and its own answer. */

const AT_ONCE = 3;
const queue = [];
let running = 0;

function line(form, file) {
  const item = document.createElement("div");
  item.className = "upload";
  const name = document.createElement("span");
  name.className = "truncate";
  name.textContent = file.name;
  const state = document.createElement("span");
  state.className = "upload__state";
  state.textContent = form.dataset.wordWaiting;
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", file.name);
  item.append(name, state, bar);
  document.getElementById("uploads").append(item);
  return { item, state, bar };
}

function refresh() {
  const poll = document.getElementById("poll");
  if (poll) window.htmx.trigger(poll, "rollcall:refresh");
}

function failed(job, text, again) {
  job.view.item.classList.add("is-bad");
  job.view.bar.remove();
  job.view.state.textContent = text;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "linkish";
  if (again) {
    button.textContent = job.form.dataset.wordAgain;
    button.addEventListener("click", () => { job.view.item.remove(); add(job.form, [job.file]); });
  } else {
    button.textContent = document.body.dataset.wordClose;
    button.addEventListener("click", () => job.view.item.remove());
  }
  job.view.state.append(" ", button);
}

function send(job) {
  running += 1;
  const request = new XMLHttpRequest();
  const body = new FormData();
  body.append("photo", job.file, job.file.name);
  request.open("POST", job.form.action);
  request.setRequestHeader("Accept", "application/json");
  request.setRequestHeader("X-CSRFToken", job.form.querySelector("[name=csrfmiddlewaretoken]").value);
  request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) job.view.bar.value = event.loaded / event.total; });
  job.view.state.textContent = job.form.dataset.wordUploading;
  const next = () => { running -= 1; pump(); };
  request.addEventListener("load", () => {
    let answer = {};
    try { answer = JSON.parse(request.responseText); } catch { /* not ours: a proxy's page */ }
    if (request.status >= 200 && request.status < 300 && answer.id) {
      job.view.bar.value = 1;
      job.view.state.textContent = answer.message || job.form.dataset.wordReceived;
      setTimeout(() => job.view.item.remove(), answer.message ? 6000 : 1500);
      refresh();
    } else {
      failed(job, answer.message || document.body.dataset.wordFailed, !answer.message);
    }
    next();
  });
  request.addEventListener("error", () => { failed(job, job.form.dataset.wordLost, true); next(); });
  request.send(body);
}

function pump() {
  while (running < AT_ONCE && queue.length) send(queue.shift());
}

export function add(form, files) {
  for (const file of files) {
    const job = { form, file, view: line(form, file) };
    if (file.size > Number(form.dataset.limit || 25) * 1024 * 1024) failed(job, form.dataset.wordLarge, false);
    else queue.push(job);
  }
  pump();
}

const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");

/* A form[data-upload]: its file inputs, and files dropped anywhere on the page. */
export function takeFiles(form) {
  const inputs = [form.querySelector("input[type=file]"), ...document.querySelectorAll(`[data-joins="${form.querySelector("input[type=file]").id}"]`)];
  for (const input of inputs) {
    input.addEventListener("change", () => { add(form, [...input.files]); input.value = ""; });
  }
  let depth = 0;
  const over = (on) => { depth = on ? depth : 0; document.body.classList.toggle("is-dropping", on); };
  window.addEventListener("dragenter", (event) => { if (hasFiles(event)) { depth += 1; over(true); } });
  window.addEventListener("dragleave", () => { depth -= 1; if (depth <= 0) over(false); });
  window.addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  window.addEventListener("drop", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    over(false);
    add(form, [...event.dataTransfer.files]);
  });
}
