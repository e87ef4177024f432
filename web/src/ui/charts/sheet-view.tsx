// A sheet: its objects on the author's grid on wide screens, one below the other on narrow.

import { useEffect, useState, type CSSProperties, type ReactElement } from 'react';

import type { Doc } from '../../client/engine';
import { ChartCell, nameOf } from './chart-cell';
import type { Nebula } from './nebula';
import { readingOrder, type Cell, type Sheet } from '../../client/sheets';

const NARROW = '(max-width: 799px)';

export function useNarrow(): boolean {
  const [narrow, setNarrow] = useState(() => matchMedia(NARROW).matches);
  useEffect(() => {
    const query = matchMedia(NARROW);
    const changed = (): void => setNarrow(query.matches);
    query.addEventListener('change', changed);
    return () => query.removeEventListener('change', changed);
  }, []);
  return narrow;
}

interface Props {
  nebula: Nebula;
  doc: Doc;
  sheet: Sheet;
  app: string;
  origin: string;
  /** The object to open in full screen at once. */
  show: string | null;
  onShown: () => void;
}

export function SheetView({ nebula, doc, sheet, app, origin, show, onShown }: Props): ReactElement {
  const narrow = useNarrow();
  const [large, setLarge] = useState<string | null>(null);
  useEffect(() => {
    if (!show) return;
    setLarge(show);
    onShown();
  }, [show]);
  const cells = readingOrder(sheet.cells).filter((cell) => !narrow || cell.type !== 'filterpane');
  const grid = { '--columns': sheet.columns, '--rows': sheet.rows } as CSSProperties;
  return (
    <div className={narrow ? 'sheet sheet-stack' : 'sheet sheet-grid'} style={grid} data-testid="sheet" data-sheet={sheet.id}>
      {cells.map((cell) => (
        <section
          key={cell.name}
          className={`cell cell-${cell.type}`}
          style={narrow ? undefined : place(cell)}
          aria-label={nameOf(cell)}
          data-testid="cell"
          data-object={cell.name}
          data-type={cell.type}
        >
          <ChartCell
            nebula={nebula}
            doc={doc}
            cell={cell}
            app={app}
            origin={origin}
            narrow={narrow}
            large={large === cell.name}
            onLarge={(on) => setLarge(on ? cell.name : null)}
          />
        </section>
      ))}
    </div>
  );
}

function place(cell: Cell): CSSProperties {
  return {
    gridColumn: `${cell.col + 1} / span ${cell.colspan}`,
    gridRow: `${cell.row + 1} / span ${cell.rowspan}`,
  };
}
