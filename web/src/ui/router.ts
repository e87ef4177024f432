// Pages live in the fragment of the address, so that any server and the service worker can
// hand out the same document for all of them.

import { useSyncExternalStore } from 'react';

export interface AppRoute {
  page: 'app';
  app: string;
  sheet: string | null;
  /** From this device even if the hub answers. */
  local: boolean;
  /** Selections to begin with, as a link carries them; they leave the address once made. */
  select?: string | null;
  /** The object to show in full screen; leaves the address once shown. */
  show?: string | null;
}

export type Route = { page: 'home' } | { page: 'device' } | { page: 'settings' } | AppRoute;

export function parseRoute(hash: string): Route {
  const [path = '', query] = hash.replace(/^#?\/?/, '').split('?');
  const [head, id, sheet] = path.split('/').map(decoded);
  if ((head === 'app' || head === 'local') && id) {
    const wishes = new URLSearchParams(query);
    return { page: 'app', app: id, sheet: sheet || null, local: head === 'local', select: wishes.get('select'), show: wishes.get('show') };
  }
  if (head === 'device' || head === 'settings') return { page: head };
  return { page: 'home' };
}

export function hrefOf(route: Route): string {
  if (route.page !== 'app') return route.page === 'home' ? '#/' : `#/${route.page}`;
  const sheet = route.sheet ? `/${encodeURIComponent(route.sheet)}` : '';
  const wishes = new URLSearchParams();
  if (route.select) wishes.set('select', route.select);
  if (route.show) wishes.set('show', route.show);
  const query = wishes.size > 0 ? `?${wishes.toString()}` : '';
  return `#/${route.local ? 'local' : 'app'}/${encodeURIComponent(route.app)}${sheet}${query}`;
}

export function navigate(route: Route, how: 'push' | 'replace' = 'push'): void {
  const href = hrefOf(route);
  if (how === 'replace') {
    history.replaceState(null, '', href);
    dispatchEvent(new HashChangeEvent('hashchange'));
  } else {
    location.hash = href;
  }
}

let current = { hash: '', route: parseRoute('') };

export function useRoute(): Route {
  return useSyncExternalStore(
    (changed) => {
      addEventListener('hashchange', changed);
      return () => removeEventListener('hashchange', changed);
    },
    () => {
      if (current.hash !== location.hash) current = { hash: location.hash, route: parseRoute(location.hash) };
      return current.route;
    },
  );
}

/** A part of the address as people see it; one that is broken is taken as it stands. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
