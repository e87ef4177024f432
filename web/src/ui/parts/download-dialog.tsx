// Download: what it will hold, then how far it is, then what was kept.

import { useEffect, useState, type FormEvent, type ReactElement } from 'react';

import { hub } from '../../client/api';
import { offlineObstacle } from '../../client/device/passkey';
import type { StoredApp } from '../../client/device/protocol';
import type { Failure } from '../../client/result';
import type { DownloadPreview } from '../../client/wire';
import { moment, sentence, size } from '../format';
import { hrefOf } from '../router';
import { currentSession, device, renew, useDevice, useSession } from '../session';
import { Dialog } from './dialog';
import { FailureNote, FailurePage } from './failure';
import { Icon } from './icons';
import { keptInWords, TableList } from './manifest';

interface Props {
  app: string;
  title: string;
  onClose: () => void;
}

export function DownloadDialog({ app, title, onClose }: Props): ReactElement {
  const [preview, setPreview] = useState<DownloadPreview | null>(null);
  const [refused, setRefused] = useState<Failure | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [done, setDone] = useState<StoredApp | null>(null);
  const [working, setWorking] = useState(false);
  const view = useDevice();

  useEffect(() => {
    let open = true;
    void (async () => {
      const obstacle = currentSession().me?.may_use_device ? await offlineObstacle() : null;
      const answer = obstacle ? null : await hub.preview(app);
      if (!open) return;
      if (obstacle) setRefused({ ...obstacle, status: 0 });
      else if (answer?.ok) setPreview(answer.value);
      else if (answer) setRefused(answer.error);
    })();
    return () => {
      open = false;
    };
  }, [app]);

  const run = async (name: string, remember: boolean): Promise<void> => {
    setWorking(true);
    setFailure(null);
    const problem = await ready(name, remember);
    if (problem) {
      setFailure(problem);
    } else {
      const result = await device.download(app);
      if (result.ok) setDone(result.value);
      else if (result.error.code.startsWith('access_type.') || result.error.code === 'access.denied') setRefused(result.error);
      else setFailure(result.error);
    }
    setWorking(false);
  };

  return (
    <Dialog title={done ? `${title} is on this device` : `Download ${title}`} onClose={onClose}>
      {refused ? (
        <FailurePage failure={refused}>
          <button type="button" className="button button-main" onClick={onClose}>
            Use it online
          </button>
        </FailurePage>
      ) : done ? (
        <Finished stored={done} onClose={onClose} />
      ) : working ? (
        <Working app={app} />
      ) : (
        <Offer preview={preview} failure={failure} isNew={view.record === null} onStart={(name, remember) => void run(name, remember)} />
      )}
    </Dialog>
  );
}

/** Sets the device up the first time, unlocks it later. */
async function ready(name: string, remember: boolean): Promise<Failure | null> {
  const { me } = currentSession();
  if (!me) return { code: 'session.none', message: 'you are not signed in', next: 'Sign in and try again.', status: 401 };
  const record = device.view.record;
  if (!record) {
    const enrolled = await device.enrol(me, name, remember);
    return enrolled.ok ? null : enrolled.error;
  }
  if (record.user !== me.user || record.hub.id !== me.hub.id) {
    return {
      code: 'device.other_owner',
      message: `this browser keeps downloads of ${record.userName} at ${record.hub.name}`,
      next: 'Remove those downloads in Settings first, or use another browser profile.',
      status: 0,
    };
  }
  if (device.view.unlocked) return null;
  const unlocked = await device.unlock();
  if (!unlocked.ok) return unlocked.error;
  const renewed = await renew(me);
  return renewed.ok ? null : renewed.error;
}

function Offer(props: {
  preview: DownloadPreview | null;
  failure: Failure | null;
  isNew: boolean;
  onStart: (name: string, remember: boolean) => void;
}): ReactElement {
  const { me } = useSession();
  const [name, setName] = useState(defaultName);
  const [remember, setRemember] = useState(false);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    props.onStart(name.trim() || defaultName(), remember);
  };
  return (
    <form className="stack" onSubmit={submit}>
      {props.preview ? (
        <>
          <p className="lead" data-testid="preview">
            {sentence(`${keptInWords(props.preview)}, about ${size(props.preview.size)}`)}
          </p>
          <p className="muted">
            Only the rows and fields you may see are sent, sealed to you and this device. They open for up to{' '}
            {me?.offline_hours ?? 0} hours without the hub.
          </p>
          <TableList tables={props.preview.tables} />
        </>
      ) : (
        <div aria-hidden="true" className="stack">
          <div className="skeleton skeleton-line" />
          <div className="skeleton skeleton-block" />
        </div>
      )}
      {props.isNew ? (
        <fieldset className="stack">
          <legend>Set up this device</legend>
          <label>
            Name of this device
            <input value={name} maxLength={80} required onChange={(event) => setName(event.target.value)} />
          </label>
          {me?.may_remember ? (
            <label className="check">
              <input type="checkbox" checked={remember} onChange={(event) => setRemember(event.target.checked)} />
              <span>
                Remember credentials <span className="muted">– sign in next time with your passkey alone</span>
              </span>
            </label>
          ) : null}
          <p className="muted">Your browser will ask you to make a passkey. It is the only key to what is kept here.</p>
        </fieldset>
      ) : null}
      {props.failure ? <FailureNote failure={props.failure} /> : null}
      <div className="dialog-foot">
        <button type="submit" className="button button-main button-wide" disabled={props.preview === null}>
          <Icon name="download" /> {props.failure ? 'Try again' : 'Download'}
        </button>
      </div>
    </form>
  );
}

const STEPS = { preparing: 'The hub selects your rows and seals them', fetching: 'Fetching', checking: 'Checking every byte and the hub’s signature' };

function Working({ app }: { app: string }): ReactElement {
  const progress = useDevice().downloads[app];
  const step = progress?.step ?? 'preparing';
  const share = progress && progress.size > 0 ? progress.received / progress.size : null;
  return (
    <div className="stack working">
      <p className="lead" aria-live="polite">
        {progress ? STEPS[step] : 'Waiting for your passkey'}
      </p>
      <progress aria-label="Download" max={1} value={step === 'preparing' ? 0 : (share ?? 0)} data-indeterminate={share === null} />
      <p className="muted num">
        {progress && progress.size > 0 ? `${size(progress.received)} of ${size(progress.size)}` : 'This takes a moment for a large app.'}
      </p>
      <button type="button" className="button" disabled={step !== 'fetching'} onClick={() => void device.cancelDownload(app)}>
        Cancel
      </button>
    </div>
  );
}

function Finished({ stored, onClose }: { stored: StoredApp; onClose: () => void }): ReactElement {
  const { lease } = useDevice();
  const until = lease?.state === 'open' && lease.until ? `, good until ${moment(lease.until)}` : '';
  return (
    <div className="stack" data-testid="download-done">
      <p className="lead">{sentence(keptInWords(stored.manifest) + until)}</p>
      <p className="muted">
        Data as of {moment(stored.manifest.data_as_of)} · {size(stored.size)} on this device · signed by the hub and checked here.
      </p>
      <TableList tables={stored.manifest.tables} />
      <div className="row">
        <a className="button button-main" href={hrefOf({ page: 'app', app: stored.app, sheet: null, local: true })} onClick={onClose}>
          Open from this device
        </a>
        <button type="button" className="button" onClick={onClose}>
          Done
        </button>
      </div>
    </div>
  );
}

function defaultName(): string {
  const agent = navigator.userAgent;
  const system = /Android/.test(agent) ? 'Android' : /iPhone|iPad/.test(agent) ? 'iOS' : /Mac/.test(agent) ? 'Mac' : /Windows/.test(agent) ? 'Windows' : 'Linux';
  const browser = /Edg\//.test(agent) ? 'Edge' : /Firefox\//.test(agent) ? 'Firefox' : /Chrom/.test(agent) ? 'Chrome' : 'Safari';
  return `${browser} on ${system}`;
}
