// What the benchmark of clicks runs inside a page. Each function is sent there as its text, and
// so stands alone.

/** Our side: the device worker of this page answers frames as charts send them. */
export async function ourClicks({ app, work, repeats }) {
  const worker = globalThis.deviceWorker;
  const open = new Map();
  let next = 1e9;
  worker.addEventListener('message', ({ data }) => {
    const waiting = open.get(data.id);
    open.delete(data.id);
    if (waiting) data.failure ? waiting.reject(new Error(JSON.stringify(data.failure))) : waiting.resolve(data.value);
  });
  const call = (op, arg) =>
    new Promise((resolve, reject) => {
      const id = next++;
      open.set(id, { resolve, reject });
      worker.postMessage({ id, op, arg });
    });
  const qix = async (socket, handle, method, params) => {
    const id = next++;
    const frames = await call('frame', { socket, frame: JSON.stringify({ jsonrpc: '2.0', id, handle, method, params }) });
    const answer = frames.map((f) => JSON.parse(f)).find((f) => f.id === id);
    if (!answer || answer.error) throw new Error(`${method}: ${JSON.stringify(answer?.error)}`);
    return answer.result;
  };
  const expression = ([op, field]) =>
    ({ count: `Count(${field})`, sum: `Sum(${field})`, avg: `Avg(${field})`, count_distinct: `Count(DISTINCT ${field})` })[op];
  const handleOf = (result) => result.qReturn.qHandle;

  /** Opens the app in a socket of its own, with every object of the screen. */
  const screen = async () => {
    const socket = next++;
    await call('openSocket', { socket, app });
    const doc = handleOf(await qix(socket, -1, 'OpenDoc', [app]));
    const objects = [];
    for (const field of work.lists) {
      const def = { qDef: { qFieldDefs: [field] }, qInitialDataFetch: [{ qTop: 0, qLeft: 0, qWidth: 1, qHeight: 20 }] };
      objects.push({ list: field, handle: handleOf(await qix(socket, doc, 'CreateSessionObject', [{ qInfo: { qType: 'list' }, qListObjectDef: def }])) });
    }
    for (const { name, by, measures } of work.cubes) {
      const qWidth = by.length + measures.length;
      const def = {
        qDimensions: by.map((field) => ({ qDef: { qFieldDefs: [field] } })),
        qMeasures: measures.map((measure) => ({ qDef: { qDef: expression(measure) } })),
        qInitialDataFetch: [{ qTop: 0, qLeft: 0, qWidth, qHeight: Math.floor(10_000 / qWidth) }],
      };
      objects.push({ cube: name, handle: handleOf(await qix(socket, doc, 'CreateSessionObject', [{ qInfo: { qType: 'cube' }, qHyperCubeDef: def }])) });
    }
    const fields = {};
    const fieldOf = async (name) => (fields[name] ??= handleOf(await qix(socket, doc, 'GetField', [name, '$'])));
    const value = (v) => (typeof v === 'string' ? { qText: v, qIsNumeric: false } : { qNumber: v, qIsNumeric: true });
    const layouts = async () => {
      const all = await Promise.all(objects.map(({ handle }) => qix(socket, handle, 'GetLayout', [])));
      return all.map(({ qLayout }) => qLayout);
    };
    return {
      layouts,
      clear: () => qix(socket, doc, 'ClearAll', []),
      /** All fields of a state are selected, then every object is asked for its layout. */
      async click(select) {
        const handles = await Promise.all(Object.keys(select).map(fieldOf));
        const from = performance.now();
        await Promise.all(Object.values(select).map((values, at) => qix(socket, handles[at], 'SelectValues', [values.map(value), false, false])));
        const shown = await layouts();
        return { ms: performance.now() - from, shown };
      },
      answer(shown) {
        const lists = {}, cubes = {};
        shown.forEach((layout, at) => {
          if (objects[at].list) {
            const { qOption, qSelected, qAlternative } = layout.qListObject.qDimensionInfo.qStateCounts;
            lists[objects[at].list] = qOption + qSelected + qAlternative;
          } else {
            const cell = ({ qNum, qText, qIsNull }) => (qIsNull ? null : typeof qNum === 'number' ? qNum : qText);
            const { by } = work.cubes.find(({ name }) => name === objects[at].cube);
            const rows = layout.qHyperCube.qDataPages[0].qMatrix;
            cubes[objects[at].cube] = rows.map((row) => row.map((c, column) => (column < by.length || typeof c.qNum === 'number' ? cell(c) : null)));
          }
        });
        return { lists, cubes };
      },
      close: () => call('closeSocket', { socket }),
    };
  };

  const from = performance.now();
  let now = await screen();
  await now.layouts();
  const startMs = performance.now() - from;
  const states = {};
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    // A session of its own each time: results of the one before are forgotten with it.
    await now.close();
    now = await screen();
    await now.click({ origin: ['LGA'] });
    for (const { name, select } of work.states) {
      await now.clear();
      const { ms, shown } = await now.click(select);
      const state = (states[name] ??= { ms: [], answer: now.answer(shown) });
      state.ms.push(ms);
    }
  }
  return { startMs, states };
}

/** DuckDB-WASM over one table, texts coded as enumerations. */
export async function duckdbClicks({ work, repeats }) {
  const from = performance.now();
  const duckdb = await import('/duckdb.js');
  const db = new duckdb.AsyncDuckDB(new duckdb.VoidLogger(), new Worker('/duckdb-browser-eh.worker.js'));
  await db.instantiate('/duckdb-eh.wasm');
  const connection = await db.connect();
  const query = async (sql) => (await connection.query(sql)).toArray().map((row) => Object.values(row.toJSON()));
  await db.registerFileText('flat.csv', await (await fetch('/flat.csv')).text());
  await connection.query("CREATE TABLE flat AS SELECT * FROM read_csv('flat.csv')");
  for (const [column, type] of await query('DESCRIBE flat')) {
    if (type !== 'VARCHAR' || column.endsWith('wkey')) continue;
    await connection.query(`CREATE TYPE e_${column} AS ENUM (SELECT DISTINCT ${column} FROM flat WHERE ${column} IS NOT NULL ORDER BY 1)`);
    await connection.query(`ALTER TABLE flat ALTER ${column} TYPE e_${column}`);
  }
  const startMs = performance.now() - from;

  const literal = (v) => (typeof v === 'string' ? `'${v}'` : v);
  const where = (select) => Object.entries(select).map(([field, values]) => `${field} IN (${values.map(literal)})`);
  const measure = ([op, field], at) =>
    `${{ count: `count(${field})`, sum: `coalesce(sum(${field}), 0)::DOUBLE`, avg: `avg(${field})`, count_distinct: `count(DISTINCT ${field})` }[op]} AS m${at}`;
  const plain = (v) => (typeof v === 'bigint' ? Number(v) : v);
  const states = {};
  for (const { name, select } of work.states) {
    const plans = {};
    for (const field of work.lists) {
      const others = Object.fromEntries(Object.entries(select).filter(([f]) => f !== field));
      plans[`list ${field}`] = `SELECT DISTINCT ${field} FROM flat WHERE ${[`${field} IS NOT NULL`, ...where(others)].join(' AND ')}`;
    }
    for (const { name: cube, by, measures } of work.cubes) {
      const group = by.length ? ` GROUP BY ${by}` : '';
      plans[cube] = `SELECT ${[...by, ...measures.map(measure)]} FROM flat WHERE ${['flight_id IS NOT NULL', ...where(select)].join(' AND ')}${group}`;
    }
    const state = (states[name] = { ms: [], answer: null });
    for (let repeat = 0; repeat <= repeats; repeat += 1) {
      const begun = performance.now();
      const results = {};
      for (const [key, sql] of Object.entries(plans)) results[key] = await connection.query(sql);
      if (repeat > 0) state.ms.push(performance.now() - begun);
      const rows = (key) => results[key].toArray().map((row) => Object.values(row.toJSON()).map(plain));
      state.answer ??= {
        lists: Object.fromEntries(work.lists.map((field) => [field, results[`list ${field}`].numRows])),
        cubes: Object.fromEntries(work.cubes.map(({ name: cube }) => [cube, rows(cube)])),
      };
    }
  }
  await connection.close();
  await db.terminate();
  return { startMs, states };
}
