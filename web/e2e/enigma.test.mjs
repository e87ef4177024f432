// The unmodified enigma.js, from node, over WSS: open, page, select, follow changes.
import assert from 'node:assert/strict';
import https from 'node:https';
import { after, before, test } from 'node:test';
import { createRequire } from 'node:module';

import WebSocket from 'ws';

import { caPem, hubUrl, PASSWORD } from './support.mjs';

const require = createRequire(import.meta.url);
const enigma = require('enigma.js');
const schema = require('enigma.js/schemas/12.2027.0.json');

const ORIGIN = hubUrl.origin;

function call(method, path, { cookie, body } = {}) {
  return new Promise((resolve, reject) => {
    const request = https.request(
      new URL(path, hubUrl),
      {
        method,
        ca: caPem(),
        headers: { Origin: ORIGIN, 'Content-Type': 'application/json', ...(cookie ? { Cookie: cookie } : {}) },
      },
      (response) => {
        let text = '';
        response.on('data', (part) => (text += part));
        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: text ? JSON.parse(text) : null }));
      },
    );
    request.on('error', reject);
    request.end(body ? JSON.stringify(body) : undefined);
  });
}

async function client(user, suffix = '', options = {}) {
  const answer = await call('POST', '/api/v1/sign-in', { body: { user: `DEMO\\${user}`, password: PASSWORD } });
  assert.equal(answer.status, 200, `sign-in of ${user}`);
  const cookie = answer.headers['set-cookie'].map((line) => line.split(';')[0]).join('; ');
  const { body } = await call('GET', '/api/v1/apps', { cookie });
  const app = body.apps.find((entry) => entry.title.toLowerCase() === 'sales');
  assert.ok(app, 'the sales app is listed');
  const session = enigma.create({
    schema,
    url: `wss://${hubUrl.host}/app/${app.id}${suffix}`,
    ...options,
    createSocket: (url) => new WebSocket(url, { ca: caPem(), headers: { Cookie: cookie, Origin: ORIGIN } }),
  });
  const global = await session.open();
  return { session, global, app, doc: await global.openDoc(app.id) };
}

let ada;
before(async () => {
  ada = await client('ada');
});
after(() => ada?.session.close());

const cube = (definition) => ({
  qInfo: { qType: 'cube' },
  qHyperCubeDef: {
    qDimensions: [{ qDef: { qFieldDefs: ['COUNTRY'], qSortCriterias: [{ qSortByAscii: 1 }] } }],
    qMeasures: [{ qDef: { qDef: definition } }],
    qInitialDataFetch: [{ qTop: 0, qLeft: 0, qWidth: 2, qHeight: 100 }],
  },
});
const rows = (layout) => layout.qHyperCube.qDataPages[0].qMatrix.map((row) => [row[0].qText, row[1].qNum]);

test('a hypercube has the sums of the data', async () => {
  const object = await ada.doc.createSessionObject(cube('Sum(AMOUNT)'));
  assert.deepEqual(rows(await object.getLayout()), [['FRANCE', 4815], ['GERMANY', 6995], ['SWEDEN', 5590]]);
});

test('a selection changes other objects, which say so', async () => {
  const orders = await ada.doc.createSessionObject(cube('Count(Order)'));
  assert.deepEqual(rows(await orders.getLayout()), [['FRANCE', 5], ['GERMANY', 6], ['SWEDEN', 5]]);
  const changed = new Promise((resolve) => orders.once('changed', resolve));
  const field = await ada.doc.getField('PRODUCT');
  assert.equal(await field.selectValues([{ qText: 'FOOD', qIsNumeric: false, qNumber: 0 }], false, false), true);
  await changed;
  assert.deepEqual(rows(await orders.getLayout()), [['FRANCE', 2], ['GERMANY', 2], ['SWEDEN', 2]]);
  await ada.doc.clearAll();
  assert.deepEqual(rows(await orders.getLayout()), [['FRANCE', 5], ['GERMANY', 6], ['SWEDEN', 5]]);
});

test('a list object pages and knows its states', async () => {
  const list = await ada.doc.createSessionObject({
    qInfo: { qType: 'list' },
    qListObjectDef: { qDef: { qFieldDefs: ['Customer'], qSortCriterias: [{ qSortByAscii: 1 }] }, qInitialDataFetch: [] },
  });
  const page = async (top, height) =>
    (await list.getListObjectData('/qListObjectDef', [{ qTop: top, qLeft: 0, qWidth: 1, qHeight: height }]))[0].qMatrix.map(([cell]) => [cell.qText, cell.qState]);
  assert.deepEqual(await page(0, 2), [['Alpha Works', 'O'], ['Beta Foods', 'O']]);
  assert.deepEqual(await page(4, 10), [['Gamma Trading', 'O'], ['Zeta Homes', 'O']]);
  await list.selectListObjectValues('/qListObjectDef', [(await list.getListObjectData('/qListObjectDef', [{ qTop: 0, qLeft: 0, qWidth: 1, qHeight: 1 }]))[0].qMatrix[0][0].qElemNumber], true);
  const states = new Map(await page(0, 10));
  assert.equal(states.get('Alpha Works'), 'S');
  assert.equal(states.get('Beta Foods'), 'A');
  await ada.doc.clearAll();
});

test('a method that does not exist answers -32601', async () => {
  const answer = await ada.session.rpc.send({ handle: -1, method: 'NoSuchMethod', params: [] });
  assert.equal(answer.error?.code, -32601);
});

test('a session that was suspended resumes with its selections and objects', async () => {
  const eva = await client('ada', '/identity/resume/ttl/60', { suspendOnClose: true });
  try {
    const object = await eva.doc.createSessionObject(cube('Sum(AMOUNT)'));
    const field = await eva.doc.getField('PRODUCT');
    await field.selectValues([{ qText: 'FOOD', qIsNumeric: false, qNumber: 0 }], false, false);
    const before = rows(await object.getLayout());
    await eva.session.suspend();
    await eva.session.resume();
    assert.equal(await eva.doc.backCount(), 1);
    assert.deepEqual(rows(await object.getLayout()), before);
  } finally {
    await eva.session.close();
  }
});

test('a second connection of the same person hears of a selection', async () => {
  const [one, two] = [await client('ada', '/identity/pair'), await client('ada', '/identity/pair')];
  try {
    const object = await one.doc.createSessionObject(cube('Sum(AMOUNT)'));
    await object.getLayout();
    const changed = new Promise((resolve) => object.once('changed', resolve));
    const field = await two.doc.getField('PRODUCT');
    await field.selectValues([{ qText: 'FOOD', qIsNumeric: false, qNumber: 0 }], false, false);
    await changed;
    assert.equal(await one.doc.backCount(), 1);
  } finally {
    await one.session.close();
    await two.session.close();
  }
});

test('another person sees less of the same app', async () => {
  const ben = await client('ben');
  try {
    const object = await ben.doc.createSessionObject(cube('Sum(AMOUNT)'));
    assert.deepEqual(rows(await object.getLayout()), [['GERMANY', 6995]]);
  } finally {
    await ben.session.close();
  }
});
