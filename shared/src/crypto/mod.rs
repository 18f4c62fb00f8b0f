//! What is secret: the only user of crypto crates and of KMS.
//!
//! [`keyring`] holds one data key per purpose and version, wrapped by a [`provider`] and kept in DynamoDB;
//! every other module takes its keys from there: [`token`] (over `jwt`), [`seal`], [`cursor`], [`pepper`].
//! [`stored`] has a data key of its own for every value, [`password`] and [`secret`] need none. What any of
//! them stores or hands out starts with a version byte or a `typ`, so that a later format can never be mistaken
//! for this one.

pub mod alert;
pub mod cursor;
mod data_key;
mod envelope;
pub mod fernet;
pub(crate) mod fields;
mod jwt;
pub mod keyring;
pub mod password;
pub mod pepper;
pub mod provider;
mod purpose;
pub mod reset_token;
pub mod seal;
pub mod secret;
pub mod stored;
pub mod token;

pub(crate) use envelope::KeyRecord;
