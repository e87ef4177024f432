// What the browser tests share: the hub they run against, a browser that trusts its CA, and
// the few things a person does again and again.
//
// SATCHEL_URL  the hub, https://localhost:PORT       SATCHEL_CA  its CA, PEM
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { chromium } from 'playwright-core';

const need = (name) => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; run these tests with \`cargo xtask test --only browser\``);
  return value;
};

export const hubUrl = new URL(need('SATCHEL_URL'));
export const caFile = need('SATCHEL_CA');
export const PASSWORD = 'satchel-demo';

/** Longest wait for something to appear; tests wait for things, never for time. */
export const PATIENCE_MS = 60_000;

/**
 * A forwarder between browser and hub, so that a test can take the hub away: once it is down,
 * connections are refused, as they are when the hub is stopped.
 */
export async function forwarder() {
  const open = new Set();
  let limit = Infinity;
  let held = null;
  let away = false;
  const server = net.createServer((from) => {
    if (away) {
      from.destroy();
      return;
    }
    const to = net.connect(Number(hubUrl.port || 443), '127.0.0.1');
    for (const socket of [from, to]) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        open.delete(socket);
        from.destroy();
        to.destroy();
      });
    }
    from.pipe(to);
    to.on('data', (bytes) => {
      limit -= bytes.length;
      const written = from.write(bytes);
      if (limit < 0) {
        limit = Infinity;
        held = from;
        to.pause();
      } else if (!written) {
        to.pause();
        from.once('drain', () => to.resume());
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    /** The connection that carries the `bytes`-th byte from now on brings no more, once. */
    holdAfter(bytes) {
      limit = bytes;
    },
    /** Cuts the connection that is held. */
    cut() {
      held.destroy();
    },
    /** The hub is gone for a while: every connection breaks and no new one comes about. */
    pause() {
      away = true;
      for (const socket of open) socket.destroy();
    },
    resume() {
      away = false;
    },
    async down() {
      const closed = new Promise((done) => server.close(done));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** A browser of one person, with a profile of its own that trusts the hub's CA. */
export async function openBrowser({ prf = true, viewport = { width: 1440, height: 900 }, touch = false, zone = 'UTC' } = {}) {
  const home = mkdtempSync(join(tmpdir(), 'satchel-e2e-'));
  const store = join(home, '.pki/nssdb');
  mkdirSync(store, { recursive: true });
  execFileSync('certutil', ['-d', `sql:${store}`, '-N', '--empty-password']);
  execFileSync('certutil', ['-d', `sql:${store}`, '-A', '-t', 'C,,', '-n', 'hub ca', '-i', caFile]);
  const through = await forwarder();
  const context = await chromium.launchPersistentContext(join(home, 'profile'), {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    viewport,
    hasTouch: touch,
    env: { ...process.env, HOME: home, TZ: zone },
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
      `--host-resolver-rules=MAP ${hubUrl.host} 127.0.0.1:${through.port}`,
    ],
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = context.pages()[0] ?? (await context.newPage());
  const errors = [];
  // Charts may have a question under way, or ask one more, when their app is closed; these are
  // the two ways in which enigma.js then rejects it.
  const afterClosing = ['Socket closed', 'Not connected'];
  page.on('pageerror', (error) => {
    if (!afterClosing.includes(error.message)) errors.push(error.message);
  });
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true,
      hasUserVerification: true, hasPrf: prf, isUserVerified: true, automaticPresenceSimulation: true,
    },
  });
  return {
    page,
    through,
    /** What the authenticator says of whoever is in front of it. */
    authenticator: {
      verifies: (isUserVerified) => devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
    },
    errors,
    async close() {
      await context.close();
      await through.down().catch(() => {});
      rmSync(home, { recursive: true, force: true });
    },
  };
}

export async function signIn(page, user) {
  await page.goto(hubUrl.href);
  await page.fill('input[name=user]', `DEMO\\${user}`);
  await page.fill('input[name=password]', PASSWORD);
  await page.click('button[type=submit]');
  await page.waitForSelector('[data-testid=app-card]');
}

/** Opens an app by title from Home and waits until every chart of the sheet is drawn. */
export async function openFromHome(page, title) {
  await page.locator('[data-testid=app-card]', { hasText: title }).locator('a').click();
  await drawn(page);
}

export async function drawn(page) {
  await page.waitForSelector('[data-testid=sheet]');
  await page.waitForFunction(() => {
    const charts = [...document.querySelectorAll('[data-testid=sheet] .chart')];
    return charts.length > 0 && charts.every((chart) => chart.dataset.state === 'drawn');
  });
}

export const object = (page, id) => page.locator(`[data-testid=cell][data-object="${id}"]`);

/** Waits until an object shows a text. */
export async function shows(page, id, text) {
  await object(page, id).getByText(text, { exact: true }).first().waitFor();
}

/** Selects a value in a list box of a filter pane, and confirms. */
export async function select(page, pane, value) {
  await object(page, pane).getByText(value, { exact: true }).first().click();
  await page.keyboard.press('Enter');
}

/**
 * Waits until Chromium itself would open this page without a network. A page that was loaded
 * before the service worker was there may stay outside it; Settings says to reload it then.
 */
export async function keptByServiceWorker(page) {
  const isKept = (timeout) => page.waitForFunction(() => navigator.serviceWorker.controller !== null, null, { timeout });
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  try {
    await isKept(10_000);
  } catch {
    await page.reload();
    await isKept(PATIENCE_MS);
  }
}

/**
 * The clock of this browser, set by the test: the page's goes on from there, the device
 * worker's stands still, so that the lease is judged at exactly the time that was set. Both
 * tell the time by `Date.now` alone.
 */
export async function clockOf(page) {
  let at = null;
  const isDevice = (worker) => worker.url().includes('device-worker');
  const inWorker = (worker) => worker.evaluate((time) => void (Date.now = () => time), at);
  const tell = () => Promise.all(page.workers().filter(isDevice).map(inWorker));
  await page.addInitScript(() => {
    const real = Date.now;
    let ahead = Number(sessionStorage.getItem('test.clock-ahead'));
    Date.now = () => real() + ahead;
    globalThis.setTestClock = (time) => {
      ahead = time - real();
      sessionStorage.setItem('test.clock-ahead', String(ahead));
    };
  });
  page.on('worker', (worker) => {
    // One that ends at once needs no clock; who goes on waits for `told`.
    if (at !== null && isDevice(worker)) inWorker(worker).catch(() => {});
  });
  return {
    /** For page and worker, from now on and after a reload. */
    async set(time) {
      at = time;
      await Promise.all([page.evaluate((to) => globalThis.setTestClock(to), time), tell()]);
    },
    /** For the worker only, as if the page had slept. */
    async setBehindThePage(time) {
      at = time;
      await tell();
    },
    /** A worker that was started meanwhile has its clock, too. */
    told: tell,
  };
}

/** Runs `body` with a browser of its own, and fails if the page threw anything. */
export function inBrowser(name, options, body) {
  test(name, { timeout: 240_000 }, async () => {
    const browser = await openBrowser(options);
    try {
      await body(browser);
      assert.deepEqual(browser.errors, [], 'errors thrown in the page');
    } catch (failed) {
      const shown = await browser.page.innerText('body').catch(() => 'nothing');
      console.error(`${browser.page.url()} showed:\n${shown.slice(0, 800)}`);
      throw failed;
    } finally {
      await browser.close();
    }
  });
}

/** Downloads an app from Home: sets the device up the first time. */
export async function download(page, title, { remember = false } = {}) {
  await page.getByRole('button', { name: `Download ${title}` }).click();
  await page.locator('[data-testid=preview]').waitFor();
  if (remember) await page.getByLabel('Remember credentials').check();
  await page.getByRole('dialog').getByRole('button', { name: 'Download' }).click();
  await page.locator('[data-testid=download-done]').waitFor();
}

/** A person may have ten devices; those of earlier tests make room. */
export function revokeDevices() {
  for (const { device, state } of administer('device', 'list')) {
    if (state === 'enrolled') administer('device', 'revoke', device);
  }
}

/** Runs a command of the hub's administrator beside the running hub; gives what it says. */
export function administer(...args) {
  const said = execFileSync(need('SATCHEL_HUB_BIN'), [...args, '--json', '--data', need('SATCHEL_HUB_DATA')], { encoding: 'utf8' });
  return said.trim() ? JSON.parse(said) : null;
}

/** Somebody new with the password of everybody, who sees the demo's streams; gives their id. */
export function addPerson(name) {
  const id = `DEMO\\${name}`;
  const data = ['--data', need('SATCHEL_HUB_DATA')];
  const { groups } = administer('user', 'list').find(({ user }) => user === 'DEMO\\ADA');
  const all = groups.split(', ').filter(Boolean).flatMap((group) => ['--group', group]);
  execFileSync(need('SATCHEL_HUB_BIN'), ['user', 'add', id, '--password-stdin', ...all, ...data], { input: `${PASSWORD}\n` });
  administer('licence', 'assign', id, 'professional');
  return id;
}

export const caPem = () => readFileSync(caFile);
