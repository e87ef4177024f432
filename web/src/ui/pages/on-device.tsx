// On this device: what is kept here, what each download holds, and how long it opens.

import { useState, type ReactElement } from 'react';

import type { StoredApp } from '../../client/device/protocol';
import { onLoopback } from '../../client/place';
import { appState, STATE_WORDS } from '../app-state';
import { moment, sentence, size, span } from '../format';
import { FailurePage, FailureNote } from '../parts/failure';
import { Icon } from '../parts/icons';
import { keptInWords, TableList } from '../parts/manifest';
import { leaseShare, leaseTone, useNow } from '../parts/lease';
import { RemovedNotice } from '../parts/removed-notice';
import { Ring } from '../parts/ring';
import { Shell } from '../parts/shell';
import { hrefOf } from '../router';
import { device, reconnect, signInInstead, unlock, useDevice, useSession } from '../session';
import { DownloadDialog } from '../parts/download-dialog';
import type { Failure } from '../../client/result';

export function OnDevicePage(): ReactElement {
  const view = useDevice();
  const total = view.apps.reduce((sum, stored) => sum + stored.size, 0);
  return (
    <Shell>
      <div className="page">
        <header className="page-head">
          <div>
            <h1>On this device</h1>
            <p className="muted">
              {view.apps.length > 0 && view.record ? `${view.record.name} · ${size(total)} in all` : 'Apps you carry with you'}
            </p>
          </div>
        </header>
        <RemovedNotice />
        {view.record && view.apps.length > 0 ? <LeasePanel /> : null}
        {view.apps.length > 0 ? (
          <ul className="list">
            {view.apps.map((stored) => (
              <StoredRow key={stored.app} stored={stored} />
            ))}
          </ul>
        ) : view.known ? (
          <div className="empty">
            <Icon name="device" size={32} />
            {onLoopback ? (
              <p>
                Nothing is downloaded yet. In a terminal: <code>satchel apps</code>, then <code>satchel download APP</code>.
              </p>
            ) : (
              <>
                <p>Nothing is downloaded yet. Open Home and choose an app’s download button to take it with you.</p>
                <a className="button" href="#/">
                  Go to Home
                </a>
              </>
            )}
          </div>
        ) : (
          <div className="skeleton skeleton-block" aria-hidden="true" />
        )}
      </div>
    </Shell>
  );
}

function LeasePanel(): ReactElement {
  const { lease, unlocked } = useDevice();
  const now = useNow();
  const [failure, setFailure] = useState<Failure | null>(null);
  if (!unlocked) {
    return (
      <section className="panel panel-row">
        <Icon name="lock" size={24} />
        <p className="grow">Locked. Your passkey opens what is kept here.</p>
        <button
          type="button"
          className="button button-main"
          onClick={() => void unlock().then((result) => setFailure(result.ok ? null : result.error))}
        >
          Unlock
        </button>
        {failure ? <FailureNote failure={failure} /> : null}
      </section>
    );
  }
  if (lease?.state === 'closed' && lease.failure) return <LeaseOver failure={lease.failure} />;
  return (
    <section className="panel panel-row" data-testid="lease">
      <Ring share={leaseShare(lease, now)} tone={leaseTone(lease, now)} size={48} />
      <div>
        <strong>{lease?.started && lease.until ? `${span(lease.until - now)} left` : 'Ready'}</strong>
        <p className="muted">
          {lease?.started && lease.until
            ? `Downloads open until ${moment(lease.until)}. Signing in at the hub starts the time anew.`
            : `${lease?.hours ?? 0} hours, which start when you next open a download.`}
        </p>
      </div>
    </section>
  );
}

/** The page for when it is over: nothing deleted, nothing shown, one thing to do. */
export function LeaseOver({ failure }: { failure: Failure }): ReactElement {
  const { online } = useSession();
  if (onLoopback) {
    return (
      <FailurePage failure={failure}>
        <button type="button" className="button button-main" onClick={() => void reconnect()}>
          Look again
        </button>
      </FailurePage>
    );
  }
  return (
    <FailurePage failure={failure}>
      <button type="button" className="button button-main" onClick={signInInstead}>
        Sign in
      </button>
      {online ? null : <p className="muted">You need a connection to the hub for that.</p>}
    </FailurePage>
  );
}

function StoredRow({ stored }: { stored: StoredApp }): ReactElement {
  const view = useDevice();
  const { apps, online, me } = useSession();
  const [updating, setUpdating] = useState(false);
  const entry = apps?.apps.find((app) => app.id === stored.app) ?? null;
  const state = appState(view, stored.app, entry, useNow());
  const remove = (): void => {
    if (confirm(`Remove ${stored.manifest.title} from this device? At the hub nothing is lost.`)) void device.removeApp(stored.app);
  };
  return (
    <li className="panel">
      <div className="panel-row">
        <a className="grow stored-title" href={hrefOf({ page: 'app', app: stored.app, sheet: null, local: true })}>
          <strong>{stored.manifest.title}</strong>
          <span className="muted">
            Data as of {moment(stored.manifest.data_as_of)} · {size(stored.size)}
          </span>
        </a>
        <span className={`state state-${state}`}>{STATE_WORDS[state]}</span>
        {state === 'update' && online && me ? (
          <button type="button" className="icon-button" aria-label={`Update ${stored.manifest.title}`} onClick={() => setUpdating(true)}>
            <Icon name="update" />
          </button>
        ) : null}
        {onLoopback ? null : (
          <button type="button" className="icon-button" aria-label={`Remove ${stored.manifest.title}`} onClick={remove}>
            <Icon name="trash" />
          </button>
        )}
      </div>
      <details>
        <summary>{sentence(keptInWords(stored.manifest))}</summary>
        <TableList tables={stored.manifest.tables} />
        <p className="muted code">
          Sealed for {stored.manifest.user} on {moment(stored.manifest.sealed_at)} · access rules{' '}
          <code>{stored.manifest.access_fingerprint.slice(0, 16)}</code>
        </p>
      </details>
      {updating ? <DownloadDialog app={stored.app} title={stored.manifest.title} onClose={() => setUpdating(false)} /> : null}
    </li>
  );
}
