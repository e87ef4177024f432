// Quiet word about the connection and the time left; louder at two days and at two hours.

import { useEffect, useState, type ReactElement } from 'react';

import type { LeaseStatus } from '../../client/device/protocol';
import { onLoopback } from '../../client/place';
import { moment, span } from '../format';
import { signInInstead, useDevice, useSession } from '../session';
import { Icon } from './icons';
import { Ring } from './ring';

const TWO_DAYS_MS = 48 * 3_600_000;
const TWO_HOURS_MS = 2 * 3_600_000;

/** The present minute, so that what is left counts down on the screen. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 15_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

export function leaseTone(lease: LeaseStatus | null, now: number): 'calm' | 'soon' | 'over' {
  if (!lease || lease.state === 'closed') return 'over';
  if (lease.until === null) return 'calm';
  const left = lease.until - now;
  return left <= TWO_HOURS_MS ? 'over' : left <= TWO_DAYS_MS ? 'soon' : 'calm';
}

export function leaseShare(lease: LeaseStatus | null, now: number): number {
  if (!lease || lease.state === 'closed') return 0;
  if (lease.until === null || lease.hours === 0) return 1;
  return (lease.until - now) / (lease.hours * 3_600_000);
}

export function OfflineBanner(): ReactElement | null {
  const { online, me } = useSession();
  const { lease, unlocked } = useDevice();
  const now = useNow();
  const tone = leaseTone(lease, now);
  const running = unlocked && lease?.state === 'open' && lease.until !== null;
  const warn = running && tone !== 'calm';
  if (online && me && !warn) return null;

  const left = running && lease.until !== null ? `Downloads open for ${span(lease.until - now)} more` : null;
  const until = running && lease.until !== null ? ` (until ${moment(lease.until)})` : '';
  return (
    <div className={`banner banner-${warn ? tone : 'calm'}`} role="status" data-testid="offline-banner">
      {running ? <Ring share={leaseShare(lease, now)} tone={tone} /> : <Icon name="offline" />}
      <p>
        <strong>{onLoopback ? 'On this device' : online ? (me ? 'Time is running out' : 'Not signed in') : 'Offline'}</strong>
        {left ? (
          <>
            {' · '}
            <span data-testid="lease-left">{left}</span>
            <span className="wide-only">{until}</span>
          </>
        ) : (
          ' · What is on this device still opens.'
        )}
      </p>
      {online && !me ? (
        <button type="button" className="button button-small" onClick={signInInstead}>
          Sign in
        </button>
      ) : null}
    </div>
  );
}
