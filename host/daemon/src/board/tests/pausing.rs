//! What is paused is not judged, told of or counted, and stays so through restarts.

use super::*;

fn standing(table: &Table, monitor: &str) -> (Health, Option<Arc<str>>) {
    let id = MonitorId::parse(monitor).unwrap();
    let standing = &table.board.monitor(&id).unwrap().state.standing;
    (standing.health, standing.reason.clone())
}

fn play(script: &str) -> Table {
    let mut table = Table::new(CONFIG);
    table.stories.recall(&mut table.board);
    script.split_whitespace().for_each(|word| table.step(word));
    table
}

#[test]
fn what_is_paused_is_unknown_whatever_is_found() {
    let table = play("lone:1=healthy lone:2=healthy +5 pause:s/lone lone:1=dead +60 lone:2=dead");
    let why = Some("paused".into());
    assert_eq!(standing(&table, "s/lone"), (Health::Unknown, why.clone()));
    assert_eq!(table.log, [""; 0]);

    let table = play("lone:1=healthy lone:2=healthy pause:s/lone +5 restart +5 lone:1=dead");
    assert_eq!(standing(&table, "s/lone"), (Health::Unknown, why));
    assert_eq!(table.log, [""; 0]);
    let id = MonitorId::parse("s/lone").unwrap();
    let pause = table.board.pause_of(&id).unwrap();
    assert_eq!((pause.at.as_secs(), &*pause.by), (0, "ops"));
}

#[test]
fn an_outage_that_outlasts_a_pause_is_not_told_again() {
    check(
        "lone:1=dead lone:2=dead +5 pause:s/lone +600 resume:s/lone lone:1=dead lone:2=dead +5 lone:1=healthy lone:2=healthy",
        &[
            "0 S: lone is dead: refused",
            "605 asks s/lone",
            "610 S: lone is healthy again after 10 min 10 s",
        ],
    );
}

#[test]
fn what_goes_on_is_asked_at_once_and_told_of_as_before() {
    check(
        "lone:1=healthy lone:2=healthy +5 pause:s/lone +60 resume:s/lone lone:1=healthy lone:2=healthy +5 lone:1=dead",
        &["65 asks s/lone", "70 S: lone is dead: refused"],
    );
}

#[test]
fn what_depends_on_something_paused_does_not_wait_for_it() {
    check(
        "gateway:1=healthy shop:1=healthy +5 pause:s/gateway +5 shop:1=dead +1",
        &["10 S: shop is dead: refused"],
    );
}

#[test]
fn an_incident_does_not_wait_for_what_is_paused() {
    let table = play("lone:1=dead lone:2=dead +5 pause:s/lone +5");
    let open = table.board.incidents().filter(|(_, it, _)| it.is_open());
    assert_eq!(open.count(), 0);
}

#[test]
fn nothing_is_paused_where_one_is_unknown() {
    let mut table = play("lone:1=healthy");
    let ids = ["s/lone", "s/nobody"].map(|id| MonitorId::parse(id).unwrap());
    let mut batch = Batch::default();
    let done = table
        .board
        .pause(&ids, &"ops".into(), table.now, &mut batch);
    assert_eq!(done, Err(ids[1].clone()));
    assert!(!table.board.is_paused(&ids[0]));
    assert_eq!(batch.commit, Commit::default());
}

#[test]
fn silence_is_not_counted_while_paused() {
    let told = "[[service]]\nid = \"t\"\nlabel = \"T\"\n[[service.monitor]]\nid = \"people\"\npassive = \"manual\"\n";
    let mut table = Table::new(&format!("{CONFIG}{told}"));
    let id = MonitorId::parse("t/people").unwrap();
    let mut batch = Batch::default();
    let said = watchkeeper_web::Told {
        monitor: id.clone(),
        what: watchkeeper_web::What::Set {
            health: Verdict::Sick,
            comment: "slow".into(),
        },
    };
    table
        .board
        .hear(&said, table.now, table.now, &mut batch)
        .unwrap();
    table.keep(batch);
    table.step("pause:t/people");
    assert_eq!(standing(&table, "t/people").0, Health::Unknown);
    table.step("resume:t/people");
    // What people said holds until they say something else.
    assert_eq!(
        standing(&table, "t/people"),
        (Health::Sick, Some("slow".into()))
    );
}
