// A passkey whose PRF output is the key to this device's store.
//
// Without PRF there is no key that only this person's passkey can make, and we do not fall
// back to a weaker one: such a browser cannot keep data offline, and is told so.

import { FailureError } from '../result';

/** Separates our use of the PRF output from any other. */
const HKDF_INFO = 'satchel device store key v1';

const NO_PRF_NEXT =
  'Use a browser and a passkey provider that support the PRF extension, or the satchel client for this computer. You can go on working online here.';

/** Why this browser cannot keep data offline, or null if it may be able to. */
export async function offlineObstacle(): Promise<{ code: string; message: string; next: string } | null> {
  if (!window.isSecureContext) {
    return { code: 'vault.insecure_page', message: 'this page was not loaded over a secure connection', next: 'Open the hub by its https address.' };
  }
  if (typeof PublicKeyCredential === 'undefined' || !navigator.credentials) {
    return { code: 'vault.no_passkeys', message: 'this browser has no passkeys, so nothing here could seal the data to you', next: NO_PRF_NEXT };
  }
  if (!navigator.storage || typeof navigator.storage.getDirectory !== 'function') {
    return { code: 'vault.no_storage', message: 'this browser gives web pages no private file storage', next: NO_PRF_NEXT };
  }
  const capabilities = await clientCapabilities();
  if (capabilities && capabilities['extension:prf'] === false) {
    return { code: 'vault.no_prf', message: 'this browser’s passkeys cannot make an encryption key (PRF extension)', next: NO_PRF_NEXT };
  }
  return null;
}

/** Makes a passkey for `user` and the store key from it. */
export async function createPasskey(
  user: string,
  displayName: string,
  salt: Uint8Array<ArrayBuffer>,
): Promise<{ credential: Uint8Array<ArrayBuffer>; kek: CryptoKey }> {
  const credential = await ask(() =>
    navigator.credentials.create({
      publicKey: {
        rp: { name: 'Satchel', id: location.hostname },
        user: { id: crypto.getRandomValues(new Uint8Array(16)), name: user, displayName },
        challenge: crypto.getRandomValues(new Uint8Array(32)),
        pubKeyCredParams: [
          { type: 'public-key', alg: -8 },
          { type: 'public-key', alg: -7 },
          { type: 'public-key', alg: -257 },
        ],
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        extensions: { prf: { eval: { first: salt } } },
      },
    }),
  );
  const prf = credential.getClientExtensionResults().prf;
  const id = new Uint8Array(credential.rawId);
  if (prf?.results?.first) return { credential: id, kek: await storeKey(prf.results.first, salt) };
  if (prf?.enabled) return { credential: id, kek: await keyFromPasskey(id, salt) };
  throw new FailureError({
    code: 'vault.no_prf',
    message: 'the passkey was made, but it cannot make an encryption key (PRF extension), so nothing can be kept offline safely',
    next: NO_PRF_NEXT,
    status: 0,
  });
}

/** Asks the passkey again and makes the same store key. */
export async function keyFromPasskey(
  credential: Uint8Array<ArrayBuffer>,
  salt: Uint8Array<ArrayBuffer>,
): Promise<CryptoKey> {
  const assertion = await ask(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: crypto.getRandomValues(new Uint8Array(32)),
        rpId: location.hostname,
        allowCredentials: [{ type: 'public-key', id: credential }],
        userVerification: 'required',
        extensions: { prf: { eval: { first: salt } } },
      },
    }),
  );
  const first = assertion.getClientExtensionResults().prf?.results?.first;
  if (!first) {
    throw new FailureError({
      code: 'vault.no_prf',
      message: 'this passkey cannot make an encryption key (PRF extension)',
      next: NO_PRF_NEXT,
      status: 0,
    });
  }
  return storeKey(first, salt);
}

async function ask(request: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const credential = await request();
    if (credential) return credential as PublicKeyCredential;
  } catch (thrown) {
    if (!(thrown instanceof DOMException)) throw thrown;
  }
  throw new FailureError({
    code: 'vault.passkey_refused',
    message: 'the passkey was not used',
    next: 'Try again, and confirm with your fingerprint, face or PIN when the browser asks.',
    status: 0,
  });
}

/** The PRF output never leaves this function; the key it makes cannot be exported. */
async function storeKey(prfOutput: BufferSource, salt: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const base = await crypto.subtle.importKey('raw', prfOutput, 'HKDF', false, ['deriveKey']);
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt, info: new TextEncoder().encode(HKDF_INFO) },
    base,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  );
}

async function clientCapabilities(): Promise<Record<string, boolean> | null> {
  const ask = (PublicKeyCredential as { getClientCapabilities?: () => Promise<Record<string, boolean>> }).getClientCapabilities;
  if (!ask) return null;
  try {
    return await ask.call(PublicKeyCredential);
  } catch {
    return null;
  }
}
