// The second factor, as people set it up, use it and lose their phone.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';

import { PASSWORD, addPerson, administer, hubUrl, inBrowser } from './support.mjs';

/** What an authenticator app shows; `ahead` steps of thirty seconds from now. */
function appCode(secret, ahead = 0) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret.replaceAll(' ', '')].map((c) => alphabet.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const mac = createHmac('sha1', key).update(step).digest();
  const number = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}

async function password(page, user) {
  await page.goto(hubUrl.href);
  await page.fill('input[name=user]', user);
  await page.fill('input[name=password]', PASSWORD);
  await page.click('button[type=submit]');
}

/** Gives the first code and takes the recovery codes down. */
async function confirm(page) {
  const secret = await page.getByTestId('second-factor-secret').innerText();
  await page.fill('input[name=code]', appCode(secret));
  await page.getByRole('button', { name: 'Confirm' }).click();
  await page.getByTestId('recovery-codes').waitFor();
  const codes = await page.getByTestId('recovery-codes').locator('li').allInnerTexts();
  assert.equal(codes.length, 10);
  await page.getByRole('button', { name: 'I have them' }).click();
  return { secret, codes };
}

async function signOut(page) {
  await page.goto(`${hubUrl.href}#/settings`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.locator('input[name=user]').waitFor();
}

inBrowser('a second factor is set up in Settings, asked for, and switched off', {}, async ({ page }) => {
  const user = addPerson('twofold');
  await password(page, user);
  await page.waitForSelector('[data-testid=app-card]');
  await page.goto(`${hubUrl.href}#/settings`);
  await page.getByRole('button', { name: 'Set up' }).click();
  await page.fill('input[name=password]', PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('img', { name: 'The key as a QR code' }).waitFor();
  const { secret, codes } = await confirm(page);
  await page.getByText('10 codes left').waitFor();

  await signOut(page);
  await password(page, user);
  // A wrong code first; the password need not be given again.
  await page.fill('input[name=code]', '000000');
  await page.keyboard.press('Enter');
  await page.locator('[data-code="sign_in.code_wrong"]').waitFor();
  // The hub takes the next step's code, too, so that nobody waits for it.
  await page.fill('input[name=code]', appCode(secret, 1));
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-testid=app-card]');

  await page.goto(`${hubUrl.href}#/settings`);
  await page.getByRole('button', { name: 'Switch off' }).click();
  await page.fill('input[name=password]', PASSWORD);
  await page.getByRole('button', { name: 'Use a recovery code' }).click();
  await page.fill('input[name=code]', codes[0]);
  await page.getByRole('dialog').getByRole('button', { name: 'Switch off' }).click();
  await page.getByRole('button', { name: 'Set up' }).waitFor();
});

inBrowser('who must have a second factor is led through it at the sign-in', { viewport: { width: 390, height: 844 } }, async ({ page }) => {
  const user = addPerson('required');
  administer('user', 'second-factor', user, '--require');
  await password(page, user);
  const { codes } = await confirm(page);
  await page.waitForSelector('[data-testid=app-card]');
  await page.goto(`${hubUrl.href}#/settings`);
  await page.getByText('On. This hub requires it.').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Switch off' }).count(), 0);

  // The phone is gone: a recovery code, then the administrator.
  await signOut(page);
  await password(page, user);
  await page.getByRole('button', { name: 'Use a recovery code' }).click();
  await page.fill('input[name=code]', codes[9].toLowerCase());
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-testid=app-card]');
  administer('user', 'second-factor', user, '--reset');
  await page.goto(hubUrl.href);
  await password(page, user);
  await page.getByTestId('second-factor-set-up').waitFor();
});
