//! `/api/auth/…`, and how a credential is presented.

mod authorizer;
mod credentials;
mod entries;
mod ledger;
mod login;
mod login_throttle;
mod logout;
mod logout_everywhere;
mod password;
mod refresh;
mod reset;
mod session;
mod sessions;
