//! Signing in with passkeys, and everything somebody may bring instead of a right one. The
//! authenticator is a few lines of its own here; a browser's is in `web/e2e/passkeys.test.mjs`.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use satchel_contract::AccessType;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Answer, Hub};

const ORIGIN: &str = "https://hub.example.org";
const RP_ID: &str = "hub.example.org";

/// After a day wrong attempts are forgotten.
const DAY: i64 = 24 * 3_600_000;

enum Key {
    Es256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// An authenticator with one passkey, which does as the test says.
struct Authenticator {
    key: Key,
    credential: Vec<u8>,
    user_handle: String,
    count: u32,
    // What the browser and the authenticator say.
    origin: &'static str,
    rp_id: &'static str,
    flags: u8,
}

impl Authenticator {
    fn new(credential: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        Self::with(Key::Es256(key), credential)
    }

    fn with(key: Key, credential: &str) -> Self {
        Self {
            key,
            credential: credential.into(),
            user_handle: String::new(),
            count: 0,
            origin: ORIGIN,
            rp_id: RP_ID,
            flags: 1 | 4,
        }
    }

    fn client_data(&self, kind: &str, challenge: &str) -> Vec<u8> {
        let challenge = URL_SAFE_NO_PAD.encode(STANDARD.decode(challenge).unwrap());
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false })
            .to_string()
            .into_bytes()
    }

    fn data(&self, flags: u8, rest: &[u8]) -> Vec<u8> {
        let hash = Sha256::digest(self.rp_id.as_bytes());
        [&hash[..], &[flags], &self.count.to_be_bytes(), rest].concat()
    }

    fn register(&mut self, options: &Value) -> Value {
        self.user_handle = options["user_handle"].as_str().unwrap().to_owned();
        let challenge = options["challenge"].as_str().unwrap();
        let length = u16::try_from(self.credential.len()).unwrap().to_be_bytes();
        let attested = [&[0; 16][..], &length, &self.credential, &[0xa0]].concat();
        let (algorithm, public_key) = match &self.key {
            Key::Es256(key) => (-7, der(key.public_key())),
            Key::Ed25519(key) => (-8, der(key.public_key())),
        };
        json!({
            "name": "A key",
            "challenge": challenge,
            "credential": STANDARD.encode(&self.credential),
            "client_data": STANDARD.encode(self.client_data("webauthn.create", challenge)),
            "authenticator_data": STANDARD.encode(self.data(self.flags | 64, &attested)),
            "public_key": STANDARD.encode(public_key),
            "algorithm": algorithm,
        })
    }

    fn sign_in(&mut self, challenge: &str) -> Value {
        let client_data = self.client_data("webauthn.get", challenge);
        let data = self.data(self.flags, &[]);
        let message = [&data[..], &Sha256::digest(&client_data)].concat();
        let signature = match &self.key {
            Key::Es256(key) => key
                .sign(&SystemRandom::new(), &message)
                .unwrap()
                .as_ref()
                .to_vec(),
            Key::Ed25519(key) => key.sign(&message).as_ref().to_vec(),
        };
        json!({
            "challenge": challenge,
            "credential": STANDARD.encode(&self.credential),
            "client_data": STANDARD.encode(client_data),
            "authenticator_data": STANDARD.encode(data),
            "signature": STANDARD.encode(signature),
            "user_handle": self.user_handle,
        })
    }
}

fn der(key: &impl AsDer<PublicKeyX509Der<'static>>) -> Vec<u8> {
    key.as_der().unwrap().as_ref().to_vec()
}

async fn post(hub: &Hub, path: &str, token: &str, body: Value) -> Answer {
    let request = format!("POST /api/v1/{path}");
    hub.browser(&request, token, &[("origin", ORIGIN)], Some(body))
        .await
}

async fn challenge(hub: &Hub) -> String {
    let answer = post(hub, "sign-in/passkey/challenge", "", json!({})).await;
    assert_eq!(answer.json()["rp_id"], RP_ID);
    answer.json()["challenge"].as_str().unwrap().to_owned()
}

async fn options(hub: &Hub, token: &str) -> Value {
    let answer = post(hub, "passkeys/challenge", token, json!({})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn add(hub: &Hub, token: &str, authenticator: &mut Authenticator) -> String {
    let body = authenticator.register(&options(hub, token).await);
    let added = post(hub, "passkeys", token, body).await;
    assert_eq!(added.status, 200, "{added:?}");
    added.json()["id"].as_str().unwrap().to_owned()
}

async fn sign_in(hub: &Hub, authenticator: &mut Authenticator) -> Answer {
    let body = authenticator.sign_in(&challenge(hub).await);
    post(hub, "sign-in/passkey", "", body).await
}

fn code_of(answer: &Answer) -> (u16, String) {
    (answer.status, answer.code())
}

// threat: T-37
#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_signs_in_and_every_other_one_is_refused_with_its_own_code() {
    let hub = Hub::start(&[AccessType::Analyzer]).await;
    let token = hub.sign_in("analyzer").await;
    let mut key = Authenticator::new("one");
    add(&hub, &token, &mut key).await;
    key.count = 5;
    let answer = sign_in(&hub, &mut key).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let me = hub
        .browser("GET /api/v1/me", &answer.token(), &[], None)
        .await;
    assert_eq!(me.json()["user"], "TEST\\ANALYZER");

    // Used twice, at once or later; of something else; too old; made up.
    key.count += 1;
    let body = key.sign_in(&challenge(&hub).await);
    let (one, two) = tokio::join!(
        post(&hub, "sign-in/passkey", "", body.clone()),
        post(&hub, "sign-in/passkey", "", body.clone())
    );
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 401]);
    let wrong_challenge = (401, "passkey.wrong_challenge".to_owned());
    let again = post(&hub, "sign-in/passkey", "", body).await;
    assert_eq!(code_of(&again), wrong_challenge);
    key.count += 1;
    let of_registration = options(&hub, &token).await["challenge"]
        .as_str()
        .unwrap()
        .to_owned();
    let late = challenge(&hub).await;
    let made_up = STANDARD.encode([7; 56]);
    hub.clock.advance(5 * 60_000);
    let other_page = hub
        .browser(
            "POST /api/v1/sign-in/passkey/challenge",
            "",
            &[("origin", &own(&hub))],
            None,
        )
        .await
        .json()["challenge"]
        .as_str()
        .unwrap()
        .to_owned();
    for bad in [of_registration, late, made_up, String::new(), other_page] {
        let body = key.sign_in(&bad);
        let answer = post(&hub, "sign-in/passkey", "", body).await;
        assert_eq!(code_of(&answer), wrong_challenge, "{bad}");
        hub.clock.advance(DAY);
    }

    // Each part wrong once.
    type Spoil = fn(&mut Authenticator);
    let spoiled: [(&str, Spoil); 6] = [
        ("passkey.wrong_origin", |a| {
            a.origin = "https://hub.example.org.evil.example"
        }),
        ("passkey.wrong_origin", |a| a.origin = "https://localhost"),
        ("passkey.wrong_rp_id", |a| a.rp_id = "example.org"),
        ("passkey.not_verified", |a| a.flags = 1),
        ("passkey.not_present", |a| a.flags = 4),
        ("passkey.wrong_credential", |a| {
            a.user_handle = STANDARD.encode([1; 32])
        }),
    ];
    for (code, spoil) in spoiled {
        let kept = (key.origin, key.rp_id, key.flags, key.user_handle.clone());
        spoil(&mut key);
        assert_eq!(
            code_of(&sign_in(&hub, &mut key).await),
            (401, code.to_owned())
        );
        (key.origin, key.rp_id, key.flags, key.user_handle) = kept;
        hub.clock.advance(DAY);
    }
    hub.clock.advance(DAY);
    let mut body = key.sign_in(&challenge(&hub).await);
    let mut signature = STANDARD
        .decode(body["signature"].as_str().unwrap())
        .unwrap();
    *signature.last_mut().unwrap() ^= 1;
    body["signature"] = STANDARD.encode(signature).into();
    let answer = post(&hub, "sign-in/passkey", "", body).await;
    assert_eq!(answer.code(), "passkey.bad_signature");
    let mut stranger = Authenticator::new("two");
    assert_eq!(sign_in(&hub, &mut stranger).await.code(), "passkey.unknown");
    // Another key that calls itself the same.
    hub.clock.advance(DAY);
    let mut twin = Authenticator::new("one");
    twin.user_handle = key.user_handle.clone();
    assert_eq!(
        sign_in(&hub, &mut twin).await.code(),
        "passkey.bad_signature"
    );
    hub.clock.advance(DAY);

    // A copy of it that counts on its own.
    key.count = 6;
    assert_eq!(sign_in(&hub, &mut key).await.code(), "passkey.counted_back");
    key.count = 0;
    assert_eq!(sign_in(&hub, &mut key).await.code(), "passkey.counted_back");
    key.count = 100;
    assert_eq!(sign_in(&hub, &mut key).await.status, 200);
    let log = hub.command(&["audit", "show"]).unwrap();
    for said in [
        "passkey.add",
        "sign_in.passkey",
        "passkey.counted_back",
        "passkey.not_verified",
    ] {
        assert!(log.contains(said), "{said}");
    }
    hub.stop().await;
}

fn own(hub: &Hub) -> String {
    format!("https://localhost:{}", hub.address.port())
}

// threat: T-35 T-37
#[tokio::test(flavor = "multi_thread")]
async fn passkeys_are_ones_own_and_added_shortly_after_signing_in() {
    let hub = Hub::start(&[AccessType::Analyzer, AccessType::Professional]).await;
    let token = hub.sign_in("analyzer").await;
    let other = hub.sign_in("professional").await;
    let key = Ed25519KeyPair::generate().unwrap();
    let mut key = Authenticator::with(Key::Ed25519(key), "edwards");
    let id = add(&hub, &token, &mut key).await;
    assert_eq!(
        sign_in(&hub, &mut key).await.status,
        200,
        "it does not count, and need not"
    );
    assert_eq!(sign_in(&hub, &mut key).await.status, 200);

    // The same credential twice; for somebody else's challenge; with a key that is none.
    let body = key.register(&options(&hub, &token).await);
    assert_eq!(
        post(&hub, "passkeys", &token, body).await.code(),
        "passkey.known"
    );
    let body = Authenticator::new("new").register(&options(&hub, &token).await);
    assert_eq!(
        post(&hub, "passkeys", &other, body).await.code(),
        "passkey.wrong_challenge"
    );
    for (what, with) in [
        ("public_key", json!(STANDARD.encode([48; 91]))),
        ("algorithm", json!(-8)),
        ("algorithm", json!(-65_535)),
    ] {
        let mut body = Authenticator::new("new").register(&options(&hub, &token).await);
        body[what] = with;
        assert_eq!(
            post(&hub, "passkeys", &token, body).await.code(),
            "passkey.algorithm"
        );
    }
    let mut unverified = Authenticator::new("new");
    unverified.flags = 1;
    let body = unverified.register(&options(&hub, &token).await);
    assert_eq!(
        post(&hub, "passkeys", &token, body).await.code(),
        "passkey.not_verified"
    );
    let mut body = Authenticator::new("new").register(&options(&hub, &token).await);
    body["name"] = " ".into();
    assert_eq!(
        post(&hub, "passkeys", &token, body).await.code(),
        "passkey.bad_name"
    );

    // Nobody changes another's.
    let path = format!("passkeys/{id}");
    let renamed = post(&hub, &path, &other, json!({ "name": "Mine" })).await;
    assert_eq!(renamed.status, 404);
    let remove = format!("DELETE /api/v1/{path}");
    assert_eq!(hub.browser(&remove, &other, &[], None).await.status, 404);
    let renamed = post(&hub, &path, &token, json!({ "name": "Blue key" })).await;
    assert_eq!(renamed.status, 204);
    let list = async |token: &str| {
        hub.browser("GET /api/v1/passkeys", token, &[], None)
            .await
            .json()
    };
    assert_eq!(list(&token).await[0]["name"], "Blue key");
    assert_eq!(list(&other).await, json!([]));

    hub.clock.advance(15 * 60_000);
    let stale = post(&hub, "passkeys/challenge", &token, json!({})).await;
    assert_eq!(code_of(&stale), (403, "passkey.sign_in_again".into()));
    assert_eq!(hub.browser(&remove, &token, &[], None).await.status, 204);
    assert_eq!(sign_in(&hub, &mut key).await.code(), "passkey.unknown");

    // No page, or none of ours.
    let request = "POST /api/v1/sign-in/passkey/challenge";
    let nowhere = hub.browser(request, "", &[], Some(json!({}))).await;
    assert_eq!(nowhere.code(), "sign_in.unknown_address");
    let evil = [("origin", "https://evil.example")];
    let evil = hub.browser(request, "", &evil, Some(json!({}))).await;
    assert_eq!(evil.code(), "request.foreign_origin");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passkeys_can_be_switched_off_and_removed_by_an_administrator() {
    let mut hub = Hub::start(&[AccessType::Analyzer]).await;
    let token = hub.sign_in("analyzer").await;
    let mut key = Authenticator::new("one");
    let id = add(&hub, &token, &mut key).await;
    let user = "TEST\\analyzer";
    let list = hub.command(&["user", "passkeys", user]).unwrap();
    assert!(list.contains("A key") && list.contains(RP_ID), "{list}");
    let body = key.sign_in(&challenge(&hub).await);
    hub.command(&["sign-in", "passkeys", "off"]).unwrap();
    hub.serve().await;
    let off = (403, "sign_in.no_passkeys".to_owned());
    assert_eq!(code_of(&post(&hub, "sign-in/passkey", "", body).await), off);
    let asked = post(&hub, "sign-in/passkey/challenge", "", json!({})).await;
    assert_eq!(code_of(&asked), off);
    let ways = hub.browser("GET /api/v1/sign-in/ways", "", &[], None).await;
    assert_eq!(ways.json()["passkey"], false);
    hub.command(&["user", "passkeys", user, "--remove", &id])
        .unwrap();
    assert!(
        hub.command(&["user", "passkeys", user, "--remove", &id])
            .is_err()
    );
    hub.stop().await;
}
