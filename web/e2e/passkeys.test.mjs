// Passkeys that sign in, with the authenticator Chromium brings along for tests.
import assert from 'node:assert/strict';

import { PASSWORD, addPerson, administer, hubUrl, inBrowser } from './support.mjs';

async function withPassword(page, user) {
  await page.goto(hubUrl.href);
  await page.fill('input[name=user]', user);
  await page.fill('input[name=password]', PASSWORD);
  await page.click('button[type=submit]');
  await page.waitForSelector('[data-testid=app-card]');
}

async function add(page, name) {
  await page.goto(`${hubUrl.href}#/settings`);
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.fill('input[name=passkey-name]', name);
  await page.keyboard.press('Enter');
}

const listed = (page, name) => page.getByTestId('passkeys').getByText(name, { exact: true });

async function signOut(page) {
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.locator('input[name=user]').waitFor();
}

inBrowser('a passkey is added, signs in, is renamed and removed', {}, async ({ page }) => {
  const user = addPerson('keyed');
  await withPassword(page, user);
  await add(page, 'A test key');
  await listed(page, 'A test key').waitFor();
  // The same authenticator makes no second one.
  await add(page, 'Once more');
  await page.locator('[data-code="passkey.known"]').waitFor();
  await page.keyboard.press('Escape');

  await signOut(page);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  // Whoever signs in again is where they were.
  await page.getByTestId('passkeys').waitFor();
  const me = await page.evaluate(async () => (await fetch('/api/v1/me')).json());
  assert.equal(me.user, user.toUpperCase());

  await page.getByText('Last used').waitFor();
  await page.getByRole('button', { name: 'Rename A test key' }).click();
  await page.fill('input[name=passkey-name]', 'My key');
  await page.keyboard.press('Enter');
  await listed(page, 'My key').waitFor();
  assert.deepEqual(administer('user', 'passkeys', user).map(({ name }) => name), ['My key']);

  page.once('dialog', (dialog) => void dialog.accept());
  await page.getByRole('button', { name: 'Remove My key' }).click();
  await listed(page, 'My key').waitFor({ state: 'detached' });
  await signOut(page);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.locator('[data-code="passkey.unknown"]').waitFor();
});

inBrowser('a passkey needs no code, and one without a person behind it is refused', {}, async ({ page, authenticator }) => {
  const user = addPerson('keyedtwice');
  await withPassword(page, user);
  await add(page, 'A test key');
  await listed(page, 'A test key').waitFor();
  administer('user', 'second-factor', user, '--require');
  await signOut(page);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  // Whoever signs in again is where they were.
  await page.getByTestId('passkeys').waitFor();

  await signOut(page);
  await authenticator.verifies(false);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.locator('[data-code="passkey.not_used"]').waitFor();
});
