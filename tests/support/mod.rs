//! What every test stands on: [`TestApp`], its client, its database, and the problems a refusal may tell.

mod app;
pub mod client;
pub mod contract;
pub mod database;
mod logs;
pub mod people;
pub mod problem;
pub mod watch;

pub use app::{Instance, MadeKey, PASSWORD, SignedIn, TestApp, User, hash_of};
pub use client::{Answer, Call, Client};
pub use logs::logged;
