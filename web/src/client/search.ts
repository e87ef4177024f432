// Search: titles of sheets and objects in an app, and values of its fields.

import type { DevicePort } from './device/port';
import { openApp, type Doc } from './engine';
import { readSheets, type Sheet } from './sheets';
import type { SearchHit } from './wire';

/** Values shown for each field. */
const VALUES_PER_FIELD = 5;

/** Fields shown. */
const FIELDS = 6;

export interface ValueHit {
  field: string;
  value: string;
}

/** Sheets of `app` whose title has `words`, then objects on them. */
export function searchSheets(app: string, sheets: Sheet[], words: string): SearchHit[] {
  const wanted = words.trim().toLocaleLowerCase();
  if (!wanted) return [];
  const fits = (title: string): boolean => title.toLocaleLowerCase().includes(wanted);
  const inSheets = sheets.filter(({ title }) => fits(title)).map(({ id, title }) => ({ app, sheet: id, object: null, title }));
  const inObjects = sheets.flatMap((sheet) =>
    sheet.cells.filter(({ title }) => title && fits(title)).map(({ name, title }) => ({ app, sheet: sheet.id, object: name, title })),
  );
  return [...inSheets, ...inObjects];
}

/** Values that have `words`, within the selections; null where the engine has no search. */
export async function searchValues(doc: Doc, words: string): Promise<ValueHit[] | null> {
  const terms = words.trim().split(/\s+/).filter(Boolean);
  if (terms.length === 0) return [];
  try {
    const result = await doc.searchResults(
      { qContext: 'CurrentSelections', qSearchFields: [] },
      terms,
      { qOffset: 0, qCount: FIELDS, qMaxNbrFieldMatches: VALUES_PER_FIELD },
    );
    const items = (result.qSearchGroupArray ?? []).flatMap((group) => group.qItems ?? []);
    return items
      .filter((item) => item.qItemType === 'Field' && item.qIdentifier)
      .flatMap((item) => (item.qItemMatches ?? []).flatMap(({ qText }) => (qText && item.qIdentifier ? [{ field: item.qIdentifier, value: qText }] : [])));
  } catch (thrown) {
    if ((thrown as { code?: unknown }).code === -32601) return null;
    throw thrown;
  }
}

/** Sheets and objects of the downloads, for searching without the hub. Forgotten when locked. */
export class DeviceIndex {
  #device: DevicePort;
  #sheets = new Map<string, Promise<Sheet[]>>();

  constructor(device: DevicePort) {
    this.#device = device;
    device.subscribe(() => {
      if (!device.view.unlocked) this.#sheets.clear();
    });
  }

  async search(words: string): Promise<SearchHit[]> {
    if (!this.#device.view.unlocked) return [];
    const found = await Promise.all(
      this.#device.view.apps.map(async ({ app, file }) => {
        try {
          return searchSheets(app, await this.#read(app, file), words);
        } catch {
          // A download that does not open says so when it is opened.
          return [];
        }
      }),
    );
    return found.flat();
  }

  #read(app: string, file: string): Promise<Sheet[]> {
    const known = this.#sheets.get(file);
    if (known) return known;
    const reading = (async () => {
      const open = await openApp('device', app, this.#device, () => {});
      try {
        return await readSheets(open.doc);
      } finally {
        open.close();
      }
    })();
    this.#sheets.set(file, reading);
    return reading;
  }
}
