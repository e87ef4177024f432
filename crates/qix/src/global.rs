//! Methods of the global object (handle -1).

use serde_json::{Value, json};

use crate::doc::Doc;
use crate::errors::{Code, RpcError};
use crate::handles::Target;
use crate::host::OpenMode;
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

pub(crate) fn os_name(call: &mut Call<'_>) -> Done {
    call.put("qReturn", "");
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

/// Requests are carried out one at a time and to the end, so there is nothing to cancel by
/// the time one of these is read.
pub(crate) fn nothing(_call: &mut Call<'_>) -> Done {
    Ok(())
}

pub(crate) fn get_progress(call: &mut Call<'_>) -> Done {
    call.put(
        "qProgressData",
        json!({
            "qStarted": false, "qFinished": true, "qCompleted": 0, "qTotal": 0, "qKB": 0,
            "qMillisecs": 0, "qUserInteractionWanted": false, "qPersistentProgress": "",
            "qTransientProgress": "", "qErrorData": [], "qPersistentProgressMessages": [],
            "qTransientProgressMessage": {"qMessageCode": 0, "qMessageParameters": []},
        }),
    );
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
    } else {
        let app = call.state.host.open(&id, mode)?;
        call.state.doc = Some(Doc::new(app, mode));
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
