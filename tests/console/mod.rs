//! `/console`: the pages of whoever is signed in at a browser, and the way in and out.

mod account;
mod activity;
mod apis;
mod browser;
mod home;
mod keys;
mod organizations;
mod pages;
mod password;
mod permissions;
mod reset;
mod sign_in;
mod tokens;
mod try_it;
mod upstream_sessions;
mod walk;

use crate::support::{Answer, Instance};

const SIGN_IN: &str = "/console/sign-in";

/// What a page shows, as text.
fn page(answer: &Answer) -> String {
    String::from_utf8(answer.body.to_vec()).unwrap()
}

/// Who a cookie is, at a page of the console.
async fn home(instance: &Instance, cookie: &str) -> Answer {
    instance.get("/console").header("cookie", format!("a=b; cloud.sso={cookie}")).send().await
}

/// That whoever asked is sent to the form.
#[track_caller]
fn must_sign_in(answer: &Answer) {
    assert_eq!((answer.status, answer.header("location")), (303, SIGN_IN));
}
