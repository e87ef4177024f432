// An app in a list: title, stream, how fresh, how large, and what it is to this device.

import type { ReactElement } from 'react';

import { STATE_WORDS, type AppState } from '../app-state';
import { moment, size } from '../format';
import { hrefOf } from '../router';
import { Icon, type IconName } from './icons';
import { LeaseChip } from './lease';

export interface CardProps {
  app: string;
  title: string;
  description: string;
  stream: string;
  dataAsOf: number | null;
  bytes: number;
  state: AppState;
  favourite?: boolean;
  local?: boolean;
  onDownload?: () => void;
  onFavourite?: () => void;
}

const STATE_ICONS: Record<AppState, IconName> = { online: 'cloud', downloaded: 'check', ending: 'clock', update: 'update', expired: 'lock' };

export function AppCard(card: CardProps): ReactElement {
  const downloadLabel = card.state === 'update' ? `Update ${card.title} on this device` : `Download ${card.title}`;
  return (
    <li className="card" data-testid="app-card" data-app={card.app} data-state={card.state}>
      <a className="card-link" href={hrefOf({ page: 'app', app: card.app, sheet: null, local: card.local ?? false })}>
        <span className="card-mark" style={{ '--hue': hue(card.title) } as React.CSSProperties} aria-hidden="true">
          {card.title.slice(0, 1).toUpperCase()}
        </span>
        <span className="card-text">
          <strong className="card-title">{card.title}</strong>
          <span className="card-line muted">{card.description || card.stream}</span>
        </span>
      </a>
      <div className="card-foot">
        <span className="card-states">
          <span className={`state state-${card.state}`}>
            <Icon name={STATE_ICONS[card.state]} size={16} /> {STATE_WORDS[card.state]}
          </span>
          {card.state === 'ending' || card.state === 'update' ? <LeaseChip /> : null}
        </span>
        <span className="card-meta muted">
          <span>{card.dataAsOf === null ? 'Never loaded' : `Data as of ${moment(card.dataAsOf)}`}</span>
          {card.bytes > 0 ? <span>{size(card.bytes)}</span> : null}
        </span>
        <span className="card-tools">
          {card.onFavourite ? (
            <button
              type="button"
              className="icon-button"
              aria-pressed={card.favourite}
              aria-label={`Favourite ${card.title}`}
              title={card.favourite ? 'Remove from favourites' : 'Add to favourites'}
              onClick={card.onFavourite}
            >
              <Icon name="star" filled={card.favourite ?? false} />
            </button>
          ) : null}
          {card.onDownload && card.dataAsOf !== null && (card.state === 'online' || card.state === 'update') ? (
            <button type="button" className="icon-button" aria-label={downloadLabel} title={downloadLabel} onClick={card.onDownload}>
              <Icon name={card.state === 'update' ? 'update' : 'download'} />
            </button>
          ) : null}
        </span>
      </div>
    </li>
  );
}

/** A steady shade for each title, near the accent so that the page keeps one colour. */
function hue(title: string): number {
  let sum = 0;
  for (const letter of title) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 997;
  return 150 + (sum % 70);
}
