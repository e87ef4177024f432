// The passkeys a person signs in with, in Settings: add, rename, remove.

import { useEffect, useState, type FormEvent, type ReactElement } from 'react';

import { hub } from '../../client/api';
import { addPasskey, hasPasskeys } from '../../client/passkeys';
import type { Failure } from '../../client/result';
import type { Passkey } from '../../client/wire';
import { moment } from '../format';
import { Dialog } from './dialog';
import { FailureNote } from './failure';
import { Icon } from './icons';

const MAX_NAME = 60;

export function Passkeys(): ReactElement | null {
  const [passkeys, setPasskeys] = useState<Passkey[] | null>(null);
  const [allowed, setAllowed] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [naming, setNaming] = useState<Passkey | 'new' | null>(null);
  const load = async (): Promise<void> => {
    const [ways, list] = await Promise.all([hub.signInWays(), hub.passkeys()]);
    setAllowed(ways.ok && ways.value.passkey);
    if (list.ok) setPasskeys(list.value);
    else setFailure(list.error);
  };
  useEffect(() => void load(), []);

  const remove = async (passkey: Passkey): Promise<void> => {
    if (!confirm(`Remove the passkey “${passkey.name}”? It then signs in here no longer. Delete it on your device, too.`)) return;
    const gone = await hub.removePasskey(passkey.id);
    setFailure(gone.ok ? null : gone.error);
    await load();
  };

  if (!passkeys) return failure ? <FailureNote failure={failure} /> : null;
  return (
    <div className="setting setting-list" data-testid="passkeys">
      <div className="grow">
        <strong>Passkeys</strong>
        <p className="muted">
          {passkeys.length > 0
            ? 'Each signs you in by finger, face or PIN, without your password.'
            : 'A passkey signs you in by finger, face or PIN, without your password.'}
        </p>
      </div>
      {allowed && hasPasskeys() ? (
        <button type="button" className="button" onClick={() => setNaming('new')}>
          Add a passkey
        </button>
      ) : null}
      {failure ? <FailureNote failure={failure} /> : null}
      {passkeys.length > 0 ? (
        <ul className="passkeys">
          {passkeys.map((passkey) => (
            <li key={passkey.id}>
              <Icon name="key" size={20} />
              <div className="grow">
                <span>{passkey.name}</span>
                <p className="muted">
                  {passkey.last_used === null ? `Added ${moment(passkey.created_at)}` : `Last used ${moment(passkey.last_used)}`}
                  {passkey.backed_up ? ' · synced by its maker' : ''}
                </p>
              </div>
              <button type="button" className="button button-small" aria-label={`Rename ${passkey.name}`} onClick={() => setNaming(passkey)}>
                Rename
              </button>
              <button type="button" className="icon-button" aria-label={`Remove ${passkey.name}`} onClick={() => void remove(passkey)}>
                <Icon name="trash" size={20} />
              </button>
            </li>
          ))}
        </ul>
      ) : null}
      {naming ? (
        <NameDialog
          passkey={naming}
          onClose={() => {
            setNaming(null);
            void load();
          }}
        />
      ) : null}
    </div>
  );
}

function NameDialog({ passkey, onClose }: { passkey: Passkey | 'new'; onClose: () => void }): ReactElement {
  const isNew = passkey === 'new';
  const [name, setName] = useState(isNew ? '' : passkey.name);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const done = isNew ? await addPasskey(name) : await hub.renamePasskey(passkey.id, name);
    setBusy(false);
    if (done.ok) onClose();
    else setFailure(done.error);
  };
  return (
    <Dialog title={isNew ? 'Add a passkey' : 'Rename the passkey'} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <label>
          Name
          <input
            name="passkey-name"
            data-focus-first
            required
            maxLength={MAX_NAME}
            placeholder="This phone"
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        </label>
        {failure ? <FailureNote failure={failure} /> : null}
        <button type="submit" className="button button-main button-wide" disabled={busy}>
          {isNew ? 'Go on' : 'Save'}
        </button>
      </form>
    </Dialog>
  );
}
