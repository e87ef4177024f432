// The web UI in headless Chromium against a real hub: what a person sees and does.
import assert from 'node:assert/strict';

import {
  drawn, hubUrl, inBrowser, keptByServiceWorker, object, openFromHome, select, shows, signIn,
} from './support.mjs';

inBrowser('a wrong password is refused with a code', {}, async ({ page }) => {
  await page.goto(hubUrl.href);
  await page.fill('input[name=user]', 'DEMO\\ada');
  await page.fill('input[name=password]', 'not this');
  await page.click('button[type=submit]');
  const failure = page.locator('[data-testid=failure]');
  await failure.waitFor();
  assert.match((await failure.getAttribute('data-code')) ?? '', /^[a-z_]+\.[a-z_.]+$/);
});

// threat: T-15
inBrowser('two people see different data in the same app', {}, async ({ page }) => {
  await signIn(page, 'ada');
  await openFromHome(page, 'Sales');
  await shows(page, 'kpi-orders', '16');
  await page.goto(`${hubUrl.href}#/settings`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForSelector('input[name=user]');
  await page.goto(`${hubUrl.href}#/`);
  await signIn(page, 'ben');
  await openFromHome(page, 'Sales');
  await shows(page, 'kpi-orders', '6');
  assert.equal(await object(page, 'filters-sales').getByText('FRANCE').count(), 0, 'Ben sees no France');
});

inBrowser('selecting in a list box changes every chart', {}, async ({ page }) => {
  await signIn(page, 'ada');
  await openFromHome(page, 'Sales');
  await shows(page, 'kpi-orders', '16');
  await select(page, 'filters-sales', 'GERMANY');
  await shows(page, 'kpi-orders', '6');
  await shows(page, 'kpi-sales', '6,995');
  await page.locator('[data-testid=selections]').getByText('COUNTRY').first().waitFor();
  assert.equal(await object(page, 'table-orders').getByText('SWEDEN').count(), 0);
});

inBrowser('all nine kinds of chart draw, and one is selected in by mouse', {}, async ({ page }) => {
  await signIn(page, 'ada');
  await openFromHome(page, 'Sales');
  const kinds = new Set();
  const note = async () => {
    for (const cell of await page.locator('[data-testid=cell]').all()) kinds.add(await cell.getAttribute('data-type'));
  };
  await note();
  // In a pie chart the slice of MACHINES covers the middle of the right half.
  const pie = object(page, 'pie-product').locator('svg, canvas').first();
  await pie.waitFor();
  const box = await object(page, 'pie-product').boundingBox();
  await page.mouse.click(box.x + box.width / 2 + 30, box.y + box.height * 0.55);
  await page.keyboard.press('Enter');
  await page.locator('[data-testid=selections]').getByText('PRODUCT').first().waitFor();

  await page.getByRole('link', { name: 'What you may see' }).click();
  await page.waitForSelector('[data-sheet="sheet-access"]');
  await drawn(page);
  await note();
  assert.deepEqual(
    [...kinds].sort(),
    ['barchart', 'combochart', 'filterpane', 'kpi', 'linechart', 'piechart', 'pivot-table', 'scatterplot', 'sn-table'],
  );
  for (const cell of await page.locator('[data-testid=cell]').all()) {
    assert.doesNotMatch(await cell.innerText(), /incomplete visualization|something went wrong/i);
  }
});

inBrowser('a download opens with the hub down, and says how fresh it is and for how long', {}, async ({ page, through }) => {
  await signIn(page, 'ben');
  await keptByServiceWorker(page);
  await page.getByRole('button', { name: 'Download Sales' }).click();
  const preview = page.locator('[data-testid=preview]');
  await preview.waitFor();
  assert.match(await preview.innerText(), /of .* rows, 1 field withheld/);
  await page.getByRole('dialog').getByRole('button', { name: 'Download' }).click();
  const done = page.locator('[data-testid=download-done]');
  await done.waitFor();
  assert.match(await done.innerText(), /1 field withheld, good until/);
  await page.getByRole('link', { name: 'Open from this device' }).click();
  await drawn(page);

  await through.down();
  await page.reload();
  await page.locator('[data-testid=lock]').getByRole('button', { name: 'Unlock' }).click();
  await drawn(page);
  await shows(page, 'kpi-orders', '6');
  assert.match(await page.locator('[data-testid=lease-left]').innerText(), /9 days 23 hours|10 days/);
  assert.match(await page.locator('[data-testid=data-as-of]').innerText(), /Data as of .* from this device/);
  await select(page, 'filters-sales', 'MACHINES');
  await shows(page, 'kpi-orders', '3');
});

inBrowser('a download that is cut goes on where it stopped', {}, async ({ page, through }) => {
  await signIn(page, 'ada');
  await keptByServiceWorker(page);
  await page.getByRole('button', { name: 'Download Flights' }).click();
  await page.locator('[data-testid=preview]').waitFor();
  const ranges = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/package')) ranges.push(request.headers()['range'] ?? '');
  });
  // All else that is sent from here on is far below this; the package is far above.
  through.holdAfter(1_000_000);
  await page.getByRole('dialog').getByRole('button', { name: 'Download' }).click();
  // What the page has counted it has also written; only then the cut loses nothing.
  await page.waitForFunction(() => (document.querySelector('dialog progress, [role=dialog] progress')?.value ?? 0) > 0);
  through.cut();
  await page.locator('[data-testid=download-done]').waitFor();
  assert.ok(ranges.some((range) => /^bytes=[1-9]/.test(range)), `resumed with a range: ${ranges.join(', ')}`);
});

// threat: T-01
inBrowser('what lies on disk is unreadable while locked', {}, async ({ page }) => {
  await signIn(page, 'ben');
  await page.getByRole('button', { name: 'Download Sales' }).click();
  await page.locator('[data-testid=preview]').waitFor();
  await page.getByRole('dialog').getByRole('button', { name: 'Download' }).click();
  await page.locator('[data-testid=download-done]').waitFor();
  await page.goto(`${hubUrl.href}#/settings`);
  await page.locator('.setting', { hasText: 'Lock now' }).getByRole('button').click();
  await page.locator('[data-testid=lock]').waitFor();
  const found = await page.evaluate(async () => {
    const dir = await (await navigator.storage.getDirectory()).getDirectoryHandle('satchel');
    const names = [];
    let leaked = false;
    for await (const [name, handle] of dir.entries()) {
      names.push(name);
      const text = new TextDecoder('latin1').decode(await (await handle.getFile()).arrayBuffer());
      leaked ||= text.includes('Epsilon') || text.includes('Beta Foods');
    }
    return { names, leaked };
  });
  assert.ok(found.names.some((name) => name.startsWith('package-')), 'the package is there');
  assert.equal(found.leaked, false, 'no value of the data in clear text');
  await page.reload();
  await page.locator('[data-testid=lock]').waitFor();
});

// threat: T-01
inBrowser('a browser without PRF is told why it cannot keep data', { prf: false }, async ({ page }) => {
  await signIn(page, 'ada');
  await page.getByRole('button', { name: 'Download Sales' }).click();
  const dialog = page.getByRole('dialog');
  await page.locator('[data-testid=preview], [data-testid=refusal]').first().waitFor();
  if (await page.locator('[data-testid=preview]').count()) await dialog.getByRole('button', { name: 'Download' }).click();
  const told = page.locator('[data-code="vault.no_prf"]');
  await told.waitFor();
  assert.match(await told.innerText(), /PRF/);
});

// threat: T-07
inBrowser('an access type without devices is refused on a page', { viewport: { width: 390, height: 844 } }, async ({ page }) => {
  await signIn(page, 'dan');
  await page.getByRole('button', { name: 'Download Sales' }).click();
  const refusal = page.locator('[data-testid=refusal]');
  await refusal.waitFor();
  assert.equal(await refusal.getAttribute('data-code'), 'access_type.not_on_device');
  assert.match(await refusal.innerText(), /Analyzer capacity/);
});
