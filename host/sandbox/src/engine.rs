//! The one engine: how code is compiled, where instances live, what interrupts
//! them.

use std::fs::DirBuilder;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use wasmtime::{
    Cache, CacheConfig, Config, Enabled, Engine, InstanceAllocationStrategy,
    PoolingAllocationConfig, WasmBacktraceDetails,
};

use crate::backtrace::MOST_FRAMES;
use crate::limits::{MAX_MEMORY, MAX_TABLE_ELEMENTS, fixed};

/// How often a guest that computes is asked how much longer it may. A guest can
/// exceed its processor time by this.
const TICK: Duration = Duration::from_millis(10);

/// Slots that the pool has beyond the instances that run: an instance gives its
/// permit back an instant before the pool has its slot again.
const HEADROOM: u32 = 8;

/// Largest total of the code cache, in bytes: some hundreds of plugins.
const CACHE_BYTES: u64 = 1 << 30;

/// An engine whose pool has room for `concurrency` instances.
pub(crate) fn new(
    concurrency: u32,
    cache: Option<&Path>,
    backtraces: bool,
) -> wasmtime::Result<Engine> {
    let mut config = settings(concurrency);
    if backtraces {
        config
            .wasm_backtrace_details(WasmBacktraceDetails::Enable)
            .wasm_backtrace_max_frames(Some(MOST_FRAMES));
    }
    if let Some(folder) = cache {
        // Compiled code is run as it is: whoever can write here can do what the
        // host can.
        create_private(folder)?;
        let mut settings = CacheConfig::new();
        settings
            .with_directory(folder)
            .with_files_total_size_soft_limit(CACHE_BYTES);
        config.cache(Some(Cache::new(settings)?));
    }
    Engine::new(&config)
}

fn settings(concurrency: u32) -> Config {
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(concurrency)))
        // A guest is interrupted at every tick, and goes on if it may.
        .epoch_interruption(true)
        .consume_fuel(false)
        // WASI 0.2 only; saves a quarter of the cost of a run.
        .concurrency_support(false)
        // Threads, garbage collection and the like are left out of the build.
        .wasm_memory64(false)
        // One slot's address space: with the default of 4 GiB a thousand slots
        // meet the limits that containers set.
        .memory_reservation(MAX_MEMORY as u64)
        .memory_guard_size(64 << 10)
        .max_wasm_stack(512 << 10)
        .async_stack_size(2 << 20)
        // Guests are stripped: a backtrace would cost milliseconds to say
        // `<unknown>`, and must not depend on the host's environment.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .wasm_backtrace_max_frames(None);
    config
}

fn pool(concurrency: u32) -> PoolingAllocationConfig {
    let slots = concurrency + HEADROOM;
    // Keeping pages needs a way to find the used ones (Linux 6.7); without it the
    // whole of what is kept would be written over after each run.
    let scans = PoolingAllocationConfig::is_pagemap_scan_available();
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        .total_stacks(slots)
        // A Rust component has three core instances, one memory and two tables;
        // interpreters have more. Instances take no room of their own.
        .total_core_instances(slots.saturating_mul(to_u32(fixed::INSTANCES)))
        .total_memories(slots.saturating_mul(2))
        .total_tables(slots.saturating_mul(4))
        .max_memory_size(MAX_MEMORY)
        .table_elements(MAX_TABLE_ELEMENTS)
        .max_component_instance_size(8 << 20)
        .max_core_instance_size(8 << 20)
        .max_core_instances_per_component(to_u32(fixed::INSTANCES))
        .max_memories_per_component(to_u32(fixed::MEMORIES))
        .max_tables_per_component(to_u32(fixed::TABLES))
        .max_memories_per_module(2)
        .max_tables_per_module(8)
        .max_unused_warm_slots(64)
        .decommit_batch_size(16)
        .pagemap_scan(if scans { Enabled::Yes } else { Enabled::No })
        .linear_memory_keep_resident(if scans { 1 << 20 } else { 0 })
        .table_keep_resident(if scans { 64 << 10 } else { 0 });
    pool
}

fn to_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Makes `folder` and its parents; the folder itself is for this user only.
fn create_private(folder: &Path) -> std::io::Result<()> {
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// The clock by which guests are interrupted: a thread of its own, because a
/// guest that computes may hold every thread of the runtime. Ends when dropped.
#[derive(Debug)]
pub(crate) struct Ticker {
    _stop: mpsc::Sender<std::convert::Infallible>,
}

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let engine = engine.weak();
        std::thread::Builder::new()
            .name("epoch".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(TICK) == Err(mpsc::RecvTimeoutError::Timeout) {
                    let Some(engine) = engine.upgrade() else {
                        return;
                    };
                    engine.increment_epoch();
                }
            })?;
        Ok(Self { _stop: stop })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_that_hold_the_sandbox_are_set() {
        let config = new(100, None, false).unwrap();
        assert!(config.get_epoch_interruption());
        assert!(!config.get_concurrency_support());
        assert_eq!(config.get_max_wasm_stack(), 512 << 10);
        assert_eq!(config.get_async_stack_size(), 2 << 20);
        assert_eq!(config.get_memory_reservation(), MAX_MEMORY as u64);
        assert_eq!(config.get_wasm_backtrace_max_frames(), 0);
        let pool = config.get_pooling_config().unwrap();
        assert_eq!(pool.get_total_component_instances(), 108);
        assert_eq!(pool.get_total_stacks(), 108);
        assert_eq!(pool.get_total_memories(), 216);
        assert_eq!(pool.get_total_tables(), 432);
        assert_eq!(pool.get_max_memory_size(), MAX_MEMORY);
        assert_eq!(pool.get_table_elements(), MAX_TABLE_ELEMENTS);
        assert_eq!(pool.get_max_core_instances_per_component(), 60);
        assert_eq!(pool.get_max_memories_per_component(), 20);
        assert_eq!(pool.get_max_tables_per_component(), 40);
    }

    #[cfg(unix)]
    #[test]
    fn the_cache_is_for_this_user_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("a/code");
        std::fs::create_dir_all(&cache).unwrap();
        std::fs::set_permissions(&cache, std::fs::Permissions::from_mode(0o777)).unwrap();
        new(1, Some(&cache), false).unwrap();
        let mode = std::fs::metadata(&cache).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
}
