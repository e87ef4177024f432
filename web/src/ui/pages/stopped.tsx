// The native client that served this page has ended: nothing is left to show.

import type { ReactElement } from 'react';

import { FailurePage } from '../parts/failure';

export function StoppedPage(): ReactElement {
  return (
    <main className="page">
      <FailurePage
        failure={{
          code: 'loopback.stopped',
          message: 'the program in your terminal has ended, and everything was closed with it',
          next: 'Start it again with satchel open, and use the address it prints',
          status: 0,
        }}
      />
    </main>
  );
}
