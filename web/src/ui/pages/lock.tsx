// The lock screen: nothing of the data behind it, and it works without a network.

import { useEffect, useRef, useState, type ReactElement } from 'react';

import { onLoopback } from '../../client/place';
import type { Failure } from '../../client/result';
import { hubName, removeEverything, signInInstead, unlock, unlocksWithPin, useDevice, useSession } from '../session';
import { FailureNote } from '../parts/failure';
import { Icon, Mark } from '../parts/icons';

export function LockPage(): ReactElement {
  return onLoopback ? <LoopbackLock /> : <BrowserLock />;
}

function BrowserLock(): ReactElement {
  const { record } = useDevice();
  const { online } = useSession();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => button.current?.focus(), []);

  const open = async (): Promise<void> => {
    setBusy(true);
    setFailure(null);
    const result = await unlock();
    setBusy(false);
    if (!result.ok) setFailure(result.error);
  };
  const remove = async (): Promise<void> => {
    if (confirm('Remove all downloads and keys from this device? At the hub nothing is lost.')) await removeEverything();
  };

  return (
    <main className="door door-lock" data-testid="lock">
      <div className="door-card">
        <header className="door-head">
          <Mark size={44} />
          <div>
            <h1>Locked</h1>
            <p className="muted">{record ? `${record.userName} · ${hubName()}` : hubName()}</p>
          </div>
        </header>
        <p className="muted">
          {online
            ? 'What is on this device opens with your passkey.'
            : 'The hub does not answer. What is on this device opens with your passkey.'}
        </p>
        {failure ? <FailureNote failure={failure} /> : null}
        <button ref={button} type="button" className="button button-main button-wide" disabled={busy} onClick={() => void open()}>
          <Icon name="key" /> {busy ? 'Waiting for your passkey…' : 'Unlock'}
        </button>
        {online ? (
          <button type="button" className="link" onClick={signInInstead}>
            Sign in at the hub instead
          </button>
        ) : null}
        {failure?.code === 'vault.wrong_key' ? (
          <button type="button" className="link link-bad" onClick={() => void remove()}>
            Remove everything from this device
          </button>
        ) : null}
      </div>
    </main>
  );
}

/** The native client locked: its PIN unlocks it, here or in a terminal. */
function LoopbackLock(): ReactElement {
  const [pin, setPin] = useState('');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const needsPin = unlocksWithPin();

  const open = async (): Promise<void> => {
    setBusy(true);
    setFailure(null);
    const result = await unlock(needsPin ? pin : undefined);
    setBusy(false);
    setPin('');
    if (!result.ok) setFailure(result.error);
  };

  return (
    <main className="door door-lock" data-testid="lock">
      <div className="door-card">
        <header className="door-head">
          <Mark size={44} />
          <div>
            <h1>Locked</h1>
            <p className="muted">Satchel on this computer</p>
          </div>
        </header>
        <p className="muted">Every app was closed, and its data is no longer in memory.</p>
        <form
          className="stack"
          onSubmit={(event) => {
            event.preventDefault();
            void open();
          }}
        >
          {needsPin ? (
            <label>
              PIN
              <input type="password" autoComplete="off" required autoFocus value={pin} onChange={(event) => setPin(event.target.value)} />
            </label>
          ) : null}
          {failure ? <FailureNote failure={failure} /> : null}
          <button type="submit" className="button button-main button-wide" disabled={busy}>
            <Icon name="key" /> {busy ? 'Unlocking…' : 'Unlock'}
          </button>
        </form>
      </div>
    </main>
  );
}
