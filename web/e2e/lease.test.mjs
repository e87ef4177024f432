// The end of the lease in the browser, with the clock of the whole browser moved: page and
// worker are the product as it ships, and believe the time they are given.
import assert from 'node:assert/strict';

import { download, drawn, hubUrl, inBrowser, keptByServiceWorker, PASSWORD, shows, signIn } from './support.mjs';

const HOUR_MS = 3_600_000;
const LEASE_MS = 240 * HOUR_MS;

/** Downloads, starts the lease, and takes the hub away. Gives the end the client was told. */
async function carried({ page, through }) {
  await signIn(page, 'ben');
  await keptByServiceWorker(page);
  await download(page, 'Sales');
  await page.getByRole('button', { name: 'Done' }).click();
  through.pause();
}

/** Starts the client anew, and unlocks. */
async function unlock(page) {
  await page.reload();
  await page.locator('[data-testid=lock]').getByRole('button', { name: 'Unlock' }).click();
  await page.locator('.places').waitFor();
}

async function openOnDevice(page) {
  await page.goto(`${hubUrl.href}#/device`);
  await page.getByRole('link', { name: /Sales/ }).click();
}

const refused = async (page) => {
  const refusal = page.locator('[data-testid=refusal]');
  await refusal.waitFor();
  return refusal.getAttribute('data-code');
};

inBrowser('a lease opens at 239:59:59, is over at 240:00:00, and is renewed without a new download', { withClock: true }, async (browser) => {
  const { page, through } = browser;
  await signIn(page, 'ben');
  await keptByServiceWorker(page);
  // The lease begins at a full second, so that its end is one too.
  const start = (Math.floor(Date.now() / 1000) + 1) * 1000;
  await browser.stopClock(start);
  await download(page, 'Sales');
  await page.getByRole('button', { name: 'Done' }).click();
  through.pause();

  await browser.stopClock(start + LEASE_MS - 1000);
  await unlock(page);
  await page.goto(`${hubUrl.href}#/device`);
  await page.locator('[data-testid=lease]', { hasText: 'less than a minute left' }).waitFor();

  await browser.stopClock(start + LEASE_MS);
  await unlock(page);
  await openOnDevice(page);
  assert.equal(await refused(page), 'lease.expired');
  assert.equal(await page.locator('[data-testid=sheet]').count(), 0, 'no data behind it');
  await page.goto(`${hubUrl.href}#/`);
  await page.locator('[data-testid=app-card]', { hasText: 'Expired' }).waitFor();

  await browser.shiftClock(LEASE_MS + HOUR_MS);
  through.resume();
  const packages = [];
  page.on('request', (request) => request.url().endsWith('/package') && packages.push(request.url()));
  await openOnDevice(page);
  await page.getByRole('button', { name: 'Sign in' }).first().click();
  await page.fill('input[name=user]', 'DEMO\\ben');
  await page.fill('input[name=password]', PASSWORD);
  await page.click('button[type=submit]');
  await page.locator('.places').waitFor();
  await openOnDevice(page);
  await drawn(page);
  await shows(page, 'kpi-orders', '6');
  assert.deepEqual(packages, [], 'nothing was downloaded again');
});

inBrowser('warnings come at two days and at two hours', { withClock: true }, async (browser) => {
  const { page } = browser;
  await carried(browser);
  for (const [left, tone] of [[49, 'calm'], [47, 'soon'], [1.5, 'over']]) {
    await browser.shiftClock(LEASE_MS - left * HOUR_MS);
    await unlock(page);
    await page.locator('[data-testid=lease-left]').waitFor();
    await page.locator(`[data-testid=offline-banner].banner-${tone}`).waitFor();
  }
});

inBrowser('a clock set back closes everything, and says so', { withClock: true }, async (browser) => {
  const { page } = browser;
  await carried(browser);
  await browser.shiftClock(24 * HOUR_MS);
  await unlock(page);
  await openOnDevice(page);
  await drawn(page);
  await shows(page, 'kpi-orders', '6');
  await browser.shiftClock(23 * HOUR_MS);
  await page.reload();
  await page.locator('[data-testid=lock]').getByRole('button', { name: 'Unlock' }).click();
  assert.match(await refused(page), /^lease\.clock/);
  assert.equal(await page.locator('[data-testid=sheet]').count(), 0, 'no data behind it');
});
