//! The gateway as its clients see it, laid out like the routes.
//!
//! Each test boots the real handlers behind the local API Gateway, on a database of its own, with a clock that
//! stands still until the test moves it. Nothing is shared between tests, and nothing is waited for.

mod auth;
mod faults;
mod keys;
mod ledger;
mod scraper;
mod secrets;
mod support;
