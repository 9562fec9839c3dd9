/* The server as a camera sees it: pairing, timetable, photos, signs of life. Every failure has one of four names. */

export class Refused extends Error {
  constructor(kind, message, after = 0) {
    super(message);
    this.kind = kind; // "offline", "busy", "key" or "refused"
    this.after = after; // seconds to wait, where the server said so
  }
}

async function ask(path, { key, ...options } = {}) {
  const headers = { Accept: "application/json", ...options.headers };
  if (key) headers.Authorization = `Camera ${key}`;
  let answer;
  try {
    answer = await fetch(path, { ...options, headers, cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(60_000) });
  } catch {
    throw new Refused("offline", "");
  }
  if (answer.ok || answer.status === 304) return answer;
  let said = {};
  try { said = await answer.json(); } catch { /* not ours: a proxy's page */ }
  const words = said.detail || said.title || "";
  if (answer.status === 401) throw new Refused("key", words);
  if (answer.status === 429 || answer.status >= 500) throw new Refused("busy", words, Number(answer.headers.get("Retry-After")) || 0);
  throw new Refused("refused", words);
}

const json = (body) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const pair = async (code, name) => (await ask("/api/camera/pair/", json({ code, name, version: "phone" }))).json();

/* The timetable, or null where it has not changed since `etag`. */
export async function schedule(key, etag) {
  const answer = await ask("/api/camera/schedule/", { key, headers: etag ? { "If-None-Match": etag } : {} });
  const offset = new Date(answer.headers.get("Date") || Date.now()).getTime() - Date.now();
  return { etag: answer.headers.get("ETag") || etag, offset, table: answer.status === 304 ? null : await answer.json() };
}

export const heartbeat = (key, report) => ask("/api/camera/heartbeat/", { key, ...json(report) });

export function send(key, upload, shot) {
  return ask(new URL(upload).pathname, {
    key,
    method: "POST",
    headers: { "Content-Type": "image/jpeg", "Idempotency-Key": shot.id, "X-Taken-At": new Date(shot.taken).toISOString() },
    body: shot.blob,
  });
}
