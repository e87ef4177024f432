// Settings: credentials, lock, downloads, sign-out, about.

import { useEffect, useState, type ReactElement, type ReactNode } from 'react';

import { offlineObstacle } from '../../client/device/passkey';
import { onLoopback } from '../../client/place';
import type { Failure } from '../../client/result';
import type { Me, SecondFactor } from '../../client/wire';
import { accessTitle, plural, sentence, size } from '../format';
import { FailureNote } from '../parts/failure';
import { Icon } from '../parts/icons';
import { Passkeys } from '../parts/passkeys';
import { SecondFactorDialog, type Change } from '../parts/second-factor';
import { Shell } from '../parts/shell';
import { opensOffline } from '../service-worker';
import { device, idleMinutes, lockNow, refreshMe, removeEverything, setIdleMinutes, signInInstead, signOut, useDevice, useSession } from '../session';

export function SettingsPage(): ReactElement {
  return onLoopback ? <LoopbackSettings /> : <BrowserSettings />;
}

/** What changes this device is done in the terminal; here one can only lock. */
function LoopbackSettings(): ReactElement {
  const { record } = useDevice();
  return (
    <Shell>
      <div className="page page-narrow">
        <header className="page-head">
          <h1>Settings</h1>
        </header>
        <Group title="This device">
          <Row title={record?.userName ?? ''} text={record?.user ?? ''} />
          <Row title="Lock now" text="Closes every app and forgets the key.">
            <button type="button" className="button" onClick={lockNow}>
              <Icon name="lock" size={18} /> Lock
            </button>
          </Row>
          <Row title="Everything else" text="In a terminal: satchel status, sign-in, download, remove, wipe." />
        </Group>
        <Group title="About">
          <Row title={`Satchel ${__VERSION__}`} text={record ? `${record.hub.name} · hub ${record.hub.id}` : ''} />
          <Row title="Licence" text="Apache-2.0. Charts: nebula.js and enigma.js, MIT." />
        </Group>
      </div>
    </Shell>
  );
}

function BrowserSettings(): ReactElement {
  const { me, online } = useSession();
  const { record, apps } = useDevice();
  const [failure, setFailure] = useState<Failure | null>(null);
  const [idle, setIdle] = useState(idleMinutes);
  const total = apps.reduce((sum, stored) => sum + stored.size, 0);

  const remove = (): void => {
    if (confirm('Remove all downloads and keys from this device? At the hub nothing is lost.')) void removeEverything();
  };
  const forget = async (): Promise<void> => {
    const gone = await device.forgetRemembered();
    setFailure(gone.ok ? null : gone.error);
  };

  return (
    <Shell>
      <div className="page page-narrow">
        <header className="page-head">
          <h1>Settings</h1>
        </header>
        {failure ? <FailureNote failure={failure} /> : null}

        <Group title="You">
          {me ? (
            <Row title={me.name || me.user} text={`${me.user} · ${accessTitle(me.access_type)}${me.email ? ` · ${me.email}` : ''}`}>
              <button type="button" className="button" onClick={() => void signOut()}>
                Sign out
              </button>
            </Row>
          ) : (
            <Row title={record?.userName ?? 'Not signed in'} text={online ? 'Not signed in at the hub.' : 'The hub does not answer.'}>
              <button type="button" className="button" onClick={signInInstead}>
                Sign in
              </button>
            </Row>
          )}
        </Group>

        {me ? (
          <Group title="Signing in">
            {me.second_factor ? <SecondFactorRows me={me} standing={me.second_factor} /> : null}
            <Passkeys />
          </Group>
        ) : null}

        <Group title="This device">
          {record ? (
            <>
              <Row
                title="Remember credentials"
                text={record.remember ? 'Your passkey signs you in at the hub. Your password is not kept.' : 'Off. You sign in with your password. To change this, remove the downloads and set the device up again.'}
              >
                {record.remember ? (
                  <button type="button" className="button" disabled={!online || !me} onClick={() => void forget()}>
                    Forget
                  </button>
                ) : null}
              </Row>
              <Row title="Lock now" text="Closes every app and forgets the key until your passkey is used again.">
                <button type="button" className="button" onClick={lockNow}>
                  <Icon name="lock" size={18} /> Lock
                </button>
              </Row>
              <Row title="Lock when idle" text="Counts from your last touch or key.">
                <select
                  aria-label="Lock when idle"
                  value={idle}
                  onChange={(event) => {
                    const minutes = Number(event.target.value);
                    setIdleMinutes(minutes);
                    setIdle(minutes);
                  }}
                >
                  {[2, 5, 15, 30].map((minutes) => (
                    <option key={minutes} value={minutes}>
                      {plural(minutes, 'minute')}
                    </option>
                  ))}
                </select>
              </Row>
              <Row title="Remove downloads" text={`${plural(apps.length, 'app')}, ${size(total)}. The keys on this device go too.`}>
                <button type="button" className="button button-bad" onClick={remove}>
                  <Icon name="trash" size={18} /> Remove
                </button>
              </Row>
            </>
          ) : (
            <NotSetUp />
          )}
        </Group>

        {me && me.policy.length > 0 ? (
          <Group title="What your hub decides">
            {me.policy.map((line) => (
              <Row key={line.key} title={line.title} text={`Decided by: ${line.decided_by.join(', ')}`}>
                <span>{line.value}</span>
              </Row>
            ))}
          </Group>
        ) : null}

        <Group title="About">
          <Row title={`Satchel ${__VERSION__}`} text={me ? `${me.hub.name} · hub ${me.hub.id}` : record ? `${record.hub.name} · hub ${record.hub.id}` : ''} />
          <Row
            title="Opens without a connection"
            text={opensOffline() ? 'Yes. This client is kept in your browser and checked against the version the hub gave out.' : 'Not yet. Leave the page open for a moment, then reload it.'}
          />
          <Row title="Licence" text="Apache-2.0. Charts: nebula.js and enigma.js, MIT." />
        </Group>
      </div>
    </Shell>
  );
}

function SecondFactorRows({ me, standing }: { me: Me; standing: SecondFactor }): ReactElement {
  const [change, setChange] = useState<Change | null>(null);
  const close = (changed: boolean): void => {
    setChange(null);
    if (changed) void refreshMe();
  };
  return (
    <>
      <Row title="Second factor" text={secondFactorText(standing)}>
        {!standing.on ? (
          <button type="button" className="button" onClick={() => setChange('on')}>
            Set up
          </button>
        ) : standing.required ? null : (
          <button type="button" className="button" onClick={() => setChange('off')}>
            Switch off
          </button>
        )}
      </Row>
      {standing.on ? (
        <Row title="Recovery codes" text={`${plural(standing.recovery_codes, 'code')} left, for the day your phone is gone.`}>
          <button type="button" className="button" onClick={() => setChange('codes')}>
            New codes
          </button>
        </Row>
      ) : null}
      {change ? <SecondFactorDialog change={change} user={me.user} onClose={close} /> : null}
    </>
  );
}

function secondFactorText(standing: SecondFactor): string {
  if (standing.on) {
    return standing.required ? 'On. This hub requires it.' : 'On. A code of your authenticator app is asked for beside your password.';
  }
  return standing.required
    ? 'This hub requires one: you are led through it when you sign in.'
    : 'Off. With one, your password alone does not sign anybody in.';
}

function NotSetUp(): ReactElement {
  const [text, setText] = useState('…');
  useEffect(() => {
    void offlineObstacle().then((obstacle) =>
      setText(obstacle ? `${sentence(obstacle.message)} ${obstacle.next}` : 'Your first download sets this device up with a passkey.'),
    );
  }, []);
  return <Row title="Nothing is kept on this device" text={text} />;
}

function Group({ title, children }: { title: string; children: ReactNode }): ReactElement {
  return (
    <section className="panel settings" aria-label={title}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Row({ title, text, children }: { title: string; text: string; children?: ReactNode }): ReactElement {
  return (
    <div className="setting">
      <div className="grow">
        <strong>{title}</strong>
        {text ? <p className="muted">{text}</p> : null}
      </div>
      {children}
    </div>
  );
}
