//! `satchel apps`, `download` and `remove`.

use indicatif::{ProgressBar, ProgressStyle};
use satchel_base::AppId;
use satchel_contract::{AppEntry, AppList};
use satchel_device::{DeviceError, DownloadEvent, HubFailure, find_named, utc_text};
use serde_json::json;

use crate::context::Context;
use crate::output::{Failure, Output, duration_text};
use crate::status::downloads_json;

/// Lists apps.
pub fn list(context: &mut Context) -> Result<Output, Failure> {
    let hub = context.signed_in_hub()?;
    let apps = match context.client.apps(&hub) {
        Ok(apps) => apps,
        Err(DeviceError::Hub(HubFailure::Unreachable(reason)))
            if reason.code.starts_with("hub.") =>
        {
            return local_list(context, &hub.url, &reason.message);
        }
        Err(error) => return Err(error.into()),
    };
    let accounts = context.client.accounts()?;
    let here = |app: &AppId| {
        let account = accounts.iter().find(|account| account.url == hub.url);
        account.and_then(|account| account.downloads.entry(app))
    };
    let mut text = String::new();
    let stream_of = |app: &AppEntry| app.stream.clone();
    let mut groups: Vec<(Option<String>, &str)> = vec![(None, "Yours")];
    let streams = apps.streams.iter();
    groups.extend(streams.map(|stream| (Some(stream.id.clone()), stream.name.as_str())));
    for (id, name) in groups {
        let inside: Vec<_> = apps
            .apps
            .iter()
            .filter(|app| stream_of(app) == id)
            .collect();
        if inside.is_empty() {
            continue;
        }
        text.push_str(&format!("{name}\n"));
        for app in inside {
            let state = match (here(&app.id), app.data_as_of) {
                (Some(entry), Some(newest)) if entry.data_as_of() < newest => {
                    "on this device, update available"
                }
                (Some(_), _) => "on this device",
                (None, _) if app.may_download => "online",
                (None, _) => "online only",
            };
            let as_of = app.data_as_of.map_or("no data yet".to_owned(), |time| {
                format!("data as of {}", utc_text(time))
            });
            let size = match app.size.0 {
                0 => String::new(),
                _ => format!("{} · ", app.size),
            };
            text.push_str(&format!("  {} · {as_of} · {size}{state}\n", app.title));
        }
    }
    if apps.apps.is_empty() {
        text.push_str("There is no app for you at this hub.\n");
    }
    Ok(Output {
        text: text.trim_end().to_owned(),
        json: json!({ "online": true, "streams": apps.streams, "apps": apps.apps }),
    })
}

fn local_list(context: &mut Context, url: &str, reason: &str) -> Result<Output, Failure> {
    let accounts = context.client.accounts()?;
    let account = accounts.iter().find(|account| account.url == url);
    let mut text = format!("{reason}.\nOn this device:\n");
    for entry in account
        .iter()
        .flat_map(|account| &account.downloads.entries)
    {
        text.push_str(&format!(
            "  {} · data as of {} · {}\n",
            entry.manifest.title,
            utc_text(entry.manifest.data_as_of),
            entry.size
        ));
    }
    let downloads = account.map(downloads_json).unwrap_or_default();
    Ok(Output {
        text: text.trim_end().to_owned(),
        json: json!({ "online": false, "downloads": downloads }),
    })
}

/// Downloads an app.
pub fn download(context: &mut Context, named: &str) -> Result<Output, Failure> {
    let hub = context.signed_in_hub()?;
    let apps = context.client.apps(&hub)?;
    let app = find(&apps, named)?;
    let preview = context.client.preview(&hub, &app.id)?;
    let rows = |of: fn(&satchel_contract::TableRows) -> u64, tables: &[_]| -> u64 {
        tables.iter().map(of).sum()
    };
    let rows_out = rows(|table| table.rows_out, &preview.tables);
    let rows_in = rows(|table| table.rows_in, &preview.tables);
    let bar = if context.json {
        ProgressBar::hidden()
    } else {
        eprintln!(
            "{}: {rows_out} of {rows_in} rows, {} withheld, about {}",
            app.title,
            fields(preview.fields_withheld),
            preview.size
        );
        ProgressBar::new_spinner()
    };
    let mut is_counting = false;
    let mut show = |event: DownloadEvent| match event {
        DownloadEvent::Waiting => {
            bar.set_message("waiting for another satchel that fetches it");
            bar.tick();
        }
        DownloadEvent::Preparing => {
            bar.set_message("the hub prepares the download");
            bar.tick();
        }
        DownloadEvent::Fetching { received, size } => {
            if !is_counting {
                is_counting = true;
                let style = ProgressStyle::with_template(
                    "{bar:40} {bytes} of {total_bytes} {binary_bytes_per_sec} {eta}",
                );
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
                bar.set_length(size);
                bar.reset_eta();
            }
            bar.set_position(received);
        }
        DownloadEvent::Interrupted => bar.println("The connection broke; trying again."),
        DownloadEvent::Checking => bar.finish_and_clear(),
    };
    let entry = context.client.download(&hub, &app.id, &mut show)?;
    bar.finish_and_clear();
    let manifest = &entry.manifest;
    let now = context.client.now();
    let accounts = context.client.accounts()?;
    let lease = accounts
        .iter()
        .find(|account| account.url == hub.url)
        .map(|account| account.lease.view(now));
    let good = lease.as_ref().map_or(String::new(), |lease| {
        lease.ends_at.map_or(String::new(), |ends_at| {
            format!(
                ", good until {} ({})",
                utc_text(ends_at),
                duration_text(lease.remaining_ms)
            )
        })
    });
    Ok(Output {
        text: format!(
            "{}: {} of {} rows, {} withheld{good}. Data as of {}.",
            manifest.title,
            rows(|table| table.rows_out, &manifest.tables),
            rows(|table| table.rows_in, &manifest.tables),
            fields(manifest.fields_withheld),
            utc_text(manifest.data_as_of),
        ),
        json: json!({
            "app": entry.app,
            "size": entry.size,
            "manifest": manifest,
            "lease": lease,
        }),
    })
}

/// Removes a download.
pub fn remove(context: &mut Context, named: &str) -> Result<Output, Failure> {
    let hub = context.signed_in_hub()?;
    let entry = context.client.find_download(&hub.url, named)?;
    context.client.remove_download(&hub.url, &entry.app)?;
    Ok(Output {
        text: format!("Removed {} from this device.", entry.manifest.title),
        json: json!({ "removed": entry.app }),
    })
}

fn fields(n: u32) -> String {
    match n {
        0 => "no field".to_owned(),
        1 => "1 field".to_owned(),
        n => format!("{n} fields"),
    }
}

/// The app that is meant.
fn find<'a>(apps: &'a AppList, named: &str) -> Result<&'a AppEntry, Failure> {
    find_named(
        &apps.apps,
        named,
        |app| app.id.as_str(),
        |app| app.title.as_str(),
    )?
    .ok_or_else(|| {
        Failure::new(
            "app.unknown",
            format!("there is no app called {named} for you at this hub"),
            "See which there are: satchel apps",
        )
    })
}
