// The web UI as `satchel open` serves it, with the hub out of reach: chart, mouse, lock, end.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { beforeEach, test } from 'node:test';

import { chromium } from 'playwright-core';

import { caFile, clockOf, drawn, forwarder, hubUrl, object, PASSWORD, PATIENCE_MS, revokeDevices, shows } from './support.mjs';

const satchel = process.env.SATCHEL_BIN;
const shots = process.env.SATCHEL_SHOTS;

beforeEach(revokeDevices);

const HOUR = 3_600_000;

/** What ben's copy of the app shows somewhere on its first sheet, and nothing else does. */
const VALUES = ['GERMANY', 'MACHINES', '6,995'];

/**
 * A device of ben that holds the sales app and cannot reach the hub any more. With `launch`,
 * the client was first launched then, and is served under a clock that stands where `set` puts it.
 */
async function device({ launch = null, at = null } = {}) {
  const home = mkdtempSync(join(tmpdir(), 'satchel-open-'));
  mkdirSync(join(home, 'state'));
  mkdirSync(join(home, 'run'), { mode: 0o700 });
  const env = { ...process.env, SATCHEL_HOME: join(home, 'state'), XDG_RUNTIME_DIR: join(home, 'run'), DISPLAY: '', WAYLAND_DISPLAY: '' };
  const through = await forwarder();
  const run = async (input, ...args) => {
    const child = spawn(satchel, [...args, '--json'], { env, stdio: ['pipe', 'ignore', 'inherit'] });
    child.stdin.end(input);
    const [code] = await once(child, 'exit');
    assert.equal(code, 0, `satchel ${args.join(' ')}`);
  };
  await run('', 'hub', 'add', `https://localhost:${through.port}`, '--ca', caFile);
  // Without a PIN nothing locks by itself while a test moves the clock.
  const signIn = launch ? [`${PASSWORD}\n`, 'sign-in', '--user', 'DEMO\\ben'] : [`${PASSWORD}\n2580\n`, 'sign-in', '--user', 'DEMO\\ben', '--pin'];
  await run(...signIn);
  await run('', 'download', 'Sales');
  const asFaketime = (time) => new Date(time).toISOString().replace('T', ' ').slice(0, 19);
  const clock = join(home, 'clock');
  const set = (time) => {
    // Replaced as a whole: the client reads it at every look at the time.
    writeFileSync(`${clock}.next`, asFaketime(time));
    renameSync(`${clock}.next`, clock);
  };
  const clockEnv = { TZ: 'UTC' };
  if (launch) {
    // A log-in whose hours begin at the launch, and not with the download.
    await run(...signIn);
    // The library alone: faketime's program would stand between, and outlive or be outlived.
    const library = readdirSync('/usr/lib').map((d) => `/usr/lib/${d}/faketime/libfaketimeMT.so.1`).find(existsSync);
    const launched = { ...env, TZ: 'UTC', LD_PRELOAD: library, FAKETIME: asFaketime(launch) };
    execFileSync(satchel, ['status', '--json'], { env: launched, stdio: ['ignore', 'ignore', 'inherit'] });
    set(at);
    Object.assign(clockEnv, {
      LD_PRELOAD: library,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_TIMESTAMP_FILE: clock,
    });
  }
  await through.down();
  let served = null;
  const kill = () => {
    served.kill('SIGKILL');
    // What libfaketime leaves of a killed process would be in the way of a later one of its number.
    for (const left of ['sem.faketime_sem_', 'faketime_shm_']) rmSync(`/dev/shm/${left}${served.pid}`, { force: true });
  };
  const serve = async () => {
    if (served) {
      const gone = once(served, 'exit');
      kill();
      await gone;
    }
    served = spawn(satchel, ['open', 'Sales', '--json'], { env: { ...env, ...clockEnv }, stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(createInterface(served.stdout), 'line');
    return JSON.parse(line).url;
  };
  return {
    url: await serve(),
    set,
    /** Serves anew, at this time: a jump of the clock would be idle time, and lock. */
    serveAt(time) {
      set(time);
      return serve();
    },
    lock: () => execFileSync(satchel, ['lock', '--json'], { env }),
    async interrupt() {
      served.kill('SIGINT');
      const [code] = await once(served, 'exit');
      assert.equal(code, 0);
    },
    close() {
      kill();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

for (const [width, height] of [[1440, 900], [390, 844]]) {
  test(`satchel open shows, selects, locks and ends at ${width} pixels`, { timeout: 240_000 }, async () => {
    assert.ok(hubUrl && satchel);
    const kept = await device();
    const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
    try {
      const context = await browser.newContext({ viewport: { width, height } });
      context.setDefaultTimeout(PATIENCE_MS);
      const page = await context.newPage();
      const blocked = [];
      page.on('console', (message) => {
        if (/Content Security Policy/i.test(message.text())) blocked.push(message.text());
      });
      const shot = async (name) => {
        if (shots) await page.screenshot({ path: join(shots, `${name}-${width}.png`) });
      };
      await page.goto(kept.url);
      await drawn(page);
      assert.doesNotMatch(page.url(), /open\//, 'the token is not left in the address');
      await shows(page, 'kpi-orders', '6');
      assert.match(await page.locator('[data-testid=lease-left]').innerText(), /9 days 23 hours|10 days/);
      assert.match(await page.locator('[data-testid=data-as-of]').innerText(), /Data as of .* from this device/);
      assert.equal(await page.locator('[data-testid=download]').count(), 0);
      await shot('open-app');
      if (width > 1000) {
        const box = await object(page, 'pie-product').boundingBox();
        await page.mouse.click(box.x + box.width / 2 + 30, box.y + box.height * 0.55);
        await page.keyboard.press('Enter');
        await page.locator('[data-testid=selections]').getByText('PRODUCT').first().waitFor();
        await object(page, 'kpi-orders').getByText('6', { exact: true }).waitFor({ state: 'detached' });
        await shot('open-selected');
      }
      assert.equal(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length), 0);
      assert.deepEqual(await page.evaluate(() => caches.keys()), []);
      assert.deepEqual(blocked, []);
      await page.goto(`${new URL(kept.url).origin}/#/device`);
      await page.getByText('Sales').first().waitFor();
      await shot('open-list');
      await page.goto(`${new URL(kept.url).origin}/#/settings`);
      await page.getByText('Everything else').waitFor();
      await shot('open-settings');
      kept.lock();
      await page.locator('[data-testid=lock]').waitFor();
      assert.equal(await page.getByText('Sales').count(), 0);
      await shot('open-locked');
      await page.fill('input[type=password]', '2580');
      await page.keyboard.press('Enter');
      await page.locator('[data-testid=lock]').waitFor({ state: 'detached' });
      await kept.interrupt();
      const ended = page.locator('[data-testid=refusal]');
      await ended.waitFor();
      assert.equal(await ended.getAttribute('data-code'), 'loopback.stopped');
      await shot('open-stopped');
    } finally {
      await browser.close();
      kept.close();
    }
  });
}

for (const [width, height] of [[1440, 900], [390, 844]]) {
  test(`satchel open warns, and closes its page when the time ends, at ${width} pixels`, { timeout: 240_000 }, async () => {
    const launch = Math.ceil(Date.now() / HOUR) * HOUR;
    const end = launch + 240 * HOUR;
    const kept = await device({ launch, at: end - 47 * HOUR });
    const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
    try {
      const context = await browser.newContext({ viewport: { width, height } });
      context.setDefaultTimeout(PATIENCE_MS);
      const page = await context.newPage();
      const clock = await clockOf(page);
      const shot = async (name) => {
        if (shots) await page.screenshot({ path: join(shots, `${name}-${width}.png`) });
      };
      const openAt = async (url, time) => {
        await page.goto(url);
        await drawn(page);
        await clock.set(time);
        await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
      };
      await openAt(kept.url, end - 47 * HOUR);
      await page.locator('[data-testid=lease-chip][data-tone=soon]').waitFor();
      await openAt(await kept.serveAt(end - HOUR), end - HOUR);
      await page.locator('[data-testid=lease-chip][data-tone=last]').waitFor();
      await shot('open-last-hour');
      const last = await kept.serveAt(end - 1_000);
      await openAt(last, end - 1_000);
      await shows(page, 'kpi-orders', '6');
      for (const value of VALUES.slice(0, width > 800 ? 3 : 1)) assert.ok((await page.content()).includes(value), `${value} is shown`);
      kept.set(end);
      const over = page.locator('[data-testid=refusal]');
      await over.waitFor();
      assert.equal(await over.getAttribute('data-code'), 'lease.expired');
      assert.match(await over.innerText(), /sign-in/, 'the way out is a command in a terminal');
      const html = await page.content();
      for (const value of VALUES) assert.ok(!html.includes(value), `${value} is gone`);
      assert.equal(await page.locator('canvas, .chart-host, [data-testid=cell]').count(), 0);
      await shot('open-over');
      await page.goto(`${new URL(last).origin}/#/device`);
      await page.locator('[data-testid=refusal]').waitFor();
      assert.equal(await page.locator('.state-expired').count(), 1);
      await shot('open-over-list');
    } finally {
      await browser.close();
      kept.close();
    }
  });
}
