// A person's bookmarks of an app, with plain engine calls: the same at the hub, where they
// are kept for the person, and on this device, where they lie sealed beside the download.

import type { Doc } from './engine';

export interface Bookmark {
  id: string;
  title: string;
  /** The sheet it was made on; null if it does not say. */
  sheet: string | null;
  /** Whether the person may remove it: theirs, not one its author gave to all readers. */
  own: boolean;
}

const LIST = { qTypes: ['bookmark'], qData: { title: '/qMetaDef/title', sheet: '/sheetId' } };

/** All bookmarks of the app, by title. */
export async function listBookmarks(doc: Doc): Promise<Bookmark[]> {
  const found = await doc.getBookmarks(LIST);
  return found
    .map(({ qInfo, qMeta, qData }) => ({
      id: qInfo.qId,
      title: text(qData?.['title']) || text(qMeta?.['title']) || 'Bookmark',
      sheet: text(qData?.['sheet']) || null,
      own: Array.isArray(qMeta?.['privileges']) ? qMeta['privileges'].includes('delete') : false,
    }))
    .sort((a, b) => a.title.localeCompare(b.title));
}

/** Keeps the selections in force and the sheet under a title. */
export async function addBookmark(doc: Doc, title: string, sheet: string): Promise<void> {
  await doc.createBookmark({ qInfo: { qType: 'bookmark' }, qMetaDef: { title }, sheetId: sheet });
}

export async function applyBookmark(doc: Doc, id: string): Promise<boolean> {
  return doc.applyBookmark(id);
}

export async function removeBookmark(doc: Doc, id: string): Promise<boolean> {
  return doc.destroyBookmark(id);
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
