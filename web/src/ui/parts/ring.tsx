// How much of the lease is left, as a ring. The words beside it say the same.

import type { ReactElement } from 'react';

import type { LeaseTone } from './lease';

export function Ring({ share, tone, size = 28 }: { share: number; tone: LeaseTone; size?: number }): ReactElement {
  const radius = 10;
  const around = 2 * Math.PI * radius;
  const left = Math.max(0, Math.min(1, share));
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" className={`ring ring-${tone}`} aria-hidden="true" focusable="false">
      <circle cx="12" cy="12" r={radius} fill="none" className="ring-track" strokeWidth="3" />
      <circle
        cx="12"
        cy="12"
        r={radius}
        fill="none"
        className="ring-left"
        strokeWidth="3"
        strokeLinecap="round"
        strokeDasharray={`${around * left} ${around}`}
        transform="rotate(-90 12 12)"
      />
    </svg>
  );
}
