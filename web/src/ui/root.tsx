// Which page is shown, by where the person stands and where they went.

import { lazy, Suspense, type ReactElement } from 'react';

import { onLoopback } from '../client/place';
import { storedApp } from './app-state';
import { FailurePage } from './parts/failure';
import { Mark } from './parts/icons';
import { Shell } from './parts/shell';
import { HomePage } from './pages/home';
import { LockPage } from './pages/lock';
import { StoppedPage } from './pages/stopped';
import { OnDevicePage } from './pages/on-device';
import { SettingsPage } from './pages/settings';
import { SignInPage } from './pages/sign-in';
import { useRoute, type AppRoute } from './router';
import { signInInstead, unlock, useDevice, useSession } from './session';

const AppPage = lazy(() => import('./pages/app-page'));

export function Root(): ReactElement {
  const { phase } = useSession();
  const route = useRoute();
  if (phase === 'starting') {
    return (
      <div className="door" aria-busy="true" aria-label="Starting">
        <Mark size={56} />
      </div>
    );
  }
  if (phase === 'stopped') return <StoppedPage />;
  if (phase === 'locked') return <LockPage />;
  if (phase === 'signed-out') return <SignInPage />;
  if (route.page === 'device') return <OnDevicePage />;
  if (route.page === 'settings') return <SettingsPage />;
  if (route.page === 'app') {
    return (
      <Shell wide>
        <AppGate route={route} />
      </Shell>
    );
  }
  return onLoopback ? <OnDevicePage /> : <HomePage />;
}

/** From the hub when it answers and knows the person; else from this device, if it can be. */
function AppGate({ route }: { route: AppRoute }): ReactElement {
  const { app, local } = route;
  const { online, me } = useSession();
  const view = useDevice();
  const fromHub = !local && online && me !== null;
  if (!fromHub && !storedApp(view, app)) {
    const failure = onLoopback
      ? { code: 'device.no_such_app', message: 'this app is not on this device', next: 'Download it in a terminal: satchel download APP', status: 0 }
      : online
      ? { code: 'device.no_such_app', message: 'this app is not on this device', next: 'Sign in to open it at the hub.', status: 0 }
      : { code: 'hub.unreachable', message: 'the hub does not answer, and this app was not downloaded to this device', next: 'Connect, and open it again.', status: 0 };
    return (
      <div className="page">
        <FailurePage failure={failure}>
          {online && !me ? (
            <button type="button" className="button button-main" onClick={signInInstead}>
              Sign in
            </button>
          ) : null}
          <a className="button" href="#/device">
            On this device
          </a>
        </FailurePage>
      </div>
    );
  }
  if (!fromHub && !view.unlocked) {
    return (
      <div className="page">
        <FailurePage
          failure={{ code: 'device.locked', message: 'what is on this device opens with your passkey', next: '', status: 0 }}
        >
          <button type="button" className="button button-main" onClick={() => void unlock()}>
            Unlock
          </button>
        </FailurePage>
      </div>
    );
  }
  return (
    <Suspense fallback={<div className="app" />}>
      <AppPage route={route} source={fromHub ? 'hub' : 'device'} />
    </Suspense>
  );
}
