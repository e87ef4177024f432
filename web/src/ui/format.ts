// Numbers, sizes and times as people read them.

const number = new Intl.NumberFormat('en-GB');
const dayAndTime = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit' });
const dayYearTime = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'long', year: 'numeric', hour: '2-digit', minute: '2-digit' });

export const count = (n: number): string => number.format(n);

/** `14.2 MB`: decimal units, as phones and stores show them. */
export function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  for (const [unit, scale] of [['kB', 1e3], ['MB', 1e6], ['GB', 1e9]] as const) {
    const value = bytes / scale;
    if (value < 999.5) return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
  }
  return `${(bytes / 1e12).toFixed(1)} TB`;
}

/** `4 December 14:10`; with the year when it is not this one. */
export function moment(unixMs: number, now = Date.now()): string {
  const date = new Date(unixMs);
  const format = date.getFullYear() === new Date(now).getFullYear() ? dayAndTime : dayYearTime;
  return format.format(date).replace(' at ', ' ').replace(',', '');
}

/** `9 days 4 hours`, `3 hours 12 minutes`, `4 minutes`, `less than a minute`. */
export function span(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return 'less than a minute';
  const days = Math.floor(minutes / 1_440);
  const hours = Math.floor((minutes % 1_440) / 60);
  if (days > 0) return hours > 0 ? `${plural(days, 'day')} ${plural(hours, 'hour')}` : plural(days, 'day');
  if (hours > 0) return minutes % 60 > 0 ? `${plural(hours, 'hour')} ${plural(minutes % 60, 'minute')}` : plural(hours, 'hour');
  return plural(minutes, 'minute');
}

/** The same where there is little room: `1 d 4 h`, `23 h`, `45 min`. */
export function spanInShort(ms: number): string {
  const hours = Math.floor(ms / 3_600_000);
  if (hours >= 24) return hours % 24 > 0 ? `${Math.floor(hours / 24)} d ${hours % 24} h` : `${hours / 24} d`;
  return hours > 0 ? `${hours} h` : `${Math.max(1, Math.floor(ms / 60_000))} min`;
}

export const plural = (n: number, word: string): string => `${count(n)} ${word}${n === 1 ? '' : 's'}`;

/** A message as a sentence: first letter large, a full stop at the end. */
export function sentence(text: string): string {
  if (!text) return '';
  const large = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?…]$/.test(large) ? large : `${large}.`;
}

const ACCESS_TITLES: Record<string, string> = {
  professional: 'Professional',
  analyzer: 'Analyzer',
  user: 'User',
  analyzer_capacity: 'Analyzer capacity',
  login: 'Login',
  anonymous: 'Anonymous',
  none: 'no access type',
};

export const accessTitle = (type: string): string => ACCESS_TITLES[type] ?? type;
