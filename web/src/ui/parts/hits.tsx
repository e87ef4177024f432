// Sheets and charts that a search on Home found.

import type { ReactElement } from 'react';

import type { SearchHit } from '../../client/wire';
import { hrefOf } from '../router';
import { Icon } from './icons';

export function HitIcon({ hit }: { hit: SearchHit }): ReactElement {
  return <Icon name={hit.object ? 'chart' : 'sheets'} size={18} />;
}

export function HitList(props: { hits: SearchHit[]; titleOf: (app: string) => string; local: boolean }): ReactElement | null {
  if (props.hits.length === 0) return null;
  return (
    <section className="group" aria-label="Sheets and charts">
      <h2>Sheets and charts</h2>
      <ul className="panel rows">
        {props.hits.map((hit) => (
          <li key={`${hit.app}/${hit.sheet}/${hit.object ?? ''}`} data-testid="hit">
            <a
              className="row-main"
              href={hrefOf({ page: 'app', app: hit.app, sheet: hit.sheet, local: props.local, show: hit.object })}
            >
              <HitIcon hit={hit} />
              <span className="grow">
                {hit.title}
                <span className="muted row-more">{props.titleOf(hit.app)}</span>
              </span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
