// The service worker: keeps this client so that it opens without a connection.
//
// It keeps exactly the files of one build, each checked against the hash the build wrote
// down, and serves nothing else. The API and the engine socket always go to the network.

export {};

declare const self: ServiceWorkerGlobalScope & { __PRECACHE__: { url: string; hash: string }[] };

const FILES = self.__PRECACHE__;
const PREFIX = 'satchel-client-';

/** Files fetched at the same time while installing. */
const LANES = 4;

async function cacheName(): Promise<string> {
  const text = FILES.map((file) => file.hash).join();
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return PREFIX + base64(digest).slice(0, 16);
}

self.addEventListener('install', (event) => event.waitUntil(install()));

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      const current = await cacheName();
      for (const name of await caches.keys()) {
        if (name.startsWith(PREFIX) && name !== current) await caches.delete(name);
      }
      await self.clients.claim();
    })(),
  );
});

self.addEventListener('message', (event) => {
  if (event.data === 'use-now') void self.skipWaiting();
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  if (request.mode === 'navigate') {
    if (url.pathname === '/') event.respondWith(kept('/index.html', request));
    return;
  }
  if (FILES.some((file) => file.url === url.pathname)) event.respondWith(kept(url.pathname, request));
});

/** The file as it was when this version was installed; the network only if the browser lost it. */
async function kept(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(await cacheName());
  return (await cache.match(path)) ?? fetch(request);
}

async function install(): Promise<void> {
  const cache = await caches.open(await cacheName());
  const waiting = [...FILES];
  const lane = async (): Promise<void> => {
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      if (await cache.match(file.url)) continue;
      await cache.put(file.url, await fetchChecked(file));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

/** A changed byte stops the installation; the old version stays. */
async function fetchChecked(file: { url: string; hash: string }): Promise<Response> {
  const response = await fetch(file.url === '/index.html' ? '/' : file.url, { cache: 'no-cache' });
  if (!response.ok) throw new Error(`${file.url}: status ${response.status}`);
  const bytes = await response.arrayBuffer();
  const digest = base64(await crypto.subtle.digest('SHA-256', bytes));
  if (digest !== file.hash) throw new Error(`${file.url} is not the file this version was built with`);
  const headers = new Headers(response.headers);
  headers.delete('content-encoding');
  headers.delete('content-length');
  return new Response(bytes, { headers });
}

function base64(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}
