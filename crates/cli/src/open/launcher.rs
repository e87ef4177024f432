//! Opening the browser, where the system has a way to.

use std::process::{Command, Stdio};

/// Asks the desktop to show `url`. Where there is no desktop nothing happens: the address was
/// printed.
pub fn open_browser(url: &str) {
    let Some((program, arguments)) = opener() else {
        return;
    };
    let started = Command::new(program)
        .args(arguments)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Ok(mut child) = started {
        // Openers end at once; somebody must take note of it.
        std::thread::spawn(move || child.wait());
    }
}

fn opener() -> Option<(&'static str, &'static [&'static str])> {
    if cfg!(target_os = "macos") {
        Some(("open", &[]))
    } else if cfg!(windows) {
        Some(("rundll32", &["url.dll,FileProtocolHandler"]))
    } else {
        let has_desktop = ["WAYLAND_DISPLAY", "DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
        has_desktop.then_some(("xdg-open", &[]))
    }
}
