//! The common crate of Latchkey's functions: everything that more than one endpoint needs.
//!
//! Read [`app`] first: it says what a function is and what it is given. A request then passes through
//! [`http`] (shapes), [`auth`] (who acts), [`domain`] (what is allowed), [`store`] (what is kept),
//! [`crypto`] (what is secret) and, for the proxy, [`upstream`] (what happens at the site). [`sign_in`] is what
//! every way to sign in shares, [`console`] what every page of the web console shares.

pub mod app;
pub mod auth;
pub mod clock;
pub mod config;
pub mod console;
pub mod crypto;
pub mod domain;
pub mod error;
pub mod http;
pub mod sign_in;
pub mod store;
pub mod upstream;

pub use app::{App, Function};
pub use clock::Timestamp;
pub use error::{Code, Error};
