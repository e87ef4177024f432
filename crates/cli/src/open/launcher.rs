//! Opening the browser, where the system has a way to.
//!
//! What a program is started with can be read by everybody on the computer. So the browser is
//! not started with the address, which has the token in it, but with a file that only its owner
//! may read and that sends on to the address ([`Redirect`]).

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::private::is_private;

/// A page in a file that leads to the printed address. It goes when it was used, and with the
/// value.
#[derive(Debug)]
pub struct Redirect {
    path: PathBuf,
}

impl Redirect {
    /// Writes the page for what is served on `port`: into the user's runtime folder, which is
    /// in memory, or else into `home`, the folder of the client's state.
    ///
    /// # Errors
    /// If it cannot be written there.
    pub fn write(home: &Path, port: u16, url: &str) -> io::Result<Self> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let folder = runtime
            .filter(|folder| folder.is_absolute() && is_private(folder, home))
            .unwrap_or_else(|| home.to_owned());
        Self::write_into(&folder.canonicalize()?, port, url)
    }

    fn write_into(folder: &Path, port: u16, url: &str) -> io::Result<Self> {
        // The port is ours while we listen: what has this name was left by a run that was killed.
        let path = folder.join(format!("satchel-open-{port}.html"));
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path)?;
        let written = Self { path };
        // The address is digits, letters and slashes.
        write!(
            file,
            "<!doctype html><meta charset=\"utf-8\"><meta name=\"referrer\" content=\"no-referrer\">\
             <meta http-equiv=\"refresh\" content=\"0;url={url}\"><title>Satchel</title>\
             <p><a href=\"{url}\">Open Satchel</a></p>"
        )?;
        Ok(written)
    }

    /// The token in it was exchanged, or never will be.
    pub fn remove(&self) {
        // If it stays, what it holds is of no use any more.
        let _ = fs::remove_file(&self.path);
    }

    /// Asks the desktop to show it. Where there is no desktop nothing happens: the address was
    /// printed.
    pub fn open_browser(&self) {
        let Some((program, arguments)) = opener() else {
            return;
        };
        let started = Command::new(program)
            .args(arguments)
            .arg(&self.path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        if let Ok(mut child) = started {
            // Openers end at once; somebody must take note of it.
            std::thread::spawn(move || child.wait());
        }
    }
}

impl Drop for Redirect {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Whether there is something that shows pages.
pub fn has_desktop() -> bool {
    opener().is_some()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_page_is_its_owners_and_goes_when_it_was_used() {
        use std::os::unix::fs::MetadataExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("satchel-open-8000.html");
        // What somebody else left there is not written into.
        let elsewhere = folder.path().join("elsewhere");
        fs::write(&elsewhere, "theirs").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        let url = "http://127.0.0.1:8000/open/0123";
        let redirect = Redirect::write_into(folder.path(), 8000, url).unwrap();
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "theirs");
        let found = fs::symlink_metadata(&path).unwrap();
        assert!(found.is_file() && found.mode() & 0o077 == 0);
        let refresh = format!("content=\"0;url={url}\"");
        assert!(fs::read_to_string(&path).unwrap().contains(&refresh));
        redirect.remove();
        assert!(!path.exists());
        let redirect = Redirect::write_into(folder.path(), 8000, url).unwrap();
        drop(redirect);
        assert!(!path.exists());
    }
}
