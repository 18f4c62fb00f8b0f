//! Pure rules on typed values. Nothing here reads a clock, a table or a network.

pub mod account;
pub mod activity;
pub mod api_key;
pub mod email;
pub mod id;
pub mod key_text;
pub mod masked;
pub mod network;
pub mod new_password;
pub mod organization;
pub mod permission;
pub mod personal_token;
pub mod refresh;
pub mod time;
pub mod upstream_limits;
pub mod usage;
pub mod user_agent;
