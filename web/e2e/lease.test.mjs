// The promises about time: ten days to the second, no way back by the clock, nothing left on
// the screen when it is over, and no new download afterwards.
import assert from 'node:assert/strict';
import { beforeEach } from 'node:test';

import {
  administer, clockOf, download, drawn, hubUrl, inBrowser, keptByServiceWorker, object, PASSWORD, revokeDevices, shows, signIn,
} from './support.mjs';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** What ben's copy of the app shows somewhere on its first sheet, and nothing else does. */
const VALUES = ['GERMANY', 'MACHINES', '6,995'];

const GRANT_FILE = 'grant.json';

const refusal = (page) => page.locator('[data-testid=refusal]');

async function unlock(page, clock) {
  const button = page.locator('[data-testid=lock]').getByRole('button', { name: 'Unlock' });
  await button.waitFor();
  await clock.told();
  await button.click();
}

/** The page is loaded anew at `time`, and unlocked: a launch. */
async function launchAt(page, clock, time) {
  await clock.set(time);
  await page.reload();
  await unlock(page, clock);
}

async function opens(page) {
  await drawn(page);
  await shows(page, 'kpi-orders', '6');
  const html = await page.content();
  for (const value of VALUES) assert.ok(html.includes(value), `${value} is shown`);
}

async function refusesWith(page, code, title) {
  await refusal(page).waitFor();
  assert.equal(await refusal(page).getAttribute('data-code'), code);
  await refusal(page).getByRole('heading', { name: title }).waitFor();
  await nothingLeft(page);
}

/** Neither a value nor a drawing is in the document, in whatever corner. */
async function nothingLeft(page) {
  const html = await page.content();
  for (const value of VALUES) assert.ok(!html.includes(value), `${value} is gone`);
  assert.equal(await page.locator('canvas, .chart-host, [data-testid=cell]').count(), 0, 'no drawing is left');
}

/** Ben has downloaded Sales at `time`, and the hub is gone. */
async function downloaded({ page, through }, time) {
  const clock = await clockOf(page);
  await page.goto(hubUrl.href);
  await clock.set(time);
  await signIn(page, 'ben');
  await clock.told();
  await keptByServiceWorker(page);
  await download(page, 'Sales');
  await page.getByRole('button', { name: 'Done' }).click();
  through.pause();
  return clock;
}

beforeEach(revokeDevices);

const openSales = (page) => page.locator('[data-testid=app-card]', { hasText: 'Sales' }).locator('a').click();

// threat: T-05
inBrowser('a download opens for ten days from the first launch, to the second', {}, async (browser) => {
  const { page, through } = browser;
  const signedIn = Date.now();
  const clock = await downloaded(browser, signedIn);

  // The hours did not begin with the log-in but with this launch, five hours later.
  const launch = signedIn + 5 * HOUR;
  await launchAt(page, clock, launch);
  await openSales(page);
  await opens(page);
  assert.match(await page.locator('[data-testid=lease-left]').innerText(), /10 days|9 days 23 hours/);

  await launchAt(page, clock, launch + 239 * HOUR + 59 * MINUTE + 59 * SECOND);
  await opens(page);
  // It is open when the time ends: the views close by themselves.
  await clock.set(launch + 240 * HOUR);
  await refusesWith(page, 'lease.expired', 'The time for your downloads is over');
  assert.equal(await page.locator('[data-testid=lease-closed]').count(), 1);

  await launchAt(page, clock, launch + 240 * HOUR);
  await refusesWith(page, 'lease.expired', 'The time for your downloads is over');
  // Home lists what is here, closed, and says the same.
  await page.goto(`${hubUrl.href}#/`);
  await page.locator('[data-testid=app-card][data-state=expired]', { hasText: 'Sales' }).waitFor();
  await refusesWith(page, 'lease.expired', 'The time for your downloads is over');
  await openSales(page);
  await refusesWith(page, 'lease.expired', 'The time for your downloads is over');

  await launchAt(page, clock, launch + 100 * HOUR);
  await refusesWith(page, 'lease.clock_behind', 'The clock of this device was set back');
  // Putting it right again is not enough: somebody may have tried.
  await launchAt(page, clock, launch + 241 * HOUR);
  await refusesWith(page, 'lease.clock_behind', 'The clock of this device was set back');

  const packages = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/package')) packages.push(request.url());
  });
  through.resume();
  await refusal(page).getByRole('button', { name: 'Sign in' }).click();
  await page.fill('input[name=user]', 'DEMO\\ben');
  await page.fill('input[name=password]', PASSWORD);
  await page.click('button[type=submit]');
  await opens(page);
  assert.match(await page.locator('[data-testid=data-as-of]').innerText(), /from this device/);
  through.pause();
  await launchAt(page, clock, launch + 480 * HOUR);
  await opens(page);
  assert.deepEqual(packages, [], 'nothing was downloaded again');
});

inBrowser('the engine on this device tells the time of the place where it is', { zone: 'Asia/Kolkata' }, async ({ page }) => {
  await signIn(page, 'ben');
  await download(page, 'Sales');
  const app = await page.locator('[data-testid=app-card]', { hasText: 'Sales' }).getAttribute('data-app');
  const worker = page.workers().find((one) => one.url().includes('device-worker'));
  const ahead = await worker.evaluate(async (id) => {
    // The worker is asked as the page asks it; what it answers is caught before it leaves.
    const { postMessage } = globalThis;
    let next = -1;
    const ask = (op, arg) =>
      new Promise((answered) => {
        const mine = next--;
        globalThis.postMessage = (reply) => (reply.id === mine ? answered(reply) : postMessage(reply));
        globalThis.onmessage({ data: { id: mine, op, arg } });
      });
    const call = async (handle, method, params) => {
      const frame = JSON.stringify({ jsonrpc: '2.0', id: 1, handle, method, params });
      const { value } = await ask('frame', { socket: -1, frame });
      return value.map((text) => JSON.parse(text)).find((reply) => reply.id === 1).result;
    };
    await ask('openSocket', { socket: -1, app: id });
    const { qReturn } = await call(-1, 'OpenDoc', [id]);
    const minutes = [];
    for (const now of ['Now()', 'LocalTime()']) {
      const { qValue } = await call(qReturn.qHandle, 'EvaluateEx', [`Round((${now} - UTC()) * 1440)`]);
      minutes.push(qValue.qNumber);
    }
    globalThis.postMessage = postMessage;
    return minutes;
  }, app);
  assert.deepEqual(ahead, [330, 330]);
});

// threat: T-02 T-05
inBrowser('a question after the end is refused, however long the page slept', {}, async (browser) => {
  const { page } = browser;
  const launch = Date.now() + HOUR;
  const clock = await downloaded(browser, launch);
  await launchAt(page, clock, launch);
  await openSales(page);
  await opens(page);
  const value = await object(page, 'filters-sales').getByText('MACHINES', { exact: true }).first().boundingBox();
  await clock.setBehindThePage(launch + 240 * HOUR);
  await page.mouse.click(value.x + value.width / 2, value.y + value.height / 2);
  await refusesWith(page, 'lease.expired', 'The time for your downloads is over');
});


const card = (page) => page.locator('[data-testid=app-card]', { hasText: 'Sales' });

inBrowser('the end is announced two days and two hours before, wherever there is data', {}, async (browser) => {
  const { page } = browser;
  const launch = Date.now() + HOUR;
  const end = launch + 240 * HOUR;
  const clock = await downloaded(browser, launch);
  const tones = async (place) => ({
    banner: await page.locator('[data-testid=offline-banner]').getAttribute('data-tone'),
    chip: await place.locator('[data-testid=lease-chip]').count().then((n) => (n ? place.locator('[data-testid=lease-chip]').innerText() : null)),
  });
  await launchAt(page, clock, launch);
  await page.locator('[data-testid=app-card][data-state=downloaded]').waitFor();
  assert.deepEqual(await tones(card(page)), { banner: 'calm', chip: null });

  await launchAt(page, clock, end - 48 * HOUR - MINUTE);
  await page.locator('[data-testid=app-card][data-state=downloaded]').waitFor();
  assert.deepEqual(await tones(card(page)), { banner: 'calm', chip: null });

  await launchAt(page, clock, end - 47 * HOUR - MINUTE);
  await page.locator('[data-testid=app-card][data-state=ending]').waitFor();
  assert.deepEqual(await tones(card(page)), { banner: 'soon', chip: '1 day 23 hours left' });
  assert.match(await page.locator('[data-testid=offline-banner]').innerText(), /Downloads close in 1 day 23 hours.*Sign in at the hub/);
  await openSales(page);
  await opens(page);
  assert.deepEqual(await tones(page.locator('.app-head')), { banner: 'soon', chip: '1 day 23 hours left' });

  await launchAt(page, clock, end - 90 * MINUTE - 30 * SECOND);
  await opens(page);
  assert.deepEqual(await tones(page.locator('.app-head')), { banner: 'last', chip: '1 hour 30 minutes left' });
  await page.goto(`${hubUrl.href}#/device`);
  await page.getByText('1 hour 30 minutes left').first().waitFor();
});

inBrowser('a download for which there is newer data says so, and is brought up to date', {}, async ({ page }) => {
  await signIn(page, 'ben');
  await download(page, 'Sales');
  await page.getByRole('button', { name: 'Done' }).click();
  await page.locator('[data-testid=app-card][data-state=downloaded]', { hasText: 'Sales' }).waitFor();
  administer('app', 'reload', 'Sales', '--quiet');
  await page.reload();
  await page.locator('[data-testid=app-card][data-state=update]', { hasText: 'Sales' }).waitFor();
  await page.getByRole('button', { name: 'Update Sales on this device' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Download' }).click();
  await page.locator('[data-testid=download-done]').waitFor();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.locator('[data-testid=app-card][data-state=downloaded]', { hasText: 'Sales' }).waitFor();
});

// threat: T-06
inBrowser('a device that was revoked is wiped, and its owner is told', {}, async ({ page }) => {
  await signIn(page, 'ben');
  await download(page, 'Sales');
  await page.getByRole('button', { name: 'Done' }).click();
  revokeDevices();
  await page.goto('about:blank');
  await signIn(page, 'ben');
  const told = page.locator('[data-testid=removed]');
  await told.waitFor();
  assert.equal(await told.getAttribute('data-why'), 'device');
  assert.match(await told.innerText(), /revoked this device.*1 download/s);
  await page.locator('[data-testid=app-card][data-state=online]', { hasText: 'Sales' }).waitFor();
  const left = await page.evaluate(async () => {
    const names = [];
    const root = await navigator.storage.getDirectory();
    for await (const [name] of (await root.getDirectoryHandle('satchel')).entries()) names.push(name);
    return names;
  });
  assert.deepEqual(left, [], 'no package and no key is left');
  await page.reload();
  await told.waitFor();
  await told.getByRole('button', { name: 'Understood' }).click();
  await told.waitFor({ state: 'detached' });
});

// threat: T-04
inBrowser('a log-in while locked counts once, whoever keeps a copy of its grant', {}, async (browser) => {
  const { page, through } = browser;
  const launch = Date.now() + HOUR;
  const clock = await downloaded(browser, launch);
  await launchAt(page, clock, launch);
  await openSales(page);
  await opens(page);
  through.resume();
  await page.goto(`${hubUrl.href}#/settings`);
  await page.locator('.setting', { hasText: 'Lock now' }).getByRole('button').click();
  await page.locator('[data-testid=lock]').getByRole('button', { name: 'Sign in at the hub instead' }).click();
  await page.fill('input[name=user]', 'DEMO\\ben');
  await page.fill('input[name=password]', PASSWORD);
  await page.click('button[type=submit]');
  await page.getByRole('heading', { name: 'Settings' }).waitFor();
  const grant = await page.waitForFunction(async (name) => {
    const store = await (await navigator.storage.getDirectory()).getDirectoryHandle('satchel');
    const file = await store.getFileHandle(name).catch(() => null);
    return file && (await (await file.getFile()).text());
  }, GRANT_FILE).then((found) => found.jsonValue());
  through.pause();
  const again = launch + 239 * HOUR;
  await page.goto(`${hubUrl.href}#/`);
  await launchAt(page, clock, again);
  await openSales(page);
  await opens(page);
  await launchAt(page, clock, again + 240 * HOUR);
  await refusesWith(page, 'lease.expired', 'The time for your downloads is over');
  await page.evaluate(async ([name, text]) => {
    const store = await (await navigator.storage.getDirectory()).getDirectoryHandle('satchel');
    const writer = await (await store.getFileHandle(name, { create: true })).createWritable();
    await writer.write(text);
    await writer.close();
  }, [GRANT_FILE, grant]);
  await launchAt(page, clock, again + 240 * HOUR);
  await refusesWith(page, 'lease.expired', 'The time for your downloads is over');
});
