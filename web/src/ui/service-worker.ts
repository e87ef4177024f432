// Registers the service worker and notices when a newer version waits.

import { onLoopback } from '../client/place';

let waiting: ServiceWorker | null = null;
const listeners = new Set<() => void>();

export const updateWaits = (): boolean => waiting !== null;

export function subscribeToUpdates(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** After the first screen, so that it does not compete with it for the network. */
export async function registerServiceWorker(): Promise<void> {
  if (!('serviceWorker' in navigator) || !import.meta.env.PROD || onLoopback) return;
  try {
    const registration = await navigator.serviceWorker.register('/sw.js');
    const look = (): void => {
      if (registration.waiting && navigator.serviceWorker.controller) {
        waiting = registration.waiting;
        for (const listener of listeners) listener();
      }
    };
    look();
    registration.addEventListener('updatefound', () => registration.installing?.addEventListener('statechange', look));
  } catch {
    // Without it everything works but opening this page without a connection; Settings says so.
  }
}

export function applyUpdate(): void {
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
  waiting?.postMessage('use-now');
}

/** Whether this page would open without a connection. */
export const opensOffline = (): boolean => 'serviceWorker' in navigator && navigator.serviceWorker.controller !== null;
