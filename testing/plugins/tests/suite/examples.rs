//! The examples against the schemas of the plugins that they configure.

use std::fs;
use std::path::Path;

use plugin_tests::{bundled, load, run};
use watchkeeper_config::monitor::{ProbeChoice, scheme};
use watchkeeper_config::plugin_config::{PluginConfig, PluginSchema};
use watchkeeper_config::{Config, load as load_config, load_texts};
use watchkeeper_sandbox::Kind;

/// An environment in which every variable is set, to what fits everywhere.
#[expect(clippy::unnecessary_wraps, reason = "what the configuration calls")]
fn env(name: &str) -> Option<String> {
    if name.ends_with("_TOKEN") {
        return Some(format!("0123456789-{name}"));
    }
    Some("https://hooks.slack.com/services/T0/B0/X".to_owned())
}

fn read(name: &str) -> Config {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/configs");
    // Beside the files that an example may name.
    let folder = tempfile::tempdir().expect("a folder can be made");
    let certificate = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";
    for (file, content) in [
        ("ca.pem", certificate),
        ("rabbit-user", "watch\n"),
        ("logo.svg", "<svg/>"),
        ("icon.svg", "<svg/>"),
        ("extra.css", ".card { border: 0 }"),
    ] {
        fs::write(folder.path().join(file), content).expect("it can be written to");
    }
    let path = folder.path().join(name);
    fs::copy(examples.join(name), &path).expect("the example is there");
    let loaded = load_config(&path, &env).unwrap_or_else(|problems| panic!("{name}: {problems}"));
    loaded.config
}

/// What every plugin's schema has against the configurations of one example, and
/// how many were compared.
async fn problems(config: &Config) -> (usize, Vec<String>) {
    let mut plugins = Vec::new();
    for name in bundled() {
        let plugin = load(&name).await;
        let schema = PluginSchema::new(&plugin.description().schema).expect("it is a schema");
        plugins.push((name, plugin.kind().clone(), schema));
    }
    let named = |wanted: &str| plugins.iter().find(|(name, _, _)| name == wanted);
    let by_scheme = |wanted: &str| {
        plugins.iter().find(|(_, kind, _)| match kind {
            Kind::Probe { schemes } => schemes.iter().any(|scheme| scheme == wanted),
            Kind::Notifier => false,
        })
    };
    let mut compared: Vec<(&PluginConfig, &PluginSchema)> = Vec::new();
    for monitor in config.monitors() {
        let found = match &monitor.probe {
            ProbeChoice::Named(name) => named(name.as_str()),
            ProbeChoice::ByScheme => {
                let mut targets = monitor.targets.iter();
                let scheme = targets.find_map(|target| scheme(target.address()));
                scheme.and_then(by_scheme)
            }
        };
        compared.extend(found.map(|(_, _, schema)| (&monitor.config, schema)));
    }
    for channel in config.channels.iter() {
        let found = named(channel.notifier.as_str());
        compared.extend(found.map(|(_, _, schema)| (&channel.config, schema)));
    }
    let problems = compared
        .iter()
        .flat_map(|(config, schema)| schema.check(config))
        .map(|problem| problem.to_string())
        .collect();
    (compared.len(), problems)
}

#[test]
fn every_example_fits_the_plugins() {
    run(async {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/configs");
        let mut all = 0;
        for entry in fs::read_dir(examples).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let (compared, problems) = problems(&read(&name)).await;
            assert_eq!(problems, [""; 0], "{name}");
            assert!(compared > 0, "{name} configures no bundled plugin");
            all += compared;
        }
        assert!(all >= 10, "{all}");
    });
}

/// The `toml` blocks of the README of a plugin, each within what it leaves out.
fn configurations(name: &str, kind: &Kind, readme: &str) -> Vec<String> {
    let blocks = readme.split("```toml\n").skip(1);
    let blocks = blocks.filter_map(|rest| Some(rest.split_once("```")?.0));
    blocks
        .map(|block| {
            let monitor = "[[service.monitor]]\nid = \"monitor\"\ntargets = [\"x://a.test:1\"]\n";
            let heads = [
                ("[[service]]", "[[service]]\nid = \"service\"\n".to_owned()),
                ("[[service.monitor]]", monitor.to_owned()),
                (
                    "[[channel]]",
                    format!("[[channel]]\nid = \"channel\"\nnotifier = \"{name}\"\n"),
                ),
            ];
            let is_of_channel = *kind == Kind::Notifier;
            let mut whole = String::new();
            for (head, text) in heads {
                if !block.contains(head) && (head != "[[channel]]" || is_of_channel) {
                    whole.push_str(&text);
                }
            }
            whole + block
        })
        .collect()
}

#[test]
fn the_configurations_in_every_readme_fit_its_plugin() {
    run(async {
        for name in bundled() {
            let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins");
            let readme = fs::read_to_string(plugins.join(&name).join("README.md")).unwrap();
            let plugin = load(&name).await;
            let configurations = configurations(&name, plugin.kind(), &readme);
            assert!(!configurations.is_empty(), "{name} has no configuration");
            for toml in configurations {
                let loaded = load_texts(vec![("README.md".to_owned(), toml)], &env);
                let config = loaded
                    .unwrap_or_else(|problems| panic!("{name}: {problems}"))
                    .config;
                let (compared, problems) = problems(&config).await;
                assert_eq!(problems, [""; 0], "{name}");
                assert!(compared > 0, "{name}");
            }
            let keys = plugin.description().schema["properties"].as_object();
            for key in keys.unwrap().keys() {
                let listed = ["`", "."]
                    .iter()
                    .any(|end| readme.contains(&format!("`{key}{end}")));
                assert!(listed, "{name} does not list {key}");
            }
        }
    });
}

#[test]
fn the_page_of_channels_has_an_example_of_every_notifier() {
    run(async {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/channels.md");
        let page = fs::read_to_string(docs).unwrap();
        for name in bundled() {
            let plugin = load(&name).await;
            if *plugin.kind() != Kind::Notifier {
                continue;
            }
            let written = format!("notifier = \"{name}\"");
            let blocks = page.split("```toml\n").skip(1);
            let blocks = blocks.filter_map(|rest| Some(rest.split_once("```")?.0));
            let examples: Vec<&str> = blocks.filter(|block| block.contains(&written)).collect();
            assert!(!examples.is_empty(), "{name}");
            for toml in examples {
                let whole = format!(
                    "[[service]]\nid = \"service\"\n[[service.monitor]]\nid = \"monitor\"\ntargets = [\"x://a.test:1\"]\n{toml}"
                );
                let config = load_texts(vec![("channels.md".to_owned(), whole)], &env)
                    .unwrap_or_else(|problems| panic!("{name}: {problems}"))
                    .config;
                let (compared, problems) = problems(&config).await;
                assert_eq!(problems, [""; 0], "{name}");
                assert_eq!(compared, 1, "{name}");
            }
        }
    });
}

#[test]
fn every_plugin_is_what_its_file_is_called() {
    run(async {
        for name in bundled() {
            let plugin = load(&name).await;
            assert_eq!(plugin.description().name.as_str(), name);
            // A service that has one address for everybody need not be configured, and
            // registries are where they are, whatever the operator writes.
            let hosts = plugin.description().hosts.len();
            let most = usize::from(*plugin.kind() == Kind::Notifier);
            assert!(
                hosts <= most || name == "domain",
                "{name} asks for hosts of its own"
            );
        }
    });
}
