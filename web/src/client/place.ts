// Where this page was served from: by a hub, or by `satchel open` on this computer.

/** `satchel open` marks the document; then the native client is the engine and the store. */
export const onLoopback =
  document.querySelector<HTMLMetaElement>('meta[name="satchel-place"]')?.content === 'loopback';
