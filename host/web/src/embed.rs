//! How the page or a service is, in one line, for a frame of another page.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use http::header::HeaderValue;

use crate::api::Query;
use crate::failure::Failure;
use crate::frame::Frame;
use crate::headers::MayFrame;
use crate::incidents::html;
use crate::template::widget;
use crate::view::View;
use crate::web::Web;
use crate::words::{self, Shown};

const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=0, s-maxage=10");

/// The routes.
pub(crate) fn routes() -> Router<Web> {
    Router::new().route("/embed", get(embed))
}

async fn embed(State(web): State<Web>, request: Request) -> Response {
    let headers = request.headers();
    let Some(view) = web.view() else {
        return Failure::Starting.answer(headers);
    };
    let query = match Query::read(request.uri(), &["service", "lang"]) {
        Ok(query) => query,
        Err(refused) => return refused,
    };
    let service = query.get("service");
    let found = service.map(|id| view.services.iter().find(|it| it.id.as_str() == id));
    let frame = Frame::of(&view);
    let locale = web.locale(request.uri(), headers);
    let page = match found {
        Some(None) => return Failure::NotFound.answer(headers),
        Some(Some(service)) => {
            let address = format!("{}/services/{}", view.base(), service.id);
            locale.speak(|| {
                let shown = Shown::from(&**service);
                widget(&frame, &service.label, shown.word(), shown, &address)
            })
        }
        None => {
            let address = format!("{}/", view.base());
            locale.speak(|| {
                let headline = words::headline_of(&view);
                widget(&frame, &frame.brand, headline, view.health.into(), &address)
            })
        }
    };
    let mut response = html(StatusCode::OK, page, CACHE);
    if let Some(may) = may_frame(&view) {
        response.extensions_mut().insert(may);
    }
    response
}

/// Who may show it in a frame, as `frame-ancestors` has it; nobody where nobody is
/// named.
fn may_frame(view: &View) -> Option<MayFrame> {
    let fine = |source: &&str| {
        let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b';' | b',');
        !source.is_empty() && source.bytes().all(plain)
    };
    let sources: Vec<&str> = view.embed_on.iter().map(|it| &**it).filter(fine).collect();
    if sources.is_empty() {
        return None;
    }
    MayFrame::on(&sources.join(" "))
}
