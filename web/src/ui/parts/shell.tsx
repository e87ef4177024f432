// The frame of every page: navigation at the left on wide screens, at the bottom on narrow.

import type { ReactElement, ReactNode } from 'react';

import { onLoopback } from '../../client/place';
import { hrefOf, useRoute, type Route } from '../router';
import { hubName, useSession } from '../session';
import { Mark, Icon, type IconName } from './icons';
import { OfflineBanner } from './offline-banner';
import { UpdateNotice } from './update-notice';

const PLACES: { route: Route; label: string; icon: IconName }[] = [
  { route: { page: 'home' }, label: 'Home', icon: 'home' },
  { route: { page: 'device' }, label: 'On this device', icon: 'device' },
  { route: { page: 'settings' }, label: 'Settings', icon: 'settings' },
];

export function Shell({ children, wide = false }: { children: ReactNode; wide?: boolean }): ReactElement {
  const route = useRoute();
  const { notice } = useSession();
  return (
    <div className={wide ? 'shell shell-app' : 'shell'}>
      <a className="skip" href="#main" onClick={skipToMain}>
        Skip to content
      </a>
      <nav className="places" aria-label="Main">
        <a className="places-brand" href="#/" aria-label={`Satchel, ${hubName()}`}>
          <Mark />
        </a>
        {PLACES.filter(({ route: place }) => !onLoopback || place.page !== 'home').map(({ route: place, label, icon }) => (
          <a
            key={place.page}
            className="place"
            href={hrefOf(place)}
            aria-current={isHere(route, place) ? 'page' : undefined}
          >
            <Icon name={icon} size={22} />
            <span>{label}</span>
          </a>
        ))}
      </nav>
      <div className="stage">
        <OfflineBanner />
        <UpdateNotice />
        {notice ? (
          <p className="strip" role="status">
            {notice}
          </p>
        ) : null}
        <main id="main" tabIndex={-1}>
          {children}
        </main>
      </div>
    </div>
  );
}

function isHere(route: Route, place: Route): boolean {
  if (route.page === 'app') return place.page === (route.local ? 'device' : 'home');
  return route.page === place.page;
}

/** The address belongs to the router, so the jump is done by hand. */
function skipToMain(event: { preventDefault(): void }): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
