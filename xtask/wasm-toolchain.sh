#!/usr/bin/env bash
# wasm-toolchain.sh DIR: makes a toolchain in DIR that can build for wasm32-unknown-unknown,
# where rustup cannot fetch that target. Takes Debian's rustc-web packages, and builds the
# standard library for the browser from their sources. `rustup toolchain link NAME DIR` uses it.
set -euo pipefail
dir=$(realpath -m "${1:?usage: wasm-toolchain.sh DIR}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sysroot=$(rustc --print sysroot)   # lends cargo and the linker
host=x86_64-unknown-linux-gnu
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)

cd "$work"
"${as_root[@]}" apt-get update -qq
llvm=$(apt-cache depends rustc-web libstd-rust-web-dev 2>/dev/null | sed -n 's/.*Depends: \(libllvm[0-9]*\)$/\1/p' | head -n 1)
std=$(apt-cache depends libstd-rust-web-dev | sed -n 's/.*Depends: \(libstd-rust-web-[0-9.]*\)$/\1/p' | head -n 1)
llvm=${llvm:-$(apt-cache depends "$std" | sed -n 's/.*Depends: \(libllvm[0-9]*\)$/\1/p' | head -n 1)}
[ -z "$llvm" ] || "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$llvm" >/dev/null
apt-get download rustc-web libstd-rust-web-dev "$std" rust-web-src
for package in rustc-web_*.deb libstd-rust-web-dev_*.deb "$std"_*.deb; do dpkg -x "$package" unpacked; done
mkdir sources
dpkg-deb --fsys-tarfile rust-web-src_*.deb | tar -x -C sources --wildcards './usr/src/rustc-*/library'

rm -rf "$dir"
mkdir -p "$dir/bin" "$dir/lib"
cp -a unpacked/usr/bin/rustc "$dir/bin/"
cp -a unpacked/usr/lib/x86_64-linux-gnu/librustc_driver-*.so "$dir/lib/"
cp -a unpacked/usr/lib/rustlib "$dir/lib/"
rm -rf "$dir/lib/rustlib/src"
mkdir -p "$dir/lib/rustlib/$host/bin"
ln -sfn "$sysroot/lib/rustlib/$host/bin/rust-lld" "$dir/lib/rustlib/$host/bin/rust-lld"
ln -sfn "$sysroot/bin/cargo" "$dir/bin/cargo"

library=$(echo "$work"/sources/usr/src/rustc-*/library)
mkdir -p std-user/src
: > std-user/src/lib.rs
cat > std-user/Cargo.toml <<'TOML'
[package]
name = "std-user"
version = "0.0.0"
edition = "2021"
[profile.release]
panic = "abort"
TOML
cd std-user
LD_LIBRARY_PATH="$dir/lib" RUSTC="$dir/bin/rustc" RUSTC_BOOTSTRAP=1 \
__CARGO_TESTS_ONLY_SRC_ROOT="$library" CARGO_TARGET_DIR="$work/target" \
RUSTFLAGS="-C embed-bitcode=yes --remap-path-prefix=$library=/rustc/library" \
  "$sysroot/bin/cargo" build -q --release --target wasm32-unknown-unknown \
  -Z build-std=std,panic_abort,proc_macro,test
lib="$dir/lib/rustlib/wasm32-unknown-unknown/lib"
mkdir -p "$lib"
cp "$work"/target/wasm32-unknown-unknown/release/deps/*.rlib "$lib/"
rm -f "$lib"/libstd_user-*.rlib
LD_LIBRARY_PATH="$dir/lib" "$dir/bin/rustc" --version
