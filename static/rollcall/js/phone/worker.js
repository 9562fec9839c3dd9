/* The service worker of the camera page: keeps the page itself, so that it starts without a network. Nothing else. */
/* The server writes the two lines VERSION and SHELL before this file. */

const name = `rollcall-camera-${VERSION}`;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(name).then((cache) => cache.addAll(SHELL)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys()
      .then((all) => Promise.all(all.filter((one) => one.startsWith("rollcall-camera-") && one !== name).map((one) => caches.delete(one))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const path = new URL(event.request.url).pathname;
  if (event.request.method !== "GET" || !SHELL.includes(path)) return;
  // The newest where there is a network, the kept one where there is none.
  event.respondWith(
    fetch(event.request)
      .then(async (answer) => {
        if (answer.ok) (await caches.open(name)).put(path, answer.clone());
        return answer;
      })
      .catch(() => caches.match(path)),
  );
});
