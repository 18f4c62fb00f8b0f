//! What every test stands on: [`TestApp`], its client, its database, and the problems a refusal may tell.
#![allow(dead_code, unused_imports, reason = "the routes to come use the rest")]

mod app;
pub mod client;
pub mod database;
mod logs;
pub mod problem;

pub use app::{Instance, MadeKey, PASSWORD, SignedIn, TestApp, User, hash_of};
pub use client::{Answer, Call, Client};
pub use logs::logged;
