//! Security schemes without `x-session`: what requests carry for everyone, under OpenAPI's own words. Their values
//! are no part of a definition; they are given apart, and stored sealed.

use serde::{Deserialize, Serialize};

use super::flow::header_name;
use super::reader::At;

/// The longest name of a scheme, a query parameter or a cookie, in bytes.
const LONGEST_NAME: usize = 100;

/// Where the value of a static scheme goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaticScheme {
    /// A header of this name, in lower case.
    Header(String),
    /// A query parameter of this name.
    Query(String),
    /// A cookie of this name.
    Cookie(String),
    /// `Authorization: Bearer` (RFC 6750).
    Bearer,
    /// `Authorization: Basic` (RFC 7617), of a user name and a password.
    Basic,
}

impl StaticScheme {
    /// What two schemes that write to the same place have in common.
    pub(super) fn place(&self) -> (&'static str, String) {
        match self {
            Self::Header(name) => ("header", name.clone()),
            Self::Bearer | Self::Basic => ("header", "authorization".to_owned()),
            Self::Query(name) => ("query parameter", name.to_ascii_lowercase()),
            Self::Cookie(name) => ("cookie", name.clone()),
        }
    }
}

/// What a security scheme is.
#[derive(Debug)]
pub(super) enum Scheme {
    /// It has `x-session`.
    Session,
    Static(StaticScheme),
    /// A kind that the gateway cannot serve, and what its author can do.
    Unsupported(String),
    /// A fault was told.
    Wrong,
}

/// Reads a scheme without `x-session`.
pub(super) fn scheme(name: &str, at: &At<'_>) -> Scheme {
    let is_name = (1..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if !is_name {
        at.fault(format!("must be named by 1 to {LONGEST_NAME} letters, digits, `.`, `_` or `-`"));
    }
    if !at.is_map() {
        at.fault("must be a map");
        return Scheme::Wrong;
    }
    let Some(kind) = at.member("type") else {
        at.fault("needs `type`");
        return Scheme::Wrong;
    };
    match kind.text() {
        None => Scheme::Wrong,
        Some("apiKey") => api_key(at).map_or(Scheme::Wrong, Scheme::Static),
        Some("http") => http(at),
        Some(other @ ("oauth2" | "openIdConnect" | "mutualTLS")) => Scheme::Unsupported(format!(
            "`{other}` is not supported: the gateway fetches no tokens for everyone and holds no client certificates. \
             Where the site takes a token that does not end, say `type: http` and `scheme: bearer`"
        )),
        Some(_) => {
            kind.fault("must be one of apiKey, http, oauth2, openIdConnect, mutualTLS");
            Scheme::Wrong
        }
    }
}

fn http(at: &At<'_>) -> Scheme {
    let Some(scheme) = at.member("scheme") else {
        at.fault("needs `scheme`: bearer or basic");
        return Scheme::Wrong;
    };
    match scheme.text().map(str::to_ascii_lowercase).as_deref() {
        None => Scheme::Wrong,
        Some("bearer") => Scheme::Static(StaticScheme::Bearer),
        Some("basic") => Scheme::Static(StaticScheme::Basic),
        Some(_) => Scheme::Unsupported("this HTTP scheme is not supported: bearer and basic are".to_owned()),
    }
}

fn api_key(at: &At<'_>) -> Option<StaticScheme> {
    let need = |word: &str| {
        let found = at.member(word);
        if found.is_none() {
            at.fault(format!("needs `{word}`"));
        }
        found
    };
    let (place, name_at) = (need("in"), need("name"));
    let (name_at, place) = (name_at?, place?);
    let name = name_at.text()?;
    let bounded = (1..=LONGEST_NAME).contains(&name.len());
    match place.choice(&[("header", 'h'), ("query", 'q'), ("cookie", 'c')])? {
        'h' => name_at.accept(own_header(name)).map(StaticScheme::Header),
        'q' => {
            let is_name = bounded && !name.chars().any(char::is_control);
            let name = is_name.then(|| name.to_owned()).ok_or("is no name of a query parameter");
            name_at.accept(name).map(StaticScheme::Query)
        }
        _ => {
            let is_name = bounded
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&byte));
            name_at
                .accept(is_name.then(|| name.to_owned()).ok_or("is no cookie name"))
                .map(StaticScheme::Cookie)
        }
    }
}

/// A header that a stored value may go into: none by which the gateway itself speaks to an upstream.
fn own_header(text: &str) -> Result<String, String> {
    let name = header_name(text)?;
    if name.starts_with("x-latchkey-") {
        return Err(format!("`{name}` is set by the gateway"));
    }
    Ok(name)
}
