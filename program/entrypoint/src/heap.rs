//! The allocator: it hands the heap out from the bottom, and takes back only what it gave last.
//!
//! Enough, because the executor allocates its tables once. What it does take back are buffers that grow or end in
//! the order in which they began: a vector that is the newest allocation grows in place.

use core::alloc::{GlobalAlloc, Layout};

/// Where the runtime maps the heap.
const HEAP_START: usize = 0x3_0000_0000;
/// The largest heap that a transaction can ask for.
const HEAP_LENGTH: usize = 256 * 1024;

/// The allocator. Its state is in the heap's first 16 bytes, which are zero at the start of each instruction.
struct Bump;

/// The allocator's state.
#[repr(C)]
struct State {
    /// Bytes handed out, from the heap's start; 0 at first.
    used: usize,
    /// Bytes that may have been written to: above, the heap is zero.
    dirty: usize,
}

impl Bump {
    fn state() -> &'static mut State {
        // SAFETY: the heap's first bytes are mapped, aligned, zeroed at the start and used by nothing else; the
        // program is single-threaded and no reference survives a method of the allocator.
        unsafe { &mut *(HEAP_START as *mut State) }
    }

    fn bump(layout: Layout) -> (*mut u8, bool) {
        let state = Self::state();
        let used = state.used.max(size_of::<State>());
        let start = used.next_multiple_of(layout.align());
        let Some(end) = start.checked_add(layout.size()).filter(|end| *end <= HEAP_LENGTH) else {
            return (core::ptr::null_mut(), false);
        };
        let is_fresh = start >= state.dirty;
        state.used = end;
        state.dirty = state.dirty.max(end);
        ((HEAP_START + start) as *mut u8, is_fresh)
    }
}

// SAFETY: `bump` gives aligned, mapped memory that it does not give again before it is taken back. `dealloc` takes
// back the newest allocation only, which ends at `used`.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::bump(layout).0
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let (start, is_fresh) = Self::bump(layout);
        if !start.is_null() && !is_fresh {
            // SAFETY: `layout.size()` bytes were just handed out.
            unsafe { core::ptr::write_bytes(start, 0, layout.size()) }
        }
        start
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        let state = Self::state();
        let offset = start as usize - HEAP_START;
        if offset + layout.size() == state.used {
            state.used = offset;
        }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let state = Self::state();
        let offset = start as usize - HEAP_START;
        if offset + layout.size() == state.used {
            let Some(end) = offset.checked_add(new_size).filter(|end| *end <= HEAP_LENGTH) else {
                return core::ptr::null_mut();
            };
            state.used = end;
            state.dirty = state.dirty.max(end);
            return start;
        }
        // SAFETY: the new size is not zero and does not overflow with the alignment, by the contract of `realloc`.
        let layout_new = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        let (target, _) = Self::bump(layout_new);
        if !target.is_null() {
            // SAFETY: both are allocations of at least that size, and the new one is disjoint from the old.
            unsafe { core::ptr::copy_nonoverlapping(start, target, layout.size().min(new_size)) }
        }
        target
    }
}

#[cfg(target_os = "solana")]
#[global_allocator]
static ALLOCATOR: Bump = Bump;
/// Off chain the crate is only compiled and linted.
#[cfg(not(target_os = "solana"))]
const _: Bump = Bump;
