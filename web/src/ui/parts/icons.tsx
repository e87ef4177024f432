// Line icons on a 24-pixel grid; decorative, so hidden from screen readers.

import type { ReactElement } from 'react';

const PATHS = {
  home: 'M4 11.5 12 4l8 7.5M6 10v9.5h4.5V14h3v5.5H18V10',
  device: 'M8 3.5h8a1.5 1.5 0 0 1 1.5 1.5v14a1.5 1.5 0 0 1-1.5 1.5H8A1.5 1.5 0 0 1 6.5 19V5A1.5 1.5 0 0 1 8 3.5ZM12 8v6m0 0-2.5-2.5M12 14l2.5-2.5M10.5 17.5h3',
  settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5',
  search: 'M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13ZM15.5 15.5 20 20',
  back: 'M14.5 5 8 12l6.5 7',
  next: 'M9.5 5 16 12l-6.5 7',
  download: 'M12 4v11m0 0-4.5-4.5M12 15l4.5-4.5M5 19.5h14',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  close: 'M6 6l12 12M18 6 6 18',
  filter: 'M4 6h16M7 12h10M10 18h4',
  expand: 'M14 5h5v5M10 19H5v-5M19 5l-6 6M5 19l6-6',
  table: 'M4 5.5h16v13H4zM4 10h16M4 14.2h16M10 5.5v13',
  chart: 'M5 19V11M11 19V5M17 19v-5M3.5 19h17',
  lock: 'M6.5 11h11v8.5h-11zM8.5 11V8a3.5 3.5 0 0 1 7 0v3M12 14.5v2',
  star: 'm12 4 2.4 5.1 5.6.7-4.1 3.9 1 5.5-4.9-2.7-4.9 2.7 1-5.5L4 9.8l5.6-.7Z',
  offline: 'M4 4l16 16M5 12a10 10 0 0 1 3-2M11 7.1A12 12 0 0 1 21 10.5M8.5 15.5a5 5 0 0 1 6-.7M12 19h.01M3 10.5l1-.8',
  trash: 'M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 10.5v6M13.5 10.5v6',
  warning: 'M12 4 2.8 19.5h18.4ZM12 10v4.5M12 17h.01',
  update: 'M19 12a7 7 0 1 1-2-4.9M19 4v4h-4',
  clock: 'M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16ZM12 8v4.2l2.8 1.8',
  cloud: 'M7.5 18.5a4 4 0 0 1-.6-7.95 5.2 5.2 0 0 1 10.1 1A3.5 3.5 0 0 1 16.5 18.5Z',
  key: 'M14.5 4.5a5 5 0 1 1-4.2 7.7L4.5 18v2H8v-2h2v-2h1.5l1.1-1.3',
  bookmark: 'M7 4h10v16l-5-4-5 4Z',
  link: 'M10 14a3.5 3.5 0 0 0 5 0l3.5-3.5a3.5 3.5 0 0 0-5-5L12 7M14 10a3.5 3.5 0 0 0-5 0l-3.5 3.5a3.5 3.5 0 0 0 5 5L12 17',
  share: 'M12 15V4m0 0L8 8M12 4l4 4M6 12H5v8h14v-8h-1',
  copy: 'M9 8.5h10v11H9zM15 8.5v-4H5v11h4',
  down: 'm6 9.5 6 6 6-6',
  sheets: 'M5 4.5h10v10H5zM9 17.5v2h10v-10h-2',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20, filled = false }: { name: IconName; size?: number; filled?: boolean }): ReactElement {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden="true" focusable="false" className="icon">
      <path
        d={PATHS[name]}
        fill={filled ? 'currentColor' : 'none'}
        stroke="currentColor"
        strokeWidth="1.7"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}

/** The mark: a satchel with its flap. */
export function Mark({ size = 28 }: { size?: number }): ReactElement {
  return (
    <svg width={size} height={size} viewBox="0 0 64 64" aria-hidden="true" focusable="false">
      <path d="M22 20v-4a10 10 0 0 1 20 0v4" fill="none" stroke="var(--accent)" strokeWidth="5" strokeLinecap="round" />
      <rect x="8" y="18" width="48" height="38" rx="9" fill="var(--accent)" />
      <path d="M8 27a9 9 0 0 1 9-9h30a9 9 0 0 1 9 9v3c0 6-10 10-24 10S8 36 8 30Z" fill="var(--accent-deep)" />
      <rect x="28" y="35" width="8" height="10" rx="3" fill="var(--surface)" />
    </svg>
  );
}
