// A clear sideways movement of the thumb goes to the next sheet.

import { useRef, type TouchEvent } from 'react';

/** Shorter movements are taps that slipped. */
const LEAST_PX = 64;

export interface SwipeHandlers {
  onTouchStart: (event: TouchEvent) => void;
  onTouchEnd: (event: TouchEvent) => void;
}

export function useSwipe(go: (step: number) => void): SwipeHandlers {
  const from = useRef<{ x: number; y: number } | null>(null);
  return {
    onTouchStart: (event) => {
      const touch = event.touches.length === 1 ? event.touches[0] : undefined;
      from.current = touch ? { x: touch.clientX, y: touch.clientY } : null;
    },
    onTouchEnd: (event) => {
      const touch = event.changedTouches[0];
      const start = from.current;
      from.current = null;
      if (!touch || !start) return;
      const x = touch.clientX - start.x;
      if (Math.abs(x) > LEAST_PX && Math.abs(x) > 2 * Math.abs(touch.clientY - start.y)) go(x < 0 ? 1 : -1);
    },
  };
}
