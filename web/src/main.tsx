// Starts the page.

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { Root } from './ui/root';
import { registerServiceWorker } from './ui/service-worker';
import { start } from './ui/session';
import './ui/styles/tokens.css';
import './ui/styles/parts.css';
import './ui/styles/pages.css';
import './ui/styles/sheet.css';

const host = document.getElementById('root');
if (host) {
  createRoot(host).render(
    <StrictMode>
      <Root />
    </StrictMode>,
  );
}
void start().then(registerServiceWorker);
