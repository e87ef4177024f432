// What was taken from this device, and why: the hub decided it, so its owner must hear of it.

import type { ReactElement } from 'react';

import { moment, plural } from '../format';
import { dismissRemoved, useSession, type Removed } from '../session';
import { Icon } from './icons';

export function RemovedNotice(): ReactElement | null {
  const { removed } = useSession();
  if (!removed) return null;
  return (
    <section className="panel panel-row removed" role="status" data-testid="removed" data-why={removed.why}>
      <Icon name="trash" size={24} />
      <div className="grow">
        <strong>{removed.why === 'device' ? 'This device was wiped' : `${plural(removed.apps, 'download')} removed`}</strong>
        <p className="muted">{words(removed)}</p>
      </div>
      <button type="button" className="button button-small" onClick={dismissRemoved}>
        Understood
      </button>
    </section>
  );
}

function words({ why, apps, at }: Removed): string {
  return why === 'device'
    ? `An administrator revoked this device at the hub, so its keys and ${plural(apps, 'download')} were removed on ${moment(at)}. What you may see, you can download again.`
    : `Your rights at the hub changed, so ${apps === 1 ? 'it was' : 'they were'} removed from this device on ${moment(at)}.`;
}
