//! The proxy's machinery: what an upstream is ([`definition`]), what its requests carry for everyone
//! ([`credentials`]), how a sign-in runs ([`recipe`]), what a session remembers ([`jar`], [`state`]), what a
//! browser's session becomes ([`import`]), how bytes leave the gateway ([`egress`], [`outbound`]), how a mounted
//! upstream is called ([`forward`]) and what whoever tries an API sees of it all ([`record`]).

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
pub mod record;
pub mod state;
