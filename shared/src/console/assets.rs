//! The console's files. Each has its checksum in its address, so that browsers may keep it for a year.

use http::header::CACHE_CONTROL;
use http::{HeaderValue, Method};

use super::page::file;
use crate::error::Error;
use crate::http::{Request, Response};

/// A file of the console.
#[derive(Debug)]
pub struct Asset {
    path: &'static str,
    content_type: &'static str,
    content: &'static str,
}

/// How all pages look.
pub const STYLE: Asset = Asset {
    path: "/console/style.css",
    content_type: "text/css; charset=utf-8",
    content: include_str!("assets/style.css"),
};
/// What pages do where scripts run: they do without.
pub const SCRIPT: Asset = Asset {
    path: "/console/console.js",
    content_type: "text/javascript; charset=utf-8",
    content: include_str!("assets/console.js"),
};
/// The picture in a browser's tab.
pub const ICON: Asset = Asset {
    path: "/console/icon.svg",
    content_type: "image/svg+xml",
    content: include_str!("assets/icon.svg"),
};

impl Asset {
    /// A file of a function's own, at a path that leads to that function.
    #[must_use]
    pub const fn new(path: &'static str, content_type: &'static str, content: &'static str) -> Self {
        Self { path, content_type, content }
    }

    /// Its address on a page.
    #[must_use]
    pub fn href(&self) -> String {
        format!("{}?v={:08x}", self.path, crc32fast::hash(self.content.as_bytes()))
    }

    /// It, as an answer to `request`.
    ///
    /// # Errors
    /// `method_not_allowed`.
    pub fn answer(&self, request: &Request) -> Result<Response, Error> {
        if !matches!(request.method, Method::GET | Method::HEAD) {
            return Err(Error::method_not_allowed("GET"));
        }
        // Under another checksum it is another file.
        let is_this = request.query.is_empty() || self.href().ends_with(&format!("?{}", request.query));
        let kept = if is_this && !request.query.is_empty() {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };
        Ok(file(self.content_type, self.content).with(CACHE_CONTROL, HeaderValue::from_static(kept)))
    }
}
