// Pages live in the fragment of the address, so that any server and the service worker can
// hand out the same document for all of them.

import { useSyncExternalStore } from 'react';

export type Route =
  | { page: 'home' }
  | { page: 'device' }
  | { page: 'settings' }
  | { page: 'app'; app: string; sheet: string | null; local: boolean };

export function parseRoute(hash: string): Route {
  const [head, id, sheet] = hash.replace(/^#?\/?/, '').split('/').map(decodeURIComponent);
  if ((head === 'app' || head === 'local') && id) return { page: 'app', app: id, sheet: sheet || null, local: head === 'local' };
  if (head === 'device' || head === 'settings') return { page: head };
  return { page: 'home' };
}

export function hrefOf(route: Route): string {
  if (route.page !== 'app') return route.page === 'home' ? '#/' : `#/${route.page}`;
  const sheet = route.sheet ? `/${encodeURIComponent(route.sheet)}` : '';
  return `#/${route.local ? 'local' : 'app'}/${encodeURIComponent(route.app)}${sheet}`;
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
