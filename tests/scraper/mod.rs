//! `/scraper/…` and mounted upstreams, against a site that requires a login.

mod access;
mod describe;
mod expiry;
mod failures;
mod faults;
mod ledger;
mod limits;
mod login;
mod mount;
mod mount_headers;
mod mount_paths;
mod pages;
mod problems;
mod races;
mod scene;
mod sealed;
mod session;
mod site;
