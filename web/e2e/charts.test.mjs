// Charts by mouse and keys, as nebula draws them: ranges on axes, the lasso, opening and closing
// in a pivot table, drilling down, sorting a table, list boxes with their toolbars.
import assert from 'node:assert/strict';

import { drawn, inBrowser, object, openFromHome, shows, signIn } from './support.mjs';

const selections = (page) => page.locator('[data-testid=selections]');

/** A point of an object, in shares of its width and height. */
async function pointOf(page, id, [x, y]) {
  const box = await object(page, id).boundingBox();
  return [box.x + box.width * x, box.y + box.height * y];
}

async function draw(page, id, [first, ...others]) {
  await page.mouse.move(...(await pointOf(page, id, first)));
  await page.mouse.down();
  for (const point of others) await page.mouse.move(...(await pointOf(page, id, point)), { steps: 10 });
  await page.mouse.up();
}

/** Presses `clear`, `cancel` or `confirm` in the toolbar of the selection. */
const tool = (page, name) => page.locator(`[data-testid=actions-toolbar-${name}]`).click();

/**
 * Does `step` until `seen` comes, twice at most: a chart that draws itself anew because its room
 * changed listens to nothing meanwhile, and a person would try again, too.
 */
async function insist(step, seen) {
  for (let tries = 0; ; tries += 1) {
    await step();
    try {
      return await seen(10_000);
    } catch (thrown) {
      if (tries === 1) throw thrown;
    }
  }
}

/** Draws with the mouse until something is selected, and confirms. */
async function selectBy(page, field, gesture) {
  const pill = selections(page).getByText(field, { exact: true });
  await insist(gesture, (timeout) => pill.waitFor({ timeout }));
  const toolbar = page.locator('[data-testid=actions-toolbar], .njs-action-toolbar-popover').first();
  await insist(
    () => page.keyboard.press('Enter'),
    (timeout) => toolbar.waitFor({ state: 'detached', timeout }),
  );
}

async function sheetOf(page, app, title) {
  await signIn(page, 'ada');
  await openFromHome(page, app);
  if (title) {
    await page.getByRole('link', { name: title }).click();
    await drawn(page);
  }
}

const CUSTOMERS = ['Alpha Works', 'Beta Foods', 'Delta Nordic', 'Epsilon Interior', 'Gamma Trading', 'Zeta Homes'];

/** The customers a table shows, from top to bottom. */
const customersIn = (page, id) =>
  object(page, id).locator('*').evaluateAll(
    (parts, known) =>
      parts
        .filter((part) => part.children.length === 0 && known.includes(part.textContent.trim()))
        .sort((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
        .map((part) => part.textContent.trim()),
    CUSTOMERS,
  );

inBrowser('a range on the value axis of a scatter plot selects what lies in it', {}, async ({ page }) => {
  await sheetOf(page, 'Sales', 'What you may see');
  await shows(page, 'table-discounts', 'Alpha Works');
  await selectBy(page, 'Customer', () => draw(page, 'scatter-customers', [[0.13, 0.79], [0.13, 0.525]]));
  await object(page, 'table-discounts').getByText('Alpha Works').waitFor({ state: 'detached' });
  assert.deepEqual((await customersIn(page, 'table-discounts')).sort(), ['Delta Nordic', 'Epsilon Interior', 'Gamma Trading']);
});

inBrowser('the lasso selects what it goes round', {}, async ({ page }) => {
  await sheetOf(page, 'Sales', 'What you may see');
  await shows(page, 'table-discounts', 'Alpha Works');
  await selectBy(page, 'Customer', async () => {
    await page.keyboard.down('Shift');
    await draw(page, 'scatter-customers', [[0.4, 0.3], [0.75, 0.3], [0.75, 0.65], [0.4, 0.65], [0.4, 0.3]]);
    await page.keyboard.up('Shift');
  });
  await object(page, 'table-discounts').getByText('Alpha Works').waitFor({ state: 'detached' });
  assert.deepEqual((await customersIn(page, 'table-discounts')).sort(), ['Beta Foods', 'Delta Nordic', 'Gamma Trading', 'Zeta Homes']);
});

inBrowser('a range along the dates of a line chart, and on its values, selects dates', {}, async ({ page }) => {
  await sheetOf(page, 'Sales');
  await shows(page, 'kpi-orders', '16');
  await selectBy(page, 'Date', () => draw(page, 'line-date', [[0.3, 0.6], [0.6, 0.6]]));
  await object(page, 'kpi-orders').getByText('16', { exact: true }).waitFor({ state: 'detached' });
  // Every order has a date of its own.
  const chosen = Number((await selections(page).innerText()).match(/(\d+) of 16/)?.[1]);
  assert.ok(chosen > 2 && chosen < 9, `${chosen} dates`);
  await shows(page, 'kpi-orders', String(chosen));

  await page.getByRole('button', { name: 'Clear all selections' }).click();
  await shows(page, 'kpi-orders', '16');
  await selectBy(page, 'Date', () => draw(page, 'line-date', [[0.12, 0.5], [0.12, 0.3]]));
  await object(page, 'kpi-orders').getByText('16', { exact: true }).waitFor({ state: 'detached' });
  const among = Number((await selections(page).innerText()).match(/(\d+) of 16/)?.[1]);
  assert.ok(among > 2 && among < 14, `${among} dates`);
  await shows(page, 'kpi-orders', String(among));
});

inBrowser('a bar and the values under the bars are selected by mouse, and given up, cleared and confirmed in the toolbar', {}, async ({ page }) => {
  await sheetOf(page, 'Sales');
  await shows(page, 'kpi-orders', '16');
  const france = () => draw(page, 'bar-country', [[0.2, 0.55]]);
  const franceOnly = (timeout) => object(page, 'kpi-orders').getByText('5', { exact: true }).first().waitFor({ timeout });
  await insist(france, franceOnly);
  await tool(page, 'clear');
  await shows(page, 'kpi-orders', '16');
  await insist(france, franceOnly);
  await tool(page, 'confirm');
  await page.getByRole('button', { name: 'Clear all selections' }).click();
  await shows(page, 'kpi-orders', '16');
  await selectBy(page, 'COUNTRY', () => draw(page, 'bar-country', [[0.2, 0.72], [0.32, 0.72]]));
  await shows(page, 'kpi-orders', '11');
  await page.getByRole('button', { name: 'Clear all selections' }).click();
  await shows(page, 'kpi-orders', '16');
  await insist(france, franceOnly);
  await tool(page, 'cancel');
  await shows(page, 'kpi-orders', '16');
});

inBrowser('a click on the head of a column sorts the table, and again turns it round', {}, async ({ page }) => {
  await sheetOf(page, 'Sales');
  await shows(page, 'table-orders', 'Alpha Works');
  const head = object(page, 'table-orders').getByText('Customer', { exact: true }).first();
  const first = async (name) => {
    for (let looks = 0; looks < 200; looks += 1) {
      const shown = await customersIn(page, 'table-orders');
      if (shown[0] === name && shown[1] === name) return shown;
    }
    throw new Error(`${name} does not come first`);
  };
  await head.click();
  const up = await first('Alpha Works');
  assert.deepEqual(up, [...up].sort());
  await head.click();
  const down = await first('Zeta Homes');
  assert.deepEqual(down, [...down].sort().reverse());
});

inBrowser('a search in a list box finds values, and Enter selects them', {}, async ({ page }) => {
  await sheetOf(page, 'Sales');
  await shows(page, 'kpi-customers', '6');
  const pane = object(page, 'filters-sales');
  const list = pane.locator('[data-testid=filterpane-listbox-container]').last();
  await list.locator('[data-testid=search-toggle-btn]').click();
  await page.keyboard.type('eta');
  await list.getByText('Alpha Works').waitFor({ state: 'detached' });
  const [field, room] = await Promise.all([list.locator('input').boundingBox(), list.boundingBox()]);
  assert.ok(field.x >= room.x && field.x + field.width <= room.x + room.width, 'the field for searching lies in its list');
  const items = await list.locator('[data-testid="listbox.item"]').allInnerTexts();
  assert.deepEqual(items.map((text) => text.replaceAll('\n', '')).sort(), ['Beta Foods', 'Zeta Homes']);
  await page.keyboard.press('Enter');
  await shows(page, 'kpi-customers', '2');
});

inBrowser('the toolbar of a list box selects all, alternative and excluded values, and gives up', {}, async ({ page }) => {
  await sheetOf(page, 'Sales');
  await shows(page, 'kpi-orders', '16');
  const choose = async (what) => {
    await page.locator('[data-testid=actions-toolbar-more]').click();
    await page.getByRole('menuitem', { name: what }).click();
  };
  const germany = object(page, 'filters-sales').getByText('GERMANY', { exact: true }).first();
  await germany.click();
  await shows(page, 'kpi-orders', '6');
  await choose('Select alternative');
  await shows(page, 'kpi-orders', '10');
  await choose('Select excluded');
  await shows(page, 'kpi-orders', '6');
  await choose('Select all');
  await shows(page, 'kpi-orders', '16');
  await tool(page, 'cancel');
  await selections(page).getByText('COUNTRY', { exact: true }).waitFor({ state: 'detached' });
});

inBrowser('a drill-down goes down by selecting, and up by its path', {}, async ({ page }) => {
  await sheetOf(page, 'Flights', 'Causes');
  const path = object(page, 'bar-manufacturer');
  await selectBy(page, 'Manufacturer', () => draw(page, 'bar-manufacturer', [[0.32, 0.22]]));
  await path.locator('button[title=Model]').waitFor();
  await path.locator('button[title=Manufacturer]').click();
  await path.locator('button[title=Model]').waitFor({ state: 'detached' });
  await selections(page).getByText('Manufacturer', { exact: true }).waitFor({ state: 'detached' });
});

inBrowser('rows of a pivot table open and close, whichever they are', {}, async ({ page }) => {
  await sheetOf(page, 'Flights', 'Routes');
  const pivot = object(page, 'pivot-airline');
  const row = (name) => pivot.locator('[data-testid=dimension-cell]', { hasText: name });
  const airports = pivot.locator('[data-testid=dimension-cell]', { hasText: /^(EWR|JFK|LGA)$/ });
  await row('American Airlines').waitFor();
  assert.equal(await airports.count(), 0);
  // Not the first row: those above and below stay closed beside it.
  await row('American Airlines').locator('[data-testid=expand-icon]').click();
  await airports.nth(2).waitFor();
  await row('AirTran').locator('[data-testid=expand-icon]').click();
  await airports.nth(3).waitFor();
  await row('American Airlines').locator('[data-testid=collapse-icon]').click();
  await airports.nth(1).waitFor({ state: 'detached' });
  await row('AirTran').locator('[data-testid=collapse-icon]').click();
  await airports.first().waitFor({ state: 'detached' });
  await row('Alaska Airlines').waitFor();
  assert.equal(await selections(page).getByText('Airline').count(), 0, 'opening is not selecting');
});
