// An open app: selections, the way from sheet to sheet, and the sheet itself.

import { useEffect, useRef, useState, type ReactElement } from 'react';

import type { OpenApp } from '../../client/engine';
import type { Cell, Sheet } from '../../client/sheets';
import { Drawing } from '../charts/chart-cell';
import type { Nebula } from '../charts/nebula';
import { SheetView, useNarrow } from '../charts/sheet-view';
import { Dialog } from '../parts/dialog';
import { Icon } from '../parts/icons';
import { hrefOf, navigate, type AppRoute } from '../router';
import { BookmarksDialog } from './bookmarks';
import { AppSearch } from './search';
import { useSwipe } from './swipe';

export interface Ready {
  open: OpenApp;
  nebula: Nebula;
  sheets: Sheet[];
  title: string;
}

type Panel = 'filters' | 'sheets' | 'bookmarks' | 'search';

export function Opened({ ready, route, origin }: { ready: Ready; route: AppRoute; origin: string }): ReactElement {
  const { nebula, open, sheets, title } = ready;
  const narrow = useNarrow();
  const [panel, setPanel] = useState<Panel | null>(null);
  const at = Math.max(0, sheets.findIndex((sheet) => sheet.id === route.sheet));
  const sheet = sheets[at];
  const go = (id: string | null | undefined, show: string | null = null): void => {
    if (id) navigate({ page: 'app', app: open.app, sheet: id, local: route.local, show }, 'replace');
  };
  // The next sheet begins at its top, however far down this one was read.
  const shown = useRef(sheet?.id);
  useEffect(() => {
    if (shown.current !== sheet?.id) scrollTo(0, 0);
    shown.current = sheet?.id;
  }, [sheet?.id]);
  const swipe = useSwipe((step) => go(sheets[at + step]?.id));
  if (!sheet) {
    return (
      <div className="empty">
        <Icon name="sheets" size={32} />
        <p>This app has no sheets yet.</p>
      </div>
    );
  }
  const panes = sheet.cells.filter((cell) => cell.type === 'filterpane');
  const close = (): void => setPanel(null);
  return (
    <>
      <SelectionsBar nebula={nebula} />
      <div className="sheet-bar">
        {narrow ? (
          <button type="button" className="button button-small sheet-menu" aria-haspopup="dialog" onClick={() => setPanel('sheets')}>
            <span className="sheet-name">{sheet.title}</span>
            <span className="hidden">, sheet {at + 1} of {sheets.length}, choose a sheet</span>
            <Icon name="down" size={18} />
          </button>
        ) : (
          <SheetTabs sheets={sheets} at={at} hrefTo={(one) => hrefOf({ page: 'app', app: open.app, sheet: one.id, local: route.local })} go={go} />
        )}
        <div className="sheet-tools">
          <button type="button" className="icon-button" aria-label="Search this app" title="Search" onClick={() => setPanel('search')}>
            <Icon name="search" />
          </button>
          <button type="button" className="icon-button" aria-label="Bookmarks and link" title="Bookmarks and link" onClick={() => setPanel('bookmarks')}>
            <Icon name="bookmark" />
          </button>
          {narrow && panes.length > 0 ? (
            <button type="button" className="icon-button" aria-label="Filters" title="Filters" onClick={() => setPanel('filters')}>
              <Icon name="filter" />
            </button>
          ) : null}
        </div>
      </div>
      <div className="sheet-stage" {...(narrow ? swipe : {})}>
        {sheet.description ? <p className="sheet-question muted">{sheet.description}</p> : null}
        <SheetView
          key={sheet.id}
          nebula={nebula}
          doc={open.doc}
          sheet={sheet}
          app={title}
          origin={origin}
          show={route.show ?? null}
          onShown={() => go(sheet.id)}
        />
        {narrow && sheets.length > 1 ? <SheetSteps sheets={sheets} at={at} go={go} /> : null}
      </div>
      {panel === 'filters' ? <FiltersDrawer nebula={nebula} panes={panes} onClose={close} /> : null}
      {panel === 'sheets' ? <SheetsDrawer sheets={sheets} at={at} go={go} onClose={close} /> : null}
      {panel === 'bookmarks' ? (
        <BookmarksDialog doc={open.doc} app={open.app} sheet={sheet} onGo={(id) => go(sheets.some((one) => one.id === id) ? id : sheet.id)} onClose={close} />
      ) : null}
      {panel === 'search' ? (
        <AppSearch
          doc={open.doc}
          app={open.app}
          sheets={sheets}
          onGo={(hit) => {
            close();
            go(hit.sheet, hit.object);
          }}
          onClose={close}
        />
      ) : null}
    </>
  );
}

function SheetTabs(props: { sheets: Sheet[]; at: number; hrefTo: (sheet: Sheet) => string; go: (id: string) => void }): ReactElement {
  return (
    <nav className="tabs" aria-label="Sheets">
      {props.sheets.map((one, index) => (
        <a
          key={one.id}
          className="tab"
          aria-current={index === props.at ? 'page' : undefined}
          href={props.hrefTo(one)}
          onClick={(event) => {
            event.preventDefault();
            props.go(one.id);
          }}
        >
          {one.title}
        </a>
      ))}
    </nav>
  );
}

function SheetsDrawer({ sheets, at, go, onClose }: { sheets: Sheet[]; at: number; go: (id: string) => void; onClose: () => void }): ReactElement {
  return (
    <Dialog title="Sheets" onClose={onClose}>
      <ul className="rows">
        {sheets.map((one, index) => (
          <li key={one.id}>
            <button
              type="button"
              className="row-main"
              aria-current={index === at ? 'page' : undefined}
              onClick={() => {
                onClose();
                go(one.id);
              }}
            >
              <Icon name="sheets" size={18} />
              <span className="grow">
                <strong>{one.title}</strong>
                {one.description ? <span className="muted row-more">{one.description}</span> : null}
              </span>
              {index === at ? <Icon name="check" size={18} /> : null}
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

/** Where one is among the sheets; the same steps as a swipe, for who cannot swipe. */
function SheetSteps({ sheets, at, go }: { sheets: Sheet[]; at: number; go: (id: string) => void }): ReactElement {
  const step = (to: number, label: string, icon: 'back' | 'next'): ReactElement => {
    const sheet = sheets[to];
    return (
      <button type="button" className="icon-button" aria-label={sheet ? `${label} sheet: ${sheet.title}` : `${label} sheet`} disabled={!sheet} onClick={() => sheet && go(sheet.id)}>
        <Icon name={icon} />
      </button>
    );
  };
  return (
    <div className="sheet-steps">
      {step(at - 1, 'Previous', 'back')}
      <span className="muted">
        Sheet {at + 1} of {sheets.length}
      </span>
      {step(at + 1, 'Next', 'next')}
    </div>
  );
}

function FiltersDrawer({ nebula, panes, onClose }: { nebula: Nebula; panes: Cell[]; onClose: () => void }): ReactElement {
  return (
    <Dialog title="Filters" charts onClose={onClose}>
      <div className="drawer-filters">
        {panes.map((pane) => (
          <div key={pane.name} className="drawer-pane" data-testid="drawer-pane">
            <Drawing nebula={nebula} options={{ id: pane.name }} />
          </div>
        ))}
      </div>
    </Dialog>
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
