//! Which test proves what the host makes of each deed of the hostile guest. A deed
//! without one does not compile.

use guest_deeds::Deed;

use crate::{answers, detours, dials, limits, rhythm, walls, words};

/// The test that tries `deed` out.
const fn proof(deed: Deed) -> fn() {
    match deed {
        Deed::Nothing => limits::a_run_beyond_its_limit_leaves_the_next_one_be,
        Deed::Sick | Deed::Dead | Deed::DeadWithoutReason | Deed::Request => {
            answers::a_reading_is_what_the_probe_said
        }
        Deed::Misconfigured | Deed::Undecided => answers::a_fault_is_what_the_probe_said,
        Deed::Panic | Deed::Exit => walls::a_panic_and_an_exit_have_last_words,
        Deed::Say => words::every_way_out_is_scrubbed,
        Deed::Measure => answers::measurements_are_numbers_and_few,
        Deed::Reason => limits::bytes_of_one_call,
        Deed::Count => detours::what_one_target_keeps_no_other_sees,
        Deed::FillState => answers::state_has_a_size,
        Deed::SetThenPanic => answers::state_outlives_a_run_that_answers,
        Deed::Loop => rhythm::fifty_innocents_run_beside_guests_that_compute,
        Deed::Sleep => limits::wall_time_of_a_sleeper,
        Deed::Nap => limits::processor_time_is_not_wall_time,
        Deed::Memory => limits::memory,
        Deed::Recursion => limits::the_call_stack,
        Deed::Resources => limits::host_resources,
        Deed::Headers => limits::header_bytes,
        Deed::Randomness => limits::randomness,
        Deed::Log | Deed::Output => limits::lines_of_log_are_left_out_and_end_nothing,
        Deed::ReadFile | Deed::WriteFile => walls::there_are_no_files,
        Deed::Environment => walls::there_is_no_environment,
        Deed::Thread | Deed::Stdin => walls::there_are_no_threads_and_no_input,
        Deed::Http | Deed::HttpIgnoringTheAnswer | Deed::Tcp | Deed::Tls | Deed::Udp => {
            dials::twenty_other_addresses_are_not_reached
        }
        Deed::HttpAs => dials::a_host_header_names_a_granted_host,
        Deed::HttpFollowing => detours::a_redirect_leads_to_no_other_host,
        Deed::TcpTwice => detours::a_name_cannot_be_rebound,
        Deed::TcpHanging => dials::a_target_that_does_not_answer_is_told_from_a_plugin_that_sleeps,
        Deed::Connections => limits::connections,
        Deed::Listen => dials::nobody_listens,
        Deed::LookUp | Deed::Ping | Deed::Dns => dials::other_ports_and_names_are_not_reached,
    }
}

#[test]
fn every_deed_has_its_test() {
    for deed in Deed::ALL {
        let _: fn() = proof(*deed);
    }
}
