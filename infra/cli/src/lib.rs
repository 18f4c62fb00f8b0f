//! The library behind the command `latchkey`: the whole gateway in one process, and the operator's commands.
//!
//! The local stack is production's shape on one machine: [`template`] reads the tables and routes that are
//! deployed, [`database`] serves the tables, [`gateway`] turns requests into API Gateway's events.

pub mod database;
pub mod gateway;
pub mod template;
