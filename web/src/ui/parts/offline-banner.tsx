// Quiet word about the connection and the time left; louder at two days and at two hours, and
// plain about it when the time is over.

import type { ReactElement } from 'react';

import { onLoopback } from '../../client/place';
import { moment, span } from '../format';
import { renewNow, signInInstead, useDevice, useSession } from '../session';
import { Icon } from './icons';
import { leaseShare, leaseTone, useNow } from './lease';
import { Ring } from './ring';

export function OfflineBanner(): ReactElement | null {
  const { online, me } = useSession();
  const { lease, unlocked, apps } = useDevice();
  const now = useNow();
  const holdsData = unlocked && lease !== null && apps.length > 0;
  const tone = holdsData ? leaseTone(lease, now) : 'calm';
  const connected = online && me !== null;
  if (connected && tone === 'calm') return null;

  const place = onLoopback ? 'On this device' : online ? (me ? null : 'Not signed in') : 'Offline';
  return (
    <div className={`banner banner-${tone}`} role="status" data-testid="offline-banner" data-tone={tone}>
      {tone === 'over' ? <Icon name="lock" /> : holdsData ? <Ring share={leaseShare(lease, now)} tone={tone} /> : <Icon name="offline" />}
      <p>
        {place ? <strong>{place} · </strong> : null}
        {!holdsData ? (
          'What is on this device still opens.'
        ) : lease.state === 'closed' ? (
          <span data-testid="lease-closed">Downloads are closed. A log-in at the hub opens them again.</span>
        ) : lease.until === null || !lease.started ? (
          `Downloads open for ${lease.hours} hours from when you next open one.`
        ) : (
          <>
            <span data-testid="lease-left">
              {tone === 'calm' ? 'Downloads open for' : 'Downloads close in'} {span(lease.until - now)}
              {tone === 'calm' ? ' more' : ''}
            </span>
            <span className="wide-only"> (until {moment(lease.until)})</span>
            {tone === 'calm' ? null : <span data-testid="lease-warning">. Sign in at the hub before then to go on.</span>}
          </>
        )}
      </p>
      {!online || onLoopback ? null : me ? (
        <button type="button" className="button button-small" onClick={() => void renewNow()}>
          Renew now
        </button>
      ) : (
        <button type="button" className="button button-small" onClick={signInInstead}>
          Sign in
        </button>
      )}
    </div>
  );
}
