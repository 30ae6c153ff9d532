//! One guest's misbehaviour does not reach another, nor the host.

use std::time::Duration;

use watchkeeper_sandbox::{CheckOutcome, Sandbox, Settings};

use crate::fixture::{guest, load, sandbox, settings, trial};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
pub(crate) async fn fifty_innocents_run_beside_guests_that_compute() {
    let plugin = load("hostile").await;
    let computing = |plugin: watchkeeper_sandbox::Plugin| async move {
        let trial = trial("loop", "").limited(|limits| limits.cpu = Duration::from_secs(5));
        trial.fault(&plugin).await
    };
    // One for each thread of the runtime: without interruption nothing else runs.
    let loops = [
        tokio::spawn(computing(plugin.clone())),
        tokio::spawn(computing(plugin.clone())),
    ];
    let innocents = (0..50).map(|_| {
        let plugin = plugin.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                assert_eq!(trial("nothing", "").got(&plugin).await, "");
            }
        })
    });
    for innocent in innocents.collect::<Vec<_>>() {
        innocent.await.unwrap();
    }
    // Five hundred checks take a hundredth of what the loops may: all are over
    // before one of the loops is.
    for computing in loops {
        assert!(!computing.is_finished());
        computing.abort();
        assert!(computing.await.unwrap_err().is_cancelled());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
pub(crate) async fn two_thousand_runs_dropped_leave_nothing() {
    let sandbox = sandbox();
    let plugin = sandbox.load(guest("hostile")).await.unwrap();
    for _ in 0..20 {
        let runs: Vec<_> = (0..100)
            .map(|_| {
                let plugin = plugin.clone();
                tokio::spawn(async move {
                    let run = trial("sleep", "").run(&plugin);
                    tokio::time::timeout(Duration::from_millis(1), run)
                        .await
                        .is_err()
                })
            })
            .collect();
        for run in runs {
            assert!(run.await.unwrap());
        }
    }
    assert_eq!(sandbox.live(), 0);
    assert_eq!(trial("nothing", "").got(&plugin).await, "");
}

#[tokio::test]
pub(crate) async fn runs_wait_for_their_turn_and_not_for_ever() {
    let sandbox = Sandbox::new(Settings {
        concurrency: 2,
        ..settings()
    })
    .unwrap();
    let plugin = sandbox.load(guest("hostile")).await.unwrap();
    let sleepers: Vec<_> = (0..2)
        .map(|_| {
            let plugin = plugin.clone();
            tokio::spawn(async move { trial("sleep", "").run(&plugin).await })
        })
        .collect();
    while sandbox.live() < 2 {
        tokio::task::yield_now().await;
    }
    let impatient = trial("nothing", "")
        .within(Duration::from_millis(50))
        .fault(&plugin)
        .await;
    assert_eq!(
        impatient.to_string(),
        "the host could not run the plugin: no instance was free for 50ms"
    );
    for sleeper in sleepers {
        sleeper.abort();
        assert!(sleeper.await.unwrap_err().is_cancelled());
    }
    assert_eq!(sandbox.live(), 0);
    assert_eq!(trial("nothing", "").got(&plugin).await, "");
}

#[tokio::test]
pub(crate) async fn one_plugin_leaves_instances_to_the_others() {
    let sandbox = Sandbox::new(Settings {
        concurrency: 4,
        ..settings()
    })
    .unwrap();
    let greedy = sandbox.load(guest("hostile")).await.unwrap();
    let modest = sandbox.load(guest("modest")).await.unwrap();
    let sleepers: Vec<_> = (0..10)
        .map(|_| {
            let greedy = greedy.clone();
            tokio::spawn(async move { trial("sleep", "").run(&greedy).await })
        })
        .collect();
    while sandbox.live() < 3 {
        tokio::task::yield_now().await;
    }
    let outcome = trial("", "").run(&modest).await.outcome;
    assert!(matches!(outcome, CheckOutcome::Fault(_)), "{outcome:?}");
    assert_eq!(sandbox.live(), 3);
    for sleeper in sleepers {
        sleeper.abort();
    }
}

#[tokio::test]
pub(crate) async fn a_plugin_outlives_its_sandboxs_handle() {
    let plugin = {
        let sandbox = sandbox();
        sandbox.load(guest("hostile")).await.unwrap()
    };
    let fault = trial("loop", "")
        .limited(|limits| limits.cpu = Duration::from_millis(50))
        .fault(&plugin)
        .await;
    assert!(fault.to_string().contains("processor time"), "{fault}");
}
