//! Lists in pages: `limit` and `cursor` of the query, and the answer with its `next_cursor`.

use std::fmt::Display;
use std::str::FromStr;

use serde_json::{Value, json};

use super::{Request, Response};
use crate::Timestamp;
use crate::app::App;
use crate::crypto::cursor;
use crate::error::Error;

/// Entries on a page unless the client says otherwise, and at most.
const USUAL: i32 = 50;
const MOST: i32 = 100;

/// Which page of a list a request asks for.
#[derive(Debug)]
pub struct Paging<T> {
    /// At most how many entries the page holds, from 1 to 100.
    pub limit: i32,
    /// The entry after which it begins; the list's first page has none.
    pub after: Option<T>,
    holder: String,
    list: &'static str,
    now: Timestamp,
}

impl<T: FromStr> Paging<T> {
    /// What `request` asks for of `list`, whose cursors are good for `holder` alone: the account, or the user, whose list
    /// it is. `T` is a position in it, as its text.
    ///
    /// # Errors
    /// `invalid_request` where the limit is none, or the cursor was not given for this list and holder.
    pub async fn of(
        app: &App,
        request: &Request,
        holder: impl Display,
        list: &'static str,
    ) -> Result<Self, Error> {
        let (holder, limit) = (holder.to_string(), request.limit(USUAL, MOST)?);
        let after = match request.query_parameter("cursor") {
            None => None,
            Some(text) => {
                let bytes = cursor::decode(&app.keyring, &holder, list, &text, request.now).await?;
                let position = std::str::from_utf8(&bytes).ok().and_then(|text| text.parse().ok());
                let foreign = || Error::invalid_field("cursor", "is not a cursor of this list");
                Some(position.ok_or_else(foreign)?)
            }
        };
        Ok(Self { limit, after, holder, list, now: request.now })
    }
}

impl<T: Display> Paging<T> {
    /// The answer: a page, and where the next begins, if there is one.
    ///
    /// # Errors
    /// `internal` where this function did not load `cursor`.
    pub fn answer(&self, app: &App, data: &[Value], next: Option<&T>) -> Result<Response, Error> {
        let encode = |next: &T| {
            cursor::encode(&app.keyring, &self.holder, self.list, next.to_string().as_bytes(), self.now)
        };
        let next_cursor = next.map(encode).transpose()?;
        Ok(Response::json(&json!({ "data": data, "next_cursor": next_cursor })))
    }
}
