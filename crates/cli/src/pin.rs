//! `satchel pin`.

use satchel_device::ports::Keystore as _;
use serde_json::json;

use crate::args::PinCommand;
use crate::context::Context;
use crate::output::{Failure, Output};
use crate::prompt;

/// Sets, changes or removes the PIN.
pub fn run(context: &mut Context, command: &PinCommand) -> Result<Output, Failure> {
    context.signed_in_hub()?;
    if context.client.vault().is_some_and(|vault| vault.has_pin()) {
        // Whoever finds the device unlocked must not be able to shut its owner out.
        let pin = prompt::secret("PIN")?;
        context.client.unlock_with_pin(&pin)?;
    }
    match command {
        PinCommand::Set => set(context),
        PinCommand::Remove => remove(context),
    }
}

fn set(context: &mut Context) -> Result<Output, Failure> {
    let pin = prompt::secret("New PIN")?;
    context.client.set_pin(&pin)?;
    // The vault has no slot for it any more; a kill before this leaves a key to nothing.
    context
        .key_file
        .remove()
        .map_err(satchel_device::DeviceError::from)?;
    context.keep_session()?;
    Ok(Output {
        text: "The PIN is set. Downloads stay as they are.".to_owned(),
        json: json!({ "pin": true }),
    })
}

fn remove(context: &mut Context) -> Result<Output, Failure> {
    let key = context.make_key_file()?;
    let name = context.key_file.name().to_owned();
    let replaced = context.client.replace_pin(&name, key.expose());
    if replaced.is_err()
        && !context
            .client
            .vault()
            .is_some_and(|v| v.has_outside_key(&name))
    {
        context
            .key_file
            .remove()
            .map_err(satchel_device::DeviceError::from)?;
    }
    replaced?;
    Ok(Output {
        text: format!("The PIN is gone. {}", context.key_file.statement()),
        json: json!({ "pin": false }),
    })
}
