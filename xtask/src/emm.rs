//! `docs/emm/`: what consoles for managed devices and browsers import, written from the keys of
//! a policy in `crates/contract`. Nobody edits those files; a test fails when one is out of date.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use satchel_contract::policy::{Definition, Item, Key, Kind, Reach, definition};
use serde_json::{Map, Value, json};

use crate::process::root;

/// The name of the client in consoles. No client for phones exists yet.
const BUNDLE: &str = "org.satchel.client";

/// Writes the files anew.
pub fn write() -> Result<()> {
    for (name, text) in files()? {
        let path = folder().join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn folder() -> PathBuf {
    root().join("docs/emm")
}

fn files() -> Result<Vec<(&'static str, String)>> {
    let pretty =
        |value: &Value| -> Result<String> { Ok(serde_json::to_string_pretty(value)? + "\n") };
    Ok(vec![
        ("README.md", readme()?),
        ("policy.schema.json", pretty(&schema())?),
        ("policy.example.json", pretty(&example())?),
        ("appconfig.xml", app_config()?),
        ("android/app_restrictions.xml", restrictions()?),
        ("apple/satchel.mobileconfig", profile()?),
        ("chromium/policy.json", pretty(&browser_policy())?),
    ])
}

fn keys() -> impl Iterator<Item = &'static Definition> {
    Key::all().map(definition)
}

/// An administrator's example: a little stricter than what is built in.
fn example() -> Value {
    json!({
        "hubs": ["https://hub.example.org"],
        "hubs_locked": true,
        "require_lock": true,
        "pin_length": 6,
        "idle_minutes": 5,
        "max_offline_hours": 72,
        "allow_export": false,
        "minimum_client": "0.1.0"
    })
}

fn schema_of(kind: Kind) -> Value {
    match kind {
        Kind::Switch { strict } => json!({"type": "boolean", "default": !strict}),
        Kind::AtMost {
            least,
            most,
            built_in,
        }
        | Kind::AtLeast {
            least,
            most,
            built_in,
        } => {
            json!({"type": "integer", "minimum": least, "maximum": most, "default": built_in})
        }
        Kind::Version => json!({"type": "string", "pattern": "^[0-9]+(\\.[0-9]+){0,2}$"}),
        Kind::LogLevel => json!({"enum": ["error", "warn", "info", "debug", "trace"]}),
        Kind::List(item) => {
            let pattern = match item {
                Item::Hub => "^https://[a-z0-9.:\\[\\]-]+$",
                Item::Host => "^[a-z0-9.-]+$",
                Item::Certificate => "^\\s*-----BEGIN CERTIFICATE-----",
                Item::Pin => "^[0-9a-f]{64}$",
                _ => "",
            };
            json!({"type": "array", "items": {"type": "string", "pattern": pattern}})
        }
        _ => json!({"type": "string", "minLength": 1, "maxLength": 200}),
    }
}

fn schema() -> Value {
    let mut properties = Map::new();
    for key in keys() {
        let mut one = schema_of(key.kind);
        one["title"] = json!(key.title);
        one["description"] = json!(key.about);
        properties.insert(key.name.to_owned(), one);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Satchel policy",
        "description": "Managed configuration of the Satchel client. Unknown keys are reported and ignored; a value a key does not take makes the client refuse to run.",
        "type": "object",
        "properties": properties,
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// AppConfig Community's schema for consoles.
fn app_config() -> Result<String> {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<managedAppConfiguration>\n  <version>1</version>\n  <bundleId>{BUNDLE}</bundleId>\n  <dict>\n"
    );
    let mut fields = String::new();
    for key in keys() {
        let (tag, value) = match key.kind {
            Kind::Switch { strict } => ("boolean", Some((!strict).to_string())),
            Kind::AtMost { built_in, .. } | Kind::AtLeast { built_in, .. } => {
                ("integer", Some(built_in.to_string()))
            }
            Kind::List(_) => ("stringArray", None),
            _ => ("string", None),
        };
        write!(text, "    <{tag} keyName=\"{}\">", key.name)?;
        if let Some(value) = value {
            write!(
                text,
                "\n      <defaultValue><value>{value}</value></defaultValue>"
            )?;
        }
        if let Kind::AtMost { least, most, .. } | Kind::AtLeast { least, most, .. } = key.kind {
            write!(text, "\n      <constraint min=\"{least}\" max=\"{most}\"/>")?;
        }
        writeln!(text, "\n    </{tag}>")?;
        let kind = match key.kind {
            Kind::Switch { .. } => "checkbox",
            Kind::List(_) => "list",
            _ => "input",
        };
        writeln!(
            fields,
            "    <field keyName=\"{}\" type=\"{kind}\">\n      <label><language value=\"en\">{}</language></label>\n      <description><language value=\"en\">{}</language></description>\n    </field>",
            key.name,
            escaped(key.title),
            escaped(key.about)
        )?;
    }
    write!(
        text,
        "  </dict>\n  <presentation defaultLocale=\"en\">\n{fields}  </presentation>\n</managedAppConfiguration>\n"
    )?;
    Ok(text)
}

/// Android's managed configurations. Lists are texts divided by line ends, as Android has no
/// list of free texts.
fn restrictions() -> Result<String> {
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<restrictions xmlns:android=\"http://schemas.android.com/apk/res/android\">\n",
    );
    for key in keys() {
        let (kind, value) = match key.kind {
            Kind::Switch { strict } => ("bool", Some((!strict).to_string())),
            Kind::AtMost { built_in, .. } | Kind::AtLeast { built_in, .. } => {
                ("integer", Some(built_in.to_string()))
            }
            _ => ("string", None),
        };
        writeln!(
            text,
            "  <restriction\n    android:key=\"{}\"\n    android:title=\"{}\"\n    android:description=\"{}\"",
            key.name,
            escaped(key.title),
            escaped(key.about)
        )?;
        if let Some(value) = value {
            writeln!(text, "    android:defaultValue=\"{value}\"")?;
        }
        writeln!(text, "    android:restrictionType=\"{kind}\" />")?;
    }
    text.push_str("</restrictions>\n");
    Ok(text)
}

fn plist(value: &Value, indent: &str) -> String {
    match value {
        Value::Bool(on) => format!("{indent}<{on}/>\n"),
        Value::Number(n) => format!("{indent}<integer>{n}</integer>\n"),
        Value::String(text) => format!("{indent}<string>{}</string>\n", escaped(text)),
        Value::Array(items) => {
            let items: String = items
                .iter()
                .map(|item| plist(item, &format!("{indent}  ")))
                .collect();
            format!("{indent}<array>\n{items}{indent}</array>\n")
        }
        Value::Object(entries) => {
            let inner = format!("{indent}  ");
            let entries: String = entries
                .iter()
                .map(|(name, value)| format!("{inner}<key>{name}</key>\n{}", plist(value, &inner)))
                .collect();
            format!("{indent}<dict>\n{entries}{indent}</dict>\n")
        }
        Value::Null => String::new(),
    }
}

/// A configuration profile that sets managed preferences.
fn profile() -> Result<String> {
    let payload = json!({
        "PayloadContent": [{
            "PayloadType": BUNDLE,
            "PayloadIdentifier": format!("{BUNDLE}.policy"),
            "PayloadUUID": "7D0F5C54-6F0B-4D5E-9B51-6E0B2F6C0A01",
            "PayloadVersion": 1,
            "PayloadDisplayName": "Satchel",
            "policy": example(),
        }],
        "PayloadDisplayName": "Satchel policy (example)",
        "PayloadIdentifier": format!("{BUNDLE}.profile"),
        "PayloadType": "Configuration",
        "PayloadUUID": "7D0F5C54-6F0B-4D5E-9B51-6E0B2F6C0A02",
        "PayloadVersion": 1,
    });
    Ok(format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n<plist version=\"1.0\">\n{}</plist>\n",
        plist(&payload, "")
    ))
}

/// What a managed Chromium or Edge is told: no way around a certificate, the web client
/// installed, nothing of it synchronised away.
fn browser_policy() -> Value {
    json!({
        "SSLErrorOverrideAllowed": false,
        "SSLErrorOverrideAllowedForOrigins": [],
        "InsecureContentBlockedForUrls": ["https://hub.example.org"],
        "WebAppInstallForceList": [{
            "url": "https://hub.example.org/",
            "default_launch_container": "window"
        }],
        "DefaultInsecureContentSetting": 2
    })
}

fn readme() -> Result<String> {
    let mut text = String::from(README);
    text.push_str("| key | takes | built in | who may set it | the client on a computer |\n|---|---|---|---|---|\n");
    for key in keys() {
        let reach = match key.reach {
            Reach::HubToo => "hub, managed",
            Reach::ManagedOnly => "managed",
        };
        writeln!(
            text,
            "| `{}`: {} | {} | {} | {reach} | {} |",
            key.name,
            key.about,
            key.kind.takes(),
            key.built_in_shown(),
            key.native
        )?;
    }
    text.push_str(README_END);
    Ok(text)
}

const README: &str = "\
# Policy for managed devices

<!-- Written by `cargo xtask emm` from crates/contract/src/policy/keys.rs; do not edit. -->

Two sources say what a person's device may do: the hub, in a document it signs for each person
(`satchel-hub policy set`), and the device's managed configuration. They are merged; for every
key the stricter value holds, and of two lists what is in both. Neither can loosen what the
other says. `satchel policy` shows what holds on a device and who decided it, `satchel-hub
policy show USER` what the hub says to a person.

| file | for |
|---|---|
| `policy.example.json` | Linux and macOS: put it at `/etc/satchel/policy.json`, owned by root and writable by nobody else, in a folder of which the same is true |
| `policy.schema.json` | editors and checks of that file |
| `chromium/policy.json` | Chromium and Edge; removes every way around a bad certificate (put it in `/etc/chromium/policies/managed/` and the like) |
| `appconfig.xml`, `android/app_restrictions.xml`, `apple/satchel.mobileconfig` | consoles, for clients on phones and tablets, which do not exist yet |

A managed configuration that cannot be read, that others than root may write, or in which a key
has a value it does not take makes the client refuse to run. A key this version does not know is ignored and shown by `satchel policy`. Windows' registry and
`navigator.managed` of browsers are not read yet; in a browser the hub's own document limits the
hours, downloads, remembering and exports.

";

const README_END: &str = "
`hubs`, `certificate_pins`, `ca_certificates` and `common_name_hosts` are taken from managed
configuration alone: a hub has nothing to say about other hubs, or about whom a device trusts.
A hub's document counts for what came from that hub; what it says about the lock (`require_lock`,
`pin_length`, `pin_tries`, `idle_minutes`) counts for the whole device, as there is one lock.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_consoles_import_is_what_the_client_reads() {
        for (name, text) in files().unwrap() {
            let written = fs::read_to_string(folder().join(name)).unwrap_or_default();
            assert!(
                written == text,
                "docs/emm/{name} is out of date; run `cargo xtask emm`"
            );
        }
    }

    #[test]
    fn the_example_is_a_policy() {
        let policy: satchel_contract::Policy = serde_json::from_value(example()).unwrap();
        assert!(policy.unknown().is_empty());
        assert_eq!(policy.number(Key::MaxOfflineHours), 72);
    }
}
