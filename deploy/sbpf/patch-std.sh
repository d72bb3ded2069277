#!/usr/bin/env bash
# Teaches a copy of the Rust 1.96 standard library about target_os = "solana".
# Argument: the copy's `library` folder. Nothing of std is used at run time beyond core and alloc;
# the arms below only let std compile (no threads, no random source, System never allocates).
# Idempotent: a second run finds each arm and adds none.
set -euo pipefail
sys="${1:?usage: patch-std.sh LIBRARY-FOLDER}/std/src/sys"

cat > "$sys/alloc/solana.rs" <<'RS'
use crate::alloc::{GlobalAlloc, Layout, System};

// A program registers its own #[global_allocator]; System is never asked.
#[stable(feature = "alloc_system_type", since = "1.28.0")]
unsafe impl GlobalAlloc for System {
    unsafe fn alloc(&self, _layout: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }
    unsafe fn dealloc(&self, _ptr: *mut u8, _layout: Layout) {}
}
RS

# add_arm FILE SED-EXPRESSION...: edits the file unless it knows the target already, and checks that it does now.
add_arm() {
  local file="$sys/$1"; shift
  grep -q 'target_os = "solana"' "$file" && return
  for expression in "$@"; do sed -i "$expression" "$file"; done
  grep -q 'target_os = "solana"' "$file" || {
    echo "the layout of std changed: $file has no place for the solana arm; adapt deploy/sbpf/patch-std.sh" >&2
    exit 1
  }
}

add_arm alloc/mod.rs \
  's/^    target_arch = "wasm64",$/&\n    target_arch = "bpf",/' \
  's/^    target_os = "zkvm" => {$/    target_os = "solana" => {\n        mod solana;\n    }\n&/'
add_arm io/error/mod.rs 's/target_os = "zkvm",$/target_os = "zkvm", target_os = "solana",/'
add_arm thread_local/mod.rs 's/target_os = "zkvm",$/target_os = "zkvm", target_os = "solana",/'
add_arm random/mod.rs 's/target_os = "vexos",$/target_os = "vexos", target_os = "solana",/'
