//! The web console's frame: what its pages share, whichever function serves them.
//!
//! A page belongs to the function that holds what the page needs: nearly all to `console`, the definitions' to `apis`,
//! a site's to `proxy`, passwords to `password` (decision 20). A [`Visit`] is somebody who is signed in with the
//! console's cookie; everything they do goes through the API's own handlers ([`Visit::call`]), so that the console has
//! no rules of its own. [`Page`] is the frame around a page, [`parts`] what pages are made of.

pub mod assets;
mod call;
mod form_token;
mod page;
pub mod parts;
mod told;
mod visit;

pub use call::read;
pub use page::{Page, Place, file, of_error, see_other};
pub use told::Told;
pub use visit::{Arrival, RENEW, Visit};

/// Where the console begins.
pub const HOME: &str = "/console";
/// Where people sign in.
pub const SIGN_IN: &str = "/console/sign-in";

/// The page of the API `id`, to which pages of several functions lead. An API may be named like one of the console's own
/// pages.
#[must_use]
pub fn page_of_api(id: &str) -> String {
    match id {
        "new" | "check" => format!("/console/apis/{id}/definition"),
        _ => format!("/console/apis/{id}"),
    }
}

/// `next` where it is a page of the console: what a browser is sent to must not be chosen by a stranger.
#[must_use]
pub fn own_page(next: &str) -> Option<&str> {
    let plain =
        next.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>'));
    let is_ours = next == HOME || next.starts_with("/console/") || next.starts_with("/console?");
    (plain && is_ours && next.len() <= 1_000).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_pages_of_the_console_are_gone_to() {
        for own in ["/console", "/console?account=acc_1", "/console/keys", "/console/keys?a=b&c=%20"] {
            assert_eq!(own_page(own), Some(own));
        }
        for other in [
            "",
            "/",
            "//console/",
            "/consoles",
            "https://evil.example/console/",
            "/console/\\evil.example",
            "/console/a b",
            "/console/\r\nlocation:",
            "/console/ü",
            "javascript:alert(1)",
        ] {
            assert_eq!(own_page(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn what_is_gone_to_stays_on_this_origin(next in "\\PC{0,40}", own: bool) {
            let next = if own { format!("/console/{next}") } else { next };
            if let Some(page) = own_page(&next) {
                let base = url::Url::parse("https://gateway.example/").unwrap();
                prop_assert_eq!(base.join(page).unwrap().origin(), base.origin());
            }
        }
    }
}
