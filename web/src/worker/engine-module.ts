// Loads the engine module (Rust, compiled for the browser) once per worker.

import init, { start } from '../wasm/satchel_wasm.js';
import wasmUrl from '../wasm/satchel_wasm_bg.wasm?url';

export { Blake3, Lease, Keys, OpenPackage, Session } from '../wasm/satchel_wasm.js';

let loading: Promise<void> | undefined;

/** Resolves when the classes above may be used. */
export function engineReady(): Promise<void> {
  loading ??= init({ module_or_path: wasmUrl }).then(() => start());
  return loading;
}
