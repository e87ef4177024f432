//! Methods of the global object (handle -1).

use serde_json::{Value, json};

use crate::doc::Doc;
use crate::errors::{Code, RpcError};
use crate::frame::{self, Outcome};
use crate::handles::Target;
use crate::host::{OpenMode, ReloadProgress};
use crate::image::AppMeta;
use crate::session::Call;
use crate::wire::{meta, number::num, time};

type Done = Result<(), RpcError>;

pub(crate) fn engine_version(call: &mut Call<'_>) -> Done {
    let version = call.state.host.product_version();
    call.put("qVersion", json!({ "qComponentVersion": version }));
    Ok(())
}

pub(crate) fn product_version(call: &mut Call<'_>) -> Done {
    let version = call.state.host.product_version();
    call.put("qReturn", version);
    Ok(())
}

pub(crate) fn product(call: &mut Call<'_>) -> Done {
    call.put("qReturn", "Satchel");
    Ok(())
}

pub(crate) fn no(call: &mut Call<'_>) -> Done {
    call.put("qReturn", false);
    Ok(())
}

/// Requests of a session are carried out one at a time and to the end: when one of these is
/// read there is nothing left to end. Whoever holds the connection looks at them as they arrive
/// and cancels the budget of what is running or waiting.
pub(crate) fn nothing(_call: &mut Call<'_>) -> Done {
    Ok(())
}

/// How the reload of this session goes or went, where there can be one.
pub(crate) fn get_progress(call: &mut Call<'_>) -> Done {
    let progress = reload_progress(call)?;
    call.put("qProgressData", progress_data(&progress));
    Ok(())
}

fn reload_progress(call: &mut Call<'_>) -> Result<ReloadProgress, RpcError> {
    let progress = call.state.host.reload_progress();
    progress.ok_or_else(|| Code::MethodNotFound.into())
}

/// The reply to a `GetProgress` that is asked while a reload runs, when the session itself is
/// busy. `None` if `text` is no such request.
pub fn progress_reply(text: &str, progress: &ReloadProgress) -> Option<String> {
    let request = frame::parse(text, usize::MAX).ok()?;
    if request.handle != -1 || request.method != "GetProgress" {
        return None;
    }
    let mut outcome = Outcome::default();
    outcome
        .result
        .insert("qProgressData".to_owned(), progress_data(progress));
    Some(frame::reply(request.id, outcome))
}

/// `qProgressData`.
pub(crate) fn progress_data(progress: &ReloadProgress) -> Value {
    json!({
        "qStarted": progress.started,
        "qFinished": progress.finished,
        "qCompleted": 0,
        "qTotal": 0,
        "qKB": 0,
        "qMillisecs": progress.millis,
        "qUserInteractionWanted": false,
        "qPersistentProgress": progress.log.join("\n"),
        "qTransientProgress": progress.log.last().map_or("", String::as_str),
        "qErrorData": [],
        "qPersistentProgressMessages": [],
        "qTransientProgressMessage": {"qMessageCode": 0, "qMessageParameters": []},
    })
}

/// By the time this is read a reload of the session is over; one that runs is ended by
/// whoever holds the connection.
pub(crate) fn cancel_reload(call: &mut Call<'_>) -> Done {
    reload_progress(call).map(|_| ())
}

/// A reload stops at the first error, publishes nothing then, and asks nobody. To be told so
/// is fine; anything else cannot be had.
pub(crate) fn configure_reload(call: &mut Call<'_>) -> Done {
    reload_progress(call)?;
    let (cancel, use_error_data, interact) =
        (call.args.flag(0)?, call.args.flag(1)?, call.args.flag(2)?);
    for (name, fits) in [
        ("qCancelOnScriptError", cancel),
        ("qUseErrorData", !use_error_data),
        ("qInteractOnError", !interact),
    ] {
        if !fits {
            return Err(RpcError::about(Code::InvalidParameters, name));
        }
    }
    Ok(())
}

pub(crate) fn get_unique_id(call: &mut Call<'_>) -> Done {
    let id = call.make_id();
    call.put("qUniqueID", id);
    Ok(())
}

pub(crate) fn get_authenticated_user(call: &mut Call<'_>) -> Done {
    let id = call.state.host.user().id;
    call.put(
        "qReturn",
        format!("UserDirectory={}; UserId={}", id.directory(), id.name()),
    );
    Ok(())
}

/// An app as `GetDocList` and `GetAppEntry` show it.
fn entry(app: &AppMeta) -> Value {
    json!({
        "qDocName": app.title,
        "qConnectedUsers": 0,
        "qFileTime": app.last_reload.map_or(Value::from(0), |t| {
            num(time::serial(crate::Now { utc: t, offset_minutes: 0 }))
        }),
        "qFileSize": app.data_bytes,
        "qDocId": app.id,
        "qMeta": meta::app(app),
        "qLastReloadTime": app.last_reload.map_or(String::new(), time::iso),
        "qTitle": app.title,
        "qThumbnail": {},
    })
}

pub(crate) fn get_doc_list(call: &mut Call<'_>) -> Done {
    let list: Vec<Value> = call.state.host.doc_list().iter().map(entry).collect();
    call.put("qDocList", list);
    Ok(())
}

pub(crate) fn get_app_entry(call: &mut Call<'_>) -> Done {
    let id = call.args.text(0)?;
    let found = call.state.host.doc_list().into_iter().find(|a| a.id == id);
    // An app that is not there and one the user may not see look the same.
    let found = found.ok_or(RpcError::from(Code::AccessDenied))?;
    let value = json!({
        "qID": found.id,
        "qTitle": found.title,
        "qPath": found.id,
        "qLastReloadTime": found.last_reload.map_or(String::new(), time::iso),
        "qReadOnly": !found.may_edit,
        "qMeta": meta::app(&found),
        "qThumbnail": {},
        "qFileSize": found.data_bytes,
        "qHasSectionAccess": found.has_section_access,
    });
    call.put("qEntry", value);
    Ok(())
}

pub(crate) fn get_stream_list(call: &mut Call<'_>) -> Done {
    let mut streams: Vec<Value> = Vec::new();
    for stream in call
        .state
        .host
        .doc_list()
        .into_iter()
        .filter_map(|a| a.stream)
    {
        let value = json!({"qName": stream.name, "qId": stream.id, "qMeta": {}});
        if !streams.contains(&value) {
            streams.push(value);
        }
    }
    call.put("qStreamList", streams);
    Ok(())
}

pub(crate) fn get_configuration(call: &mut Call<'_>) -> Done {
    let version = call.state.host.product_version();
    call.put(
        "qConfig",
        json!({"qFeatures": {"qIsDesktop": false}, "qBuildVersion": version}),
    );
    Ok(())
}

/// Opens an app; opening the open one again gives the same object.
pub(crate) fn open_doc(call: &mut Call<'_>) -> Done {
    let id = call.args.text(0)?;
    let mode = if call.args.flag(4)? {
        OpenMode::NoData
    } else {
        OpenMode::WithData
    };
    if let Some(doc) = &call.state.doc {
        if doc.meta.id != id {
            return Err(RpcError::about(Code::AppAlreadyOpen, doc.meta.id.clone()));
        }
        if doc.mode != mode {
            return Err(RpcError::about(Code::OpenInOtherMode, id));
        }
        if let Some(app) = call.state.host.reopen(&id, mode)? {
            call.doc()?.renew(app);
            call.changed(|t| !matches!(t, Target::Field { .. }));
        }
    } else {
        let app = call.state.host.open(&id, mode)?;
        let reader = call.state.host.user().id;
        call.state.doc = Some(Doc::new(app, mode, reader));
    }
    let id = call.doc()?.meta.id.clone();
    call.put_object(Target::Doc, "", &id);
    Ok(())
}

pub(crate) fn get_active_doc(call: &mut Call<'_>) -> Done {
    let id = call.doc()?.meta.id.clone();
    call.put_object(Target::Doc, "", &id);
    Ok(())
}
