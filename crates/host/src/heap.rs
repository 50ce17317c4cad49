//! The heap of our programs. On Linux it is jemalloc: glibc keeps what a thread has let go of for that thread, which with a hundred
//! thousand things was a fifth of all memory (docs/PERFORMANCE.md). Everywhere else it is the system's.

/// What a program names as its `#[global_allocator]`, with [`HEAP`] as its value.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub type Heap = tikv_jemallocator::Jemalloc;

/// The heap.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub const HEAP: Heap = tikv_jemallocator::Jemalloc;

/// What a program names as its `#[global_allocator]`, with [`HEAP`] as its value.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub type Heap = std::alloc::System;

/// The heap.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub const HEAP: Heap = std::alloc::System;
