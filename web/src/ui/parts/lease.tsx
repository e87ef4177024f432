// How much of the lease is left: in numbers, in one of four tones, and in words.

import { useEffect, useState, type ReactElement } from 'react';

import type { LeaseStatus } from '../../client/device/protocol';
import { moment, span, spanInShort } from '../format';
import { useDevice } from '../session';
import { Icon } from './icons';

const TWO_DAYS_MS = 48 * 3_600_000;
const TWO_HOURS_MS = 2 * 3_600_000;

/** How often what is left is counted anew on the screen. */
const COUNT_MS = 15_000;

/** `calm` until two days before the end, `soon` until two hours before it, then `last`. */
export type LeaseTone = 'calm' | 'soon' | 'last' | 'over';

/** The present time, so that what is left counts down on the screen. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const look = (): void => setNow(Date.now());
    const timer = setInterval(look, COUNT_MS);
    // After a sleep the old time would stand here until the next count.
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, []);
  return now;
}

export function leaseTone(lease: LeaseStatus | null, now: number): LeaseTone {
  if (!lease || lease.state === 'closed') return 'over';
  if (!lease.started || lease.until === null) return 'calm';
  const left = lease.until - now;
  return left <= TWO_HOURS_MS ? 'last' : left <= TWO_DAYS_MS ? 'soon' : 'calm';
}

export function leaseShare(lease: LeaseStatus | null, now: number): number {
  if (!lease || lease.state === 'closed') return 0;
  if (!lease.started || lease.until === null || lease.hours === 0) return 1;
  return (lease.until - now) / (lease.hours * 3_600_000);
}

/**
 * Beside data that is on this device: how long it still opens, once that is two days or less.
 * Nothing while there is time, and nothing while this device is locked, when nobody knows.
 */
export function LeaseChip(): ReactElement | null {
  const { lease, unlocked } = useDevice();
  const now = useNow();
  const tone = leaseTone(lease, now);
  if (!unlocked || !lease || tone === 'calm') return null;
  const left = tone === 'over' || lease.until === null ? null : lease.until - now;
  return (
    <span className={`chip chip-${tone}`} data-testid="lease-chip" data-tone={tone} title={lease.until ? `Opens until ${moment(lease.until)}` : undefined}>
      <Icon name={tone === 'over' ? 'lock' : 'clock'} size={16} />{' '}
      {left === null ? (
        'Closed'
      ) : (
        <>
          <span className="wide-said">{span(left)} left</span>
          <span className="narrow-only" aria-hidden="true">
            {spanInShort(left)}
          </span>
        </>
      )}
    </span>
  );
}
