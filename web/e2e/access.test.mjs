// Everybody can use it: axe-core on every page, the keyboard alone, large text, narrow screens.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

import { download, drawn, hubUrl, inBrowser, keptByServiceWorker, openFromHome, PASSWORD, signIn } from './support.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** What is drawn by the charts' own library is judged for what we can say about it: its name. */
const NOT_OURS = ['.chart-host', '[data-testid=selections] > *'];

async function check(page, where) {
  await page.evaluate(AXE);
  const found = await page.evaluate(
    async ([rules, notOurs]) => {
      const { violations } = await window.axe.run({ exclude: notOurs }, { runOnly: { type: 'tag', values: rules } });
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(' | ')}`);
    },
    [RULES, NOT_OURS],
  );
  assert.deepEqual(found, [], where);
}

for (const scheme of ['light', 'dark']) {
  inBrowser(`no page breaks a rule of WCAG 2.2 AA (${scheme})`, {}, async ({ page, through }) => {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    await page.goto(hubUrl.href);
    await page.waitForSelector('input[name=user]');
    await check(page, 'sign-in');
    await signIn(page, 'ben');
    await check(page, 'home');
    await page.getByRole('button', { name: 'Download Sales' }).click();
    await page.locator('[data-testid=preview]').waitFor();
    await check(page, 'download');
    await page.getByRole('dialog').getByRole('button', { name: 'Download' }).click();
    await page.locator('[data-testid=download-done]').waitFor();
    await check(page, 'download done');
    await page.getByRole('button', { name: 'Done' }).click();
    await openFromHome(page, 'Sales');
    await check(page, 'app');
    await page.getByRole('button', { name: 'Bookmarks and link' }).click();
    await page.locator('[data-testid=bookmarks]').waitFor();
    await check(page, 'bookmarks');
    await page.keyboard.press('Escape');
    for (const [place, what] of [['device', 'On this device'], ['settings', 'Settings']]) {
      await page.goto(`${hubUrl.href}#/${place}`);
      await page.getByRole('heading', { name: what }).waitFor();
      await check(page, place);
    }
    await keptByServiceWorker(page);
    await through.down();
    await page.reload();
    await page.locator('[data-testid=lock]').waitFor();
    await check(page, 'lock');
  });
}

inBrowser('a refusal breaks no rule of WCAG 2.2 AA', {}, async ({ page }) => {
  await signIn(page, 'dan');
  await page.getByRole('button', { name: 'Download Sales' }).click();
  await page.locator('[data-testid=refusal]').waitFor();
  await check(page, 'refusal');
});

/** Goes on with Tab until `target` has the focus; where the focus is can always be seen. */
async function tabTo(page, target, most = 80) {
  await target.waitFor();
  for (let n = 0; n < most; n += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) {
      const outline = await target.evaluate((element) => getComputedStyle(element).outlineStyle);
      assert.notEqual(outline, 'none', 'the focus is visible');
      return;
    }
    await page.keyboard.press('Tab');
  }
  assert.fail(`the keyboard does not reach ${target}`);
}

inBrowser('the keyboard alone goes from sign-in to an app without a connection', {}, async ({ page, through }) => {
  await page.goto(hubUrl.href);
  await tabTo(page, page.locator('input[name=user]'));
  await page.keyboard.type('DEMO\\ben');
  await page.keyboard.press('Tab');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await tabTo(page, page.locator('[data-testid=app-card]', { hasText: 'Sales' }).getByRole('link'));
  await page.keyboard.press('Enter');
  await drawn(page);
  await tabTo(page, page.getByTestId('download'));
  await keptByServiceWorker(page);
  await page.keyboard.press('Enter');
  await page.locator('[data-testid=preview]').waitFor();
  await tabTo(page, page.getByRole('dialog').getByRole('button', { name: 'Download' }));
  await page.keyboard.press('Enter');
  await page.locator('[data-testid=download-done]').waitFor();
  await tabTo(page, page.getByRole('link', { name: 'Open from this device' }));
  await page.keyboard.press('Enter');
  await drawn(page);
  await through.down();
  await page.reload();
  await tabTo(page, page.getByRole('button', { name: 'Unlock' }));
  await page.keyboard.press('Enter');
  await drawn(page);
});

inBrowser('charts have names', {}, async ({ page }) => {
  await signIn(page, 'ada');
  await openFromHome(page, 'Sales');
  await page.getByRole('region', { name: 'Sales by country and product, bar chart' }).waitFor();
  for (const cell of await page.locator('[data-testid=cell]').all()) assert.ok(await cell.getAttribute('aria-label'));
});

inBrowser('text at 200 % on 320 pixels needs no sideways scrolling', { viewport: { width: 320, height: 640 } }, async ({ page }) => {
  await page.addInitScript(() => addEventListener('DOMContentLoaded', () => (document.documentElement.style.fontSize = '200%')));
  const fits = async (where) => {
    const { wide, cut } = await page.evaluate(() => ({
      wide: document.documentElement.scrollWidth,
      // Things that end right of the screen without a box of their own that scrolls.
      cut: [...document.querySelectorAll('h1, h2, p, label, button, input, .card, .panel')]
        .filter((element) => !element.closest('.chart-host, [data-testid=selections], .scroll-x, .hidden'))
        .filter((element) => element.getBoundingClientRect().right > 321)
        .map((element) => element.outerHTML.slice(0, 80)),
    }));
    assert.equal(wide, 320, where);
    assert.deepEqual(cut, [], where);
  };
  await page.goto(hubUrl.href);
  await page.waitForSelector('input[name=user]');
  await fits('sign-in');
  await signIn(page, 'ben');
  await fits('home');
  await download(page, 'Sales');
  await fits('download done');
  await page.getByRole('button', { name: 'Done' }).click();
  await openFromHome(page, 'Sales');
  await fits('app');
  for (const [place, what] of [['device', 'On this device'], ['settings', 'Settings']]) {
    await page.goto(`${hubUrl.href}#/${place}`);
    await page.getByRole('heading', { name: what }).waitFor();
    await fits(place);
  }
});
