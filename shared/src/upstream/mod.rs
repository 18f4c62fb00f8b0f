//! The proxy's machinery: what an upstream is ([`definition`]), what its requests carry for everyone
//! ([`credentials`]), how a sign-in runs ([`recipe`]), what a session remembers ([`jar`], [`state`]), what a
//! browser's session becomes ([`import`]), how bytes leave the gateway ([`egress`], [`outbound`]) and how a mounted
//! upstream is called ([`forward`]).

pub mod credentials;
pub mod definition;
pub mod egress;
pub mod expression;
pub mod extract;
pub mod forward;
pub mod import;
pub mod input;
pub mod jar;
mod json_schema;
pub mod outbound;
pub mod recipe;
pub mod state;
