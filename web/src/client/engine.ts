// Opens an app with enigma.js, at the hub or on this device; both look the same afterwards.

import enigma from 'enigma.js';
import schema from 'enigma.js/schemas/12.2027.0.json';

import type { DevicePort } from './device/port';
import { FailureError, toFailure, type Failure } from './result';
import { layoutsInTurn } from './turns';

export type Source = 'hub' | 'device';

/** The parts of enigma's models that we call ourselves; nebula uses the rest. */
export interface Doc {
  id: string;
  getAppLayout(): Promise<{ qTitle: string; qLastReloadTime: string }>;
  getAllInfos(): Promise<{ qId: string; qType: string }[]>;
  getObject(id: string): Promise<GenericObject>;
  createSessionObject(properties: object): Promise<GenericObject>;
  destroySessionObject(id: string): Promise<boolean>;
  getField(name: string): Promise<Field>;
  clearAll(): Promise<void>;
  getBookmarks(options: object): Promise<{ qInfo: { qId: string }; qMeta?: Record<string, unknown>; qData?: Record<string, unknown> }[]>;
  createBookmark(properties: object): Promise<{ id: string }>;
  applyBookmark(id: string): Promise<boolean>;
  destroyBookmark(id: string): Promise<boolean>;
  searchResults(options: object, terms: string[], page: object): Promise<SearchResult>;
}

/** A value as selections name it. */
export interface FieldValue {
  qText: string;
  qIsNumeric: boolean;
  qNumber: number;
}

export interface Field {
  selectValues(values: FieldValue[], toggle: boolean, softLock: boolean): Promise<boolean>;
}

/** What of `SearchResults` we read. */
export interface SearchResult {
  qSearchGroupArray?: { qItems?: { qItemType?: string; qIdentifier?: string; qItemMatches?: { qText?: string }[] }[] }[];
}

export interface GenericObject {
  id: string;
  getListObjectData(path: string, pages: object[]): Promise<{ qMatrix: { qText?: string; qNum?: number | string; qState: string }[][] }[]>;
  getLayout(): Promise<Record<string, unknown>>;
  getEffectiveProperties(): Promise<Record<string, unknown>>;
}

export interface OpenApp {
  app: string;
  source: Source;
  doc: Doc;
  close(): void;
}

interface EnigmaSession {
  open(): Promise<{ openDoc(id: string): Promise<Doc> }>;
  close(): Promise<unknown>;
  on(event: string, listener: (event: { code?: number; reason?: string }) => void): void;
}

/**
 * Opens `app`. `onLost` is called once if the connection ends for any reason but `close`.
 *
 * Throws `FailureError`.
 */
export async function openApp(
  source: Source,
  app: string,
  device: DevicePort,
  onLost: (failure: Failure) => void,
): Promise<OpenApp> {
  if (source === 'device') {
    const prepared = await device.prepare(app);
    if (!prepared.ok) throw new FailureError(prepared.error);
  }
  const path = `/app/${encodeURIComponent(app)}`;
  const inTurn = layoutsInTurn();
  const session = enigma.create({
    schema,
    // Plain on loopback only: there `satchel open` serves this page.
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`,
    createSocket: (url: string) => (source === 'hub' ? new WebSocket(url) : device.socket(app)) as WebSocket,
    requestInterceptors: [inTurn.request],
    // A request overtaken by a newer selection is asked once more, as charts expect.
    responseInterceptors: [
      {
        onRejected: (_session: unknown, request: { retry(): Promise<unknown>; retried?: boolean }, error: { code?: number }) => {
          if (error.code === 15 && !request.retried) {
            request.retried = true;
            return request.retry();
          }
          return Promise.reject(error);
        },
      },
      inTurn.response,
    ],
  } as never) as unknown as EnigmaSession;

  let closing = false;
  let reason = '';
  session.on('closed', (event) => {
    reason = event?.reason ?? '';
    if (!closing) onLost(lostFailure(source, reason));
  });
  session.on('notification:OnSessionTimedOut', () => onLost(lostFailure(source, 'session.timed_out')));
  const close = (): void => {
    closing = true;
    session.close().catch(() => {});
  };
  try {
    const global = await session.open();
    const doc = await global.openDoc(app);
    return { app, source, doc, close };
  } catch (thrown) {
    close();
    throw new FailureError(openFailure(source, thrown, reason));
  }
}

function lostFailure(source: Source, reason: string): Failure {
  return source === 'hub'
    ? { code: reason || 'hub.connection_lost', message: 'the connection to the hub was lost', next: 'It opens again by itself when the hub answers.', status: 0 }
    : { code: reason || 'device.closed', message: 'the app on this device was closed', next: 'Unlock to open it again.', status: 0 };
}

function openFailure(source: Source, thrown: unknown, reason: string): Failure {
  if (thrown instanceof FailureError) return thrown.failure;
  const { code, message } = thrown as { code?: unknown; message?: unknown };
  if (typeof code === 'number') {
    if (code === 5) {
      return {
        code: 'access.denied',
        message: 'you have no access to the data of this app',
        next: 'Ask the owner of the app to add you to its section access.',
        status: 403,
      };
    }
    return {
      code: `qix.${code}`,
      message: typeof message === 'string' ? message : 'the app could not be opened',
      next: 'Go back and open it again. If it stays, tell the owner of the app this code.',
      status: 0,
    };
  }
  if (source === 'hub') return lostFailure(source, reason);
  const failure = toFailure(thrown);
  return failure.code === 'client.unexpected' ? lostFailure(source, reason) : failure;
}
