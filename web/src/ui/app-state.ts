// What an app is to this device: online only, downloaded, closing soon, to be updated, closed.

import type { DeviceView } from '../client/device/device';
import type { StoredApp } from '../client/device/protocol';
import type { AppEntry } from '../client/wire';
import { leaseTone } from './parts/lease';

export type AppState = 'online' | 'downloaded' | 'ending' | 'update' | 'expired';

export const STATE_WORDS: Record<AppState, string> = {
  online: 'Online only',
  downloaded: 'Downloaded',
  ending: 'Closes soon',
  update: 'Update available',
  expired: 'Expired',
};

export function storedApp(device: DeviceView, app: string): StoredApp | null {
  return device.apps.find((stored) => stored.app === app) ?? null;
}

/** What matters most about it: that it is closed, then that there is a newer one, then that it
 *  closes soon. `now` is the present time. */
export function appState(device: DeviceView, app: string, entry: AppEntry | null, now: number): AppState {
  const stored = storedApp(device, app);
  if (!stored) return 'online';
  if (device.lease?.state === 'closed' && device.lease.failure) return 'expired';
  if (entry?.data_as_of && entry.data_as_of > stored.manifest.data_as_of) return 'update';
  return device.unlocked && device.lease && leaseTone(device.lease, now) !== 'calm' ? 'ending' : 'downloaded';
}

const FAVOURITES = 'satchel.favourites';

export function favourites(): Set<string> {
  try {
    return new Set(JSON.parse(localStorage.getItem(FAVOURITES) ?? '[]') as string[]);
  } catch {
    return new Set();
  }
}

export function toggleFavourite(app: string): Set<string> {
  const all = favourites();
  if (!all.delete(app)) all.add(app);
  localStorage.setItem(FAVOURITES, JSON.stringify([...all]));
  return all;
}
