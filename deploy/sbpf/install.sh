#!/usr/bin/env bash
# Installs a toolchain that builds sBPF (Solana) programs, without platform-tools and without root:
#   rust/     rustc 1.96 with its library sources and LLVM 22   (Debian bookworm-security)
#   llvm/     LLVM 23 with every library it needs               (Debian sid)
#   linker/   sbpf-linker                                       (a cargo package)
#   bin/      rustc, sbpf-linker, llvm-as: wrappers that run the above whatever the machine's own libraries are
#   builtins.bc, versions.txt
# Needs x86_64 Linux with apt-get, dpkg and cargo. The Debian mirror is the machine's own; DEBIAN_MIRROR overrides it.
#
# Usage: install.sh FOLDER
#
# Interruption-safe: everything happens in FOLDER.partial, each finished step leaves a stamp there, and the folder
# gets its name only at the end. A second run continues after the last finished step. Nothing in the folder holds
# its own path, so it may be moved.
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="${1:?usage: install.sh FOLDER}"
part="$root.partial"
lib=usr/lib/x86_64-linux-gnu
linker_version=0.2.6
steps=6
step=0

die() { printf 'sBPF toolchain: %s\n' "$*" >&2; exit 1; }

# run_step NAME DESCRIPTION: runs the function NAME unless an earlier, interrupted install finished it.
run_step() {
  step=$((step + 1))
  if [ -e "$part/.done-$1" ]; then
    echo "sBPF toolchain [$step/$steps] $2: done earlier"
    return
  fi
  echo "sBPF toolchain [$step/$steps] $2"
  "$1"
  touch "$part/.done-$1"
}

# The address of the machine's Debian mirror, from its apt sources.
find_mirror() {
  local uri="${DEBIAN_MIRROR:-}"
  if [ -z "$uri" ]; then
    uri="$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -E '/debian/?$' | sort -u | head -n 1 || true)"
  fi
  printf '%s' "${uri%/}"
}

# fetch NAME SOURCES-LINE PACKAGE...: downloads packages into a private apt state and unpacks them in $part/NAME.
# Nothing is installed on the machine and its own apt lists stay as they are.
fetch() {
  local name="$1" line="$2"; shift 2
  local apt="$part/apt/$name" debs="$part/debs/$name"
  rm -rf "$apt" "$debs" "${part:?}/$name"
  mkdir -p "$apt/lists/partial" "$debs/partial" "$part/$name"
  printf '%s\n' "$line" > "$apt/sources.list"
  local opts=(-q -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
              -o Dir::State::Lists="$apt/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=
              -o Acquire::Check-Valid-Until=false -o Acquire::Retries=3 -o APT::Sandbox::User=)
  apt-get "${opts[@]}" update > /dev/null \
    || die "apt cannot read the package list of '${line#deb }'. Check the network, or set DEBIAN_MIRROR to another Debian mirror and run again."
  (cd "$debs" && apt-get "${opts[@]}" download "$@" > /dev/null) \
    || die "a package of '$*' cannot be downloaded. If the mirror does not have it any more, deploy/sbpf/install.sh needs its successor's name; otherwise run again."
  for deb in "$debs"/*.deb; do
    dpkg -x "$deb" "$part/$name"
    dpkg-deb -W --showformat='${Package} ${Version}\n' "$deb"
  done | sort > "$part/versions-$name.txt"
  rm -rf "$apt" "$debs"
}

fetch_rust() {
  fetch rust "deb $mirror-security bookworm-security main" \
    rustc-web libstd-rust-web-dev libstd-rust-web-1.96 rust-web-src libllvm22
  # A link to a folder of the machine that does not exist here.
  rm -f "$part/rust/usr/lib/rustlib/src/rust"
}

patch_std() { "$here/patch-std.sh" "$part"/rust/usr/src/rustc-1.96.*/library; }

fetch_llvm() {
  fetch llvm "deb $mirror sid main" \
    libllvm23 llvm-23 libc6 libedit2 libffi8 libgcc-s1 libstdc++6 libxml2-16 libz3-4 libzstd1 zlib1g libtinfo6 libbsd0 libmd0
}

build_linker() {
  # A target folder of its own: an interrupted build continues, and the caller's CARGO_TARGET_DIR stays clean.
  # The work is LLVM's, which comes compiled: optimising the linker itself would only cost minutes.
  CARGO_TARGET_DIR="$part/linker-build" CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
    cargo install --quiet sbpf-linker --version "$linker_version" --locked --root "$part/linker" \
    || die "cargo could not build sbpf-linker $linker_version (the reason is above). Run again when it is solved."
  rm -rf "$part/linker-build"
}

# wrapper NAME COMMAND: writes bin/NAME; COMMAND may use $root (the toolchain) and $llvm (LLVM 23's libraries).
wrapper() {
  cat > "$part/bin/$1" <<WRAPPER
#!/bin/sh
root="\$(dirname "\$(dirname "\$(readlink -f "\$0")")")"
llvm="\$root/llvm/$lib"
$2 "\$@"
WRAPPER
  chmod +x "$part/bin/$1"
}

write_wrappers() {
  mkdir -p "$part/bin"
  # The newer C library of sid comes with its own loader: the program runs inside it.
  local sid='LD_LIBRARY_PATH="$llvm" exec "$llvm/ld-linux-x86-64.so.2" --library-path "$llvm"'
  wrapper sbpf-linker "$sid"' "$root/linker/bin/sbpf-linker"'
  wrapper llvm-as "$sid"' "$root/llvm/usr/lib/llvm-23/bin/llvm-as"'
  wrapper rustc "LD_LIBRARY_PATH=\"\$root/rust/$lib\""' exec "$root/rust/usr/bin/rustc"'
}

check_tools() {
  # From standard input: the result would hold the file's path.
  "$part/bin/llvm-as" - -o "$part/builtins.bc" < "$here/builtins.ll"
  "$part/bin/sbpf-linker" --version > /dev/null
  "$part/bin/rustc" --version > "$part/versions.txt"
  echo "sbpf-linker $linker_version" >> "$part/versions.txt"
  cat "$part/versions-rust.txt" "$part/versions-llvm.txt" >> "$part/versions.txt"
}

# In a function, so that bash has read the whole file before it starts: it may change meanwhile (git pull).
main() {
  if [ -e "$root/versions.txt" ]; then echo "sBPF toolchain: already in $root"; exit 0; fi
  [ "$(uname -sm)" = "Linux x86_64" ] \
    || die "this recipe is for x86_64 Linux. Install Solana's platform-tools instead: cargo xtask build-sbf uses them when they are there."
  for tool in apt-get dpkg dpkg-deb cargo flock; do
    command -v "$tool" > /dev/null || die "'$tool' is missing. Install it, or install Solana's platform-tools: cargo xtask build-sbf uses them when they are there."
  done
  mirror="$(find_mirror)"
  [ -n "$mirror" ] || die "no Debian mirror in this machine's apt sources. Set DEBIAN_MIRROR to the address of one (it ends in /debian) and run again."

  mkdir -p "$part"
  exec 9> "$root.lock"
  flock --nonblock 9 || { echo "sBPF toolchain: another process installs it; waiting"; flock 9; }
  if [ -e "$root/versions.txt" ]; then echo "sBPF toolchain: now in $root"; exit 0; fi
  mkdir -p "$part"

  echo "sBPF toolchain: installing in $root (about 5 minutes, 300 MB to download, 1.1 GB on disk; once per version)"
  run_step fetch_rust "rustc 1.96 and the library sources"
  run_step patch_std "the standard library learns the target 'solana'"
  run_step fetch_llvm "LLVM 23"
  run_step build_linker "sbpf-linker, compiled from source"
  run_step write_wrappers "wrappers"
  run_step check_tools "a try of each tool"
  rm -rf "$part"/.done-* "$part"/versions-*.txt "$part/apt" "$part/debs"
  mv "$part" "$root"
  echo "sBPF toolchain: installed in $root"
}

main
exit
