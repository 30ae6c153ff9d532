//! Every line of the table is asked by those who may and by those who may not.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use futures::future::{BoxFuture, ready};
use http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, COOKIE, HOST, LOCATION, ORIGIN};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use tower::Service as _;
use watchkeeper_engine::id::MonitorId;

use super::*;
use crate::intake::{Access, Admission, Intake, Kind, Refusal, Told};
use crate::records::Found;
use crate::staff::{
    Change, Changed, DeedRecord, NoStaff, NotChanged, NotSetUp, PersonRecord, Role, Staff,
    TokenRecord, WantedDeeds,
};
use crate::view::View;
use crate::web::WebSettings;

/// Nobody can say anything, and a token has the scope that it is named after.
struct Tokens;

impl Intake for Tokens {
    fn admits_reporter(&self, _: &str) -> Admission {
        Admission::Refused
    }

    fn admits_manager(&self, _: &str) -> Admission {
        Admission::Refused
    }

    fn hushed_for(&self) -> Option<Duration> {
        None
    }

    fn hush(&self, _: Duration) -> BoxFuture<'_, Result<(), Refusal>> {
        Box::pin(ready(Err(Refusal::Busy)))
    }

    fn heartbeat(&self, _: &str) -> Option<MonitorId> {
        None
    }

    fn access(&self, token: &str) -> BoxFuture<'_, Result<Option<Access>, Refusal>> {
        let access = Right::from_word(token).map(|right| Access {
            name: token.into(),
            read: right == Read,
            report: right == Right::Report,
            write: right == Write,
            admin: right == Admin,
        });
        Box::pin(ready(Ok(access)))
    }

    fn kind(&self, _: &MonitorId) -> Option<Kind> {
        None
    }

    fn take(&self, _: Told) -> BoxFuture<'_, Result<(), Refusal>> {
        Box::pin(ready(Err(Refusal::Unknown)))
    }
}

/// Who is signed in has the role that their browser shows.
struct Roles;

impl Staff for Roles {
    fn is_set_up(&self) -> Found<'_, bool> {
        NoStaff.is_set_up()
    }

    fn set_up<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: &'a str,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Arc<str>, NotSetUp>> {
        Box::pin(ready(Err(NotSetUp::HasUsers)))
    }

    fn sign_in<'a>(
        &'a self,
        name: &'a str,
        password: &'a str,
        _: &'a str,
    ) -> Found<'a, Option<Arc<str>>> {
        let is_right = name == "Zoë" && password == "right";
        Box::pin(ready(Ok(is_right.then(|| "admin".into()))))
    }

    fn person<'a>(&'a self, shown: &'a str) -> Found<'a, Option<crate::staff::Person>> {
        let person = Role::from_word(shown).map(|role| crate::staff::Person {
            id: 1,
            name: "Zoë".into(),
            role,
        });
        Box::pin(ready(Ok(person)))
    }

    fn sign_out<'a>(&'a self, _: &'a str, _: &'a Doer) -> Found<'a, ()> {
        Box::pin(ready(Ok(())))
    }

    fn people(&self) -> Found<'_, Vec<PersonRecord>> {
        NoStaff.people()
    }

    fn tokens(&self) -> Found<'_, Vec<TokenRecord>> {
        NoStaff.tokens()
    }

    fn change<'a>(&'a self, _: Change, _: &'a Doer) -> BoxFuture<'a, Result<Changed, NotChanged>> {
        Box::pin(ready(Ok(Changed::Done)))
    }

    fn note<'a>(&'a self, _: &'a Doer, _: &'a str, _: &'a str) -> Found<'a, ()> {
        Box::pin(ready(Ok(())))
    }

    fn deeds(&self, _: WantedDeeds) -> Found<'_, Vec<DeedRecord>> {
        Box::pin(ready(Ok(Vec::new())))
    }
}

const HERE: &str = "status.example";

fn web() -> Web {
    let web = Web::new(WebSettings {
        intake: Arc::new(Tokens),
        staff: Arc::new(Roles),
        ..WebSettings::default()
    });
    web.publish(View::default());
    web
}

/// Each method and address of the table, with something in place of what varies.
fn all() -> impl Iterator<Item = (Method, String, Entrance)> {
    super::lines().iter().flat_map(|(methods, path, entrance)| {
        let parts = path
            .split('/')
            .map(|part| if part.starts_with('{') { "1" } else { part });
        let address = parts.collect::<Vec<_>>().join("/");
        methods
            .split(' ')
            .map(move |method| (method.parse().unwrap(), address.clone(), *entrance))
    })
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

async fn ask_at(
    web: &Web,
    side: Side,
    method: &Method,
    address: &str,
    headers: &[(http::HeaderName, String)],
    body: &str,
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(address)
        .header(HOST, HERE);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let response = web.router(side).call(request).await.unwrap();
    let (head, body) = response.into_parts();
    // The answer to `/events` never ends.
    let body = if address == "/events" {
        String::new()
    } else {
        let body = body.collect().await.unwrap().to_bytes();
        String::from_utf8_lossy(&body).into_owned()
    };
    Answer {
        status: head.status,
        headers: head.headers,
        body,
    }
}

async fn ask(
    web: &Web,
    method: &Method,
    address: &str,
    headers: &[(http::HeaderName, String)],
) -> Answer {
    ask_at(web, Side::Whole, method, address, headers, "").await
}

fn bearer(right: Right) -> (http::HeaderName, String) {
    (AUTHORIZATION, format!("Bearer {}", right.as_str()))
}

fn signed_in(role: Role) -> (http::HeaderName, String) {
    (COOKIE, format!("watchkeeper={}", role.as_str()))
}

#[tokio::test]
async fn nobody_gets_in_without_anything() {
    let web = web();
    for (method, address, entrance) in all() {
        let answer = ask(&web, &method, &address, &[]).await;
        let (status, what) = (answer.status, format!("{method} {address}"));
        match entrance {
            Public | Open => assert!(
                ![401, 403, 405].contains(&status.as_u16()),
                "{what}: {status}"
            ),
            // A job's URL is its secret: a wrong one is not there at all.
            Given if address.starts_with("/heartbeat/") => assert_eq!(status, 404, "{what}"),
            Given => assert!([401, 403].contains(&status.as_u16()), "{what}: {status}"),
            Token(_) | Person(_) => assert_eq!(status, 401, "{what}"),
            SignIn if method.is_safe() => assert!(status == 200 || status == 303, "{what}"),
            SignIn => assert_eq!(status, 403, "{what}"),
        }
        if matches!(entrance, Token(_)) || matches!(entrance, Person(_)) {
            assert_eq!(
                answer.headers["content-type"], "application/problem+json",
                "{what}"
            );
        }
        if matches!(entrance, SignIn | Person(_)) {
            assert_eq!(answer.headers[CACHE_CONTROL], "no-store", "{what}");
        }
    }
}

#[tokio::test]
async fn a_token_opens_what_its_scope_is_for() {
    let web = web();
    for (method, address, entrance) in all() {
        for scope in Right::ALL {
            let status = ask(&web, &method, &address, &[bearer(scope)]).await.status;
            let what = format!("{method} {address} with {}", scope.as_str());
            match entrance {
                Token(right) if right == scope => {
                    assert!(![401, 403].contains(&status.as_u16()), "{what}: {status}");
                }
                Token(_) => assert_eq!(status, 403, "{what}"),
                Person(_) => assert_eq!(status, 401, "{what}"),
                Public | Open | Given | SignIn => {}
            }
        }
    }
}

#[tokio::test]
async fn people_open_what_their_role_is_for() {
    let web = web();
    for (method, address, entrance) in all() {
        let Person(right) = entrance else {
            continue;
        };
        for role in Role::ALL {
            let status = ask(&web, &method, &address, &[signed_in(role)])
                .await
                .status;
            let what = format!("{method} {address} as {}", role.as_str());
            if method.is_safe() && role.may(right) {
                assert!(![401, 403].contains(&status.as_u16()), "{what}: {status}");
            } else {
                // What is sent needs more than to be signed in.
                assert_eq!(status, 403, "{what}");
            }
        }
        // Whoever reads pages is led to where they can sign in.
        if method.is_safe() {
            let page = (ACCEPT, "text/html".to_owned());
            let answer = ask(&web, &method, &address, &[page]).await;
            assert_eq!(answer.status, 303, "{address}");
            let to = answer.headers[LOCATION].to_str().unwrap();
            assert!(to.starts_with("/admin/login?next=%2Fadmin"), "{to}");
        }
    }
}

#[tokio::test]
async fn with_a_listener_of_their_own_people_are_not_on_the_public_one() {
    let web = web();
    for (method, address, entrance) in all() {
        if !matches!(entrance, Person(_) | SignIn) {
            continue;
        }
        let headers = [signed_in(Role::Admin)];
        let answer = ask_at(&web, Side::Public, &method, &address, &headers, "").await;
        assert_eq!(answer.status, 404, "{method} {address}");
    }
}

/// What the hidden field of the forms of a page holds.
fn token_in(page: &str) -> &str {
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").unwrap();
    rest.split_once('"').unwrap().0
}

#[tokio::test]
async fn a_form_is_taken_from_this_host_and_for_who_sends_it() {
    let web = web();
    let cookie = signed_in(Role::Admin);
    let page = ask(
        &web,
        &Method::GET,
        "/admin/users",
        std::slice::from_ref(&cookie),
    )
    .await;
    let token = token_in(&page.body).to_owned();
    let send =
        async |origin: Option<&str>, more: Option<(http::HeaderName, &str)>, body: String| {
            let mut headers = vec![cookie.clone()];
            headers.extend(origin.map(|origin| (ORIGIN, origin.to_owned())));
            headers.extend(more.map(|(name, value)| (name, value.to_owned())));
            ask_at(
                &web,
                Side::Whole,
                &Method::POST,
                "/admin/users",
                &headers,
                &body,
            )
            .await
            .status
        };
    let form = format!("csrf={token}&name=a&role=viewer&password=0123456789");
    let ours = format!("http://{HERE}");
    assert_eq!(send(Some(&ours), None, form.clone()).await, 303);
    assert_eq!(
        send(Some(&ours.replace("http", "https")), None, form.clone()).await,
        303
    );
    for origin in [
        None,
        Some("null"),
        Some("http://evil.example"),
        Some("http://status.example.evil.example"),
        Some("http://status.example:81"),
    ] {
        assert_eq!(send(origin, None, form.clone()).await, 403, "{origin:?}");
    }
    let site = http::HeaderName::from_static("sec-fetch-site");
    for (word, expected) in [
        ("same-origin", 303),
        ("same-site", 403),
        ("cross-site", 403),
        ("none", 403),
    ] {
        assert_eq!(
            send(Some(&ours), Some((site.clone(), word)), form.clone()).await,
            expected,
            "{word}"
        );
    }
    let forwarded = http::HeaderName::from_static("x-forwarded-host");
    let proxied = send(
        Some("https://a.example"),
        Some((forwarded, "a.example")),
        form.clone(),
    )
    .await;
    assert_eq!(proxied, 303);
    for other in [
        "",
        "csrf=",
        "csrf=0",
        &form.replace(&token, &token.replace(|each: char| each != 'a', "a")),
    ] {
        assert_eq!(
            send(Some(&ours), None, other.to_owned()).await,
            403,
            "{other}"
        );
    }
    let large = format!("{form}&x={}", "x".repeat(600_000));
    assert_eq!(send(Some(&ours), None, large).await, 413);
}

#[tokio::test(start_paused = true)]
async fn who_guesses_is_stopped_and_nobody_else() {
    let web = web();
    let page = ask(&web, &Method::GET, "/admin/login", &[]).await;
    let shown = page.headers["set-cookie"]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let token = token_in(&page.body).to_owned();
    let try_as = async |name: &str, password: &str, from: &str| {
        let headers = [
            (COOKIE, shown.clone()),
            (ORIGIN, format!("http://{HERE}")),
            (
                http::HeaderName::from_static("x-forwarded-for"),
                from.to_owned(),
            ),
        ];
        let mut request = Request::builder()
            .method(Method::POST)
            .uri("/admin/login")
            .header(HOST, HERE);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("csrf", token.as_str()),
                ("name", name),
                ("password", password),
            ])
            .append_pair("next", "//evil.example")
            .finish();
        let mut request = request.body(Body::from(form)).unwrap();
        request.extensions_mut().insert(crate::serve::Connection {
            peer: "127.0.0.1:1".parse().unwrap(),
            closing: tokio_util::sync::CancellationToken::new(),
        });
        let response = web.router(Side::Whole).call(request).await.unwrap();
        (response.status().as_u16(), response.headers().clone())
    };
    let mut stopped = 0;
    for _ in 0..1_000 {
        match try_as("Zoë", "wrong", "192.0.2.1").await.0 {
            429 => stopped += 1,
            status => assert_eq!(status, 401),
        }
    }
    assert!(stopped > 980, "{stopped}");
    assert_eq!(try_as("zoë", "right", "192.0.2.1").await.0, 429);
    assert_eq!(try_as("other", "wrong", "192.0.2.1").await.0, 401);
    let (status, headers) = try_as("Zoë", "right", "192.0.2.2").await;
    assert_eq!(
        (status, &headers[LOCATION]),
        (303, &"/admin".parse().unwrap())
    );
    let cookie = headers
        .get_all("set-cookie")
        .iter()
        .next()
        .unwrap()
        .to_str()
        .unwrap();
    assert!(
        cookie.starts_with("watchkeeper=admin; Path=/admin; ")
            && cookie.ends_with("; HttpOnly; SameSite=Strict"),
        "{cookie}"
    );
    tokio::time::advance(Duration::from_mins(1)).await;
    assert_eq!(try_as("Zoë", "right", "192.0.2.1").await.0, 303);
}

#[test]
fn the_table_names_each_address_once() {
    let mut lines: Vec<_> = all()
        .map(|(method, address, _)| (method.to_string(), address))
        .collect();
    let count = lines.len();
    lines.sort();
    lines.dedup();
    assert_eq!(lines.len(), count);
    assert!(matches!(asked(&Method::HEAD, "/"), Asked::This(Public)));
    assert!(matches!(
        asked(&Method::PUT, "/"),
        Asked::OtherMethods(Public)
    ));
    assert!(matches!(asked(&Method::GET, "/nowhere"), Asked::Nothing));
}
