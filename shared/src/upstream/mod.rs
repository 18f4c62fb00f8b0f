//! The proxy's machinery: what an upstream is ([`definition`]), how a sign-in runs ([`recipe`]), what a
//! session remembers ([`jar`], [`state`]), how bytes leave the gateway ([`egress`]) and how a mounted
//! upstream is called ([`forward`]).

pub mod definition;
pub mod egress;
pub mod expression;
pub mod extract;
pub mod forward;
pub mod input;
pub mod jar;
pub mod recipe;
pub mod state;
