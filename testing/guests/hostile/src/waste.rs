//! Ways to use too much.

use std::hint::black_box;

use wasip2::http::types::Fields;

use watchkeeper_sdk::bindings::log as contract_log;
use watchkeeper_sdk::bindings::probe::Reading;

use crate::{healthy, print};

pub(crate) fn processor() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

pub(crate) fn memory() -> ! {
    let mut kept = Vec::new();
    loop {
        kept.push(vec![1_u8; 1 << 20]);
        black_box(&kept);
    }
}

pub(crate) fn stack(depth: u64) -> u64 {
    let page = black_box([depth; 64]);
    if page[0] == 0 {
        return 0;
    }
    stack(depth + 1) + black_box(page[63])
}

pub(crate) fn resources() -> ! {
    let mut kept = Vec::new();
    loop {
        kept.push(Fields::new());
    }
}

pub(crate) fn headers() -> ! {
    let fields = Fields::new();
    loop {
        fields
            .append("x-more", &[b'x'; 100])
            .expect("the host ends it first");
    }
}

pub(crate) fn randomness(bytes: usize) -> usize {
    wasip2::random::random::get_random_bytes(bytes as u64).len()
}

pub(crate) fn log(lines: usize) -> Reading {
    for line in 0..lines {
        contract_log::log(
            contract_log::Level::Info,
            &format!("line {line} {}", "x".repeat(2000)),
        );
    }
    healthy()
}

pub(crate) fn output(lines: usize) -> Reading {
    for line in 0..lines {
        print(&format!("line {line} {}", "x".repeat(2000)));
    }
    healthy()
}
