// The second factor: asking for a code, setting an authenticator app up, and recovery codes.

import { useEffect, useId, useRef, useState, type FormEvent, type ReactElement } from 'react';

import { hub } from '../../client/api';
import type { Failure, Result } from '../../client/result';
import type { Me, QrCode, SecondFactorProposal } from '../../client/wire';
import { Dialog } from './dialog';
import { FailureNote } from './failure';
import { Icon } from './icons';

/** A field for a code; with `recovery`, one can switch to a recovery code. */
export function CodeField(props: { value: string; onChange: (value: string) => void; recovery: boolean }): ReactElement {
  const [written, setWritten] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), [written]);
  return (
    <>
      <label>
        {written ? 'Recovery code' : 'Code from your authenticator app'}
        <input
          ref={field}
          name="code"
          className="code-field"
          key={written ? 'written' : 'app'}
          autoComplete={written ? 'off' : 'one-time-code'}
          inputMode={written ? 'text' : 'numeric'}
          autoCapitalize={written ? 'characters' : 'none'}
          spellCheck={false}
          maxLength={written ? 24 : 8}
          required
          value={props.value}
          onChange={(event) => props.onChange(event.target.value)}
        />
      </label>
      {props.recovery ? (
        <button
          type="button"
          className="link"
          onClick={() => {
            props.onChange('');
            setWritten(!written);
          }}
        >
          {written ? 'Use a code from the app' : 'Use a recovery code'}
        </button>
      ) : null}
    </>
  );
}

/** From a secret to recovery codes that were written down. The password was just given. */
export function SetUp(props: { user: string; password: string; onDone: (me: Me) => void; onCancel?: () => void }): ReactElement {
  const { user, password } = props;
  const [proposal, setProposal] = useState<SecondFactorProposal | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [code, setCode] = useState('');
  const [busy, setBusy] = useState(false);
  const [on, setOn] = useState<{ me: Me; codes: string[] } | null>(null);
  useEffect(() => {
    let stays = true;
    void hub.proposeSecondFactor(user, password).then((answer) => {
      if (!stays) return;
      if (answer.ok) setProposal(answer.value);
      else setFailure(answer.error);
    });
    return () => {
      stays = false;
    };
  }, [user, password]);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    const answer = await hub.confirmSecondFactor(user, password, code);
    setBusy(false);
    setCode('');
    if (answer.ok) setOn({ me: answer.value.me, codes: answer.value.recovery_codes });
    else setFailure(answer.error);
  };

  if (on) return <WriteDown codes={on.codes} onDone={() => props.onDone(on.me)} />;
  if (!proposal) return failure ? <FailureNote failure={failure} /> : <div className="skeleton skeleton-block" />;
  return (
    <form className="stack" onSubmit={(event) => void submit(event)} data-testid="second-factor-set-up">
      <p>Scan this with an authenticator app, or type the key into it. Then give the code it shows.</p>
      <Qr code={proposal.qr} />
      <p className="code-key">
        <code data-testid="second-factor-secret">{proposal.secret.replace(/(.{4})(?=.)/g, '$1 ')}</code>
      </p>
      <a className="link link-centred" href={proposal.uri}>
        Open the authenticator app of this device
      </a>
      <CodeField value={code} onChange={setCode} recovery={false} />
      {failure ? <FailureNote failure={failure} /> : null}
      <button type="submit" className="button button-main button-wide" disabled={busy}>
        Confirm
      </button>
      {props.onCancel ? (
        <button type="button" className="link" onClick={props.onCancel}>
          Sign in as somebody else
        </button>
      ) : null}
    </form>
  );
}

/** Dark on light whatever the colours of the page: readers of such codes expect it. */
function Qr({ code }: { code: QrCode }): ReactElement {
  const side = code.size + 8;
  return (
    <svg className="qr" role="img" aria-label="The key as a QR code" viewBox={`-4 -4 ${side} ${side}`} shapeRendering="crispEdges">
      <path d={code.path} fill="#000000" />
    </svg>
  );
}

/** Recovery codes are shown once: they can be copied, and one says that one has them. */
function WriteDown({ codes, onDone }: { codes: string[]; onDone: () => void }): ReactElement {
  const [copied, setCopied] = useState('');
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(codes.join('\n'));
      setCopied('Copied.');
    } catch {
      setCopied('The browser does not let this page copy. Write them down.');
    }
  };
  return (
    <div className="stack" data-testid="recovery-codes">
      <h3 ref={heading} tabIndex={-1}>
        Keep these recovery codes
      </h3>
      <p>Each signs you in once when your phone is gone. They are shown only now.</p>
      <ol className="codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ol>
      <button type="button" className="button button-wide" onClick={() => void copy()}>
        <Icon name="copy" size={18} /> Copy
      </button>
      <p role="status" className="muted">
        {copied}
      </p>
      <button type="button" className="button button-main button-wide" onClick={onDone}>
        I have them
      </button>
    </div>
  );
}

/** What Settings can do about the second factor. */
export type Change = 'on' | 'off' | 'codes';

const TITLES: Record<Change, string> = {
  on: 'Set up a second factor',
  off: 'Switch the second factor off',
  codes: 'New recovery codes',
};

/** Asks for the password first, and for a code where there is one already. */
export function SecondFactorDialog(props: { change: Change; user: string; onClose: (changed: boolean) => void }): ReactElement {
  const { change, user } = props;
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [given, setGiven] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const name = useId();

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (change === 'on') {
      setGiven(true);
      return;
    }
    setBusy(true);
    setFailure(null);
    const failed = (answer: Result<unknown>): void => {
      setBusy(false);
      setCode('');
      if (!answer.ok) setFailure(answer.error);
    };
    if (change === 'off') {
      const answer = await hub.removeSecondFactor(user, password, code);
      if (answer.ok) props.onClose(true);
      else failed(answer);
    } else {
      const answer = await hub.newRecoveryCodes(user, password, code);
      if (answer.ok) setCodes(answer.value.recovery_codes);
      failed(answer);
    }
  };

  return (
    <Dialog title={TITLES[change]} onClose={() => props.onClose(codes !== null)}>
      {codes ? (
        <WriteDown codes={codes} onDone={() => props.onClose(true)} />
      ) : given ? (
        <SetUp user={user} password={password} onDone={() => props.onClose(true)} />
      ) : (
        <form className="stack" onSubmit={(event) => void submit(event)}>
          <input type="hidden" name="user" autoComplete="username" value={user} readOnly />
          <label htmlFor={name}>
            Your password
            <input
              id={name}
              name="password"
              type="password"
              autoComplete="current-password"
              data-focus-first
              required
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          </label>
          {change === 'on' ? null : <CodeField value={code} onChange={setCode} recovery />}
          {failure ? <FailureNote failure={failure} /> : null}
          <button type="submit" className={`button button-wide ${change === 'off' ? 'button-bad' : 'button-main'}`} disabled={busy}>
            {change === 'off' ? 'Switch off' : 'Go on'}
          </button>
        </form>
      )}
    </Dialog>
  );
}
