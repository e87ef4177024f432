// Workload W1 on the flights model in a browser: a downloaded app, asked through the device
// worker in the same frames as charts ask, beside DuckDB-WASM over one wide table in memory.
// Every chart's numbers and every list box's count must be equal. `cargo xtask bench w7` runs it.
//
// usage: node bench/clicks.mjs TITLE FLAT.csv FOLDER_OF_DUCKDB_WASM
import assert from 'node:assert/strict';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';

import { build } from 'vite';

import { download, openBrowser, revokeDevices, signIn } from '../e2e/support.mjs';
import { duckdbClicks, ourClicks } from './in-page.mjs';

const [title, flat, duckdb] = process.argv.slice(2);
const work = JSON.parse(readFileSync(new URL('../../bench/w1_flights.json', import.meta.url), 'utf8'));
const REPEATS = 5;

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];
const mean = (numbers) => numbers.reduce((sum, n) => sum + n, 0) / numbers.length;

/** Serves DuckDB-WASM, bundled, and the wide table. */
async function peerServer() {
  const entry = join(duckdb, 'dist/duckdb-browser.mjs');
  const [bundle] = await build({ configFile: false, logLevel: 'silent', build: { write: false, lib: { entry, formats: ['es'] } } });
  const types = { js: 'text/javascript', wasm: 'application/wasm', html: 'text/html', csv: 'text/csv' };
  const server = http.createServer((request, response) => {
    const name = request.url.slice(1);
    const file = name === 'flat.csv' ? flat : join(duckdb, 'dist', name);
    response.setHeader('content-type', types[name.split('.').pop()] ?? 'text/html');
    if (name === 'duckdb.js') response.end(bundle.output[0].code);
    else if (name === '') response.end('<!doctype html><title>DuckDB-WASM</title>');
    else if (existsSync(file)) createReadStream(file).pipe(response);
    else response.writeHead(404).end();
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
}

/** Rows without a fact are dropped; the others in an order of their own. */
const canonical = (rows, by) =>
  rows
    .filter((row) => row.slice(by).some((n) => n !== null && n !== 0))
    .map((row) => row.map((v) => v ?? null))
    .sort((a, b) => (JSON.stringify(a.slice(0, by)) < JSON.stringify(b.slice(0, by)) ? -1 : 1));

const near = (a, b) => a === b || (typeof a === 'number' && typeof b === 'number' && Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b), 1));

function agree(ours, theirs, state) {
  for (const field of work.lists) assert.equal(ours.lists[field], theirs.lists[field], `${state}: values of ${field}`);
  for (const { name, by } of work.cubes) {
    const [a, b] = [canonical(ours.cubes[name], by.length), canonical(theirs.cubes[name], by.length)];
    assert.equal(a.length, b.length, `${state}: rows of ${name}`);
    a.forEach((row, at) => assert.ok(row.every((v, column) => near(v, b[at][column])), `${state}: ${name}: ${row} is not ${b[at]}`));
  }
}

const ours = await (async () => {
  revokeDevices();
  const browser = await openBrowser();
  try {
    await browser.page.addInitScript(() => {
      globalThis.Worker = class extends Worker {
        constructor(...given) {
          super(...given);
          if (given[1]?.name === 'satchel-device') globalThis.deviceWorker = this;
        }
      };
    });
    await signIn(browser.page, 'ada');
    const link = await browser.page.locator('[data-testid=app-card]', { hasText: title }).locator('a').first().getAttribute('href');
    await download(browser.page, title);
    return await browser.page.evaluate(ourClicks, { app: decodeURIComponent(link.split('/').pop()), work, repeats: REPEATS });
  } finally {
    await browser.close();
  }
})();

const theirs = await (async () => {
  const server = await peerServer();
  const browser = await openBrowser();
  try {
    browser.page.setDefaultTimeout(600_000);
    await browser.page.goto(`http://127.0.0.1:${server.address().port}/`);
    return await browser.page.evaluate(duckdbClicks, { work, repeats: REPEATS });
  } finally {
    await browser.close();
    server.close();
  }
})();

for (const { name } of work.states) agree(ours.states[name].answer, theirs.states[name].answer, name);
const times = (all) => work.states.map(({ name }) => median(all.states[name].ms));
const line = (name, ms, startMs) =>
  console.log(`  ${name.padEnd(26)}${[...ms, mean(ms)].map((n) => n.toFixed(1).padStart(8)).join('')}${startMs.toFixed(0).padStart(9)}`);
console.log(`\nW7 on flights in Chromium, a click, warm ms (median of ${REPEATS})`);
console.log(`  ${''.padEnd(26)}${[...work.states.map(({ name }) => name.slice(0, 2)), 'mean'].map((n) => n.padStart(8)).join('')}    start`);
line('satchel, downloaded app', times(ours), ours.startMs);
line('duckdb-wasm, one table', times(theirs), theirs.startMs);
console.log(`  ours is ${(mean(times(theirs)) / mean(times(ours))).toFixed(1)} x faster a click, ${(theirs.startMs / ours.startMs).toFixed(1)} x to start; every answer agrees\n`);
