// Signing in with a real OpenID Connect provider, from the hub to it and back.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import { Provider } from 'oidc-provider';

import { caFile, inBrowser } from './support.mjs';

const BINARY = process.env.SATCHEL_HUB_BIN;
const tls = (file) => join(process.env.SATCHEL_HUB_TLS, file);

/** People as the provider knows them; whoever signs in there is one of them. */
const claims = (name) => ({
  sub: name,
  preferred_username: name,
  name: `${name} of the provider`,
  email: `${name}@example.org`,
  email_verified: true,
  groups: ['Sales', 'North'],
});

async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server.address().port;
}

/** The provider must know the hub's address and the hub the provider's. */
async function freePort() {
  const server = https.createServer();
  const port = await listen(server);
  await new Promise((done) => server.close(done));
  return port;
}

async function startProvider(back) {
  let callback = () => {};
  const options = { cert: readFileSync(tls('hub.pem')), key: readFileSync(tls('hub.key')) };
  const server = https.createServer(options, (request, response) => callback(request, response));
  const issuer = `https://localhost:${await listen(server)}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'satchel', client_secret: 'a secret: with signs&', redirect_uris: [back] }],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'], groups: ['groups'] },
    scopes: ['openid', 'profile', 'email', 'groups'],
    cookies: { keys: ['a key of this test'] },
    findAccount: (_, name) => ({ accountId: name, claims: () => claims(name) }),
  });
  callback = provider.callback();
  return {
    issuer,
    async stop() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function startHub(data, port) {
  const hub = spawn(BINARY, [
    'serve', '--data', data, '--listen', `127.0.0.1:${port}`, '--certificate', tls('hub.pem'), '--key', tls('hub.key'),
  ], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(createInterface(hub.stdout), 'line');
  return hub;
}

inBrowser('a person signs in with a real provider and is who it says', {}, async ({ page }) => {
  const folder = mkdtempSync(join(tmpdir(), 'satchel-provider-'));
  const data = join(folder, 'hub');
  // The provider lives in this process, which must not stand still meanwhile.
  const run = async (...args) => (await promisify(execFile)(BINARY, [...args, '--data', data])).stdout;
  const port = await freePort();
  const hubUrl = `https://localhost:${port}`;
  const provider = await startProvider(`${hubUrl}/api/v1/sign-in/with/corp/back`);
  let hub;
  try {
    await run('init', '--name', 'A hub with a provider');
    writeFileSync(join(folder, 'secret'), 'a secret: with signs&\n', { mode: 0o600 });
    await run(
      'sign-in', 'add-provider', 'corp', '--title', 'Corp account', '--issuer', provider.issuer, '--client-id', 'satchel',
      '--secret-file', join(folder, 'secret'), '--ca', caFile, '--scope', 'profile', '--scope', 'email', '--scope', 'groups',
      '--userinfo', '--name-claim', 'preferred_username', '--groups-claim', 'groups',
    );
    assert.match(await run('sign-in', 'test', 'corp'), /answers as it should/);
    await run('user', 'add', 'CORP\\grete', '--no-password');
    await run('licence', 'assign', 'CORP\\grete', 'professional');
    hub = await startHub(data, port);

    const ways = await page.goto(`${hubUrl}/api/v1/sign-in/ways`).then((answer) => answer.json());
    assert.deepEqual(ways.providers.map(({ title }) => title), ['Corp account']);
    await page.goto(`${hubUrl}${ways.providers[0].path}?to=/`);
    await page.fill('input[name=login]', 'grete');
    await page.fill('input[name=password]', 'what the provider does not check');
    await page.click('button[type=submit]');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.waitForURL(`${hubUrl}/**`);
    const me = await page.evaluate(async () => (await fetch('/api/v1/me')).json());
    assert.deepEqual([me.user, me.name, me.email, me.access_type, me.may_use_device], [
      'CORP\\GRETE', 'grete of the provider', 'grete@example.org', 'professional', true,
    ]);
    assert.match(await run('user', 'list'), /Sales, North/);
    assert.match(await run('audit', 'show'), /sign_in\.provider/);
  } finally {
    hub?.kill('SIGKILL');
    await provider.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});
