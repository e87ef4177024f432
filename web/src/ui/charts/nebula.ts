// nebula.js: chart types loaded when a sheet needs them, and the theme they are drawn in.

import { embed } from '@nebula.js/stardust';

import type { Doc } from '../../client/engine';

type Loader = () => Promise<{ default: unknown }>;

const TYPES: Record<string, Loader> = {
  barchart: () => import('@nebula.js/sn-bar-chart'),
  linechart: () => import('@nebula.js/sn-line-chart'),
  piechart: () => import('@nebula.js/sn-pie-chart'),
  scatterplot: () => import('@nebula.js/sn-scatter-plot'),
  combochart: () => import('@nebula.js/sn-combo-chart'),
  kpi: () => import('@nebula.js/sn-kpi'),
  'sn-table': () => import('@nebula.js/sn-table'),
  table: () => import('@nebula.js/sn-table'),
  'pivot-table': () => import('@nebula.js/sn-pivot-table'),
  'sn-pivot-table': () => import('@nebula.js/sn-pivot-table'),
  filterpane: () => import('@nebula.js/sn-filter-pane'),
};

/** Whether a sheet can show this kind of object. */
export const isKnownType = (type: string): boolean => type in TYPES;

const KINDS: Record<string, string> = {
  barchart: 'bar chart',
  linechart: 'line chart',
  piechart: 'pie chart',
  scatterplot: 'scatter plot',
  combochart: 'combo chart',
  kpi: 'figure',
  'sn-table': 'table',
  table: 'table',
  'pivot-table': 'pivot table',
  'sn-pivot-table': 'pivot table',
  filterpane: 'filters',
};

/** What kind of chart this is, in words. */
export const kindOf = (type: string): string => KINDS[type] ?? 'chart';

export interface Viz {
  destroy(): void | Promise<void>;
}

export interface RenderOptions {
  element: HTMLElement;
  id?: string;
  type?: string;
  fields?: unknown[];
  properties?: object;
  /** Called when it has been painted for the first time. */
  onRender?: () => void;
  onError?: () => void;
}

export interface Nebula {
  render(options: RenderOptions): Promise<Viz>;
  context(context: { theme?: string; interactions?: object; keyboardNavigation?: boolean }): Promise<unknown>;
  selections(): Promise<{ mount(element: HTMLElement): void; unmount(): void }>;
}

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif';

/** Categorical colours, told apart also by people who see few colours; the accent is first. */
const LIGHT = ['#0f766e', '#e08a3c', '#5b6bb5', '#c05a7a', '#7a9a3a', '#3d8fb5', '#9a6bb0', '#b58f2a', '#5f7380', '#d0604a', '#4fa58c', '#8a6a52'];
const DARK = ['#2bb5a4', '#eda35c', '#8c9be0', '#e0849f', '#a3c25c', '#62b3d9', '#bb90d1', '#d9b44a', '#91a6b3', '#ee8873', '#79cbb3', '#b8967c'];

function theme(dark: boolean): object {
  const text = dark ? '#f3f1ee' : '#1d1b19';
  const muted = dark ? '#b3aca4' : '#5a544e';
  const line = dark ? '#37332f' : '#e4e0da';
  const surface = dark ? '#1e1b19' : '#ffffff';
  const colors = dark ? DARK : LIGHT;
  const axis = {
    title: { fontSize: '12px', fontFamily: FONT, color: muted },
    label: { name: { fontSize: '12px', fontFamily: FONT, color: muted } },
    line: { major: { color: line }, minor: { color: line } },
  };
  return {
    type: dark ? 'dark' : 'light',
    fontFamily: FONT,
    color: text,
    fontSize: '13px',
    backgroundColor: surface,
    dataColors: { primaryColor: colors[0], othersColor: muted, errorColor: '#c0392b', nullColor: muted },
    palettes: {
      data: [{ key: 'satchel', name: 'Satchel', type: 'row', propertyValue: 'satchel', scale: colors }],
      ui: [{ key: 'satchel', name: 'Satchel', colors }],
    },
    scales: [
      {
        key: 'sg',
        name: 'Satchel gradient',
        type: 'gradient',
        propertyValue: 'sg',
        scale: dark ? ['#1f4641', '#2bb5a4', '#b6efe6'] : ['#cfe9e5', '#4a9f97', '#0b4f49'],
      },
    ],
    object: {
      axis,
      grid: { line: { major: { color: line }, minor: { color: line } } },
      legend: { title: { fontSize: '12px', fontFamily: FONT, color: muted }, label: { fontSize: '12px', fontFamily: FONT, color: text } },
      title: {
        main: { fontSize: '14px', fontFamily: FONT, color: text, fontWeight: '600' },
        subTitle: { fontSize: '12px', fontFamily: FONT, color: muted },
        footer: { fontSize: '12px', fontFamily: FONT, color: muted, backgroundColor: 'transparent' },
      },
      ...Object.fromEntries(
        ['barChart', 'lineChart', 'comboChart', 'scatterPlot', 'pieChart'].map((chart) => [
          chart,
          { axis, label: { value: { color: text, fontSize: '12px', fontFamily: FONT } } },
        ]),
      ),
      straightTable: {
        backgroundColor: surface,
        header: { fontSize: '13px', color: text, fontFamily: FONT },
        content: { fontSize: '13px', color: text, fontFamily: FONT, hover: { backgroundColor: dark ? '#2a2623' : '#f4f2ee' } },
      },
      straightTableV2: { backgroundColor: surface, header: { color: text, fontFamily: FONT }, content: { color: text, fontFamily: FONT } },
      pivotTable: { backgroundColor: surface, header: { color: text, fontFamily: FONT }, content: { color: text, fontFamily: FONT } },
      listBox: { backgroundColor: surface, title: { main: { fontSize: '13px', color: text, fontFamily: FONT } }, content: { color: text, fontFamily: FONT } },
      filterpane: { backgroundColor: surface },
      kpi: { backgroundColor: surface },
    },
  };
}

export const themeName = (dark: boolean): string => (dark ? 'satchel-dark' : 'satchel-light');

/** A nebula instance for an open app. Charts are fetched when first drawn. */
export function createNebula(doc: Doc, dark: boolean): Nebula {
  return embed(doc as never, {
    context: { theme: themeName(dark), keyboardNavigation: true, language: 'en-US' },
    themes: [false, true].map((variant) => ({ id: themeName(variant), load: () => Promise.resolve(theme(variant)) })),
    types: Object.entries(TYPES).map(([name, load]) => ({ name, load: () => load().then((module) => module.default) })),
  } as never) as unknown as Nebula;
}
