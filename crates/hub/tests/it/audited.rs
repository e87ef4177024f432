//! Accesses and refusals, and the log that must hold exactly these, in order.

use serde_json::json;

use crate::apps::{app_id, enrol, evaluate, hub_with_app, prepare};
use crate::harness::credentials;

// threat: T-45
#[tokio::test(flavor = "multi_thread")]
async fn the_log_holds_exactly_what_happened() {
    let hub = hub_with_app().await;
    let store = hub.store().await;
    let begun = store.audit_entries(1).await.unwrap()[0].seq;

    let wrong = credentials("professional", "wrong");
    hub.native("POST /api/v1/sign-in", "", Some(wrong)).await;
    let unknown = credentials("nobody", "wrong");
    hub.native("POST /api/v1/sign-in", "", Some(unknown)).await;
    let device = enrol(&hub, "professional").await;
    let app = app_id(&hub, &device.token).await;
    prepare(&hub, &device, &app).await;
    let lease = format!("POST /api/v1/devices/{}/lease", device.id);
    let renewed = hub.native(&lease, &device.token, None).await;
    assert_eq!(renewed.status, 200);
    let preview = format!("GET /api/v1/apps/{app}/download-preview");
    assert_eq!(hub.native(&preview, &device.token, None).await.status, 200);
    evaluate(&hub, "professional", "Sum(Amount)").await;
    let denied = evaluate(&hub, "user", "Sum(Amount)").await;
    assert!(denied["error"].is_object(), "{denied}");
    let refused = format!("POST /api/v1/apps/{app}/downloads");
    let token = hub.sign_in("user").await;
    let body = json!({ "device": device.id });
    let foreign = hub.browser(&refused, &token, &[], Some(body)).await;
    assert!(foreign.status >= 400, "{foreign:?}");
    hub.browser("POST /api/v1/sign-out", &token, &[], None)
        .await;
    hub.command(&["device", "wipe", &device.id]).unwrap();
    for _ in 0..2 {
        let told = hub.native(&lease, &device.token, None).await;
        assert_eq!(told.code(), "device.revoked");
    }

    let entries = store.audit_entries(100).await.unwrap();
    let said: Vec<String> = entries
        .iter()
        .filter(|entry| entry.seq > begun)
        .map(|entry| {
            let object = entry.object.replace(&device.id, "DEVICE");
            let object = object.replace(&app, "APP");
            let words = [&entry.actor, &entry.action, &object, &entry.outcome];
            words.map(String::as_str).join(" ").replace("  ", " ")
        })
        .collect();
    let expected = [
        r"TEST\PROFESSIONAL sign_in sign_in.failed",
        r"TEST\NOBODY sign_in sign_in.failed",
        r"TEST\PROFESSIONAL sign_in ok",
        r"TEST\PROFESSIONAL device.enrol DEVICE ok",
        r"TEST\PROFESSIONAL download.start APP ok",
        r"TEST\PROFESSIONAL download.prepared APP ok",
        r"TEST\PROFESSIONAL device.lease DEVICE ok",
        r"TEST\PROFESSIONAL sign_in ok",
        r"TEST\PROFESSIONAL app.open APP ok",
        r"TEST\USER sign_in ok",
        r"TEST\USER app.open APP access.denied",
        r"TEST\USER sign_in ok",
        r"TEST\USER sign_out ok",
        r"administrator device.wipe DEVICE ok",
        r"TEST\PROFESSIONAL device.wipe_told DEVICE ok",
    ];
    assert_eq!(said, expected, "{said:#?}");
    hub.command(&["audit", "verify"]).unwrap();
    hub.stop().await;
}
