//! Several files, and files that cannot be read.

use std::fs;

use watchkeeper_config::{load, load_texts};

use crate::no_env;

fn service(id: &str) -> String {
    format!("[[service]]\nid = \"{id}\"\nmonitor = [{{ id = \"m\", targets = [\"tcp://a:1\"] }}]\n")
}

#[test]
fn the_files_of_a_folder_are_merged_in_the_order_of_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write(
        "20-b.toml",
        &format!("{}[plugins.b]\nallow = [\"b:1\"]\n", service("b")),
    );
    write(
        "10-a.toml",
        &format!(
            "[page]\ntitle = \"T\"\n{}[plugins]\nfolder = \"p\"\n",
            service("a")
        ),
    );
    write(".hidden.toml", "broken");
    write("notes.txt", "broken");
    fs::create_dir(folder.path().join("sub.toml")).unwrap();
    let loaded = load(folder.path(), &no_env).unwrap();
    let names: Vec<_> = loaded
        .files
        .iter()
        .map(|file| file.file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(names, ["10-a.toml", "20-b.toml"]);
    let ids: Vec<_> = loaded
        .config
        .services
        .iter()
        .map(|it| it.id.as_str())
        .collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(&*loaded.config.page.title, "T");
    assert_eq!(loaded.config.plugins.folder, folder.path().join("p"));
    assert_eq!(loaded.config.plugins.named.len(), 1);
    assert_eq!(loaded.config.server.data, folder.path().join("data"));
    let one = load(&folder.path().join("10-a.toml"), &no_env).unwrap();
    assert_eq!(one.config.services.len(), 1);
}

#[test]
fn a_key_in_two_files_is_told_with_both_places() {
    let texts = [
        (
            "a.toml",
            "[page]\ntitle = \"A\"\n[plugins]\nfolder = \"p\"\n[plugins.x]\n",
        ),
        (
            "b.toml",
            "[plugins]\nfolder = \"q\"\n[plugins.x]\n[page]\ntitle = \"B\"\n",
        ),
    ];
    let texts = texts.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let problems = load_texts(texts.to_vec(), &no_env).unwrap_err();
    let said: Vec<_> = problems
        .list
        .iter()
        .map(|it| {
            format!(
                "{} {} {}",
                it.place.as_ref().unwrap(),
                it.what,
                it.related[0].0
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            "b.toml:2:1 `folder` is written in two files a.toml:4:1",
            "b.toml:3:10 `x` is written in two files a.toml:5:10",
            "b.toml:4:2 `page` is written in two files a.toml:1:2",
        ]
    );
}

#[test]
fn what_cannot_be_read_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let said = |path: &std::path::Path| load(path, &no_env).unwrap_err().to_string();
    assert!(said(folder.path()).contains("holds no *.toml file"));
    assert!(said(&folder.path().join("none.toml")).contains("none.toml cannot be read"));
    let binary = folder.path().join("binary.toml");
    fs::write(&binary, b"[page]\ntitle = \"\xff\"\nx = 1").unwrap();
    let shown = said(&binary);
    assert!(shown.contains("the file is not UTF-8"), "{shown}");
    assert!(shown.contains("binary.toml:2:10"), "{shown}");
    // The other file of the folder is checked all the same, but for what the
    // first one may hold.
    let other = "[pag]\n[[channel]]\nid = \"a\"\nnotifier = \"x\"\n[[route]]\nto = [\"b\"]\n";
    fs::write(folder.path().join("other.toml"), other).unwrap();
    let shown = said(folder.path());
    assert!(shown.contains("did you mean `page`?"), "{shown}");
    assert!(
        shown.ends_with("2 problems in the configuration"),
        "{shown}"
    );
}
