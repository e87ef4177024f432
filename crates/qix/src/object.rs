//! Methods of generic objects.

pub(crate) mod children;
pub(crate) mod data;
pub(crate) mod expand;
pub(crate) mod export;
pub(crate) mod overview;
pub(crate) mod properties;
pub(crate) mod select;

use crate::errors::{Code, RpcError};
use crate::handles::Target;
use crate::session::Call;

/// The id of the object behind the handle. It may have been destroyed from elsewhere.
pub(crate) fn this(call: &mut Call<'_>) -> Result<String, RpcError> {
    let Some(Target::Object(id)) = call.target.clone() else {
        return Err(Code::MethodNotFound.into());
    };
    if call.doc()?.objects.get(&id).is_none() {
        return Err(RpcError::about(Code::NotFound, id));
    }
    Ok(id)
}
