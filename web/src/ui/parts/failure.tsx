// Refusals and failures as pages or quiet blocks: what, why, what to do, the code.

import type { ReactElement, ReactNode } from 'react';

import type { Failure } from '../../client/result';
import { accessTitle, sentence } from '../format';
import { useSession } from '../session';
import { Icon, type IconName } from './icons';

const TITLES: [RegExp, string, IconName][] = [
  [/^access_type\.none/, 'You have no access type', 'key'],
  [/^access_type\./, 'Your access type does not include this', 'key'],
  [/^access\.denied/, 'You have no access to this app', 'lock'],
  [/^lease\.(expired|over)/, 'The time for your downloads is over', 'lock'],
  [/^lease\.clock/, 'The clock of this device was set back', 'warning'],
  [/^lease\./, 'Your downloads are closed', 'lock'],
  [/^vault\.(no_|insecure)/, 'This browser cannot keep data offline', 'warning'],
  [/^loopback\.stopped/, 'Satchel was closed', 'offline'],
  [/^hub\.(unreachable|connection)/, 'The hub does not answer', 'offline'],
  [/^tls\./, 'The hub’s certificate was refused', 'warning'],
  [/^device\.locked/, 'This device is locked', 'lock'],
  [/^device\.no_such_app/, 'This app is not on this device', 'device'],
];

export function titleOf(failure: Failure): string {
  return match(failure)[1];
}

export function FailurePage({ failure, children }: { failure: Failure; children?: ReactNode }): ReactElement {
  const { me } = useSession();
  const [, title, icon] = match(failure);
  // Who has none is told in the text which would do.
  const isAccessType = failure.code.startsWith('access_type.') && failure.code !== 'access_type.none';
  return (
    <section className="refusal" role="alert" data-testid="refusal" data-code={failure.code}>
      <span className="refusal-icon">
        <Icon name={icon} size={32} />
      </span>
      <h1>{title}</h1>
      <p>{sentence(failure.message)}</p>
      {isAccessType && me ? (
        <dl className="facts">
          <div>
            <dt>You have</dt>
            <dd>{accessTitle(me.access_type)}</dd>
          </div>
          <div>
            <dt>It needs</dt>
            <dd>Professional, Analyzer or User access</dd>
          </div>
        </dl>
      ) : null}
      {failure.next ? <p>{sentence(failure.next)}</p> : null}
      <div className="row">{children}</div>
      <p className="code">
        Code <code>{failure.code}</code>
      </p>
    </section>
  );
}

/** The same inside a dialog or a form. */
export function FailureNote({ failure }: { failure: Failure }): ReactElement {
  return (
    <div className="note note-bad" role="alert" data-testid="failure" data-code={failure.code}>
      <p>{sentence(failure.message)}</p>
      {failure.next ? <p>{sentence(failure.next)}</p> : null}
      <p className="code">
        Code <code>{failure.code}</code>
      </p>
    </div>
  );
}

function match(failure: Failure): [RegExp, string, IconName] {
  return TITLES.find(([pattern]) => pattern.test(failure.code)) ?? [/^/, 'This did not work', 'warning'];
}
