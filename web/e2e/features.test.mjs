// Bookmarks, links, search, pictures, and the way through an app on a phone.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import { download, drawn, hubUrl, inBrowser, keptByServiceWorker, object, openFromHome, select, shows, signIn } from './support.mjs';

const phone = { viewport: { width: 390, height: 844 }, touch: true };
const bookmark = (page, title) => page.locator('[data-testid=bookmark]', { hasText: title });
const closeDialog = (page) => page.keyboard.press('Escape');

async function addBookmark(page, title) {
  await page.getByRole('button', { name: 'Bookmarks and link' }).click();
  await page.fill('input[name=bookmark]', title);
  await page.getByRole('button', { name: 'Add bookmark' }).click();
  await bookmark(page, title).waitFor();
  await closeDialog(page);
}

async function applyBookmark(page, title) {
  await page.getByRole('button', { name: 'Bookmarks and link' }).click();
  await bookmark(page, title).getByRole('button', { name: title }).first().click();
}


async function removeBookmark(page, title) {
  await page.getByRole('button', { name: 'Bookmarks and link' }).click();
  await page.getByRole('button', { name: `Remove bookmark ${title}` }).click();
  await bookmark(page, title).waitFor({ state: 'detached' });
  await closeDialog(page);
}

inBrowser('a bookmark is made, kept at the hub, applied and removed', {}, async ({ page }) => {
  const title = `Germany ${Date.now()}`;
  await signIn(page, 'ada');
  await openFromHome(page, 'Sales');
  await select(page, 'filters-sales', 'GERMANY');
  await shows(page, 'kpi-orders', '6');
  await addBookmark(page, title);
  await page.reload();
  await drawn(page);
  await shows(page, 'kpi-orders', '16');
  await applyBookmark(page, title);
  await shows(page, 'kpi-orders', '6');
  await removeBookmark(page, title);
});

inBrowser('a bookmark made on the device is there after a lock, and lies sealed', {}, async ({ page, through }) => {
  await signIn(page, 'ben');
  await keptByServiceWorker(page);
  await download(page, 'Sales');
  await page.getByRole('link', { name: 'Open from this device' }).click();
  await drawn(page);
  await through.down();
  await select(page, 'filters-sales', 'MACHINES');
  await shows(page, 'kpi-orders', '3');
  await addBookmark(page, 'Only machines');
  await page.reload();
  await page.locator('[data-testid=lock]').getByRole('button', { name: 'Unlock' }).click();
  await drawn(page);
  await shows(page, 'kpi-orders', '6');
  const leaked = await page.evaluate(async () => {
    const dir = await (await navigator.storage.getDirectory()).getDirectoryHandle('satchel');
    const texts = [];
    for await (const [name, handle] of dir.entries()) {
      if (name.startsWith('bookmarks-')) texts.push(new TextDecoder('latin1').decode(await (await handle.getFile()).arrayBuffer()));
    }
    return { n: texts.length, seen: texts.some((text) => text.includes('MACHINES') || text.includes('Only machines')) };
  });
  assert.deepEqual(leaked, { n: 1, seen: false });
  await applyBookmark(page, 'Only machines');
  await shows(page, 'kpi-orders', '3');
  await removeBookmark(page, 'Only machines');
});

// threat: T-19
inBrowser('a link opens app, sheet and selections, and shows nobody more than they may see', {}, async ({ page }) => {
  await signIn(page, 'ada');
  await openFromHome(page, 'Sales');
  await select(page, 'filters-sales', 'FRANCE');
  await shows(page, 'kpi-orders', '5');
  await page.getByRole('button', { name: 'Bookmarks and link' }).click();
  await page.getByRole('button', { name: 'Copy a link to this view' }).click();
  const link = await page.locator('[data-testid=view-link]').inputValue();
  assert.ok(!link.includes('FRANCE'));
  await page.goto('about:blank');
  await page.goto(link);
  await drawn(page);
  await shows(page, 'kpi-orders', '5');
  await page.locator('[data-testid=selections]').getByText('COUNTRY').first().waitFor();
  assert.ok(!page.url().includes('select='), 'the selections leave the address once made');

  await page.goto(`${hubUrl.href}#/settings`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForSelector('input[name=user]');
  await page.goto(`${hubUrl.href}#/`);
  await signIn(page, 'ben');
  await page.goto('about:blank');
  await page.goto(link);
  await drawn(page);
  await shows(page, 'kpi-orders', '6');
  assert.equal(await page.getByText('FRANCE').count(), 0, 'Ben learns nothing of France');
});

inBrowser('search finds apps, sheets and charts on Home and in the app', {}, async ({ page }) => {
  await signIn(page, 'ada');
  await page.fill('input[type=search]', 'what you may');
  await page.locator('[data-testid=hit]', { hasText: 'What you may see' }).first().click();
  await page.waitForSelector('[data-sheet="sheet-access"]');
  await page.getByRole('button', { name: 'Search this app' }).click();
  await page.keyboard.type('sales by country');
  await page.locator('[data-testid=hit]', { hasText: 'Sales by country' }).first().click();
  await page.locator('[data-testid=large]').waitFor();
  await page.waitForSelector('[data-sheet="sheet-sales"]');
});

inBrowser('favourites come first and stay', {}, async ({ page }) => {
  await signIn(page, 'ada');
  await page.getByRole('button', { name: 'Favourite Sales' }).click();
  await page.reload();
  const first = page.locator('[data-testid=app-card]').first();
  await first.getByText('Sales', { exact: true }).waitFor();
  assert.equal(await page.getByRole('region', { name: 'Favourites' }).locator('[data-testid=app-card]').count(), 1);
});

inBrowser('a picture with a note is shared with the platform, and only there', {}, async ({ page }) => {
  await page.addInitScript(() => {
    navigator.canShare = ({ files }) => files.length === 1;
    navigator.share = async (what) => {
      const bytes = new Uint8Array(await what.files[0].arrayBuffer());
      window.shared = { title: what.title, text: what.text, type: what.files[0].type, magic: [...bytes.slice(1, 4)], size: bytes.length };
    };
  });
  await signIn(page, 'ada');
  await openFromHome(page, 'Sales');
  await object(page, 'bar-country').getByRole('button', { name: /full screen/ }).click();
  await page.locator('[data-testid=large] .chart[data-state=drawn]').waitFor();
  const sent = [];
  page.on('request', (request) => request.url().startsWith('https:') && request.method() !== 'GET' && sent.push(request.url()));
  await page.getByRole('button', { name: 'Share a picture' }).click();
  await page.getByLabel('Note').fill('Germany leads');
  await page.getByRole('button', { name: 'Share', exact: true }).click();
  await page.locator('[data-testid=share-state][data-state=shared]').waitFor();
  const shared = await page.evaluate(() => window.shared);
  assert.equal(shared.text, 'Germany leads');
  assert.equal(shared.type, 'image/png');
  assert.deepEqual(shared.magic, [0x50, 0x4e, 0x47]);
  assert.ok(shared.size > 5_000, `a picture of ${shared.size} bytes`);

  const saving = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save picture' }).click();
  const file = readFileSync(await (await saving).path());
  assert.equal(file.subarray(1, 4).toString(), 'PNG');
  assert.deepEqual(sent, [], 'nothing left this page');
});

inBrowser('on a phone: sheets by menu and swipe, filters in a drawer, a chart full screen by a tap, selected in and as a table', phone, async ({ page }) => {
  await signIn(page, 'ada');
  await openFromHome(page, 'Sales');
  await page.getByRole('button', { name: /choose a sheet/ }).tap();
  await page.getByRole('dialog').getByRole('button', { name: /What you may see/ }).tap();
  await page.waitForSelector('[data-sheet="sheet-access"]');
  await swipe(page, 300);
  await page.waitForSelector('[data-sheet="sheet-sales"]');
  await swipe(page, -300);
  await page.waitForSelector('[data-sheet="sheet-access"]');
  await page.getByRole('button', { name: /^Previous sheet/ }).tap();
  await page.waitForSelector('[data-sheet="sheet-sales"]');
  await drawn(page);

  await page.getByRole('button', { name: 'Filters' }).tap();
  await page.locator('[data-testid=drawer-pane] .chart[data-state=drawn]').waitFor();
  await page.locator('[data-testid=drawer-pane]').getByText('GERMANY', { exact: true }).first().tap();
  // The toolbar of a selection can be reached: it does not lie under the drawer.
  await page.locator('[data-testid=actions-toolbar-confirm]').tap();
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).tap();
  await shows(page, 'kpi-orders', '6');

  await object(page, 'bar-country').getByRole('button', { name: /Sales by country.*full screen/ }).tap();
  const large = page.locator('[data-testid=large]');
  await large.locator('.chart[data-state=drawn]').waitFor();
  const { x, y, width, height } = await large.boundingBox();
  const product = page.locator('[data-testid=selections]').getByText('PRODUCT', { exact: true });
  await page.touchscreen.tap(x + width * 0.35, y + height * 0.35);
  await product.waitFor();
  await page.locator('[data-testid=actions-toolbar-confirm]').tap();
  await page.getByRole('button', { name: 'View as table' }).tap();
  await page.locator('[data-testid=large][data-view=table]').getByText('GERMANY').first().waitFor();
});

/** A thumb that moves sideways over the question above the sheet. */
async function swipe(page, by) {
  await page.locator('.sheet-question').evaluate((element, by) => {
    const touch = (clientX) => new Touch({ identifier: 1, target: element, clientX, clientY: 200 });
    const from = by > 0 ? 40 : 350;
    element.dispatchEvent(new TouchEvent('touchstart', { bubbles: true, touches: [touch(from)], changedTouches: [touch(from)] }));
    element.dispatchEvent(new TouchEvent('touchend', { bubbles: true, touches: [], changedTouches: [touch(from + by)] }));
  }, by);
}

inBrowser('remembered credentials sign in without the password, until they are forgotten', {}, async ({ page }) => {
  await signIn(page, 'cleo');
  await download(page, 'Sales', { remember: true });
  await page.getByRole('button', { name: 'Done' }).click();
  await page.goto(`${hubUrl.href}#/settings`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: /^Sign in as Cleo/ }).click();
  await page.getByRole('button', { name: 'Forget' }).click();
  await page.getByRole('button', { name: 'Forget' }).waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForSelector('input[name=user]');
  assert.equal(await page.getByRole('button', { name: /^Sign in as/ }).count(), 0);
});

inBrowser('who did not choose to be remembered signs in with a password', {}, async ({ page }) => {
  await signIn(page, 'cleo');
  await download(page, 'Sales');
  await page.getByRole('button', { name: 'Done' }).click();
  await page.goto(`${hubUrl.href}#/settings`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForSelector('input[name=user]');
  assert.equal(await page.getByRole('button', { name: /^Sign in as/ }).count(), 0);
});
