// An app: its sheets, the selections in force, and where it comes from.

import { useEffect, useRef, useState, type ReactElement } from 'react';

import { openApp, type Doc, type OpenApp, type Source } from '../../client/engine';
import { toFailure, type Failure } from '../../client/result';
import { appState, storedApp } from '../app-state';
import { Drawing } from '../charts/chart-cell';
import { createNebula, themeName, type Nebula } from '../charts/nebula';
import { SheetView, useNarrow } from '../charts/sheet-view';
import { readSheets, type Sheet } from '../charts/sheets';
import { moment } from '../format';
import { Dialog } from '../parts/dialog';
import { DownloadDialog } from '../parts/download-dialog';
import { FailurePage } from '../parts/failure';
import { Icon } from '../parts/icons';
import { hrefOf, navigate } from '../router';
import { device, noteUnreachable, reconnect, signInInstead, useDevice, useSession } from '../session';
import { LeaseOver } from './on-device';

interface Props {
  app: string;
  sheet: string | null;
  source: Source;
  local: boolean;
}

interface Ready {
  open: OpenApp;
  nebula: Nebula;
  sheets: Sheet[];
  title: string;
}

export default function AppPage({ app, sheet, source, local }: Props): ReactElement {
  const [ready, setReady] = useState<Ready | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [attempt, setAttempt] = useState(0);
  const { lease } = useDevice();
  const { apps } = useSession();
  const stored = storedApp(useDevice(), app);
  const entry = apps?.apps.find((candidate) => candidate.id === app) ?? null;

  useEffect(() => {
    let open: OpenApp | null = null;
    let left = false;
    setReady(null);
    setFailure(null);
    void (async () => {
      try {
        open = await openApp(source, app, device, (lost) => {
          if (left) return;
          setFailure(lost);
          if (source === 'hub') void reconnect();
        });
        if (left) return open.close();
        const [layout, sheets] = await Promise.all([open.doc.getAppLayout(), readSheets(open.doc)]);
        if (left) return;
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
  }, [app, source, attempt]);

  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const changed = (): void => void ready?.nebula.context({ theme: themeName(query.matches) });
    query.addEventListener('change', changed);
    return () => query.removeEventListener('change', changed);
  }, [ready]);

  if (source === 'device' && lease?.state === 'closed' && lease.failure) {
    return (
      <div className="page">
        <LeaseOver failure={lease.failure} />
      </div>
    );
  }
  if (failure) {
    return (
      <div className="page">
        <FailurePage failure={failure}>
          <button type="button" className="button button-main" onClick={() => setAttempt(attempt + 1)}>
            Open again
          </button>
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
  return (
    <div className="app">
      <AppHead app={app} title={title} dataAsOf={dataAsOf ?? null} source={source} />
      {ready ? <Opened key={app + source} ready={ready} sheetId={sheet} local={local} /> : <AppSkeleton />}
    </div>
  );
}

function AppHead(props: { app: string; title: string; dataAsOf: number | null; source: Source }): ReactElement {
  const view = useDevice();
  const { apps, online, me } = useSession();
  const [asked, setAsked] = useState(false);
  const entry = apps?.apps.find((candidate) => candidate.id === props.app) ?? null;
  const state = appState(view, props.app, entry);
  const offer = online && me !== null && (state === 'online' || state === 'update');
  return (
    <header className="app-head">
      <a className="icon-button" href={props.source === 'device' ? '#/device' : '#/'} aria-label="Back to the list of apps">
        <Icon name="back" />
      </a>
      <div className="grow app-title">
        <h1>{props.title || ' '}</h1>
        <p className="muted" data-testid="data-as-of">
          {props.dataAsOf === null ? ' ' : `Data as of ${moment(props.dataAsOf)}`}
          {props.source === 'device' ? ' · from this device' : ''}
        </p>
      </div>
      {offer ? (
        <button
          type="button"
          className="button"
          data-testid="download"
          aria-label={state === 'update' ? 'Update on this device' : 'Download'}
          onClick={() => setAsked(true)}
        >
          <Icon name={state === 'update' ? 'update' : 'download'} size={18} />
          <span className="wide-only">{state === 'update' ? 'Update' : 'Download'}</span>
        </button>
      ) : state === 'downloaded' ? (
        <span className="state state-downloaded">
          <Icon name="check" size={16} /> <span className="wide-only">On this device</span>
        </span>
      ) : null}
      {asked ? <DownloadDialog app={props.app} title={props.title} onClose={() => setAsked(false)} /> : null}
    </header>
  );
}

function Opened({ ready, sheetId, local }: { ready: Ready; sheetId: string | null; local: boolean }): ReactElement {
  const { nebula, open, sheets } = ready;
  const narrow = useNarrow();
  const [filters, setFilters] = useState(false);
  const at = Math.max(0, sheets.findIndex((sheet) => sheet.id === sheetId));
  const sheet = sheets[at];
  const go = (to: number): void => {
    const next = sheets[to];
    if (next) navigate({ page: 'app', app: open.app, sheet: next.id, local }, 'replace');
  };
  const swipe = useSwipe((step) => go(at + step));
  const panes = sheet?.cells.filter((cell) => cell.type === 'filterpane') ?? [];
  if (!sheet) {
    return (
      <div className="empty">
        <Icon name="sheets" size={32} />
        <p>This app has no sheets yet.</p>
      </div>
    );
  }
  return (
    <>
      <SelectionsBar nebula={nebula} />
      <div className="sheet-bar" {...swipe}>
        <nav className="tabs" aria-label="Sheets">
          {sheets.map((one, index) => (
            <a
              key={one.id}
              className="tab"
              aria-current={index === at ? 'page' : undefined}
              href={hrefOf({ page: 'app', app: open.app, sheet: one.id, local })}
              onClick={(event) => {
                event.preventDefault();
                go(index);
              }}
            >
              {one.title}
            </a>
          ))}
        </nav>
        {narrow && panes.length > 0 ? (
          <button type="button" className="button button-small" onClick={() => setFilters(true)}>
            <Icon name="filter" size={18} /> Filters
          </button>
        ) : null}
      </div>
      {sheet.description ? <p className="sheet-question muted">{sheet.description}</p> : null}
      <SheetView key={sheet.id} nebula={nebula} doc={open.doc as Doc} sheet={sheet} />
      {filters ? (
        <Dialog title="Filters" onClose={() => setFilters(false)}>
          <div className="drawer-filters">
            {panes.map((pane) => (
              <div key={pane.name} className="drawer-pane" data-testid="drawer-pane">
                <Drawing nebula={nebula} options={{ id: pane.name }} />
              </div>
            ))}
          </div>
        </Dialog>
      ) : null}
    </>
  );
}

function SelectionsBar({ nebula }: { nebula: Nebula }): ReactElement {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const mounted = nebula.selections().then((selections) => {
      selections.mount(element);
      return selections;
    });
    return () => void mounted.then((selections) => selections.unmount()).catch(() => {});
  }, [nebula]);
  return <div ref={host} className="selections" role="region" aria-label="Selections" data-testid="selections" />;
}

/** A clear sideways movement of the thumb on the sheet bar goes to the next sheet. */
function useSwipe(go: (step: number) => void): {
  onTouchStart: (event: React.TouchEvent) => void;
  onTouchEnd: (event: React.TouchEvent) => void;
} {
  const from = useRef<{ x: number; y: number } | null>(null);
  return {
    onTouchStart: (event) => {
      const touch = event.touches[0];
      from.current = touch ? { x: touch.clientX, y: touch.clientY } : null;
    },
    onTouchEnd: (event) => {
      const touch = event.changedTouches[0];
      const start = from.current;
      from.current = null;
      if (!touch || !start) return;
      const x = touch.clientX - start.x;
      if (Math.abs(x) > 64 && Math.abs(x) > 2 * Math.abs(touch.clientY - start.y)) go(x < 0 ? 1 : -1);
    },
  };
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
