//! How the page of one owner looks: a logo, an icon, colours, a style sheet of its
//! own, and links in the footer.

use std::fmt::Write as _;
use std::sync::{Arc, LazyLock};

use crate::assets::Asset;
use crate::words;

static PLAIN: LazyLock<Arc<Look>> = LazyLock::new(|| Arc::new(Look::new(&Branding::default())));

/// What an owner says of the look of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branding {
    /// A picture beside the title: its media type and its content.
    pub logo: Option<(&'static str, Arc<[u8]>)>,
    /// The icon of browser tabs, likewise.
    pub icon: Option<(&'static str, Arc<[u8]>)>,
    /// The colours of links and buttons on light and on dark ground, as `#rrggbb`.
    /// Text of them has to be readable there. Anything else is left out.
    pub colours: Option<[Arc<str>; 2]>,
    /// A style sheet that is loaded after the page's own.
    pub custom_css: Option<Arc<str>>,
    /// Links in the footer: words, and an `https:`, `http:` or `mailto:` address. Any
    /// other scheme is left out.
    pub links: Vec<(Arc<str>, Arc<str>)>,
}

/// The look of a page, with its files packed as they are sent. Making one takes
/// milliseconds; it is shared from then on.
pub struct Look {
    pub(crate) logo: Option<Asset>,
    pub(crate) icon: Option<Asset>,
    pub(crate) style: Option<Asset>,
    pub(crate) links: Vec<(Arc<str>, Arc<str>)>,
}

impl Look {
    /// Packs what `branding` names.
    pub fn new(branding: &Branding) -> Self {
        let picture = |name: &str, picture: Option<&(&'static str, Arc<[u8]>)>| {
            let (media_type, bytes) = picture?;
            Some(Asset::new(name, extension(media_type), media_type, bytes))
        };
        let style = style(branding);
        let css = "text/css; charset=utf-8";
        let fine = |address: &str| words::contact_address(address).is_some();
        Self {
            logo: picture("logo", branding.logo.as_ref()),
            icon: picture("icon", branding.icon.as_ref()),
            style: (!style.is_empty()).then(|| Asset::new("own", "css", css, style.as_bytes())),
            links: branding
                .links
                .iter()
                .filter(|(_, address)| fine(address))
                .cloned()
                .collect(),
        }
    }

    /// The look of a page of which nothing was said.
    pub(crate) fn plain() -> Arc<Self> {
        Arc::clone(&PLAIN)
    }

    /// The file at `path`, which begins with `/assets/`.
    pub(crate) fn at(&self, path: &str) -> Option<&Asset> {
        let assets = [&self.logo, &self.icon, &self.style];
        assets.into_iter().flatten().find(|it| it.path == path)
    }

    /// What tells it from another look.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let assets = [&self.logo, &self.icon, &self.style];
        let paths = assets.into_iter().flatten().map(|it| it.path.as_str());
        let links = self
            .links
            .iter()
            .flat_map(|(words, address)| [&**words, &**address]);
        paths.chain(links)
    }
}

impl std::fmt::Debug for Look {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl PartialEq for Look {
    fn eq(&self, other: &Self) -> bool {
        self.names().eq(other.names())
    }
}

fn style(branding: &Branding) -> String {
    let mut style = String::new();
    if let Some([light, dark]) = &branding.colours
        && [light, dark].into_iter().all(|it| is_colour(it))
    {
        writeln!(
            style,
            ":root{{--link:light-dark({light},{dark})}}.btn.pri{{background:light-dark({light},\
             {dark});border-color:light-dark({light},{dark});color:light-dark(#fff,#12161f)}}"
        )
        .expect("a String takes all that is written to it");
    }
    style.push_str(branding.custom_css.as_deref().unwrap_or_default());
    style
}

fn is_colour(text: &str) -> bool {
    let digits = text.strip_prefix('#').unwrap_or_default();
    digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn extension(media_type: &str) -> &'static str {
    match media_type {
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/webp" => "webp",
        _ => "svg",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_is_told_by_its_files() {
        let branding = Branding {
            logo: Some(("image/svg+xml", Arc::from(*b"<svg/>"))),
            colours: Some(["#2a55cf".into(), "#8fb0ff".into()]),
            custom_css: Some(".card{border:0}".into()),
            links: vec![
                ("Imprint".into(), "https://acme.example/imprint".into()),
                ("Bad".into(), "javascript:alert(1)".into()),
            ],
            ..Branding::default()
        };
        let look = Look::new(&branding);
        assert_eq!(look.links.len(), 1);
        let path = &look.style.as_ref().unwrap().path;
        assert!(path.starts_with("/assets/own-"), "{path}");
        assert!(look.at(path).is_some() && look.at("/assets/own.css").is_none());
        assert_eq!(look, Look::new(&branding));
        let other = Branding {
            custom_css: None,
            ..branding
        };
        assert_ne!(look, Look::new(&other));
    }

    #[test]
    fn what_is_no_colour_gets_into_no_style() {
        let style = |light: &str| {
            style(&Branding {
                colours: Some([light.into(), "#8fb0ff".into()]),
                ..Branding::default()
            })
        };
        assert!(style("#2a55cf").contains("--link:light-dark(#2a55cf,#8fb0ff)"));
        assert_eq!(style("red}body{display:none"), "");
    }
}
