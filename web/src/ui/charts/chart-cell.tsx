// One object of a sheet: a nebula chart in a card, with full screen and its table.

import { useEffect, useRef, useState, type ReactElement } from 'react';

import type { Doc } from '../../client/engine';
import { Dialog } from '../parts/dialog';
import { Icon } from '../parts/icons';
import { isKnownType, type Nebula, type RenderOptions } from './nebula';
import type { Cell } from './sheets';

interface Props {
  nebula: Nebula;
  doc: Doc;
  cell: Cell;
}

export function ChartCell({ nebula, doc, cell }: Props): ReactElement {
  const [large, setLarge] = useState(false);
  const isTool = cell.type === 'filterpane' || cell.type === 'kpi';
  if (!isKnownType(cell.type)) {
    return <p className="muted chart-unknown">This client cannot draw a “{cell.type}”.</p>;
  }
  return (
    <>
      <Drawing nebula={nebula} options={{ id: cell.name }} />
      {isTool ? null : (
        <button type="button" className="icon-button chart-expand" aria-label="Open in full screen" title="Full screen" onClick={() => setLarge(true)}>
          <Icon name="expand" size={16} />
        </button>
      )}
      {large ? <LargeChart nebula={nebula} doc={doc} cell={cell} onClose={() => setLarge(false)} /> : null}
    </>
  );
}

function LargeChart({ nebula, doc, cell, onClose }: Props & { onClose: () => void }): ReactElement {
  const [asTable, setAsTable] = useState(false);
  const [title, setTitle] = useState('Chart');
  const [fields, setFields] = useState<unknown[] | null>(null);
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
      onClose={onClose}
      tools={
        canSwitch ? (
          <button type="button" className="button button-small" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
            <Icon name={asTable ? 'chart' : 'table'} size={18} /> {asTable ? 'View as chart' : 'View as table'}
          </button>
        ) : null
      }
    >
      <div className="chart-large">
        {asTable && fields ? (
          <Drawing key="table" nebula={nebula} options={{ type: 'sn-table', fields }} />
        ) : (
          <Drawing key="chart" nebula={nebula} options={{ id: cell.name }} />
        )}
      </div>
    </Dialog>
  );
}

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
    const viz = nebula.render({ element, ...latest.current, onError: () => setState('failed') });
    viz.then(
      () => {
        if (!gone) setState('drawn');
      },
      () => setState('failed'),
    );
    return () => {
      gone = true;
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
