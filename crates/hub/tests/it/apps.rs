//! Apps: reloads, what a person sees of them over the socket, downloads.

use satchel_base::Clock as _;
use satchel_contract::AccessType;
use satchel_hub::SystemEntropy;
use satchel_sealed::{DeviceSecretKey, SigningKey, VerifyingKey, package};
use serde_json::{Value, json};

use crate::harness::{Answer, Hub, app_folder};

fn base64(bytes: &[u8]) -> String {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}

pub fn from_base64(text: &str) -> Vec<u8> {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap()
}

/// A hub with the app `sales`, reloaded and published.
pub async fn hub_with_app() -> Hub {
    let hub = Hub::start(&[
        AccessType::Professional,
        AccessType::Analyzer,
        AccessType::User,
    ])
    .await;
    import(&hub);
    hub
}

/// Imports the app `sales`, reloads and publishes it.
pub fn import(hub: &Hub) {
    let folder = app_folder(hub.dir.path());
    let import = [
        "app",
        "import",
        folder.to_str().unwrap(),
        "--owner",
        "TEST\\ANALYZER",
        "--stream",
        "Everyone",
        "--name",
        "sales",
    ];
    hub.command(&import).unwrap();
    hub.command(&["app", "reload", "sales"]).unwrap();
}

pub async fn app_id(hub: &Hub, token: &str) -> String {
    let apps = hub
        .browser("GET /api/v1/apps", token, &[], None)
        .await
        .json();
    apps["apps"][0]["id"].as_str().unwrap().to_owned()
}

pub async fn evaluate(hub: &Hub, who: &str, expression: &str) -> Value {
    let token = hub.sign_in(who).await;
    let id = app_id(hub, &token).await;
    let own = [("origin", "https://hub.example.org")];
    let mut socket = hub
        .socket(&format!("/app/{id}"), &token, &own)
        .await
        .ok()
        .unwrap();
    assert_eq!(
        socket.read().await.unwrap()["method"],
        "OnAuthenticationInformation"
    );
    assert_eq!(socket.read().await.unwrap()["method"], "OnConnected");
    let opened = socket.call(-1, "OpenDoc", json!([id])).await;
    let Some(handle) = opened["result"]["qReturn"]["qHandle"].as_i64() else {
        return opened;
    };
    socket.call(handle, "EvaluateEx", json!([expression])).await["result"]["qValue"].clone()
}

// threat: T-15 T-22
#[tokio::test(flavor = "multi_thread")]
async fn two_people_see_different_data_and_a_third_is_not_let_in() {
    let hub = hub_with_app().await;
    assert_eq!(
        evaluate(&hub, "analyzer", "Sum(Amount)").await["qNumber"],
        15
    );
    assert_eq!(
        evaluate(&hub, "professional", "Sum(Amount)").await["qNumber"],
        3
    );
    let denied = evaluate(&hub, "user", "Sum(Amount)").await;
    assert_eq!(denied["error"]["code"], 5, "{denied}");
    let log = hub.command(&["audit", "show"]).unwrap();
    assert!(
        log.contains("app.open") && log.contains("access.denied"),
        "{log}"
    );
    hub.stop().await;
}

/// How much data others have is nobody's business but the owner's.
// threat: T-14
#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_apps_tells_the_size_to_its_owner_only() {
    let hub = hub_with_app().await;
    for (name, is_owner) in [("analyzer", true), ("professional", false)] {
        let token = hub.sign_in(name).await;
        let list = hub.browser("GET /api/v1/apps", &token, &[], None).await;
        let size = list.json()["apps"][0]["size"].as_u64().unwrap();
        assert_eq!(size > 0, is_owner, "{name} is told {size}");
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_frame_is_answered_and_the_socket_lives_on() {
    let hub = hub_with_app().await;
    let token = hub.sign_in("analyzer").await;
    let own = [("origin", "https://hub.example.org")];
    let mut socket = hub
        .socket("/app/engineData", &token, &own)
        .await
        .ok()
        .unwrap();
    socket.read().await.unwrap();
    socket.read().await.unwrap();
    for bad in [
        "not json",
        "[]",
        "{}",
        r#"{"id":1,"handle":-1,"method":"NoSuchMethod"}"#,
    ] {
        socket.write(bad).await;
        assert!(
            socket.read().await.unwrap()["error"]["code"].is_i64(),
            "{bad}"
        );
    }
    let list = socket.call(-1, "GetDocList", json!([])).await;
    assert_eq!(list["result"]["qDocList"][0]["qTitle"], "sales");
    // A frame of nine MiB ends the socket, not the hub.
    socket.write(&"x".repeat(9 << 20)).await;
    assert!(socket.read().await.is_err());
    assert_eq!(hub.browser("GET /healthz", "", &[], None).await.status, 200);
    hub.stop().await;
}

// threat: T-35
#[tokio::test(flavor = "multi_thread")]
async fn signing_out_elsewhere_closes_the_socket() {
    let hub = hub_with_app().await;
    let token = hub.sign_in("analyzer").await;
    let own = [("origin", "https://hub.example.org")];
    let mut socket = hub
        .socket("/app/engineData", &token, &own)
        .await
        .ok()
        .unwrap();
    socket.read().await.unwrap();
    socket.read().await.unwrap();
    socket.call(-1, "EngineVersion", json!([])).await;
    hub.browser("POST /api/v1/sign-out", &token, &[], None)
        .await;
    hub.clock.advance(10_000);
    socket
        .write(r#"{"jsonrpc":"2.0","id":2,"handle":-1,"method":"EngineVersion","params":[]}"#)
        .await;
    assert_eq!(socket.read().await, Err(4401));
    hub.stop().await;
}

// threat: T-23
#[tokio::test(flavor = "multi_thread")]
async fn a_reload_that_fails_leaves_the_last_good_data() {
    let hub = hub_with_app().await;
    let store = hub.store().await;
    let before = store.find_app("Sales").await.unwrap();
    let content = String::from_utf8(store.blobs().read(&before.content).unwrap()).unwrap();
    let mut content: Value = serde_json::from_str(&content).unwrap();
    for broken in [
        "Sales: LOAD Region FROM [gone.csv] (txt, utf8, embedded labels, delimiter is ',');",
        "LOAD 1 AS A AUTOGENERATE 1;\nLOAD Nothing RESIDENT NoSuchTable;",
        "LOAD * FROM [../../../../etc/passwd] (txt);",
    ] {
        content["script"] = broken.into();
        let blob = store.blobs().put(content.to_string().as_bytes()).unwrap();
        store
            .save_content(&before.id, &blob, before.modified_at)
            .await
            .unwrap();
        assert!(
            hub.command(&["app", "reload", "sales"]).is_err(),
            "{broken}"
        );
        let after = store.find_app("Sales").await.unwrap();
        assert_eq!(
            (after.reload, &after.data),
            (before.reload, &before.data),
            "{broken}"
        );
    }
    // Dropping section access altogether must not publish everything to everybody.
    content["script"] = "Sales: LOAD * INLINE [Amount\n99];".into();
    let blob = store.blobs().put(content.to_string().as_bytes()).unwrap();
    store
        .save_content(&before.id, &blob, before.modified_at)
        .await
        .unwrap();
    let _ = hub.command(&["app", "reload", "sales"]);
    assert_eq!(store.find_app("Sales").await.unwrap().reload, before.reload);
    assert_eq!(
        evaluate(&hub, "professional", "Sum(Amount)").await["qNumber"],
        3
    );
    hub.stop().await;
}

/// A device's keys and its id after enrolment.
pub struct Device {
    kem: DeviceSecretKey,
    signing: SigningKey,
    pub id: String,
    pub token: String,
    hub_id: String,
    pub hub_key: VerifyingKey,
}

pub async fn enrol(hub: &Hub, who: &str) -> Device {
    let token = hub.sign_in_natively(who).await.token();
    let kem = DeviceSecretKey::make(&mut SystemEntropy);
    let signing = SigningKey::make(&mut SystemEntropy);
    let body = json!({
        "name": "Test laptop", "platform": "linux", "client": "satchel 0.1.0", "remember": true,
        "kem_key": base64(&kem.public_key().to_bytes()),
        "signing_key": base64(&signing.verifying_key().to_bytes()),
    });
    let answer = hub.native("POST /api/v1/devices", &token, Some(body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let enrolled = answer.json();
    let hub_key = VerifyingKey::from_bytes(&from_base64(
        enrolled["hub"]["signing_key"].as_str().unwrap(),
    ))
    .unwrap();
    let grant = from_base64(enrolled["grant"].as_str().unwrap());
    let grant =
        satchel_sealed::signed::verify(&hub_key, satchel_sealed::signed::GRANT, &grant).unwrap();
    let grant: satchel_contract::Grant = serde_json::from_slice(grant).unwrap();
    assert_eq!(grant.offline_hours, 240);
    let id = enrolled["device"].as_str().unwrap().to_owned();
    assert_eq!(grant.device.as_str(), id);
    Device {
        kem,
        signing,
        id,
        token,
        hub_id: enrolled["hub"]["id"].as_str().unwrap().into(),
        hub_key,
    }
}

/// Starts a download and waits until it is ready.
pub async fn prepare(hub: &Hub, device: &Device, app: &str) -> Value {
    let start = format!("POST /api/v1/apps/{app}/downloads");
    let started = hub
        .native(&start, &device.token, Some(json!({ "device": device.id })))
        .await;
    assert_eq!(started.status, 201, "{started:?}");
    let id = started.json()["id"].as_str().unwrap().to_owned();
    loop {
        let status = hub
            .native(&format!("GET /api/v1/downloads/{id}"), &device.token, None)
            .await
            .json();
        match status["state"].as_str().unwrap() {
            "preparing" => tokio::task::yield_now().await,
            "ready" => return status,
            _ => panic!("{status}"),
        }
    }
}

async fn part(hub: &Hub, device: &Device, download: &str, range: &str) -> Answer {
    let headers = [("x-satchel-client", "satchel"), ("range", range)];
    hub.send(
        &format!("GET /api/v1/downloads/{download}/package"),
        &device.token,
        &headers,
        None,
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_is_reduced_sealed_and_fetched_in_parts() {
    let hub = hub_with_app().await;
    let device = enrol(&hub, "professional").await;
    let app = app_id(&hub, &device.token).await;
    let preview = hub
        .native(
            &format!("GET /api/v1/apps/{app}/download-preview"),
            &device.token,
            None,
        )
        .await
        .json();
    assert_eq!(preview["tables"][0]["rows_in"], 4);
    assert_eq!(preview["tables"][0]["rows_out"], 2);
    assert_eq!(preview["fields_withheld"], 1);
    let announced = preview["size"].as_u64().unwrap();
    let ready = prepare(&hub, &device, &app).await;
    let (id, size) = (
        ready["id"].as_str().unwrap(),
        ready["size"].as_u64().unwrap(),
    );
    // But for the digits of times and the length of ids.
    assert!(announced.abs_diff(size) < 32, "{announced} for {size}");

    let half = size / 2;
    let first = part(&hub, &device, id, &format!("bytes=0-{}", half - 1)).await;
    assert_eq!(first.status, 206);
    assert_eq!(
        first.headers["content-range"],
        format!("bytes 0-{}/{size}", half - 1)
    );
    let second = part(&hub, &device, id, &format!("bytes={half}-")).await;
    assert_eq!(second.status, 206);
    assert_eq!(
        part(&hub, &device, id, &format!("bytes={size}-"))
            .await
            .status,
        416
    );
    let bytes = [first.body, second.body].concat();
    assert_eq!(bytes.len() as u64, size);
    assert_eq!(
        blake3::hash(&bytes).to_hex().as_str(),
        ready["blake3"].as_str().unwrap()
    );

    let binding = package::Binding {
        hub: device.hub_id.clone(),
        user: "TEST\\PROFESSIONAL".into(),
        device: device.id.clone(),
        app: app.clone(),
    };
    let opened = package::open(&bytes, &binding, &device.hub_key, &device.kem).unwrap();
    let image = satchel_qix::AppImage::decode(&opened.payload).unwrap();
    assert!(
        image.content.script.is_empty(),
        "the script stays on the hub"
    );
    let model = satchel_data::Model::from_snapshot(&image.snapshot, 1 << 30).unwrap();
    assert_eq!(model.tables()[0].n_rows, 2);
    assert!(model.fields().iter().all(|f| f.name != "Margin"));
    let whole = String::from_utf8_lossy(&opened.payload);
    assert!(!whole.contains("SOUTH") && !whole.contains("WEST") && !whole.contains("Margin"));

    // Not for anybody else, and not for ever.
    let other = hub.sign_in_natively("analyzer").await.token();
    let foreign = hub
        .native(&format!("GET /api/v1/downloads/{id}/package"), &other, None)
        .await;
    assert_eq!(foreign.status, 404);
    hub.command(&["device", "revoke", &device.id]).unwrap();
    assert_eq!(
        part(&hub, &device, id, "bytes=0-").await.code(),
        "device.revoked"
    );
    hub.stop().await;
}

// threat: T-37
#[tokio::test(flavor = "multi_thread")]
async fn a_remembered_device_signs_in_once_per_challenge() {
    let hub = hub_with_app().await;
    let device = enrol(&hub, "professional").await;
    let challenge = hub
        .native(
            &format!("POST /api/v1/devices/{}/challenge", device.id),
            "",
            None,
        )
        .await
        .json();
    let nonce = challenge["nonce"].as_str().unwrap();
    let message = format!(
        "satchel device sign-in v1\n{}\n{}\n{nonce}",
        device.hub_id, device.id
    );
    let body = |signature: &[u8]| json!({ "nonce": nonce, "signature": base64(signature) });
    let path = format!("POST /api/v1/devices/{}/sign-in", device.id);
    let right = device.signing.sign(message.as_bytes());
    let signed_in = hub.native(&path, "", Some(body(&right))).await;
    assert_eq!(signed_in.status, 200, "{signed_in:?}");
    let again = hub.native(&path, "", Some(body(&right))).await;
    assert_eq!(
        (again.status, again.code().as_str()),
        (401, "sign_in.not_remembered")
    );

    let lease = format!("POST /api/v1/devices/{}/lease", device.id);
    let renewed = hub.native(&lease, &signed_in.token(), None).await;
    assert_eq!(renewed.status, 200, "{renewed:?}");
    let forget = format!("DELETE /api/v1/devices/{}/remembered", device.id);
    assert_eq!(
        hub.native(&forget, &signed_in.token(), None).await.status,
        204
    );
    hub.stop().await;
}

// threat: T-03
#[tokio::test(flavor = "multi_thread")]
async fn an_older_grant_than_the_one_kept_is_a_copy() {
    let hub = hub_with_app().await;
    let device = enrol(&hub, "professional").await;
    let now = hub.clock.now().0;
    let lease = format!("POST /api/v1/devices/{}/lease", device.id);
    let kept = format!("{lease}/kept");
    let ask = async |path: &str, held: i64, again: bool| {
        let body = json!({ "held": held, "again": again });
        hub.native(path, &device.token, Some(body)).await
    };
    // Answers that were lost, in any number, and an older one that arrives late.
    assert_eq!(ask(&lease, now - 30, false).await.status, 200);
    assert_eq!(ask(&lease, now - 30, true).await.status, 200);
    assert_eq!(ask(&kept, now - 20, false).await.status, 204);
    assert_eq!(ask(&kept, now - 25, false).await.status, 204);
    assert_eq!(ask(&lease, now - 20, false).await.status, 200);
    // A time that no grant can have stops nobody later.
    assert_eq!(ask(&kept, now + 1_000_000, false).await.status, 204);
    assert_eq!(ask(&lease, now - 20, false).await.status, 200);
    // A client that does not say is not judged.
    assert_eq!(hub.native(&lease, &device.token, None).await.status, 200);
    let stale = ask(&lease, now - 21, false).await;
    assert_eq!((stale.status, stale.code().as_str()), (409, "lease.stale"));
    assert_eq!(ask(&lease, now - 20, true).await.status, 200);
    let copy = ask(&lease, now - 21, true).await;
    assert_eq!((copy.status, copy.code().as_str()), (403, "device.revoked"));
    let own = ask(&lease, now - 20, false).await;
    assert_eq!(own.code(), "device.revoked", "both are stopped");
    let listed = hub.command(&["device", "list"]).unwrap();
    assert!(listed.contains("found twice and stopped"), "{listed}");
    hub.stop().await;
}

// threat: T-06 T-24
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_names_apps_whose_rights_are_gone() {
    let hub = hub_with_app().await;
    let device = enrol(&hub, "professional").await;
    let app = app_id(&hub, &device.token).await;
    prepare(&hub, &device, &app).await;
    let lease = format!("POST /api/v1/devices/{}/lease", device.id);
    let before = hub.native(&lease, &device.token, None).await.json();
    assert_eq!(before["revoked"], json!([]));
    hub.command(&["app", "remove", "sales"]).unwrap();
    let after = hub.native(&lease, &device.token, None).await.json();
    assert_eq!(after["revoked"], json!([app]));
    hub.stop().await;
}

// threat: T-08 T-45
#[tokio::test(flavor = "multi_thread")]
async fn tampering_with_the_audit_log_is_found() {
    let hub = hub_with_app().await;
    hub.sign_in("analyzer").await;
    hub.command(&["audit", "verify"]).unwrap();
    let database = hub.dir.path().join("hub/repository.sqlite");
    let changed = std::process::Command::new("sqlite3")
        .arg(&database)
        .arg("DROP TRIGGER audit_keeps_words; UPDATE audit SET actor = 'TEST\\BOB' WHERE seq = 1;")
        .status()
        .expect("the sqlite3 command is there; `cargo xtask setup` installs it");
    assert!(changed.success());
    assert!(hub.command(&["audit", "verify"]).is_err());
    hub.stop().await;
}

/// Also in the middle of nothing: a socket that is silent is closed too.
// threat: T-06 T-35
#[tokio::test(flavor = "multi_thread")]
async fn revoking_a_device_ends_its_session_and_closes_its_socket() {
    let hub = hub_with_app().await;
    let device = enrol(&hub, "professional").await;
    let other = hub.sign_in_natively("analyzer").await.token();
    let client = [("x-satchel-client", "satchel 0.1.0")];
    let open = async |token: &str| {
        let mut socket = hub
            .socket("/app/engineData", token, &client)
            .await
            .ok()
            .unwrap();
        socket.read().await.unwrap();
        socket.read().await.unwrap();
        socket
    };
    let mut socket = open(&device.token).await;
    let mut unconcerned = open(&other).await;
    hub.command(&["device", "revoke", &device.id]).unwrap();
    assert_eq!(socket.read().await, Err(4401));
    for request in ["GET /api/v1/me", "GET /api/v1/apps", "GET /app/engineData"] {
        let refused = hub.native(request, &device.token, None).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (403, "device.revoked"),
            "{request}"
        );
    }
    let version = unconcerned.call(-1, "EngineVersion", json!([])).await;
    assert!(version["result"].is_object(), "{version}");
    hub.stop().await;
}

/// A device that is to be wiped hears so first: with its session, and also when all it has left
/// is its key.
// threat: T-06
#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_is_to_be_wiped_is_told_at_its_next_contact() {
    let hub = hub_with_app().await;
    let device = enrol(&hub, "professional").await;
    let lost = enrol(&hub, "user").await;
    for id in [&device.id, &lost.id] {
        hub.command(&["device", "wipe", id]).unwrap();
    }
    let listed = hub.command(&["device", "list"]).unwrap();
    assert_eq!(listed.matches("to be wiped since").count(), 2, "{listed}");
    let told = hub.native("GET /api/v1/apps", &device.token, None).await;
    assert_eq!(told.code(), "device.revoked");
    let challenge = format!("POST /api/v1/devices/{}/challenge", lost.id);
    let challenge = hub.native(&challenge, "", None).await.json();
    let nonce = challenge["nonce"].as_str().unwrap();
    let path = format!("POST /api/v1/devices/{}/sign-in", lost.id);
    let wrong = json!({ "nonce": nonce, "signature": base64(&[0; 64]) });
    let stranger = hub.native(&path, "", Some(wrong)).await;
    assert_eq!(stranger.code(), "sign_in.not_remembered", "not for others");
    let challenge = format!("POST /api/v1/devices/{}/challenge", lost.id);
    let challenge = hub.native(&challenge, "", None).await.json();
    let nonce = challenge["nonce"].as_str().unwrap();
    let message = format!(
        "satchel device sign-in v1\n{}\n{}\n{nonce}",
        lost.hub_id, lost.id
    );
    let signature = base64(&lost.signing.sign(message.as_bytes()));
    let body = json!({ "nonce": nonce, "signature": signature });
    let told = hub.native(&path, "", Some(body)).await;
    assert_eq!((told.status, told.code().as_str()), (403, "device.revoked"));
    let listed = hub.command(&["device", "list"]).unwrap();
    assert_eq!(listed.matches("told to wipe").count(), 2, "{listed}");
    let audit = hub.command(&["audit", "show", "--json"]).unwrap();
    assert_eq!(audit.matches("device.wipe_told").count(), 2, "{audit}");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_app_imports_and_shows_the_same() {
    let hub = hub_with_app().await;
    let folder = hub.dir.path().join("exported");
    let to = folder.to_str().unwrap();
    hub.command(&["app", "export", "sales", "--to", to])
        .unwrap();
    let again = hub.command(&["app", "export", "sales", "--to", to]);
    assert!(again.unwrap_err().contains("is there already"));
    let script = std::fs::read_to_string(folder.join("load.qvs")).unwrap();
    let source = std::fs::read_to_string(hub.dir.path().join("sales/load.qvs")).unwrap();
    assert_eq!(script, source);
    let content = std::fs::read_to_string(folder.join("app.json")).unwrap();
    assert!(!content.contains("SECTION ACCESS"), "{content}");
    std::fs::copy(
        hub.dir.path().join("sales/sales.csv"),
        folder.join("sales.csv"),
    )
    .unwrap();
    let import = [
        "app",
        "import",
        to,
        "--owner",
        "TEST\\ANALYZER",
        "--name",
        "copy",
    ];
    hub.command(&import).unwrap();
    let reloaded = hub.command(&["app", "reload", "copy", "--quiet"]).unwrap();
    assert!(reloaded.contains("4 rows"), "{reloaded}");
    hub.stop().await;
}
