//! A real registry: Debian's docker-registry, started by the test.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::rig::{PATIENCE, Rig, said};
use super::trust::{Keys, two_versions};

/// What `htpasswd -nbB watch keeper` printed once.
const HTPASSWD: &str = "watch:$2y$05$aw9diO42p9CDdeF5Kb5SHerunYxEJLg1PkIoabfXny5/5KuzF2HPK\n";

pub(crate) fn sha256(file: &Path) -> String {
    let output = Command::new("sha256sum").arg(file).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split(' ').next().unwrap().to_owned()
}

struct Registry {
    child: Child,
    authority: String,
    folder: tempfile::TempDir,
    login: Option<(&'static str, &'static str)>,
}

impl Registry {
    /// None where the program is missing; that is said.
    async fn start(login: Option<(&'static str, &'static str)>) -> Option<Self> {
        let program = ["/usr/bin/docker-registry", "/usr/sbin/docker-registry"]
            .into_iter()
            .find(|program| Path::new(program).exists());
        let Some(program) = program else {
            println!("SKIPPED: registry: docker-registry (Debian's docker-registry) is missing");
            return None;
        };
        // It cannot be asked which port it got: another program may take this one in
        // between, and then the next is tried.
        for _ in 0..10 {
            let folder = tempfile::tempdir().unwrap();
            let port = TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port();
            let authority = format!("127.0.0.1:{port}");
            let mut config = format!(
                "version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {authority}\n",
                folder.path().join("store").display()
            );
            if login.is_some() {
                let file = folder.path().join("htpasswd");
                std::fs::write(&file, HTPASSWD).unwrap();
                config.extend([format!(
                    "auth:\n  htpasswd:\n    realm: test\n    path: {}\n",
                    file.display()
                )]);
            }
            let file = folder.path().join("config.yml");
            std::fs::write(&file, config).unwrap();
            let child = Command::new(program)
                .arg("serve")
                .arg(&file)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let mut registry = Self {
                child,
                authority,
                folder,
                login,
            };
            if registry.is_up().await {
                return Some(registry);
            }
            // Dropping it ends the program; the next try gets a folder of its own.
        }
        panic!("docker-registry does not come up");
    }

    async fn is_up(&mut self) -> bool {
        let asking = async {
            loop {
                if self.child.try_wait().unwrap().is_some() {
                    return false;
                }
                if reqwest::get(format!("http://{}/v2/", self.authority))
                    .await
                    .is_ok()
                {
                    return true;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, asking)
            .await
            .unwrap_or(false)
    }

    async fn ask(
        &self,
        method: Method,
        place: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> reqwest::Response {
        let url = if place.starts_with("http") {
            place.to_owned()
        } else {
            format!("http://{}/v2/{place}", self.authority)
        };
        let mut request = reqwest::Client::new()
            .request(method, url)
            .header("content-type", kind)
            .body(body);
        if let Some((user, password)) = self.login {
            request = request.basic_auth(user, Some(password));
        }
        request.send().await.unwrap()
    }

    /// Uploads bytes, and says by what digest they are known.
    async fn blob(&self, repository: &str, bytes: &[u8]) -> String {
        let file = self.folder.path().join("blob");
        std::fs::write(&file, bytes).unwrap();
        let digest = format!("sha256:{}", sha256(&file));
        let begun = self
            .ask(
                Method::POST,
                &format!("{repository}/blobs/uploads/"),
                "text/plain",
                Vec::new(),
            )
            .await;
        assert_eq!(begun.status(), StatusCode::ACCEPTED);
        let place = begun.headers()["location"].to_str().unwrap().to_owned();
        let separator = if place.contains('?') { '&' } else { '?' };
        let place = format!("{place}{separator}digest={digest}");
        let done = self
            .ask(
                Method::PUT,
                &place,
                "application/octet-stream",
                bytes.to_vec(),
            )
            .await;
        assert_eq!(done.status(), StatusCode::CREATED);
        digest
    }

    /// Uploads a manifest, and says by what digest it is known.
    async fn manifest(&self, repository: &str, tag: &str, manifest: &serde_json::Value) -> String {
        let kind = manifest["mediaType"].as_str().unwrap().to_owned();
        let place = format!("{repository}/manifests/{tag}");
        let put = self
            .ask(
                Method::PUT,
                &place,
                &kind,
                manifest.to_string().into_bytes(),
            )
            .await;
        assert_eq!(put.status(), StatusCode::CREATED);
        put.headers()["docker-content-digest"]
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// Pushes a component as `wkg` does.
    async fn push(&self, repository: &str, tag: &str, component: &[u8]) -> String {
        let config = br#"{"created":"2026-01-01T00:00:00Z","architecture":"wasm","os":"wasip2","layerDigests":[],"component":{"exports":[],"imports":[]}}"#;
        let config_digest = self.blob(repository, config).await;
        let layer = self.blob(repository, component).await;
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": { "mediaType": "application/vnd.wasm.config.v0+json", "digest": config_digest, "size": config.len() },
            "layers": [{ "mediaType": "application/wasm", "digest": layer, "size": component.len() }],
        });
        self.manifest(repository, tag, &manifest).await
    }

    /// Attaches a signature as `oras attach` does where the registry has no
    /// referrers: an artifact, and a list of them under a tag made of the digest.
    async fn attach(&self, repository: &str, digest: &str, signature: &[u8]) {
        let empty = self.blob(repository, b"{}").await;
        let layer = self.blob(repository, signature).await;
        let kind = "application/vnd.minisign.signature";
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactType": kind,
            "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": empty, "size": 2 },
            "layers": [{ "mediaType": kind, "digest": layer, "size": signature.len() }],
        });
        let attached = self.manifest(repository, "signature", &manifest).await;
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [{
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "artifactType": kind,
                "digest": attached,
                "size": manifest.to_string().len(),
            }],
        });
        self.manifest(repository, &digest.replace(':', "-"), &index)
            .await;
    }

    fn reference(&self, rest: &str) -> String {
        format!("oci://{}/{rest}", self.authority)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn ends(rig: &Rig, arguments: &[&str], code: i32, words: &[&str]) {
    let output = rig.run(arguments);
    let printed = said(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {printed}");
    for word in words {
        assert!(printed.contains(word), "{word}: {printed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_registry_by_tag_and_by_digest() {
    let Some(registry) = Registry::start(None).await else {
        return;
    };
    let rig = Rig::new("[plugins]\nlocked = true\n");
    let [first, second] = two_versions();
    let digest = registry.push("acme/queue", "1.0.0", &first).await;
    let by_tag = registry.reference("acme/queue:1.0.0");
    ends(
        &rig,
        &["plugin", "install", &by_tag],
        0,
        &["queue-depth 0.1.0", "installed "],
    );
    ends(&rig, &["plugin", "verify"], 0, &[]);
    ends(&rig, &["plugin", "update"], 0, &["up to date"]);
    ends(
        &rig,
        &["plugin", "install", &registry.reference("acme/queue:none")],
        70,
        &["404"],
    );
    ends(
        &rig,
        &["plugin", "install", &registry.reference("acme/none:1.0.0")],
        70,
        &["404"],
    );

    // The tag was moved.
    registry.push("acme/queue", "1.0.0", &second).await;
    ends(&rig, &["plugin", "update"], 64, &["->", "--yes"]);
    ends(&rig, &["plugin", "update", "--yes"], 0, &["updated "]);
    let file = rig.plugins().join("queue-depth.wasm");
    assert_eq!(std::fs::read(&file).unwrap(), second);
    // The digest names the first for ever.
    let pinned = registry.reference(&format!("acme/queue@{digest}"));
    ends(
        &rig,
        &[
            "plugin",
            "update",
            "queue-depth",
            "--from",
            &pinned,
            "--yes",
        ],
        0,
        &["updated "],
    );
    assert_eq!(std::fs::read(&file).unwrap(), first);

    // What is no WebAssembly is not taken for it.
    let layer = registry.blob("acme/image", b"tar").await;
    let image = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": layer, "size": 3 },
        "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": 3 }],
    });
    registry.manifest("acme/image", "1", &image).await;
    ends(
        &rig,
        &["plugin", "install", &registry.reference("acme/image:1")],
        70,
        &["it is no WebAssembly artifact"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_with_a_password_and_a_signature() {
    let Some(registry) = Registry::start(Some(("watch", "keeper"))).await else {
        return;
    };
    let Some(keys) = Keys::make() else {
        return;
    };
    let rig = Rig::new(&format!(
        "[plugins]\ntrusted_keys = [\"{}\"]\n",
        keys.public
    ));
    let [component, _] = two_versions();
    let digest = registry.push("queue", "1.0.0", &component).await;
    let reference = registry.reference("queue:1.0.0");
    let install = ["plugin", "install", reference.as_str()];
    ends(&rig, &install, 70, &["wants a user and a password"]);
    std::fs::write(rig.folder().join("password"), "wrong\n").unwrap();
    let with = [
        &install[..],
        &["--username", "watch", "--password-file", "password"],
    ]
    .concat();
    ends(&rig, &with, 70, &["does not accept the credentials"]);
    std::fs::write(rig.folder().join("password"), "keeper\n").unwrap();
    ends(&rig, &with, 78, &["is not signed", "nothing was installed"]);

    let file = rig.folder().join("queue.wasm");
    std::fs::write(&file, &component).unwrap();
    keys.sign(&file);
    let signature = std::fs::read(rig.folder().join("queue.wasm.minisig")).unwrap();
    registry.attach("queue", &digest, &signature).await;
    ends(&rig, &with, 0, &["installed ", &keys.public]);
    ends(&rig, &["plugin", "verify"], 0, &["signed by"]);

    // As `docker login` keeps it: `watch:keeper`.
    let login = json!({ "auths": { registry.authority.as_str(): { "auth": "d2F0Y2g6a2VlcGVy" } } });
    std::fs::create_dir(rig.folder().join(".docker")).unwrap();
    std::fs::write(rig.folder().join(".docker/config.json"), login.to_string()).unwrap();
    ends(&rig, &install, 0, &["installed "]);
}
