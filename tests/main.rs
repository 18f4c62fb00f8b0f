//! The gateway as its clients see it, laid out like the routes.
//!
//! Each test boots the real handlers behind the local API Gateway, on a database of its own, with a clock that
//! stands still until the test moves it. Nothing is shared between tests, and nothing is waited for.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_debug_implementations,
    reason = "in a test, a panic is the way to fail, and what is printed is read"
)]

mod activity;
mod apis;
mod auth;
mod console;
mod faults;
mod keys;
mod leaks;
mod ledger;
mod openapi;
mod organizations;
mod panics;
mod permissions;
mod revocation;
mod scraper;
mod secrets;
mod support;
mod tokens;
mod usage;
