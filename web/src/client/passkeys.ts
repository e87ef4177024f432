// Passkeys that sign in at the hub. The one that opens this device's store is another
// (`device/passkey.ts`): that one never tells the hub anything.

import { hub } from './api';
import { fromBase64, toBase64 } from './base64';
import { failed, type Result } from './result';
import type { Me, Passkey } from './wire';

/** Whether this browser has passkeys and hands their keys over as the hub takes them. */
export const hasPasskeys = (): boolean =>
  typeof PublicKeyCredential !== 'undefined' && 'getPublicKey' in AuthenticatorAttestationResponse.prototype;

/** Asks for any passkey of this hub, and signs in with it. */
export async function signInWithPasskey(): Promise<Result<Me>> {
  const asked = await hub.passkeyChallenge();
  if (!asked.ok) return asked;
  const { challenge, rp_id } = asked.value;
  const credential = await quietly(() =>
    navigator.credentials.get({
      publicKey: { challenge: fromBase64(challenge), rpId: rp_id, userVerification: 'required' },
    }),
  );
  if (!credential.ok) return credential;
  const response = credential.value.response as AuthenticatorAssertionResponse;
  return hub.passkeySignIn({
    challenge,
    credential: base64(credential.value.rawId),
    client_data: base64(response.clientDataJSON),
    authenticator_data: base64(response.authenticatorData),
    signature: base64(response.signature),
    user_handle: response.userHandle ? base64(response.userHandle) : '',
  });
}

/** Makes a passkey and tells the hub. */
export async function addPasskey(name: string): Promise<Result<Passkey>> {
  const asked = await hub.passkeyOptions();
  if (!asked.ok) return asked;
  const options = asked.value;
  const credential = await quietly(() =>
    navigator.credentials.create({
      publicKey: {
        rp: { id: options.rp_id, name: options.rp_name },
        user: { id: fromBase64(options.user_handle), name: options.user, displayName: options.name },
        challenge: fromBase64(options.challenge),
        pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key' as const, alg })),
        excludeCredentials: options.exclude.map((id) => ({ type: 'public-key' as const, id: fromBase64(id) })),
        authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
        attestation: 'none',
      },
    }),
  );
  if (!credential.ok) return credential;
  const response = credential.value.response as AuthenticatorAttestationResponse;
  const key = response.getPublicKey();
  if (!key) return failed('passkey.algorithm', 'the hub does not take passkeys with this kind of key', 'Use another authenticator.');
  return hub.addPasskey({
    name,
    challenge: options.challenge,
    credential: base64(credential.value.rawId),
    client_data: base64(response.clientDataJSON),
    authenticator_data: base64(response.getAuthenticatorData()),
    public_key: base64(key),
    algorithm: response.getPublicKeyAlgorithm(),
  });
}

const base64 = (bytes: ArrayBuffer): string => toBase64(new Uint8Array(bytes));

/** What the person or the browser refuses becomes a failure with its own words. */
async function quietly(ask: () => Promise<Credential | null>): Promise<Result<PublicKeyCredential>> {
  try {
    const credential = await ask();
    if (credential) return { ok: true, value: credential as PublicKeyCredential };
  } catch (thrown) {
    if (!(thrown instanceof DOMException)) throw thrown;
    if (thrown.name === 'InvalidStateError') {
      return failed('passkey.known', 'this authenticator has a passkey for you already', 'Use it to sign in, or add one on another device.');
    }
  }
  return failed('passkey.not_used', 'no passkey was used', 'Try again, and confirm with your finger, face or PIN when the browser asks.');
}
