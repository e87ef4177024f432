//! What the repository promises, over a real database in a temporary folder.

use satchel_base::{AppId, ByteSize, DeviceId, SubjectId, UnixMillis};
use satchel_contract::AccessType;
use satchel_gate::{Client, Release, Role, SESSION_IDLE_MS};
use satchel_store::{
    Arrival, AuditEvent, AuditVerdict, InForce, NewApp, NewDevice, Outsider, PublishedReload,
    Settings, Store, StoreError, TokenHash, User,
};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

const T: UnixMillis = UnixMillis(1_706_745_600_000); // 2024-02-01T00:00:00Z

async fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::init(&dir.path().join("hub"), "hub-id", "Test hub", [7; 32], T)
        .await
        .unwrap();
    (dir, store)
}

async fn with_user(store: &Store, name: &str) -> SubjectId {
    let id = SubjectId::new("LOCAL", name);
    let user = User {
        id: id.clone(),
        display_name: name.into(),
        email: format!("{name}@example.org"),
        groups: vec!["Sales".into()],
        roles: vec![Role::ContentAdmin],
        password_hash: Some("hash".into()),
    };
    store.add_user(&user, T).await.unwrap();
    id
}

#[tokio::test]
async fn what_is_saved_is_there_after_reopening() {
    let (dir, store) = store().await;
    let ann = with_user(&store, "ann").await;
    let settings = Settings {
        offline_hours: 48,
        ..Settings::default()
    };
    store.save_settings(&settings).await.unwrap();
    store.close().await;
    let hub = dir.path().join("hub");
    let store = Store::open(&hub).await.unwrap();
    assert_eq!(store.hub().id, "hub-id");
    assert_eq!(store.hub().signing_seed.expose(), &[7; 32]);
    assert_eq!(store.settings().await.unwrap(), settings);
    assert_eq!(
        store.user(&ann).await.unwrap().unwrap().roles,
        vec![Role::ContentAdmin]
    );
    assert!(matches!(
        Store::init(&hub, "x", "x", [0; 32], T).await,
        Err(StoreError::AlreadyInitialised { .. })
    ));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(hub.join("hub.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "only the owner may read the signing key");
    }
}

#[tokio::test]
async fn there_is_no_hub_in_an_empty_folder() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(
        Store::open(dir.path()).await,
        Err(StoreError::NotInitialised { .. })
    ));
}

// threat: T-23
#[tokio::test]
async fn a_reload_is_published_whole_and_only_over_the_one_it_began_on() {
    let (_dir, store) = store().await;
    let id = AppId::new("app");
    let blob = |text: &str| store.blobs().put(text.as_bytes()).unwrap();
    let app = NewApp {
        id: id.clone(),
        title: "Sales".into(),
        description: String::new(),
        owner: SubjectId::parse("ann"),
        content: blob("content"),
    };
    store.put_app(&app, T).await.unwrap();
    let reload = |after, text: &str| PublishedReload {
        after,
        data: blob(text),
        data_size: ByteSize(4),
        data_as_of: T,
        access_fingerprint: Some("f".into()),
    };
    assert_eq!(
        store
            .publish_reload(&id, &reload(0, "one"), T)
            .await
            .unwrap(),
        1
    );
    assert!(matches!(
        store.publish_reload(&id, &reload(0, "two"), T).await,
        Err(StoreError::Superseded)
    ));
    let app = store.find_app("sales").await.unwrap();
    assert_eq!(app.reload, 1);
    assert_eq!(store.blobs().read(&app.data.unwrap()).unwrap(), b"one");
}

#[tokio::test]
async fn a_title_of_several_apps_names_none_of_them() {
    let (_dir, store) = store().await;
    for (id, title) in [("app-2", "Twice"), ("app-1", "twice"), ("app-3", "Once")] {
        let app = NewApp {
            id: AppId::new(id),
            title: title.into(),
            description: String::new(),
            owner: SubjectId::parse("ann"),
            content: store.blobs().put(b"content").unwrap(),
        };
        store.put_app(&app, T).await.unwrap();
    }
    assert_eq!(store.find_app("once").await.unwrap().id.as_str(), "app-3");
    assert_eq!(store.find_app("app-1").await.unwrap().title, "twice");
    let error = store.find_app("Twice").await.unwrap_err().to_string();
    assert!(error.contains("app-1, app-2"), "{error}");
    assert!(error.contains("app.ambiguous"), "{error}");
    assert!(matches!(
        store.find_app("never").await,
        Err(StoreError::NotFound { .. })
    ));
}

// threat: T-35
#[tokio::test]
async fn sessions_idle_out_and_are_five_at_most() {
    let (_dir, store) = store().await;
    let ann = with_user(&store, "ann").await;
    let begin = async |n: u8, at: UnixMillis| {
        store
            .begin_session(
                TokenHash([n; 32]),
                &ann,
                Client::Browser,
                AccessType::Analyzer,
                at,
            )
            .await
            .unwrap()
    };
    for n in 0..5 {
        assert_eq!(begin(n, T.plus_ms(i64::from(n))).await, 0);
    }
    assert_eq!(begin(5, T.plus_ms(10)).await, 1);
    let live = async |n: u8, at: UnixMillis| {
        store
            .touch_session(TokenHash([n; 32]), at)
            .await
            .unwrap()
            .is_some()
    };
    assert!(!live(0, T.plus_ms(11)).await, "the one idle longest ended");
    assert!(live(1, T.plus_ms(SESSION_IDLE_MS - 1)).await);
    assert!(
        live(1, T.plus_ms(2 * SESSION_IDLE_MS - 100)).await,
        "use kept it alive"
    );
    assert!(!live(2, T.plus_ms(SESSION_IDLE_MS + 2)).await);
    assert!(!live(99, T).await);
}

// threat: T-35
#[tokio::test]
async fn a_new_password_ends_all_sessions() {
    let (_dir, store) = store().await;
    let ann = with_user(&store, "ann").await;
    let token = TokenHash([1; 32]);
    store
        .begin_session(token, &ann, Client::Browser, AccessType::User, T)
        .await
        .unwrap();
    let mut user = store.user(&ann).await.unwrap().unwrap();
    user.email = "new@example.org".into();
    store.save_user(&user).await.unwrap();
    assert!(store.ended_sessions(&[token], T).await.unwrap().is_empty());
    user.password_hash = Some("other".into());
    store.save_user(&user).await.unwrap();
    assert_eq!(store.ended_sessions(&[token], T).await.unwrap(), [token]);
}

#[tokio::test]
async fn a_used_licence_cools_down_and_comes_back_to_the_same_person() {
    let (_dir, store) = store().await;
    let (ann, bob) = (
        with_user(&store, "ann").await,
        with_user(&store, "bob").await,
    );
    store.set_licences(AccessType::Analyzer, 1).await.unwrap();
    store.assign(&ann, AccessType::Analyzer, T).await.unwrap();
    assert!(matches!(
        store.assign(&bob, AccessType::Analyzer, T).await,
        Err(StoreError::NoLicenceLeft { total: 1, .. })
    ));
    assert_eq!(
        store.touch_access(&ann, T).await.unwrap(),
        InForce::Named(AccessType::Analyzer)
    );
    assert!(matches!(
        store.release(&ann, T.plus_ms(1)).await.unwrap(),
        Some(Release::Quarantined { .. })
    ));
    assert!(
        store
            .assign(&bob, AccessType::Analyzer, T.plus_ms(2))
            .await
            .is_err()
    );
    store
        .assign(&ann, AccessType::Analyzer, T.plus_ms(3))
        .await
        .unwrap();
    assert_eq!(
        store.assigned_type(&ann).await.unwrap(),
        AccessType::Analyzer
    );
    // Never used since: free at once.
    assert_eq!(
        store.release(&ann, T.plus_ms(4)).await.unwrap(),
        Some(Release::Free)
    );
    store
        .assign(&bob, AccessType::Analyzer, T.plus_ms(5))
        .await
        .unwrap();
}

#[tokio::test]
async fn deleting_a_person_does_not_end_the_quarantine() {
    let (_dir, store) = store().await;
    let (ann, bob) = (
        with_user(&store, "ann").await,
        with_user(&store, "bob").await,
    );
    store.set_licences(AccessType::User, 1).await.unwrap();
    store.assign(&ann, AccessType::User, T).await.unwrap();
    store.touch_access(&ann, T).await.unwrap();
    store.remove_user(&ann, T).await.unwrap();
    assert!(
        store
            .assign(&bob, AccessType::User, T.plus_ms(6 * 86_400_000))
            .await
            .is_err()
    );
    store
        .assign(&bob, AccessType::User, T.plus_ms(7 * 86_400_000))
        .await
        .unwrap();
}

#[tokio::test]
async fn pools_are_used_up() {
    let (_dir, store) = store().await;
    let (ann, bob) = (
        with_user(&store, "ann").await,
        with_user(&store, "bob").await,
    );
    store
        .set_licences(AccessType::AnalyzerCapacity, 1)
        .await
        .unwrap();
    for who in [&ann, &bob] {
        store
            .assign(who, AccessType::AnalyzerCapacity, T)
            .await
            .unwrap();
    }
    let in_force = async |who, at| store.touch_access(who, at).await.unwrap().access_type();
    assert_eq!(in_force(&ann, T).await, AccessType::AnalyzerCapacity);
    assert_eq!(
        in_force(&ann, T.plus_ms(359_999)).await,
        AccessType::AnalyzerCapacity
    );
    assert_eq!(in_force(&bob, T).await, AccessType::None);
    assert_eq!(in_force(&ann, T.plus_ms(360_000)).await, AccessType::None);
    let march = UnixMillis(1_709_251_200_000);
    assert_eq!(in_force(&bob, march).await, AccessType::AnalyzerCapacity);
}

// threat: T-37
#[tokio::test]
async fn a_challenge_is_taken_once() {
    let (_dir, store) = store().await;
    let device = DeviceId::new("d");
    let put = async |n: u8| {
        store
            .put_challenge([n; 32], &device, T.plus_ms(60_000), T)
            .await
            .unwrap();
    };
    put(1).await;
    put(2).await;
    let other = DeviceId::new("other");
    assert!(!store.take_challenge([1; 32], &other, T).await.unwrap());
    let (a, b) = tokio::join!(
        store.take_challenge([1; 32], &device, T),
        store.take_challenge([1; 32], &device, T)
    );
    assert!(a.unwrap() ^ b.unwrap(), "one of two wins");
    assert!(
        !store
            .take_challenge([2; 32], &device, T.plus_ms(60_000))
            .await
            .unwrap()
    );
}

async fn write_audit(store: &Store, n: u32) {
    for i in 0..n {
        store
            .audit(&AuditEvent {
                at: T,
                actor: "LOCAL\\ANN".into(),
                action: "sign_in",
                object: String::new(),
                outcome: "ok".into(),
                detail: serde_json::json!({ "n": i }),
            })
            .await
            .unwrap();
    }
}

// threat: T-08 T-45
#[tokio::test]
async fn every_kind_of_tampering_with_the_audit_log_is_found() {
    for (statement, want) in [
        ("SELECT 1", AuditVerdict::Intact { n_entries: 5 }),
        (
            "UPDATE audit SET outcome = 'wrong' WHERE seq = 3",
            AuditVerdict::Changed { seq: 3 },
        ),
        (
            "UPDATE audit SET actor = 'LOCAL\\BOB' WHERE seq = 5",
            AuditVerdict::Changed { seq: 5 },
        ),
        (
            "DELETE FROM audit WHERE seq = 2",
            AuditVerdict::Missing { seq: 2 },
        ),
        (
            "DELETE FROM audit WHERE seq = 5",
            AuditVerdict::Missing { seq: 5 },
        ),
        (
            "DELETE FROM audit WHERE seq = 5; UPDATE audit_head SET seq = 4",
            AuditVerdict::Changed { seq: 4 },
        ),
        (
            "INSERT INTO audit SELECT 6, at, actor, action, object, outcome, detail, hash FROM audit WHERE seq = 5",
            AuditVerdict::Changed { seq: 6 },
        ),
        ("DELETE FROM audit", AuditVerdict::Missing { seq: 1 }),
    ] {
        let (dir, store) = store().await;
        write_audit(&store, 5).await;
        let mut raw = SqliteConnectOptions::new()
            .filename(dir.path().join("hub/repository.sqlite"))
            .connect()
            .await
            .unwrap();
        if statement != "SELECT 1" && !statement.starts_with("INSERT") {
            assert!(
                sqlx::raw_sql(statement).execute(&mut raw).await.is_err(),
                "the log is append-only"
            );
        }
        sqlx::raw_sql("DROP TRIGGER audit_keeps_rows; DROP TRIGGER audit_keeps_words")
            .execute(&mut raw)
            .await
            .unwrap();
        sqlx::raw_sql(statement).execute(&mut raw).await.unwrap();
        raw.close().await.unwrap();
        assert_eq!(store.verify_audit().await.unwrap(), want, "{statement}");
    }
}

/// A repository that lies on a disk for long: what the sweep takes must be what nobody wants.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sweep_never_takes_what_is_published_at_the_same_time() {
    let (dir, store) = store().await;
    let id = AppId::new("app");
    let app = NewApp {
        id: id.clone(),
        title: "Sales".into(),
        description: String::new(),
        owner: SubjectId::parse("ann"),
        content: store.blobs().put(b"content").unwrap(),
    };
    store.put_app(&app, T).await.unwrap();
    let other = Store::open(&dir.path().join("hub")).await.unwrap();
    let mut n_swept = 0;
    for reload in 0..200_u64 {
        // Left behind long ago, by a reload that was killed, and made again now.
        let bytes = format!("data {reload}");
        let left = store.blobs().put(bytes.as_bytes()).unwrap();
        let old = std::time::SystemTime::now() - std::time::Duration::from_secs(7_200);
        let (file, _) = store.blobs().open_file(&left).unwrap();
        file.set_modified(old).unwrap();
        let sweeping = tokio::spawn({
            let store = other.clone();
            async move { store.sweep_blobs().await.unwrap() }
        });
        let publishing = tokio::spawn({
            let (store, id) = (store.clone(), id.clone());
            async move {
                let data = store.blobs().put(bytes.as_bytes()).unwrap();
                let published = PublishedReload {
                    after: reload,
                    data: data.clone(),
                    data_size: ByteSize(4),
                    data_as_of: T,
                    access_fingerprint: None,
                };
                store.publish_reload(&id, &published, T).await.unwrap();
                data
            }
        });
        n_swept += sweeping.await.unwrap();
        let data = publishing.await.unwrap();
        assert!(store.blobs().read(&data).is_ok(), "reload {reload}");
    }
    // What is not published any more goes once it is old, and only that.
    assert!(n_swept <= 200);
    assert_eq!(store.find_app("sales").await.unwrap().reload, 200);
}

#[tokio::test]
async fn revoking_a_device_ends_its_sessions_and_no_others() {
    let (_dir, store) = store().await;
    let ann = with_user(&store, "ann").await;
    let begin = async |n: u8, client| {
        let token = TokenHash([n; 32]);
        let have = AccessType::Professional;
        let begun = store.begin_session(token, &ann, client, have, T).await;
        begun.map(|_| token).unwrap()
    };
    let enrol = async |id: &str| {
        let new = NewDevice {
            id: DeviceId::new(id),
            user: ann.clone(),
            name: "phone".into(),
            platform: "linux".into(),
            client: "satchel".into(),
            kem_key: vec![1],
            signing_key: vec![2],
            remember: true,
        };
        store.enrol_device(&new, T).await.unwrap();
        new.id
    };
    let (lost, kept) = (enrol("lost").await, enrol("kept").await);
    let tokens = [
        begin(1, Client::Device).await,
        begin(2, Client::Device).await,
        begin(3, Client::Browser).await,
        begin(4, Client::Device).await,
        begin(5, Client::Browser).await,
    ];
    store.bind_session(tokens[0], &lost).await.unwrap();
    store.bind_session(tokens[1], &kept).await.unwrap();
    store.bind_session(tokens[4], &lost).await.unwrap();
    store.revoke_device(&lost, T).await.unwrap();
    // The fourth came from some device, nobody knows from which.
    let ended = store.ended_sessions(&tokens, T).await.unwrap();
    // The native client is told, once more, why nothing opens.
    let told = store.touch_session(tokens[0], T).await.unwrap();
    assert!(told.unwrap().is_revoked);
    let other = store.touch_session(tokens[1], T).await.unwrap();
    assert!(!other.unwrap().is_revoked);
    assert_eq!(ended, [tokens[0], tokens[3], tokens[4]]);
}

// threat: T-20
#[tokio::test]
async fn a_sealed_secret_belongs_to_its_connection() {
    let (dir, store) = store().await;
    let connection = |name: &str| satchel_store::Connection {
        name: name.into(),
        kind: "postgres".into(),
        target: serde_json::json!({ "host": "db" }),
        audience: vec!["Sales".into()],
        has_secret: true,
    };
    for (name, secret, nonce) in [("A", "alpha", [1; 24]), ("B", "beta", [2; 24])] {
        let secret = satchel_base::Secret::new(secret.to_owned());
        let connection = connection(name);
        let put = store.put_connection(&connection, Some(&secret), nonce);
        put.await.unwrap();
    }
    let (found, secret) = store.connection("a").await.unwrap();
    assert_eq!(found, connection("A"));
    assert_eq!(secret.unwrap().expose(), "alpha");
    let ann = SubjectId::new("LOCAL", "ann");
    assert!(found.is_for(&ann, &["SALES".into()]) && !found.is_for(&ann, &[]));

    // The secret of another connection does not open, and neither does a changed one.
    let database = dir.path().join("hub").join("repository.sqlite");
    let mut raw = SqliteConnectOptions::new()
        .filename(&database)
        .connect()
        .await
        .unwrap();
    sqlx::query("UPDATE connection SET secret = (SELECT secret FROM connection WHERE name = 'B') WHERE name = 'A'")
        .execute(&mut raw)
        .await
        .unwrap();
    let swapped = store.connection("A").await;
    assert!(
        matches!(swapped, Err(StoreError::Damaged { .. })),
        "{swapped:?}"
    );
    store.remove_connection("a").await.unwrap();
    let gone = store.connection("A").await;
    assert!(matches!(gone, Err(StoreError::NotFound { .. })), "{gone:?}");
    assert_eq!(store.connections().await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_works_once_works_once_until_it_means_nothing() {
    let (_dir, store) = store().await;
    let ends = T.plus_ms(1_000);
    assert!(store.use_once(&[1; 32], ends, T).await.unwrap());
    assert!(!store.use_once(&[1; 32], ends, ends).await.unwrap());
    assert!(store.use_once(&[2; 32], ends, T).await.unwrap());
    assert!(
        store
            .use_once(&[1; 32], ends.plus_ms(9), ends.plus_ms(1))
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_ticket_is_taken_once_and_in_time() {
    let (_dir, store) = store().await;
    let ann = with_user(&store, "ann").await;
    let ends = T.plus_ms(1_000);
    for hash in [[1; 32], [2; 32]] {
        store.add_ticket(&hash, &ann, ends, T).await.unwrap();
    }
    assert_eq!(store.take_ticket(&[1; 32], T).await.unwrap(), Some(ann));
    assert_eq!(store.take_ticket(&[1; 32], T).await.unwrap(), None);
    assert_eq!(store.take_ticket(&[2; 32], ends).await.unwrap(), None);
    assert_eq!(store.take_ticket(&[3; 32], T).await.unwrap(), None);
}

#[tokio::test]
async fn a_person_who_signs_in_elsewhere_is_known_by_issuer_and_subject() {
    let (_dir, store) = store().await;
    let outsider = |subject: &str, name: &str| Outsider {
        issuer: "https://id.example".into(),
        subject: subject.into(),
        id: SubjectId::new("LOCAL", name),
        display_name: Some(name.into()),
        email: None,
        groups: Some(vec!["Told".into()]),
    };
    let arrive = async |who: &Outsider, adds| store.arrive(who, adds, T).await.unwrap();
    let eve = outsider("1", "eve");
    assert_eq!(arrive(&eve, false).await, Arrival::Unknown);
    let Arrival::Person(added) = arrive(&eve, true).await else {
        panic!("not added");
    };
    assert_eq!(
        (added.groups.as_slice(), added.email.as_str()),
        (&["Told".to_owned()][..], "")
    );
    // Under another name the same person; under their name somebody else is refused.
    let Arrival::Person(same) = arrive(&outsider("1", "renamed"), false).await else {
        panic!("not known");
    };
    assert_eq!(
        (same.id.as_str(), same.display_name.as_str()),
        ("LOCAL\\EVE", "renamed")
    );
    assert_eq!(
        arrive(&outsider("2", "eve"), true).await,
        Arrival::NameTaken
    );
    // Somebody with a password is nobody's to take.
    with_user(&store, "ann").await;
    assert_eq!(
        arrive(&outsider("3", "ann"), true).await,
        Arrival::NameTaken
    );
    assert_eq!(store.unlink(&added.id).await.unwrap(), 1);
    assert!(matches!(
        arrive(&outsider("2", "eve"), false).await,
        Arrival::Person(_)
    ));
    // With the person go their links.
    store.remove_user(&added.id, T).await.unwrap();
    assert_eq!(arrive(&outsider("2", "eve"), false).await, Arrival::Unknown);
}
