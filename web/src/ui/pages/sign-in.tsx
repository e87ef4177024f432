// Sign-in: a provider, a password, or the credential this device remembers.

import { useEffect, useState, type FormEvent, type ReactElement } from 'react';

import { hub } from '../../client/api';
import { hasPasskeys } from '../../client/passkeys';
import type { Failure } from '../../client/result';
import type { SignInWays } from '../../client/wire';
import { enter, hubName, openDeviceInstead, signIn, signInWithDevice, signInWithPasskey, useDevice, useSession } from '../session';
import { FailureNote } from '../parts/failure';
import { Icon, Mark } from '../parts/icons';
import { CodeField, SetUp } from '../parts/second-factor';

export function SignInPage(): ReactElement {
  const { notice } = useSession();
  const { record } = useDevice();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [step, setStep] = useState<'password' | 'code' | 'set-up'>('password');
  const [ways, setWays] = useState<SignInWays>({ password: true, passkey: false, providers: [] });
  useEffect(() => {
    void hub.signInWays().then((answer) => {
      if (answer.ok) setWays(answer.value);
    });
  }, []);

  const run = async (how: () => ReturnType<typeof signIn>): Promise<void> => {
    setBusy(true);
    setFailure(null);
    const result = await how();
    setBusy(false);
    if (result.ok) return;
    setCode('');
    if (result.error.code === 'sign_in.code_needed') {
      setStep('code');
    } else if (result.error.code === 'sign_in.second_factor_missing') {
      setStep('set-up');
    } else {
      setFailure(result.error);
      // Only who got the password right is asked for a code.
      if (step === 'password') setPassword('');
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void run(() => signIn(user.trim(), password, step === 'code' ? code : undefined));
  };

  const startOver = (): void => {
    setStep('password');
    setPassword('');
    setCode('');
    setFailure(null);
  };

  return (
    <main className="door">
      <div className="door-card">
        <header className="door-head">
          <Mark size={44} />
          <div>
            <h1>Satchel</h1>
            <p className="muted">{hubName() || 'Your numbers, also without a network'}</p>
          </div>
        </header>
        {notice ? (
          <p className="note" role="status">
            {notice}
          </p>
        ) : null}
        {step === 'code' ? (
          <form onSubmit={submit} className="stack" data-testid="code-step">
            <p>Your password is right. Now the second factor.</p>
            <CodeField value={code} onChange={setCode} recovery />
            {failure ? <FailureNote failure={failure} /> : null}
            <button type="submit" className="button button-main button-wide" disabled={busy}>
              {busy ? 'Signing in…' : 'Sign in'}
            </button>
          </form>
        ) : null}
        {step === 'set-up' ? (
          <>
            <p>This hub asks you for a second factor beside your password.</p>
            <SetUp user={user.trim()} password={password} onDone={(me) => void enter(me)} onCancel={startOver} />
          </>
        ) : null}
        {step === 'code' ? (
          <button type="button" className="link" onClick={startOver}>
            Sign in as somebody else
          </button>
        ) : null}
        {step === 'password' && record?.remember ? (
          <>
            <button type="button" className="button button-main button-wide" disabled={busy} onClick={() => void run(signInWithDevice)}>
              <Icon name="key" /> Sign in as {record.userName}
            </button>
            <p className="or">or</p>
          </>
        ) : null}
        {step === 'password' && ways.passkey && hasPasskeys() ? (
          <button type="button" className="button button-wide" disabled={busy} onClick={() => void run(signInWithPasskey)}>
            <Icon name="key" /> Sign in with a passkey
          </button>
        ) : null}
        {(step === 'password' ? ways.providers : []).map((provider) => (
          <a key={provider.name} className="button button-wide" href={`${provider.path}?to=${encodeURIComponent(here())}`}>
            Sign in with {provider.title}
          </a>
        ))}
        {step === 'password' && ways.password && (ways.providers.length > 0 || (ways.passkey && hasPasskeys())) ? <p className="or">or with your password</p> : null}
        {failure && !ways.password ? <FailureNote failure={failure} /> : null}
        {step === 'password' && ways.password ? (
          <form onSubmit={submit} className="stack">
            <label>
              User name
              <input
                name="user"
                autoComplete="username"
                autoCapitalize="none"
                autoCorrect="off"
                spellCheck={false}
                required
                value={user}
                onChange={(event) => setUser(event.target.value)}
              />
            </label>
            <label>
              Password
              <input
                name="password"
                type="password"
                autoComplete="current-password"
                required
                value={password}
                onChange={(event) => setPassword(event.target.value)}
              />
            </label>
            {failure ? <FailureNote failure={failure} /> : null}
            <button type="submit" className={`button button-wide ${record?.remember ? '' : 'button-main'}`} disabled={busy}>
              {busy ? 'Signing in…' : 'Sign in'}
            </button>
          </form>
        ) : null}
        {record ? (
          <button type="button" className="link" onClick={openDeviceInstead}>
            Open what is on this device
          </button>
        ) : null}
      </div>
    </main>
  );
}

/** Where to come back to after signing in elsewhere. */
const here = (): string => location.pathname + location.search + location.hash;
