/* A phone or tablet as classroom camera: paired once, on while a session of its room is open, off otherwise. */

import * as lens from "./lens.js";
import * as server from "./server.js";
import * as spool from "./spool.js";

const page = document.querySelector("[data-phone]");
const said = page.dataset;
const part = (name) => page.querySelector(`[data-${name}]`);
const video = page.querySelector("video");
const seconds = (count) => count * 1000;
const BACKOFF = [2, 5, 15, 30, 60, 120];

const state = {
  key: null, name: "", room: "", table: null, etag: "", offset: 0,
  nextShot: 0, nextPoll: 0, nextSend: 0, nextWord: 0, failures: 0, sent: 0, lost: 0, lastShot: 0,
  trouble: "", offline: false, lensTrouble: "", wakeLock: null,
};

const now = () => Date.now() + state.offset;
const openSession = () => state.table?.sessions.find((one) => one.state === "open" && now() < Date.parse(one.ends_at));
const isOpen = (id) => openSession()?.id === id;
const clock = (instant) => new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", timeZone: state.table?.time_zone }).format(instant);

/* ---- what is shown */

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (_all, name) => values[name] ?? "");
}

async function show() {
  const session = openSession();
  const on = Boolean(session) && lens.isOpen();
  page.dataset.state = !state.key ? "unpaired" : on ? "on" : "off";
  part("pairing").hidden = Boolean(state.key);
  part("running").hidden = !state.key;
  video.hidden = !on;
  if (!state.key) return;
  part("place").textContent = [state.name, state.room].filter(Boolean).join(" · ");
  part("light").textContent = on ? said.on : said.off;
  part("what").textContent = session
    ? fill(said.until, { course: session.course, time: clock(Date.parse(session.ends_at)) })
    : nextWords();
  const left = Math.max(0, Math.ceil((state.nextShot - Date.now()) / 1000));
  part("next").textContent = on ? fill(said.nextPhoto, { time: `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}` }) : "";
  const kept = await spool.waiting();
  part("counts").textContent = [
    fill(said.sent, { n: state.sent }),
    kept.length ? fill(said.waiting, { n: kept.length }) : "",
    state.lost ? fill(said.lost, { n: state.lost }) : "",
  ].filter(Boolean).join(" · ");
  const trouble = state.lensTrouble || state.trouble || (state.offline ? said.offline : "");
  part("trouble").textContent = trouble;
  part("trouble").hidden = !trouble;
}

function nextWords() {
  const next = state.table?.sessions.find((one) => one.state === "planned" && Date.parse(one.starts_at) > now() - seconds(600));
  return next ? fill(said.nextSession, { course: next.course, time: clock(Date.parse(next.starts_at)) }) : said.noSession;
}

/* ---- the timetable, and whether the lens is open */

async function poll() {
  try {
    const answer = await server.schedule(state.key, state.table ? state.etag : "");
    state.offset = Math.abs(answer.offset) > 1500 ? answer.offset : 0; // a Date header knows whole seconds only
    state.offline = false;
    state.trouble = "";
    if (answer.table) {
      Object.assign(state, { table: answer.table, etag: answer.etag, name: answer.table.name, room: answer.table.room.name });
      await spool.keep("table", { table: answer.table, etag: answer.etag });
    }
  } catch (error) {
    await refusedBy(error);
  }
  state.nextPoll = Date.now() + seconds(state.table?.poll_seconds ?? 10);
}

async function refusedBy(error) {
  if (error.kind === "key") return unpair(said.revoked);
  state.offline = error.kind === "offline";
  state.trouble = state.offline ? "" : error.message || said.busy;
  return undefined;
}

async function followSession() {
  const session = openSession();
  if (!session) {
    if (lens.isOpen()) lens.close(video);
    state.lensTrouble = "";
    return releaseScreen();
  }
  if (!lens.isOpen()) {
    try {
      await lens.open(video, state.table.policy.long_side);
      state.lensTrouble = "";
      state.nextShot = Math.min(state.nextShot, Date.now() + seconds(2)) || Date.now() + seconds(2);
    } catch (error) {
      state.lensTrouble = error.name === "NotAllowedError" ? said.notAllowed : error.name === "NotFoundError" ? said.notFound : said.notWorking;
    }
  }
  return holdScreen();
}

async function holdScreen() {
  if (state.wakeLock || document.visibilityState !== "visible" || !navigator.wakeLock) return;
  try {
    state.wakeLock = await navigator.wakeLock.request("screen");
    state.wakeLock.addEventListener("release", () => { state.wakeLock = null; });
  } catch { /* a low battery: the screen may go dark, and the page says so when it is back */ }
}

async function releaseScreen() {
  await state.wakeLock?.release();
}

/* ---- shots: first kept, then sent */

async function shoot() {
  const session = openSession();
  if (!session || !lens.isOpen()) return;
  state.nextShot = Date.now() + seconds(state.table.policy.interval_seconds);
  const taken = now();
  try {
    const blob = await lens.shoot(video, state.table.policy);
    const shot = { id: crypto.randomUUID(), session: session.id, upload: session.upload, taken, blob };
    state.lost += await spool.store(shot, isOpen);
    state.lastShot = taken;
    state.lensTrouble = "";
    state.nextSend = 0;
  } catch (error) {
    if (error.name === "QuotaExceededError") { state.lensTrouble = said.full; return; }
    lens.close(video);
    state.lensTrouble = said.notWorking;
  }
}

async function sendOne() {
  const kept = await spool.waiting();
  if (!kept.length) return;
  const first = kept.find((one) => isOpen(one.session)) ?? kept[0];
  const shot = await spool.picture(first.id);
  try {
    await server.send(state.key, shot.upload, shot);
    await spool.drop(shot.id);
    Object.assign(state, { failures: 0, nextSend: 0, offline: false, trouble: "", sent: state.sent + 1 });
  } catch (error) {
    if (error.kind === "refused") {
      // The server looked at it and will never take it: its session is over, or it is no photo.
      await spool.drop(shot.id);
      state.lost += 1;
      state.trouble = error.message;
      return;
    }
    await refusedBy(error);
    const wait = BACKOFF[Math.min(state.failures, BACKOFF.length - 1)];
    state.failures += 1;
    state.nextSend = Date.now() + seconds(Math.max(error.after || 0, wait * (0.75 + Math.random() / 2)));
  }
}

async function word() {
  state.nextWord = Date.now() + seconds(60);
  const kept = await spool.waiting();
  const report = {
    version: "phone", source: "phone", capturing: lens.isOpen(), clock_offset_ms: Math.round(state.offset), spool_photos: kept.length,
    spool_bytes: kept.reduce((sum, one) => sum + one.bytes, 0), error: state.lensTrouble,
    last_shot_at: state.lastShot ? new Date(state.lastShot).toISOString() : null,
  };
  try { await server.heartbeat(state.key, report); } catch (error) { await refusedBy(error); }
}

/* ---- pairing */

async function unpair(words) {
  await spool.forget("key");
  lens.close(video);
  Object.assign(state, { key: null, table: null, etag: "" });
  part("pair-error").textContent = words;
  part("pair-error").hidden = !words;
}

async function pairWith(form) {
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const answer = await server.pair(form.elements.code.value, form.elements.name.value);
    await spool.keep("key", answer.key);
    Object.assign(state, { key: answer.key, name: answer.name, room: answer.room.name, nextPoll: 0, nextWord: 0 });
    part("pair-error").hidden = true;
    form.reset();
    history.replaceState(null, "", window.location.pathname);
  } catch (error) {
    part("pair-error").textContent = error.message || (error.kind === "offline" ? said.offline : said.busy);
    part("pair-error").hidden = false;
  }
  button.disabled = false;
}

/* ---- one round a second; what is due is done, one thing after the other */

async function round() {
  if (state.key) {
    if (Date.now() >= state.nextPoll) await poll();
    if (state.key) await followSession();
    if (Date.now() >= state.nextShot) await shoot();
    if (state.key && Date.now() >= state.nextSend) await sendOne();
    if (state.key && Date.now() >= state.nextWord) await word();
  }
  await show();
}

async function live() {
  for (;;) {
    try { await round(); } catch (error) { state.trouble = `${said.notWorking} (${error.name})`; }
    await new Promise((done) => { setTimeout(done, 500); });
  }
}

async function start() {
  if (!window.isSecureContext || !navigator.mediaDevices || !window.indexedDB) {
    part("unsupported").hidden = false;
    part("pairing").hidden = true;
    return;
  }
  navigator.storage?.persist?.();
  navigator.serviceWorker?.register("/camera/worker.js", { scope: "/camera/" });
  const form = part("pairing").querySelector("form");
  form.elements.code.value = new URLSearchParams(window.location.hash.slice(1)).get("code") ?? "";
  form.addEventListener("submit", (event) => { event.preventDefault(); pairWith(form); });
  part("leave").addEventListener("click", () => unpair(""));
  window.addEventListener("online", () => { state.nextPoll = 0; state.nextSend = 0; });
  const kept = await spool.fact("table");
  Object.assign(state, { key: (await spool.fact("key")) ?? null }, kept ?? {});
  if (kept) Object.assign(state, { name: kept.table.name, room: kept.table.room.name });
  live();
}

start();
