//! `satchel sign-in` and `satchel sign-out`.

use satchel_base::KeyBytes;
use satchel_device::ports::Keystore as _;
use satchel_device::{Credentials, DeviceName, Protection};
use serde_json::json;

use crate::args::SignIn;
use crate::context::Context;
use crate::output::{Failure, Output};
use crate::prompt;

/// Signs in.
pub fn sign_in(context: &mut Context, options: &SignIn) -> Result<Output, Failure> {
    let hub = context.hub()?;
    let is_new = !context.client.has_vault();
    context.unlock()?;
    let user = match &options.user {
        Some(user) => user.clone(),
        None => prompt::text("User")?,
    };
    let password = prompt::secret("Password")?;
    let device = DeviceName {
        name: options.device_name.clone().unwrap_or_else(machine_name),
        platform: std::env::consts::OS.to_owned(),
        client: format!("satchel {}", env!("CARGO_PKG_VERSION")),
    };
    let remember = options.remember;
    let pin = match is_new && options.pin {
        true => Some(prompt::secret("New PIN (4 characters or more)")?),
        false => None,
    };
    let key = match is_new && pin.is_none() {
        true => context.make_key_file()?,
        // Not looked at: the vault there is open, or a PIN protects it.
        false => KeyBytes::filled(|_| ()),
    };
    let name = context.key_file.name().to_owned();
    let client = &mut context.client;
    let mut attempt = |code: Option<&str>| {
        let with = Credentials {
            user: &user,
            password: &password,
            code,
        };
        let protection = match &pin {
            Some(pin) => Protection::Pin(pin),
            None => Protection::OutsideKey {
                name: &name,
                key: key.expose(),
            },
        };
        client.sign_in(&hub, with, remember, &device, protection)
    };
    let attempt = match attempt(None) {
        Err(error) if error.code() == "sign_in.code_needed" => {
            prompt::secret("Code of your authenticator app, or a recovery code")
                .and_then(|code| Ok(attempt(Some(&code))?))
        }
        other => other.map_err(Failure::from),
    };
    if attempt.is_err() {
        context.remove_idle_key()?;
    }
    let signed_in = attempt?;
    let has_pin = context.client.vault().is_some_and(|vault| vault.has_pin());
    if has_pin {
        context.keep_session()?;
    }
    let me = &signed_in.me;
    let mut lines = vec![format!(
        "Signed in at {} as {} ({}).",
        me.hub.name,
        me.name,
        me.access_type.title()
    )];
    lines.push(match me.offline_hours {
        0 => "This hub does not allow downloads to be opened without a connection.".to_owned(),
        hours => format!(
            "Downloads open for {hours} hours without contact, counted from the next start of this client."
        ),
    });
    if remember && !signed_in.remembered {
        lines.push(
            if me.may_remember {
                "The log-in is not remembered, as this device was enrolled without it; to change that, wipe this device and sign in again."
            } else {
                "The hub does not allow a device to remember the log-in."
            }
            .to_owned(),
        );
    }
    if is_new && !has_pin {
        lines.push(context.key_file.statement());
    }
    for title in &signed_in.removed {
        lines.push(format!("Removed from this device: {title}."));
    }
    Ok(Output {
        text: lines.join("\n"),
        json: json!({
            "user": me.user,
            "name": me.name,
            "access_type": me.access_type,
            "hub": me.hub,
            "offline_hours": me.offline_hours,
            "remembered": signed_in.remembered,
            "newly_enrolled": signed_in.newly_enrolled,
            "removed": signed_in.removed,
            "pin": has_pin,
        }),
    })
}

/// Signs out.
pub fn sign_out(context: &mut Context) -> Result<Output, Failure> {
    let hub = context.signed_in_hub()?;
    let told = context.client.sign_out(&hub)?;
    let text = if told {
        "Signed out. Downloads stay on this device, closed."
    } else {
        "Signed out on this device; the hub could not be told. Downloads stay, closed."
    };
    Ok(Output {
        text: text.to_owned(),
        json: json!({ "signed_out": hub.url, "hub_told": told }),
    })
}

/// The machine's name, for the hub's list of devices.
fn machine_name() -> String {
    std::fs::read_to_string("/etc/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok())
        .or_else(|| std::env::var("COMPUTERNAME").ok())
        .map(|name| name.trim().chars().take(80).collect::<String>())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "A computer".to_owned())
}
