//! `satchel hub …`.

use std::path::Path;

use satchel_device::ports::Storage as _;
use satchel_device::{DeviceError, HubEntry, HubList};
use satchel_device_native::read_certificates;
use serde_json::json;

use crate::args::HubCommand;
use crate::context::Context;
use crate::output::{Failure, Output};

/// Runs a hub command.
pub fn run(context: &mut Context, command: HubCommand) -> Result<Output, Failure> {
    match command {
        HubCommand::Add { url, ca } => add(context, &url, ca.as_deref()),
        HubCommand::List => Ok(list(context)),
        HubCommand::Remove { url } => remove(context, &url),
        HubCommand::Check { url, ca } => check(context, url.as_deref(), ca.as_deref()),
    }
}

fn add(context: &mut Context, url: &str, ca: Option<&Path>) -> Result<Output, Failure> {
    let (entry, bytes) = entry(context, url, ca)?;
    context.client.check_hub(&entry)?;
    if let (Some(name), Some(bytes)) = (&entry.ca, bytes) {
        context.files.write(name, &bytes)?;
    }
    let url = entry.url.clone();
    context.client.add_hub(entry)?;
    Ok(Output {
        text: format!("Added {url}. Next: satchel sign-in"),
        json: json!({ "added": url }),
    })
}

fn list(context: &Context) -> Output {
    let hubs = &context.client.hubs().hubs;
    let text = if hubs.is_empty() {
        "No hub yet. Next: satchel hub add URL".to_owned()
    } else {
        let line = |hub: &HubEntry| match hub.ca {
            Some(_) => format!("{} (with a CA added by hand)", hub.url),
            None => hub.url.clone(),
        };
        hubs.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    Output {
        text,
        json: json!({ "hubs": hubs }),
    }
}

fn remove(context: &mut Context, url: &str) -> Result<Output, Failure> {
    context.unlock()?;
    let url = HubList::normal_url(url).map_err(DeviceError::from)?;
    context.client.remove_hub(&url)?;
    Ok(Output {
        text: format!("Removed {url} and its downloads."),
        json: json!({ "removed": url }),
    })
}

fn check(context: &mut Context, url: Option<&str>, ca: Option<&Path>) -> Result<Output, Failure> {
    let entries = match url {
        Some(url) => vec![entry(context, url, ca)?.0],
        None => context.client.hubs().hubs.clone(),
    };
    for entry in &entries {
        context.client.check_hub(entry)?;
    }
    let urls: Vec<&str> = entries.iter().map(|entry| entry.url.as_str()).collect();
    let text = match urls.as_slice() {
        [] => "No hub yet. Next: satchel hub add URL".to_owned(),
        urls => urls
            .iter()
            .map(|url| format!("{url}: trusted issuer, dates and name are right"))
            .collect::<Vec<_>>()
            .join("\n"),
    };
    Ok(Output {
        text,
        json: json!({ "passed": urls }),
    })
}

/// The hub of that address; with the CA file given, or with how it is trusted already.
fn entry(
    context: &mut Context,
    url: &str,
    ca: Option<&Path>,
) -> Result<(HubEntry, Option<Vec<u8>>), Failure> {
    let url = HubList::normal_url(url).map_err(DeviceError::from)?;
    let Some(path) = ca else {
        let known = context.client.hubs().find(&url).cloned();
        return Ok((known.unwrap_or(HubEntry { url, ca: None }), None));
    };
    let bad = |reason: String| {
        Failure::new(
            "hub.bad_ca_file",
            format!("{} is not a CA certificate: {reason}", path.display()),
            "Give a file with the CA's certificate, PEM or DER.",
        )
    };
    let bytes = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
    let certificates =
        read_certificates(&bytes).map_err(|_| bad("no certificate is in it".into()))?;
    let name = format!(
        "ca-{}",
        &blake3::hash(url.as_bytes()).to_hex().as_str()[..16]
    );
    context.with_ca(&name, certificates)?;
    let entry = HubEntry {
        url,
        ca: Some(name),
    };
    Ok((entry, Some(bytes)))
}
