//! `satchel status`, `lock`, `unlock` and `wipe`.

use satchel_device::{Account, LeaseStatus, VaultError, utc_text};
use serde_json::{Value, json};

use crate::context::Context;
use crate::output::{Failure, Output, duration_text};
use crate::{prompt, session};

/// Shows what there is.
pub fn status(context: &mut Context) -> Result<Output, Failure> {
    let now = context.client.now();
    let accounts = if context.client.has_vault() {
        context.unlock()?;
        context.client.accounts()?
    } else {
        Vec::new()
    };
    if accounts.is_empty() {
        return Ok(Output {
            text: "Nobody is signed in. Next: satchel sign-in".to_owned(),
            json: json!({ "now": now, "accounts": [] }),
        });
    }
    let mut text = String::new();
    let mut values = Vec::new();
    for account in &accounts {
        let lease = account.lease.view(now);
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("{} as {}\n", account.url, account.user));
        text.push_str(&match (lease.status, lease.ends_at) {
            (LeaseStatus::Closed, _) | (_, None) => format!(
                "  Downloads are closed: {}. {}\n",
                lease.message.as_deref().unwrap_or("no lease"),
                lease.next.as_deref().unwrap_or("")
            ),
            (_, Some(ends_at)) => format!(
                "  Downloads open for {} more, until {}.\n",
                duration_text(lease.remaining_ms),
                utc_text(ends_at)
            ),
        });
        for entry in &account.downloads.entries {
            text.push_str(&format!(
                "  {} · data as of {} · {}\n",
                entry.manifest.title,
                utc_text(entry.manifest.data_as_of),
                entry.size
            ));
        }
        for partial in &account.downloads.partials {
            text.push_str(&format!("  {} · not complete\n", partial.app));
        }
        values.push(json!({
            "hub": account.url,
            "user": account.user,
            "remembered": account.remembered,
            "lease": lease,
            "downloads": downloads_json(account),
            "partial": account.downloads.partials,
        }));
    }
    Ok(Output {
        text: text.trim_end().to_owned(),
        json: json!({ "now": now, "accounts": values }),
    })
}

/// The complete downloads of an account.
pub fn downloads_json(account: &Account) -> Vec<Value> {
    let entry_json = |entry: &satchel_device::Entry| {
        json!({
            "app": entry.app,
            "title": entry.manifest.title,
            "data_as_of": entry.manifest.data_as_of,
            "size": entry.size,
            "downloaded_at": entry.downloaded_at,
            "manifest": entry.manifest,
        })
    };
    account.downloads.entries.iter().map(entry_json).collect()
}

/// Locks.
pub fn lock(context: &mut Context) -> Result<Output, Failure> {
    context.client.lock();
    session::remove(context.files.folder()).map_err(|error| {
        Failure::new(
            "lock.failed",
            format!("the key that keeps this device unlocked cannot be removed: {error}"),
            "Try again; it is of no use any more once the idle time is over.",
        )
    })?;
    match context.client.vault() {
        Some(vault) if !vault.has_pin() => Err(VaultError::NoPin.into()),
        _ => Ok(Output {
            text: "Locked.".to_owned(),
            json: json!({ "locked": true }),
        }),
    }
}

/// Unlocks.
pub fn unlock(context: &mut Context) -> Result<Output, Failure> {
    if context
        .client
        .vault()
        .is_some_and(|vault| !vault.has_pin() && !vault.is_destroyed())
    {
        return Err(VaultError::NoPin.into());
    }
    context.unlock_with_pin()?;
    let minutes = context.client.idle_ms()? / 60_000;
    Ok(Output {
        text: format!("Unlocked for {minutes} minutes of no use."),
        json: json!({ "locked": false }),
    })
}

/// Removes everything.
pub fn wipe(context: &mut Context, yes: bool) -> Result<Output, Failure> {
    if !yes {
        let answer = prompt::text(
            "This removes every download, hub and key of Satchel from this device. Type wipe to go on",
        )?;
        if answer.trim() != "wipe" {
            return Err(Failure::new(
                "wipe.not_confirmed",
                "nothing was removed",
                "Type wipe, or use --yes.",
            ));
        }
    }
    context.client.begin_wipe()?;
    // Whatever stays of it opens nothing once the vault is gone.
    let _ = session::remove(context.files.folder());
    context.client.wipe()?;
    context.files.remove_lock_file()?;
    Ok(Output {
        text: "Everything was removed from this device.".to_owned(),
        json: json!({ "wiped": true }),
    })
}
