//! What stands around every page that tells of one thing: whose page it is, and
//! the ways back.

use crate::locale::Language;
use crate::template;
use crate::view::View;
use crate::words;

/// Around a page.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) title: String,
    pub(crate) brand: String,
    pub(crate) rest: String,
    pub(crate) website: Option<String>,
    pub(crate) support: Option<String>,
    pub(crate) languages: Vec<Language>,
    pub(crate) zone: String,
}

impl Frame {
    /// That of the page that shows `view`.
    pub(crate) fn of(view: &View) -> Self {
        let (brand, rest) = template::brand(view);
        let owned = |address: Option<&str>| address.map(str::to_owned);
        Self {
            title: view.title.to_string(),
            brand: brand.to_owned(),
            rest: rest.to_owned(),
            website: owned(view.website.as_deref().and_then(words::web_address)),
            support: owned(view.support.as_deref().and_then(words::contact_address)),
            languages: view.languages().to_vec(),
            zone: view.zone_name().to_owned(),
        }
    }
}
