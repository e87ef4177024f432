// One object of a sheet: a nebula chart in a card, with full screen and its table.
//
// On a phone a chart on the sheet is a picture of itself that opens full screen by a tap;
// there it can be selected in. So a thumb that scrolls the sheet never selects by mistake.

import { useEffect, useRef, useState, type ReactElement } from 'react';

import type { Doc } from '../../client/engine';
import type { Cell } from '../../client/sheets';
import { Dialog } from '../parts/dialog';
import { Icon } from '../parts/icons';
import { isKnownType, kindOf, type Nebula, type RenderOptions } from './nebula';
import { ShareDialog } from './share';

interface Props {
  nebula: Nebula;
  doc: Doc;
  cell: Cell;
  app: string;
  origin: string;
  /** On a narrow screen, where a tap opens the chart. */
  narrow: boolean;
  large: boolean;
  onLarge: (large: boolean) => void;
}

/** `Sales by country, bar chart`. */
export const nameOf = (cell: Cell): string => (cell.title ? `${cell.title}, ${kindOf(cell.type)}` : kindOf(cell.type));

export function ChartCell(props: Props): ReactElement {
  const { nebula, cell, narrow, large, onLarge } = props;
  const isTool = cell.type === 'filterpane' || cell.type === 'kpi';
  if (!isKnownType(cell.type)) {
    return <p className="muted chart-unknown">This client cannot draw a “{cell.type}”.</p>;
  }
  const asPicture = narrow && !isTool;
  return (
    <>
      <div className="chart-frame" inert={asPicture}>
        {/* One drawing of an object at a time: two would both show the toolbar of a selection. */}
        {large ? null : <Drawing nebula={nebula} options={{ id: cell.name }} />}
      </div>
      {isTool ? null : asPicture ? (
        <button type="button" className="chart-tap" aria-label={`${nameOf(cell)}: open in full screen`} onClick={() => onLarge(true)}>
          <Icon name="expand" size={16} />
        </button>
      ) : (
        <button
          type="button"
          className="icon-button chart-expand"
          aria-label={`${nameOf(cell)}: open in full screen`}
          title="Full screen, table, share"
          onClick={() => onLarge(true)}
        >
          <Icon name="expand" size={16} />
        </button>
      )}
      {large ? <LargeChart {...props} /> : null}
    </>
  );
}

function LargeChart({ nebula, doc, cell, app, origin, onLarge }: Props): ReactElement {
  const [asTable, setAsTable] = useState(false);
  const [sharing, setSharing] = useState(false);
  const [title, setTitle] = useState(cell.title || 'Chart');
  const [fields, setFields] = useState<unknown[] | null>(null);
  const drawing = useRef<HTMLDivElement>(null);
  const canSwitch = cell.type !== 'sn-table' && cell.type !== 'table' && fields !== null;
  useEffect(() => {
    let open = true;
    void (async () => {
      const object = await doc.getObject(cell.name);
      const [layout, properties] = await Promise.all([object.getLayout(), object.getEffectiveProperties()]);
      if (!open) return;
      if (typeof layout['title'] === 'string' && layout['title']) setTitle(layout['title']);
      const cube = properties['qHyperCubeDef'] as { qDimensions?: unknown[]; qMeasures?: unknown[] } | undefined;
      if (cube) setFields([...(cube.qDimensions ?? []), ...(cube.qMeasures ?? [])]);
    })().catch(() => {});
    return () => {
      open = false;
    };
  }, [doc, cell.name]);
  return (
    <Dialog
      title={title}
      kind="full"
      charts
      onClose={() => onLarge(false)}
      tools={
        <>
          {canSwitch ? (
            <button type="button" className="button button-small" aria-pressed={asTable} aria-label="View as table" onClick={() => setAsTable(!asTable)}>
              <Icon name={asTable ? 'chart' : 'table'} size={18} />
              <span className="wide-only">{asTable ? 'View as chart' : 'View as table'}</span>
            </button>
          ) : null}
          <button type="button" className="button button-small" aria-label="Share a picture" onClick={() => setSharing(true)}>
            <Icon name="share" size={18} /> <span className="wide-only">Share</span>
          </button>
        </>
      }
    >
      <div className="chart-large" ref={drawing} role="group" aria-label={nameOf(cell)} data-view={asTable ? 'table' : 'chart'} data-testid="large">
        {asTable && fields ? (
          <Drawing key="table" nebula={nebula} options={{ type: 'sn-table', fields }} />
        ) : (
          <Drawing key="chart" nebula={nebula} options={{ id: cell.name }} />
        )}
      </div>
      {sharing ? <ShareDialog chart={drawing} doc={doc} title={title} app={app} origin={origin} onClose={() => setSharing(false)} /> : null}
    </Dialog>
  );
}

/** What is loaded and not painted after so many milliseconds shows a message of nebula's. */
const MESSAGE_MS = 3_000;

/** Draws into its own element; a skeleton keeps the place until the first paint. */
export function Drawing({ nebula, options }: { nebula: Nebula; options: Omit<RenderOptions, 'element'> }): ReactElement {
  const host = useRef<HTMLDivElement>(null);
  const [state, setState] = useState<'drawing' | 'drawn' | 'failed'>('drawing');
  const latest = useRef(options);
  latest.current = options;
  useEffect(() => {
    const parent = host.current;
    if (!parent) return;
    // A fresh element each time: the old drawing may still be taking itself down.
    const element = document.createElement('div');
    element.className = 'chart-host';
    parent.append(element);
    let gone = false;
    const turn = (to: 'drawn' | 'failed') => (): void => {
      if (!gone) setState(to);
    };
    // The promise only says that the chart was loaded; it has painted nothing then and listens
    // to nothing yet. Of a message in the place of a chart (a condition is not met, something is
    // missing) nobody tells.
    const viz = nebula.render({ element, ...latest.current, onRender: turn('drawn'), onError: turn('failed') });
    let patience = 0;
    viz.then(() => {
      const given = (): void => setState((now) => (now === 'drawing' && !gone ? 'drawn' : now));
      patience = window.setTimeout(given, MESSAGE_MS);
    }, turn('failed'));
    return () => {
      gone = true;
      window.clearTimeout(patience);
      void viz.then((drawn) => drawn.destroy()).catch(() => {});
      element.remove();
    };
  }, [nebula, options.id, options.type]);
  return (
    <div ref={host} className="chart" data-state={state}>
      {state === 'drawing' ? <div className="skeleton chart-skeleton" aria-hidden="true" /> : null}
      {state === 'failed' ? (
        <p className="muted chart-unknown" role="alert">
          This chart could not be drawn. Clear the selections and open the sheet again.
        </p>
      ) : null}
    </div>
  );
}
