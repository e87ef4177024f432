// The native client that served this page has ended: nothing is left to show.

import type { ReactElement } from 'react';

import { FailurePage } from '../parts/failure';

export function StoppedPage(): ReactElement {
  return (
    <main className="page">
      <FailurePage
        failure={{
          code: 'loopback.stopped',
          message: 'satchel open has ended in your terminal, and everything was closed',
          next: 'Start it again, and use the address it prints: satchel open',
          status: 0,
        }}
      />
    </main>
  );
}
