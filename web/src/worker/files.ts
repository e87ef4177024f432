// Files of the device store in the origin private file system.
//
// Every write is atomic: a temporary file, flushed, then moved over the old one. A tab that
// is killed at any instant leaves the old or the new file.

const ROOT = 'satchel';

/** Serialises writers across tabs. */
export function exclusively<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks.request('satchel-device-store', work) as Promise<T>;
}

export async function folder(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(ROOT, { create: true });
}

/** The bytes of a file, or null if there is none. */
export async function readFile(name: string): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    const handle = await (await folder()).getFileHandle(name);
    return new Uint8Array(await (await handle.getFile()).arrayBuffer());
  } catch (thrown) {
    if (isNotFound(thrown)) return null;
    throw thrown;
  }
}

/** The file parsed as JSON; null if it is missing or is no JSON. */
export async function readJson<T>(name: string): Promise<T | null> {
  const bytes = await readFile(name);
  if (!bytes) return null;
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as T;
  } catch {
    return null;
  }
}

export async function writeFile(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const dir = await folder();
  const temporary = await dir.getFileHandle(`${name}.tmp`, { create: true });
  const access = await temporary.createSyncAccessHandle();
  try {
    access.truncate(0);
    access.write(bytes, { at: 0 });
    access.flush();
  } finally {
    access.close();
  }
  await move(temporary, name);
}

export function writeJson(name: string, value: unknown): Promise<void> {
  return writeFile(name, new TextEncoder().encode(JSON.stringify(value)) as Uint8Array<ArrayBuffer>);
}

export async function removeFile(name: string): Promise<void> {
  try {
    await (await folder()).removeEntry(name);
  } catch (thrown) {
    if (!isNotFound(thrown)) throw thrown;
  }
}

export async function fileNames(): Promise<string[]> {
  const names: string[] = [];
  const entries = (await folder()) as unknown as { keys(): AsyncIterable<string> };
  for await (const name of entries.keys()) names.push(name);
  return names;
}

/** Renames within the folder; replaces what has the new name. */
export async function move(handle: FileSystemFileHandle, name: string): Promise<void> {
  await (handle as unknown as { move(name: string): Promise<void> }).move(name);
}

export async function removeAll(): Promise<void> {
  const root = await navigator.storage.getDirectory();
  try {
    await root.removeEntry(ROOT, { recursive: true });
  } catch (thrown) {
    if (!isNotFound(thrown)) throw thrown;
  }
}

const isNotFound = (thrown: unknown): boolean => thrown instanceof DOMException && thrown.name === 'NotFoundError';
