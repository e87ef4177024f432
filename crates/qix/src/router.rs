//! Which methods there are, the names of their parameters, and who carries them out.
//!
//! Names follow the public schema of the API (12.2027). A method that is not here is answered
//! with "Method not found", never with a made-up result.

use crate::errors::RpcError;
use crate::global;
use crate::session::Call;

/// A method of one class.
pub(crate) struct Method {
    pub name: &'static str,
    pub params: &'static [&'static str],
    pub run: fn(&mut Call<'_>) -> Result<(), RpcError>,
}

macro_rules! methods {
    ($($name:literal ($($param:literal),*) => $run:expr,)*) => {
        &[$(Method { name: $name, params: &[$($param),*], run: $run }),*]
    };
}

/// The method `name` of `class`.
pub(crate) fn find(class: &str, name: &str) -> Option<&'static Method> {
    let methods = match class {
        "Global" => GLOBAL,
        _ => return None,
    };
    methods.iter().find(|m| m.name == name)
}

const GLOBAL: &[Method] = methods! {
    "AbortRequest" ("qRequestId") => global::nothing,
    "AbortAll" () => global::nothing,
    "CancelRequest" ("qRequestId") => global::nothing,
    "CancelReload" ("qReason") => global::nothing,
    "ConfigureReload" ("qCancelOnScriptError", "qUseErrorData", "qInteractOnError") => global::nothing,
    "GetProgress" ("qRequestId") => global::get_progress,
    "QvVersion" () => global::product_version,
    "ProductVersion" () => global::product_version,
    "EngineVersion" () => global::engine_version,
    "OSVersion" () => global::os_name,
    "OSName" () => global::os_name,
    "QTProduct" () => global::product,
    "GetDocList" () => global::get_doc_list,
    "GetAppEntry" ("qAppID") => global::get_app_entry,
    "GetStreamList" () => global::get_stream_list,
    "GetAuthenticatedUser" () => global::get_authenticated_user,
    "GetUniqueID" () => global::get_unique_id,
    "GetConfiguration" () => global::get_configuration,
    "IsDesktopMode" () => global::no,
    "IsPersonalMode" () => global::no,
    "AllowCreateApp" () => global::no,
    "OpenDoc" ("qDocName", "qUserName", "qPassword", "qSerial", "qNoData") => global::open_doc,
    "GetActiveDoc" () => global::get_active_doc,
};
