// The head of an app: its title, how fresh it is, and what it is to this device.

import { useState, type ReactElement } from 'react';

import type { Source } from '../../client/engine';
import { appState } from '../app-state';
import { moment } from '../format';
import { DownloadDialog } from '../parts/download-dialog';
import { Icon } from '../parts/icons';
import { LeaseChip, useNow } from '../parts/lease';
import { useDevice, useSession } from '../session';

interface Props {
  app: string;
  title: string;
  dataAsOf: number | null;
  source: Source;
}

export function AppHead(props: Props): ReactElement {
  const view = useDevice();
  const { apps, online, me } = useSession();
  const [asked, setAsked] = useState(false);
  const entry = apps?.apps.find((candidate) => candidate.id === props.app) ?? null;
  const state = appState(view, props.app, entry, useNow());
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
      {props.source === 'device' ? <LeaseChip /> : null}
      {offer ? (
        <button
          type="button"
          className={state === 'update' ? 'button button-update' : 'button'}
          data-testid="download"
          aria-label={state === 'update' ? 'Update on this device' : 'Download'}
          onClick={() => setAsked(true)}
        >
          <Icon name={state === 'update' ? 'update' : 'download'} size={18} />
          <span className="wide-only">{state === 'update' ? 'Update available' : 'Download'}</span>
        </button>
      ) : state === 'downloaded' ? (
        <span className="state state-downloaded">
          <Icon name="check" size={16} /> <span className="wide-said">On this device</span>
        </span>
      ) : null}
      {asked ? <DownloadDialog app={props.app} title={props.title} onClose={() => setAsked(false)} /> : null}
    </header>
  );
}
