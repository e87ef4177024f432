// Says when a newer version of this client was fetched; changes nothing until asked to.

import { useSyncExternalStore, type ReactElement } from 'react';

import { applyUpdate, subscribeToUpdates, updateWaits } from '../service-worker';

export function UpdateNotice(): ReactElement | null {
  const waits = useSyncExternalStore(subscribeToUpdates, updateWaits);
  if (!waits) return null;
  return (
    <div className="strip" role="status">
      <p>A new version of Satchel is ready.</p>
      <button type="button" className="button button-small" onClick={applyUpdate}>
        Use it now
      </button>
    </div>
  );
}
