//! The web UI is carried inside the binary: build anew when it changes.

fn main() {
    println!("cargo:rerun-if-changed=../../web/dist");
}
