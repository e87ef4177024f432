// A load test of a hub: many idle sessions and many that click, over TLS as clients connect.
//
// usage: node bench/sessions.mjs [--idle 2000] [--active 200] [--seconds 60] [--think 5000]
//                                [--app TITLE] [--replay FILE.har] [--seed 1]
//
// An active session opens the app, makes every chart and list box of its sheets, and clicks: a
// value of a list box is selected, or all selections are cleared, and everything is asked for
// anew. Between clicks it thinks, for `think` milliseconds on average. With `--replay` the
// frames that a browser sent are sent instead, in their order and with their pauses: save the
// network log of the browser's developer tools as a HAR file while using an app.
//
// The environment says which hub: SATCHEL_URL, SATCHEL_CA, and SATCHEL_HUB_PID for its memory.
// Ends with 1 if anything was answered with an error.
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { parseArgs } from 'node:util';

import WebSocket from 'ws';

const { values: options } = parseArgs({
  options: Object.fromEntries(
    Object.entries({ idle: '2000', active: '200', seconds: '60', think: '5000', app: 'Flights from New York', replay: '', seed: '1' }).map(
      ([name, built_in]) => [name, { type: 'string', default: built_in }],
    ),
  ),
});
const [N_IDLE, N_ACTIVE, SECONDS, THINK_MS] = ['idle', 'active', 'seconds', 'think'].map((name) => Number(options[name]));
const hub = new URL(process.env.SATCHEL_URL);
const ca = readFileSync(process.env.SATCHEL_CA);
const PASSWORD = 'satchel-demo';
/** Demo users who may open apps of the stream, each with rows of their own. */
const USERS = ['ada', 'ben', 'cleo', 'dan'];
/** Sessions that are opened at the same time. */
const OPENING = 16;

let seed = Number(options.seed);
/** From 0 up to 1, the same in every run. */
const random = () => ((seed = (seed * 48271) % 2147483647) - 1) / 2147483646;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const agent = new https.Agent({ keepAlive: true, ca });
function call(method, path, { cookie, body } = {}) {
  return new Promise((resolve, reject) => {
    const headers = { Origin: hub.origin, 'Content-Type': 'application/json', ...(cookie ? { Cookie: cookie } : {}) };
    const request = https.request(new URL(path, hub), { method, agent, headers }, (answer) => {
      let text = '';
      answer.on('data', (part) => (text += part));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: text ? JSON.parse(text) : null }));
    });
    request.on('error', reject);
    request.end(body ? JSON.stringify(body) : undefined);
  });
}

const people = await Promise.all(
  USERS.map(async (user) => {
    const { status, headers } = await call('POST', '/api/v1/sign-in', { body: { user: `DEMO\\${user}`, password: PASSWORD } });
    if (status >= 400) throw new Error(`${user} could not sign in: ${status}`);
    return headers['set-cookie'].map((line) => line.split(';')[0]).join('; ');
  }),
);
const { body: listed } = await call('GET', '/api/v1/apps', { cookie: people[0] });
const app = (listed.apps ?? listed).find(({ title, name }) => (title ?? name) === options.app)?.id;
if (!app) throw new Error(`no app is called ${options.app}`);

let errors = 0;
const failed = (what) => {
  errors += 1;
  if (errors <= 5) console.error(`  ✗ ${what}`);
};

/** A session of one person: `ask` sends a request and waits for its answer. */
class Session {
  #socket;
  #waiting = new Map();
  #next = 1;
  #ending = false;

  static async open(cookie) {
    const session = new Session();
    session.#socket = new WebSocket(new URL(`/app/${app}`, hub.href.replace('https', 'wss')), {
      ca,
      headers: { Cookie: cookie, Origin: hub.origin },
      perMessageDeflate: false,
    });
    session.#socket.on('message', (data) => session.#receive(JSON.parse(data)));
    session.#socket.on('close', (code) => session.#ending || failed(`a session was closed: ${code}`));
    await new Promise((opened, refused) => session.#socket.once('open', opened).once('error', refused));
    return session;
  }

  /** The answer; `null` after an error, which is counted. */
  ask(handle, method, params) {
    return this.send({ jsonrpc: '2.0', id: this.#next++, handle, method, params });
  }

  send(request) {
    return new Promise((resolve) => {
      this.#waiting.set(request.id, { resolve, method: request.method });
      this.#socket.send(JSON.stringify(request));
    });
  }

  close() {
    this.#ending = true;
    this.#socket.close();
  }

  #receive(frame) {
    const waiting = this.#waiting.get(frame.id);
    if (!waiting) return;
    this.#waiting.delete(frame.id);
    if (frame.error) failed(`${waiting.method}: ${JSON.stringify(frame.error)}`);
    waiting.resolve(frame.result ?? null);
  }
}

const clicks = [];
let until = Infinity;

/** Opens the app with everything its sheets show, and gives what a click is. */
async function screenOf(session) {
  const doc = (await session.ask(-1, 'OpenDoc', [app])).qReturn.qHandle;
  const infos = (await session.ask(doc, 'GetAllInfos', [])).qInfos;
  const objects = [];
  const fields = [];
  for (const { qId, qType } of infos) {
    if (['dimension', 'measure', 'variable', 'bookmark', 'sheet'].includes(qType)) continue;
    const handle = (await session.ask(doc, 'GetObject', [qId])).qReturn.qHandle;
    const { qProp } = await session.ask(handle, 'GetProperties', []);
    if (qProp.qHyperCubeDef) objects.push(handle);
    const list = qProp.qListObjectDef && (qProp.qListObjectDef.qDef?.qFieldDefs ?? [])[0];
    if (list) fields.push({ list: handle });
  }
  const layouts = () => Promise.all([...objects, ...fields.map(({ list }) => list)].map((handle) => session.ask(handle, 'GetLayout', [])));
  await layouts();
  return async () => {
    if (fields.length === 0 || random() < 0.2) await session.ask(doc, 'ClearAll', []);
    else {
      const { list } = fields[Math.floor(random() * fields.length)];
      const { qDataPages } = await session.ask(list, 'GetListObjectData', ['/qListObjectDef', [{ qTop: 0, qLeft: 0, qWidth: 1, qHeight: 50 }]]);
      const rows = qDataPages[0]?.qMatrix ?? [];
      const chosen = rows[Math.floor(random() * rows.length)]?.[0].qElemNumber;
      if (chosen !== undefined) await session.ask(list, 'SelectListObjectValues', ['/qListObjectDef', [chosen], false]);
    }
    await layouts();
  };
}

async function clicking(session) {
  const click = await screenOf(session);
  return async () => {
    for (;;) {
      await pause(THINK_MS * 2 * random());
      if (performance.now() > until) return;
      const from = performance.now();
      await click();
      clicks.push(performance.now() - from);
    }
  };
}

/** The frames a page sent, with the milliseconds between them. */
function recording(file) {
  const { entries } = JSON.parse(readFileSync(file, 'utf8')).log;
  const sent = entries.flatMap((entry) => entry._webSocketMessages ?? []).filter(({ type }) => type === 'send');
  return sent.map(({ data, time }, at) => ({ request: JSON.parse(data), after: at === 0 ? 0 : (time - sent[at - 1].time) * 1000 }));
}

function replaying(frames) {
  return async (session) => async () => {
    for (const { request, after } of frames) {
      await pause(after);
      if (performance.now() > until) return;
      const own = request.method === 'OpenDoc' ? { ...request, params: [app] } : request;
      const from = performance.now();
      await session.send(own);
      clicks.push(performance.now() - from);
    }
  };
}

/** Opens `n` sessions, some at a time. */
async function openAll(n, made) {
  const all = [];
  const workers = Array.from({ length: OPENING }, async () => {
    while (all.length < n) {
      const at = all.push(null) - 1;
      const session = await Session.open(people[at % people.length]);
      all[at] = { session, run: await made(session) };
    }
  });
  await Promise.all(workers);
  return all;
}

const memory = () => {
  const pid = process.env.SATCHEL_HUB_PID;
  if (!pid) return null;
  return Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024;
};
const shown = (mib) => (mib === null ? '' : `; the hub takes ${mib.toFixed(0)} MiB`);

const before = memory();
console.log(`opening ${N_IDLE} idle sessions${shown(before)}`);
const idle = await openAll(N_IDLE, async (session) => void (await session.ask(-1, 'OpenDoc', [app])));
console.log(`opening ${N_ACTIVE} sessions that click${shown(memory())}`);
const active = await openAll(N_ACTIVE, options.replay ? replaying(recording(options.replay)) : clicking);
const begun = memory();
console.log(`clicking for ${SECONDS} s${shown(begun)}`);
until = performance.now() + SECONDS * 1000;
await Promise.all(active.map(({ run }) => run()));
const ended = memory();

clicks.sort((a, b) => a - b);
const at = (share) => clicks[Math.min(clicks.length - 1, Math.floor(clicks.length * share))].toFixed(0);
console.log(`  ${clicks.length} ${options.replay ? 'requests' : 'clicks'}, ${(clicks.length / SECONDS).toFixed(0)} a second; ms: half ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}, longest ${at(1)}`);
if (begun !== null) console.log(`  memory of the hub, MiB: ${before.toFixed(0)} alone, ${begun.toFixed(0)} with all sessions open, ${ended.toFixed(0)} at the end`);
console.log(`  ${errors} errors`);
for (const { session } of [...idle, ...active]) session.close();
process.exitCode = errors > 0 ? 1 : 0;
