// Selections by value: to say them in words, and to put them into a link and take them out.
//
// A link names fields and selected values. Whoever opens it selects those of them that are in
// their own view of the app; the others are passed over in silence, so that a link tells
// nobody whether a value exists.

import type { Doc, FieldValue } from './engine';

export interface FieldSelection {
  field: string;
  values: (string | number)[];
}

/** More values than this make a link nobody's mail program keeps whole. */
export const MAX_LINK_VALUES = 200;

/** The length of a link's part that browsers and chat programs still carry. */
const MAX_LINK_CHARS = 6_000;

interface SelectionLayout {
  qSelectionObject?: { qSelections?: { qField: string; qReadableName?: string; qSelectedCount: number }[] };
}

/** The selections in force; of a field with very many values only `most` are read. */
export async function readSelections(doc: Doc, most = MAX_LINK_VALUES + 1): Promise<FieldSelection[]> {
  const object = await doc.createSessionObject({ qInfo: { qType: 'current-selections' }, qSelectionObjectDef: {} });
  try {
    const layout = (await object.getLayout()) as SelectionLayout;
    const fields = layout.qSelectionObject?.qSelections ?? [];
    return await Promise.all(fields.map(async ({ qField }) => ({ field: qField, values: await selectedValues(doc, qField, most) })));
  } finally {
    await doc.destroySessionObject(object.id);
  }
}

async function selectedValues(doc: Doc, field: string, most: number): Promise<(string | number)[]> {
  const list = await doc.createSessionObject({
    qInfo: { qType: 'selected-values' },
    qListObjectDef: { qDef: { qFieldDefs: [fieldExpression(field)], qSortCriterias: [{ qSortByState: 1 }] }, qInitialDataFetch: [] },
  });
  try {
    const [page] = await list.getListObjectData('/qListObjectDef', [{ qTop: 0, qLeft: 0, qWidth: 1, qHeight: most }]);
    const cells = (page?.qMatrix ?? []).flat().filter((cell) => ['S', 'L', 'XS', 'XL'].includes(cell.qState));
    return cells.map((cell) => (typeof cell.qNum === 'number' && Number.isFinite(cell.qNum) ? cell.qNum : (cell.qText ?? '')));
  } finally {
    await doc.destroySessionObject(list.id);
  }
}

/** Replaces all selections. What is not in this person's view is left out. */
export async function applySelections(doc: Doc, selections: FieldSelection[]): Promise<void> {
  await doc.clearAll();
  for (const { field, values } of selections) {
    try {
      await (await doc.getField(field)).selectValues(values.map(toValue), false, false);
    } catch (thrown) {
      // A field that is not in this person's view; anything without a code is no answer of the engine.
      if (typeof (thrown as { code?: unknown }).code !== 'number') throw thrown;
    }
  }
}

const toValue = (value: string | number): FieldValue =>
  typeof value === 'number'
    ? { qText: String(value), qIsNumeric: true, qNumber: value }
    : { qText: value, qIsNumeric: false, qNumber: 0 };

const fieldExpression = (field: string): string => (field.startsWith('=') ? field : `[${field.replaceAll(']', ']]')}]`);

/** Selections for the end of an address, or null if they are too many. */
export function encodeSelections(selections: FieldSelection[]): string | null {
  if (selections.some(({ values }) => values.length > MAX_LINK_VALUES)) return null;
  const text = JSON.stringify(selections.map(({ field, values }) => [field, ...values]));
  const bytes = new TextEncoder().encode(text);
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  const encoded = btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
  return encoded.length > MAX_LINK_CHARS ? null : encoded;
}

/** What {@link encodeSelections} wrote; null if it is something else. */
export function decodeSelections(encoded: string): FieldSelection[] | null {
  if (encoded.length > MAX_LINK_CHARS) return null;
  try {
    const binary = atob(encoded.replaceAll('-', '+').replaceAll('_', '/'));
    const parsed: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(binary, (c) => c.charCodeAt(0))));
    if (!Array.isArray(parsed)) return null;
    return parsed.map((entry: unknown) => {
      if (!Array.isArray(entry)) throw new Error('no list');
      const [field, ...values] = entry as unknown[];
      if (typeof field !== 'string' || values.length > MAX_LINK_VALUES) throw new Error('no field');
      if (!values.every((v) => typeof v === 'string' || (typeof v === 'number' && Number.isFinite(v)))) throw new Error('no value');
      return { field, values: values as (string | number)[] };
    });
  } catch {
    return null;
  }
}

/** `COUNTRY: GERMANY, FRANCE · YEAR: 2024`; long lists end in a count. */
export function selectionsInWords(selections: FieldSelection[]): string {
  return selections
    .map(({ field, values }) => `${field}: ${values.slice(0, 3).join(', ')}${values.length > 3 ? ` and ${values.length - 3} more` : ''}`)
    .join(' · ');
}
