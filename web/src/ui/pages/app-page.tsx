// An app: its sheets, the selections in force, and where it comes from.

import { useEffect, useRef, useState, type ReactElement } from 'react';

import { openApp, type OpenApp, type Source } from '../../client/engine';
import { toFailure, type Failure } from '../../client/result';
import { applySelections, decodeSelections } from '../../client/selections';
import { readSheets } from '../../client/sheets';
import { storedApp } from '../app-state';
import { AppHead } from '../app-view/head';
import { Opened, type Ready } from '../app-view/opened';
import { createNebula, themeName } from '../charts/nebula';
import { moment } from '../format';
import { FailurePage } from '../parts/failure';
import { hrefOf, navigate, type AppRoute } from '../router';
import { device, noteUnreachable, reconnect, signInInstead, useDevice, useSession } from '../session';
import { LeaseOver } from './on-device';

interface Props {
  route: AppRoute;
  source: Source;
}

export default function AppPage({ route, source }: Props): ReactElement {
  const { app, sheet } = route;
  const [ready, setReady] = useState<Ready | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [attempt, setAttempt] = useState(0);
  const { lease } = useDevice();
  const over = source === 'device' && lease?.state === 'closed' ? lease.failure : null;
  const isOver = over !== null;
  const { apps } = useSession();
  const stored = storedApp(useDevice(), app);
  const entry = apps?.apps.find((candidate) => candidate.id === app) ?? null;
  const wished = useRef(route);
  wished.current = route;

  useEffect(() => {
    let open: OpenApp | null = null;
    let left = false;
    setReady(null);
    setFailure(null);
    if (isOver) return;
    void (async () => {
      try {
        open = await openApp(source, app, device, (lost) => {
          if (left) return;
          setFailure(lost);
          if (source === 'hub') void reconnect();
        });
        if (left) return open.close();
        const { select } = wished.current;
        const selections = select ? decodeSelections(select) : null;
        if (selections) await applySelections(open.doc, selections);
        const [layout, sheets] = await Promise.all([open.doc.getAppLayout(), readSheets(open.doc)]);
        if (left) return;
        // A link begins a view once; what is selected afterwards is the person's own.
        if (select) navigate({ ...wished.current, select: null }, 'replace');
        setReady({ open, sheets, title: layout.qTitle, nebula: createNebula(open.doc, prefersDark()) });
      } catch (thrown) {
        if (left) return;
        const problem = toFailure(thrown);
        setFailure(problem);
        if (problem.code.startsWith('hub.')) noteUnreachable();
      }
    })();
    return () => {
      left = true;
      open?.close();
    };
  }, [app, source, attempt, isOver]);

  useLinkedSelections(ready, route);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const changed = (): void => void ready?.nebula.context({ theme: themeName(query.matches) });
    query.addEventListener('change', changed);
    return () => query.removeEventListener('change', changed);
  }, [ready]);

  if (over) {
    return (
      <div className="page">
        <LeaseOver failure={over} />
      </div>
    );
  }
  if (failure) {
    return (
      <div className="page">
        <FailurePage failure={failure}>
          {failure.code.startsWith('access.') ? (
            <a className="button button-main" href="#/">
              Back to the apps
            </a>
          ) : (
            <button type="button" className="button button-main" onClick={() => setAttempt(attempt + 1)}>
              Open again
            </button>
          )}
          {stored && source === 'hub' ? (
            <a className="button" href={hrefOf({ page: 'app', app, sheet, local: true })}>
              Use the copy on this device
            </a>
          ) : null}
          {failure.code.startsWith('session.') ? (
            <button type="button" className="button" onClick={signInInstead}>
              Sign in
            </button>
          ) : null}
        </FailurePage>
      </div>
    );
  }
  const title = ready?.title ?? entry?.title ?? stored?.manifest.title ?? '';
  const dataAsOf = source === 'device' ? stored?.manifest.data_as_of : entry?.data_as_of;
  const origin = dataAsOf ? `Data as of ${moment(dataAsOf)}` : '';
  return (
    <div className="app">
      <AppHead app={app} title={title} dataAsOf={dataAsOf ?? null} source={source} />
      {ready ? <Opened key={app + source} ready={ready} route={route} origin={origin} /> : <AppSkeleton />}
    </div>
  );
}

/** A link to an app that is open already is followed there. */
function useLinkedSelections(ready: Ready | null, route: AppRoute): void {
  const select = ready ? route.select : null;
  useEffect(() => {
    const selections = ready && select ? decodeSelections(select) : null;
    if (!ready || !select) return;
    void (async () => {
      if (selections) await applySelections(ready.open.doc, selections);
      navigate({ ...route, select: null }, 'replace');
    })().catch(() => {});
  }, [ready, select]);
}

function AppSkeleton(): ReactElement {
  return (
    <div aria-hidden="true" className="app-skeleton">
      <div className="selections" />
      <div className="sheet-bar">
        <div className="skeleton skeleton-line" />
      </div>
      <div className="sheet sheet-ghost">
        {[0, 1, 2, 3].map((n) => (
          <div key={n} className="skeleton" />
        ))}
      </div>
    </div>
  );
}

const prefersDark = (): boolean => matchMedia('(prefers-color-scheme: dark)').matches;
