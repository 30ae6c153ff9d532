//! What the files say of the status page.

use watchkeeper_engine::id::ServiceId;

use super::KIB;
use crate::plugin_config::SecretText;
use crate::read::address::{PathText, SupportUrl, WebUrl};
use crate::read::brand::{Colour, Domain, LanguageCode, Origin};
use crate::read::list::{List, Rows};
use crate::read::scalar::{Line, Zone};
use crate::read::table;

/// The largest picture or style of the page, in bytes: it is loaded by whoever looks
/// at the page.
pub(crate) const MAX_FILE: u64 = 256 * KIB;

table! {
    /// What the status page says of its owner, and how it looks.
    struct PageTable {
        /// Pages that show some of the services under other names.
        [optional] other: Rows<OtherPageTable>,
        /// What readers of this page and the others are asked for. As every secret
        /// `{ env = "NAME" }` or `{ file = "PATH" }`.
        [optional] password: SecretText,
        /// Whether everyone may see at `/sla` how well the promises of `sla` are kept.
        [default false] sla: bool,
        flatten own: OwnTable,
    }
}

table! {
    /// A page that is shown to browsers that ask for it by its name.
    struct OtherPageTable {
        /// The name, as it stands in its address.
        [required] domain: Domain,
        /// The services that it shows, by their ids; by default all.
        [optional] services: List<ServiceId, 1000>,
        flatten own: OwnTable,
    }
}

table! {
    /// What a page says of its owner, and how it looks.
    struct OwnTable {
        /// The page's title.
        [default "Status"] title: Line<100>,
        /// Whose page it is.
        [optional] company: Line<100>,
        /// One sentence below the title.
        [optional] description: Line<500>,
        /// The owner's own site.
        [optional] website: WebUrl,
        /// Where to ask for help: a web page or a `mailto:` address.
        [optional] support: SupportUrl,
        /// The time zone of times on the page and in notices, and of the periods of `sla`, by its name in the IANA database.
        [default "UTC"] time_zone: Zone,
        /// The language for visitors who ask for none of `languages`.
        [default "en"] locale: LanguageCode,
        /// The languages that the page is offered in.
        [default ["en", "de", "fr", "sv", "es", "ja"]] languages: List<LanguageCode, 6>,
        /// A picture beside the title: SVG, PNG, JPEG or WebP, at most 256 KiB.
        [optional] logo: PathText,
        /// The icon of browser tabs, of the same kinds.
        [optional] icon: PathText,
        /// The colour of links and buttons.
        [optional] colours: ColoursTable,
        /// Links in the footer.
        [optional] links: Rows<LinkTable>,
        /// The pages that may show `/embed` in a frame: origins such as
        /// `https://www.example.com`, or `*` for all.
        [optional] embed_on: List<Origin, 20>,
        /// A style sheet that is loaded after the page's own, at most 256 KiB.
        [optional] custom_css: PathText,
    }
}

table! {
    /// The colour of links and buttons, readable on the ground of the page.
    struct ColoursTable {
        /// On light ground, as `#rrggbb`.
        [required] light: Colour,
        /// On dark ground, as `#rrggbb`.
        [required] dark: Colour,
    }
}

table! {
    /// A link in the footer.
    struct LinkTable {
        /// Its words.
        [required] label: Line<60>,
        /// Where it leads.
        [required] url: SupportUrl,
    }
}
