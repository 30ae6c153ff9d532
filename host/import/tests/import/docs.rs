//! `docs/moving.md` against the program.

use std::fs;
use std::path::Path;

use watchkeeper_import::Kind;

use super::{fits_the_plugins, loads};

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/moving.md");
    fs::read_to_string(path).unwrap()
}

#[test]
fn examples_are_configurations() {
    let page = page();
    let mut count = 0;
    for block in page.split("\n```toml\n").skip(1) {
        let (example, _) = block.split_once("\n```").unwrap();
        loads(example);
        fits_the_plugins(example);
        count += 1;
    }
    assert!(count >= 5, "{count}");
}

#[test]
fn every_system_is_there() {
    let page = page();
    for kind in Kind::ALL {
        let command = format!("`config import {} ", kind.word());
        assert!(page.contains(&command), "{command}");
        assert!(page.contains(&format!("\n## {kind}\n")), "{kind}");
        assert_eq!(Kind::from_word(kind.word()), Some(kind));
    }
    assert_eq!(Kind::from_word("nagios"), None);
}
