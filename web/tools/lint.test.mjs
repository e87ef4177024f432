// The rules that keep `client` and `ui` apart really refuse what they should.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ESLint } from 'eslint';

const eslint = new ESLint({ cwd: new URL('..', import.meta.url).pathname });

async function rules(filePath, code) {
  const [result] = await eslint.lintText(code, { filePath });
  return result.messages.map((message) => message.ruleId);
}

for (const [where, code] of [
  ['src/client/x.ts', "import { useState } from 'react';\nexport const x = useState;\n"],
  ['src/client/device/x.ts', "export { device } from '../../ui/session';\n"],
  ['src/worker/x.ts', "export { Root } from '../ui/root';\n"],
  ['src/ui/x.ts', "import enigma from 'enigma.js';\nexport const x = enigma;\n"],
  ['src/ui/pages/x.tsx', "export { WorkerSocket } from '../../client/device/worker-socket';\n"],
]) {
  test(`${where} may not: ${code.split('\n')[0]}`, async () => {
    assert.ok((await rules(where, code)).includes('no-restricted-imports'));
  });
}

for (const code of ["export const x = new WebSocket('wss://hub/');\n", "export const x = fetch('/api/v1/me');\n", "export const x = new Worker('/x.js');\n"]) {
  test(`ui may not: ${code.trim()}`, async () => {
    assert.deepEqual(await rules('src/ui/x.ts', code), ['no-restricted-globals']);
  });
}

test('ui may not reach a socket through window', async () => {
  assert.deepEqual(await rules('src/ui/x.ts', "export const x = new window.WebSocket('wss://hub/');\n"), ['no-restricted-syntax']);
});

test('client may open a socket, ui may use client', async () => {
  assert.deepEqual(await rules('src/client/x.ts', "export const x = new WebSocket('wss://hub/');\n"), []);
  assert.deepEqual(await rules('src/ui/x.ts', "export { hub } from '../client/api';\n"), []);
});
