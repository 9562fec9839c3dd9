/* What the phone must not lose: its key and every photo not yet safe on the server. In IndexedDB, on this device. */

const NAME = "rollcall-camera";
export const MOST_PHOTOS = 400;
export const MOST_BYTES = 400 * 1024 * 1024;

let opened = null;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("facts");
      request.result.createObjectStore("shots", { keyPath: "id" });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

async function run(store, mode, work) {
  const transaction = (await database()).transaction(store, mode, { durability: "strict" });
  const request = work(transaction.objectStore(store));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request?.result);
    transaction.onabort = () => reject(transaction.error);
    transaction.onerror = () => reject(transaction.error);
  });
}

export const fact = (name) => run("facts", "readonly", (store) => store.get(name));
export const keep = (name, value) => run("facts", "readwrite", (store) => store.put(value, name));
export const forget = (name) => run("facts", "readwrite", (store) => store.delete(name));

/* Oldest first, without their pictures: there may be hundreds. */
export async function waiting() {
  const all = await run("shots", "readonly", (store) => store.getAll());
  return all.map(({ blob, ...shot }) => ({ ...shot, bytes: blob.size })).sort((a, b) => a.taken - b.taken);
}

export const picture = (id) => run("shots", "readonly", (store) => store.get(id));
export const drop = (id) => run("shots", "readwrite", (store) => store.delete(id));

/* Store a shot; where there is no room, the oldest of sessions that are over go first, then the oldest. */
export async function store(shot, isOpen) {
  const kept = await waiting();
  const order = [...kept.filter((one) => !isOpen(one.session)), ...kept.filter((one) => isOpen(one.session))];
  let bytes = kept.reduce((sum, one) => sum + one.bytes, shot.blob.size);
  let count = kept.length + 1;
  let lost = 0;
  while ((count > MOST_PHOTOS || bytes > MOST_BYTES) && order.length) {
    const oldest = order.shift();
    await drop(oldest.id);
    bytes -= oldest.bytes;
    count -= 1;
    lost += 1;
  }
  await run("shots", "readwrite", (place) => place.put(shot));
  return lost;
}
