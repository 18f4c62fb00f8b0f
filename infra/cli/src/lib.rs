//! The library behind the command `latchkey`: the whole gateway in one process, and the operator's commands.
//!
//! The local stack is production's shape on one machine: [`template`] reads the tables and routes that are
//! deployed, [`database`] serves the tables, [`gateway`] turns requests into API Gateway's events,
//! [`functions`] answer them, and [`local`] puts it all together. [`commands`] is the command line.

pub mod commands;
pub mod database;
pub mod functions;
pub mod gateway;
pub mod local;
pub mod template;

#[cfg(test)]
mod policy_tests;
#[cfg(test)]
mod template_tests;
