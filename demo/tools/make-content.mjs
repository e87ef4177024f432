// Writes demo/*/app.json: sheets, charts and master items of the demo apps.
//
// A chart that is stored must carry its full default properties. chart-defaults.json holds
// them as the charts themselves create them (nebula's `render({type, fields})`); here only
// what a sheet says differently is written down.
//
//   node demo/tools/make-content.mjs
import { readFileSync, writeFileSync } from 'node:fs';

const DEFAULTS = JSON.parse(readFileSync(new URL('chart-defaults.json', import.meta.url), 'utf8'));

const WHOLE = { qType: 'F', qnDec: 0, qUseThou: 1, qFmt: '#,##0', qDec: '.', qThou: ',' };
const ONE = { qType: 'F', qnDec: 1, qUseThou: 1, qFmt: '#,##0.0', qDec: '.', qThou: ',' };
const SHARE = { qType: 'F', qnDec: 1, qUseThou: 0, qFmt: '0.0%', qDec: '.', qThou: ',' };
const PLAIN = { qType: 'U', qnDec: 10, qUseThou: 0 };

const clone = (value) => JSON.parse(JSON.stringify(value));

/** A dimension: a field, `[field, label]`, or `{ drill: [field, …] }`. */
function dimension(spec, id) {
  const [field, label] = Array.isArray(spec) ? spec : [spec, ''];
  return {
    qDef: {
      qGrouping: spec.drill ? 'H' : 'N',
      qFieldDefs: spec.drill ?? [field],
      qFieldLabels: spec.drill ? spec.drill.map(() => '') : [label],
      cId: id,
      qSortCriterias: [{ qSortByLoadOrder: 1, qSortByNumeric: 1, qSortByAscii: 1 }],
    },
    qOtherTotalSpec: {},
    qAttributeExpressions: [],
    qAttributeDimensions: [],
  };
}

/** A measure: `[label, expression, number format]`. */
function measure([label, expression, format = PLAIN], id, extra = {}) {
  return {
    qDef: { qLabel: label, qDef: expression, qNumFormat: format, numFormatFromTemplate: true, isCustomFormatted: false, cId: id, ...extra },
    qSortBy: { qSortByLoadOrder: 1, qSortByNumeric: -1 },
    qAttributeExpressions: [],
    qAttributeDimensions: [],
  };
}

function chart(type, id, { title = '', subtitle = '', dims = [], measures = [], with: change = () => {} }) {
  const properties = { qInfo: { qId: id, qType: type }, ...clone(DEFAULTS[type]), title, subtitle };
  const cube = properties.qHyperCubeDef;
  cube.qDimensions = dims.map((dim, n) => dimension(dim, `${id}-d${n + 1}`));
  cube.qMeasures = measures.map((m, n) =>
    measure(m, `${id}-m${n + 1}`, type === 'combochart' ? { series: { type: n === 0 ? 'bar' : 'line', axis: n === 0 ? 0 : 1 } } : {}),
  );
  for (const dim of cube.qDimensions) {
    if (['Manufacturer', 'PLANE_YEAR'].includes(dim.qDef.qFieldDefs[0])) dim.qNullSuppression = true;
  }
  if (type === 'sn-table') {
    for (const { qDef } of [...cube.qDimensions, ...cube.qMeasures]) qDef.columnWidth = { type: 'fitToContent', pixels: 200, percentage: 20 };
  }
  if (type === 'piechart') properties.dimensionTitle = false;
  if (type === 'piechart') cube.qDimensions[0].qOtherTotalSpec = { qOtherMode: 'OTHER_COUNTED', qOtherCounted: { qv: '10' } };
  cube.qInterColumnSortOrder = [...dims, ...measures].map((_, n) => n);
  change(properties, cube);
  return { qProperty: properties, qChildren: [] };
}

/** Largest first, by the first measure. */
const byMeasure = (properties, cube) => {
  const n = cube.qDimensions.length;
  cube.qInterColumnSortOrder = [n, ...cube.qInterColumnSortOrder.filter((column) => column !== n)];
};
const horizontal = (properties, cube) => {
  byMeasure(properties, cube);
  properties.orientation = 'horizontal';
};
/** What is newest is seen first. */
const atItsEnd = (properties) => {
  properties.scrollStartPos = 1;
};
const stacked = (properties, cube) => {
  properties.barGrouping = { grouping: 'stacked' };
  cube.qMode = 'K';
  cube.qAlwaysFullyExpanded = true;
};
const totals = (properties, cube) => {
  byMeasure(properties, cube);
  properties.totals = { show: true, position: 'top', label: 'All' };
};
const left = (n) => (properties, cube) => {
  cube.qNoOfLeftDims = n;
};

/** Readable as large text on a light and on a dark ground. */
const KPI_COLOR = { color: '#1a9485', index: -1 };

const kpi = (id, m) =>
  chart('kpi', id, {
    measures: [m],
    with: (properties, cube) => {
      properties.textAlign = 'left';
      cube.qMeasures[0].qDef.conditionalColoring = {
        useConditionalColoring: false,
        singleColor: 3,
        paletteSingleColor: KPI_COLOR,
        segments: { limits: [], paletteColors: [KPI_COLOR], colors: [{ color: 2 }] },
      };
    },
  });

function filters(id, fields) {
  return {
    qProperty: { qInfo: { qId: id, qType: 'filterpane' }, ...clone(DEFAULTS.filterpane) },
    qChildren: fields.map((spec, n) => {
      const [field, label] = Array.isArray(spec) ? spec : [spec, spec];
      const box = clone(DEFAULTS.listbox);
      box.qListObjectDef.qDef.qFieldDefs = [field];
      box.qListObjectDef.qDef.cId = `${id}-${n + 1}`;
      return { qProperty: { qInfo: { qId: `${id}-${n + 1}`, qType: 'listbox' }, visualization: 'listbox', ...box, title: label }, qChildren: [] };
    }),
  };
}

/** `cells`: `[col, row, colspan, rowspan, object]` on a grid of 24 × 12. */
function sheet(id, rank, title, description, cells) {
  return {
    qProperty: {
      qInfo: { qId: id, qType: 'sheet' },
      qMetaDef: { title, description },
      rank,
      columns: 24,
      rows: 12,
      thumbnail: { qStaticContentUrlDef: {} },
      qChildListDef: { qData: { title: '/title' } },
      cells: cells.map(([col, row, colspan, rowspan, object]) => ({
        name: object.qProperty.qInfo.qId,
        type: object.qProperty.qInfo.qType,
        col,
        row,
        colspan,
        rowspan,
      })),
    },
    qChildren: cells.map(([, , , , object]) => object),
  };
}

const masterDimension = (id, title, field) => ({
  qInfo: { qId: id, qType: 'dimension' },
  qDim: { title, qGrouping: 'N', qFieldDefs: [field], qFieldLabels: [title] },
  qMetaDef: { title, description: '', tags: [] },
});
const masterMeasure = (id, [title, definition, format]) => ({
  qInfo: { qId: id, qType: 'measure' },
  qMeasure: { qLabel: title, qDef: definition, qNumFormat: format, qGrouping: 'N', qExpressions: [], qActiveExpression: 0 },
  qMetaDef: { title, description: '', tags: [] },
});

// ---------------------------------------------------------------- flights

const FLIGHTS = ['Flights', 'Count(FlightId)', WHOLE];
const LATE = ['Late arrivals', 'Sum(Late) / (Count(FlightId) - Sum(Cancelled))', SHARE];
const CANCELLED = ['Cancelled', 'Sum(Cancelled) / Count(FlightId)', SHARE];
const DEPARTURE = ['Average departure delay (min)', 'Avg(DepartureDelay)', ONE];
const ARRIVAL = ['Average arrival delay (min)', 'Avg(ArrivalDelay)', ONE];
const DISTANCE = ['Average distance (miles)', 'Avg(Distance)', WHOLE];

const flights = {
  properties: { qTitle: 'Flights from New York', description: 'Every departure of 2013: punctuality by airline, route, hour and weather' },
  objects: [
    sheet('sheet-overview', 0, 'Overview', 'How punctual are departures from New York?', [
      [0, 0, 4, 12, filters('filters-overview', ['Airline', 'Month', 'Origin'])],
      [4, 0, 5, 2, kpi('kpi-flights', FLIGHTS)],
      [9, 0, 5, 2, kpi('kpi-late', LATE)],
      [14, 0, 5, 2, kpi('kpi-cancelled', CANCELLED)],
      [19, 0, 5, 2, kpi('kpi-delay', ['Average delay (min)', 'Avg(DepartureDelay)', ONE])],
      [4, 2, 10, 5, chart('combochart', 'combo-month', { title: 'Summer and December run late', subtitle: 'Flights and average arrival delay by month', dims: ['Month'], measures: [FLIGHTS, ARRIVAL] })],
      [14, 2, 10, 5, chart('barchart', 'bar-airline', { title: 'Which airline arrives late most often?', subtitle: 'Share of arrivals more than 15 minutes late', dims: ['Airline'], measures: [LATE], with: horizontal })],
      [4, 7, 10, 5, chart('linechart', 'line-hour', { title: 'Delays build up during the day', subtitle: 'Average departure delay by scheduled hour', dims: [['Hour', 'Hour of departure']], measures: [DEPARTURE] })],
      [14, 7, 10, 5, chart('piechart', 'pie-origin', { title: 'Flights by airport', dims: ['Origin'], measures: [FLIGHTS], with: byMeasure })],
    ]),
    sheet('sheet-delays', 1, 'Routes', 'Which routes are busy, and which are late?', [
      [0, 0, 4, 12, filters('filters-routes', ['Airport', 'Airline', 'Origin'])],
      [4, 0, 10, 6, chart('scatterplot', 'scatter-routes', { title: 'Far is not the same as late', subtitle: 'Destinations by distance and arrival delay; size: flights', dims: ['Destination'], measures: [DISTANCE, ARRIVAL, FLIGHTS] })],
      [14, 0, 10, 6, chart('pivot-table', 'pivot-airline', { title: 'Airline by airport', dims: ['Airline', 'Origin'], measures: [FLIGHTS, LATE], with: left(2) })],
      [4, 6, 20, 6, chart('sn-table', 'table-routes', { title: 'Every route', dims: ['Airline', 'Origin', 'Destination', 'Airport'], measures: [FLIGHTS, LATE, CANCELLED, DEPARTURE, DISTANCE], with: (p, cube) => { cube.qInterColumnSortOrder = [4, 0, 1, 2, 3, 5, 6, 7, 8]; } })],
    ]),
    sheet('sheet-causes', 2, 'Causes', 'Do weather or aircraft make flights late?', [
      [0, 0, 4, 12, filters('filters-causes', ['Month', 'Hour', 'Manufacturer'])],
      [4, 0, 10, 6, chart('linechart', 'line-visibility', { title: 'Poor visibility delays departures', subtitle: 'Average departure delay by visibility at the airport (miles)', dims: [['Visibility', 'Visibility (miles)']], measures: [DEPARTURE] })],
      [14, 0, 10, 6, chart('barchart', 'bar-weekday', { title: 'Which days are worst?', subtitle: 'Average arrival delay by weekday', dims: ['Weekday'], measures: [ARRIVAL] })],
      [4, 6, 10, 6, chart('barchart', 'bar-manufacturer', { title: 'Flights by maker of the aircraft', subtitle: 'Select one to see its models', dims: [{ drill: ['Manufacturer', 'Model'] }], measures: [FLIGHTS], with: horizontal })],
      [14, 6, 10, 6, chart('barchart', 'bar-built', { title: 'How old is the fleet?', subtitle: 'Flights by year the aircraft was built (withheld from station managers)', dims: [['PLANE_YEAR', 'Year built']], measures: [FLIGHTS], with: atItsEnd })],
    ]),
  ],
  dimensions: [
    masterDimension('dim-airline', 'Airline', 'Airline'),
    masterDimension('dim-airport', 'Destination airport', 'Airport'),
    masterDimension('dim-origin', 'Origin', 'Origin'),
    masterDimension('dim-month', 'Month', 'Month'),
  ],
  measures: [
    masterMeasure('measure-flights', FLIGHTS),
    masterMeasure('measure-late', LATE),
    masterMeasure('measure-cancelled', CANCELLED),
    masterMeasure('measure-departure-delay', DEPARTURE),
    masterMeasure('measure-arrival-delay', ARRIVAL),
  ],
  variables: [],
  bookmarks: [
    {
      qInfo: { qId: 'bookmark-summer', qType: 'bookmark' },
      qMetaDef: { title: 'Summer', description: 'June to August' },
      selections: { states: [{ state: '$', fields: [{ field: 'Month', values: [6, 7, 8] }] }] },
    },
  ],
};

// ---------------------------------------------------------------- sales

const AMOUNT = ['Sales', 'Sum(AMOUNT)', WHOLE];
const ORDERS = ['Orders', 'Count(Order)', WHOLE];
const UNITS = ['Units', 'Sum(Quantity)', WHOLE];
const DISCOUNT = ['Average discount', 'Avg(DISCOUNT)', SHARE];

const sales = {
  properties: { qTitle: 'Sales', description: 'A small app in which every rule of section access can be seen' },
  objects: [
    sheet('sheet-sales', 0, 'Sales', 'What do we sell, where, and to whom?', [
      [0, 0, 4, 12, filters('filters-sales', [['COUNTRY', 'Country'], ['PRODUCT', 'Product'], 'Year', 'Customer'])],
      [4, 0, 5, 2, kpi('kpi-sales', AMOUNT)],
      [9, 0, 5, 2, kpi('kpi-orders', ORDERS)],
      [14, 0, 5, 2, kpi('kpi-units', UNITS)],
      [19, 0, 5, 2, kpi('kpi-customers', ['Customers', 'Count(DISTINCT CustomerId)', WHOLE])],
      [4, 2, 10, 5, chart('barchart', 'bar-country', { title: 'Sales by country and product', dims: [['COUNTRY', 'Country'], ['PRODUCT', 'Product']], measures: [AMOUNT], with: stacked })],
      [14, 2, 10, 5, chart('linechart', 'line-date', { title: 'Sales over time', dims: ['Date'], measures: [AMOUNT] })],
      [4, 7, 5, 5, chart('piechart', 'pie-product', { title: 'Share of each product', dims: [['PRODUCT', 'Product']], measures: [AMOUNT], with: byMeasure })],
      [9, 7, 15, 5, chart('sn-table', 'table-orders', { title: 'Orders', dims: ['Order', 'Date', 'Customer', ['COUNTRY', 'Country'], ['PRODUCT', 'Product']], measures: [AMOUNT] })],
    ]),
    sheet('sheet-access', 1, 'What you may see', 'Countries, products and discounts that section access lets you see', [
      [0, 0, 12, 6, chart('pivot-table', 'pivot-markets', { title: 'Markets', dims: [['COUNTRY', 'Country'], ['PRODUCT', 'Product']], measures: [ORDERS, AMOUNT], with: left(1) })],
      [12, 0, 12, 6, chart('sn-table', 'table-discounts', { title: 'Customers and discounts', subtitle: 'The discount is withheld from some', dims: ['Customer', 'Segment'], measures: [AMOUNT, DISCOUNT], with: totals })],
      [0, 6, 12, 6, chart('combochart', 'combo-country', { title: 'Orders and sales', dims: [['COUNTRY', 'Country']], measures: [AMOUNT, ORDERS] })],
      [12, 6, 12, 6, chart('scatterplot', 'scatter-customers', { title: 'Customers', subtitle: 'Orders against sales; size: units', dims: ['Customer'], measures: [ORDERS, AMOUNT, UNITS] })],
    ]),
  ],
  dimensions: [masterDimension('dim-country', 'Country', 'COUNTRY'), masterDimension('dim-product', 'Product', 'PRODUCT')],
  measures: [masterMeasure('measure-sales', AMOUNT), masterMeasure('measure-orders', ORDERS), masterMeasure('measure-units', UNITS)],
  variables: [],
  bookmarks: [],
};

for (const [name, content] of Object.entries({ flights, sales })) {
  writeFileSync(new URL(`../${name}/app.json`, import.meta.url), `${JSON.stringify(content, null, 1)}\n`);
}
