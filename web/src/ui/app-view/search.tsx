// Search inside an app: sheets, objects, and values of fields.

import { useEffect, useState, type ReactElement } from 'react';

import type { Doc } from '../../client/engine';
import { toFailure, type Failure } from '../../client/result';
import { searchSheets, searchValues, type ValueHit } from '../../client/search';
import type { Sheet } from '../../client/sheets';
import type { SearchHit } from '../../client/wire';
import { Dialog } from '../parts/dialog';
import { FailureNote } from '../parts/failure';
import { HitIcon } from '../parts/hits';
import { Icon } from '../parts/icons';

interface Props {
  doc: Doc;
  app: string;
  sheets: Sheet[];
  onGo: (hit: SearchHit) => void;
  onClose: () => void;
}

/** Asked once typing pauses. */
const PAUSE_MS = 200;

export function AppSearch({ doc, app, sheets, onGo, onClose }: Props): ReactElement {
  const [words, setWords] = useState('');
  const [values, setValues] = useState<ValueHit[]>([]);
  const [failure, setFailure] = useState<Failure | null>(null);
  const hits = searchSheets(app, sheets, words);
  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      searchValues(doc, words).then(
        (found) => {
          if (current) setValues(found ?? []);
        },
        (thrown: unknown) => {
          if (current) setFailure(toFailure(thrown));
        },
      );
    }, PAUSE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [doc, words]);

  const choose = async ({ field, value }: ValueHit): Promise<void> => {
    try {
      await (await doc.getField(field)).selectValues([{ qText: value, qIsNumeric: false, qNumber: 0 }], false, false);
      onClose();
    } catch (thrown) {
      setFailure(toFailure(thrown));
    }
  };

  return (
    <Dialog title="Search this app" onClose={onClose}>
      <div className="stack" data-testid="app-search">
        <label className="search-field">
          <span className="hidden">Search sheets, charts and values</span>
          <Icon name="search" />
          <input type="search" data-focus-first placeholder="Sheets, charts and values" value={words} onChange={(event) => setWords(event.target.value)} />
        </label>
        {failure ? <FailureNote failure={failure} /> : null}
        {hits.length > 0 ? (
          <section aria-label="Sheets and charts">
            <h3>Sheets and charts</h3>
            <ul className="rows">
              {hits.map((hit) => (
                <li key={`${hit.sheet}/${hit.object ?? ''}`} data-testid="hit">
                  <button type="button" className="row-main" onClick={() => onGo(hit)}>
                    <HitIcon hit={hit} />
                    <span className="grow">{hit.title}</span>
                    {hit.object ? <span className="muted">{sheets.find((sheet) => sheet.id === hit.sheet)?.title}</span> : null}
                  </button>
                </li>
              ))}
            </ul>
          </section>
        ) : null}
        {values.length > 0 ? (
          <section aria-label="Values">
            <h3>Values to select</h3>
            <ul className="rows">
              {values.map((hit) => (
                <li key={`${hit.field}/${hit.value}`} data-testid="value-hit">
                  <button type="button" className="row-main" onClick={() => void choose(hit)}>
                    <Icon name="filter" size={18} />
                    <span className="grow">{hit.value}</span>
                    <span className="muted">{hit.field}</span>
                  </button>
                </li>
              ))}
            </ul>
          </section>
        ) : null}
        <p className="muted" role="status">
          {words.trim() && hits.length + values.length === 0 ? `Nothing here matches “${words.trim()}”.` : ''}
        </p>
      </div>
    </Dialog>
  );
}
