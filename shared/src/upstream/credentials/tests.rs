use std::collections::BTreeMap;

use http::{HeaderMap, Method};
use proptest::prelude::*;
use serde_json::json;
use url::Url;

use super::*;
use crate::upstream::definition::StaticScheme;
use crate::upstream::egress::Outgoing;

const SERVER: &str = "https://reports.example.com/v2";

fn statics() -> BTreeMap<String, StaticScheme> {
    [
        ("key", StaticScheme::Header("x-key".into())),
        ("token", StaticScheme::Bearer),
        ("account", StaticScheme::Basic),
        ("query", StaticScheme::Query("api key".into())),
        ("cookie", StaticScheme::Cookie("legacy".into())),
    ]
    .map(|(name, scheme)| (name.to_owned(), scheme))
    .into()
}

fn check(given: &serde_json::Value) -> Result<Credentials, Vec<String>> {
    let (base_url, statics) = (Url::parse(SERVER).unwrap(), statics());
    let login = ["username".to_owned(), "password".to_owned()];
    let wanted = Wanted { base_url: &base_url, statics: &statics, login: &login };
    let told = |faults: Vec<crate::error::Fault>| {
        faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect()
    };
    wanted.check(given.as_object().unwrap()).map_err(told)
}

fn carried(names: &[&str], given: &serde_json::Value) -> Carried {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    Carried::new(&Url::parse(SERVER).unwrap(), &names, &statics(), &check(given).unwrap()).unwrap()
}

fn outgoing(url: &str, headers: &[(&str, &str)]) -> Outgoing {
    let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let headers: HeaderMap =
        headers.collect::<Vec<(http::HeaderName, http::HeaderValue)>>().into_iter().collect();
    Outgoing { method: Method::GET, url: Url::parse(url).unwrap(), headers, body: bytes::Bytes::new() }
}

#[test]
fn values_survive_their_bytes_and_no_debug_shows_them() {
    let given = json!({ "key": "k 1", "token": "a.b", "account": { "username": "ü", "password": "" }, "password": "\n" });
    let credentials = check(&given).unwrap();
    assert_eq!(credentials.names().collect::<Vec<_>>(), ["account", "key", "password", "token"]);
    let bytes = credentials.to_bytes().unwrap();
    let read = Credentials::from_bytes(&bytes).unwrap();
    assert_eq!(read.to_bytes().unwrap(), bytes);
    assert!(read.are_for(&Url::parse("https://reports.example.com:443/other").unwrap()));
    for other in
        ["http://reports.example.com/v2", "https://reports.example.com:8443/v2", "https://example.com/v2"]
    {
        assert!(!read.are_for(&Url::parse(other).unwrap()), "{other}");
    }
    let shown = format!("{credentials:?} {:?}", carried(&["key"], &given));
    assert_eq!(
        shown,
        r#"Credentials { names: ["account", "key", "password", "token"], .. } Carried { parts: 1, .. }"#
    );
    assert!(Credentials::from_bytes(b"{").is_err());
}

#[test]
fn every_fault_is_told_at_once_and_no_value() {
    let graphic = "must hold only visible ASCII characters";
    let long = "s3cret".repeat(LONGEST_VALUE);
    let whole = "s".repeat(LONGEST_VALUE);
    for (given, expected) in [
        (json!({}), vec![": must hold at least one credential; DELETE removes them all".to_owned()]),
        (
            json!({ "key": 5, "token": null, "account": "s3cret", "gone": "s3cret", "username": ["s3cret"] }),
            vec![
                "account: must be {\"username\": …, \"password\": …}".into(),
                "gone: is no credential that this API's definition has a place for".into(),
                "key: must be a string".into(),
                "token: must be a string".into(),
                "username: must be a string".into(),
            ],
        ),
        (
            json!({ "key": "", "token": "", "account": { "username": "", "password": "" }, "password": "" }),
            ["account", "key", "password", "token"].map(|name| format!("{name}: must not be empty")).into(),
        ),
        (
            json!({ "key": "s3cret\r\nX-Other: 1", "token": "Bearer s3cret", "query": "s3cret\n", "cookie": "s3cret; a=b" }),
            vec![
                "cookie: must hold only visible ASCII characters, no spaces and no semicolons".into(),
                format!("key: {graphic}"),
                "query: must not hold control characters".into(),
                "token: must be the token alone: visible ASCII characters, no spaces, no `Bearer`".into(),
            ],
        ),
        (
            json!({ "key": " s3cret", "account": { "username": "s3:cret", "password": "s3\0cret", "more": 1 } }),
            vec![
                "account.more: is not known here: username and password are".into(),
                "account.username: must not hold a colon".into(),
                "account.password: must not hold control characters".into(),
                "key: must not begin or end with a space".into(),
            ],
        ),
        (
            json!({ "account": { "username": 1 }, "key": "s3crét" }),
            vec![
                "account.username: must be a string".into(),
                "account.password: is required".into(),
                format!("key: {graphic}"),
            ],
        ),
        (
            json!({ "key": long, "password": "s".repeat(4097) }),
            vec![
                "key: must be at most 8192 bytes".into(),
                "password: must be at most 4096 characters".into(),
                ": must hold at most 32768 bytes of values in all".into(),
            ],
        ),
        (
            json!({ "key": whole, "token": whole, "query": whole, "cookie": whole, "username": "s" }),
            vec![": must hold at most 32768 bytes of values in all".into()],
        ),
    ] {
        let faults = check(&given).unwrap_err();
        assert_eq!(faults, expected);
        assert!(!faults.iter().any(|fault| fault.contains("s3")), "{faults:?}");
    }
}

#[test]
fn the_longest_values_are_taken() {
    let most = "s".repeat(LONGEST_VALUE);
    check(&json!({ "key": most, "token": most, "query": most, "cookie": most })).unwrap();
}

#[test]
fn each_value_goes_to_its_place_in_place_of_what_stands_there() {
    let all = json!({ "key": "k", "token": "t.u", "query": "v+w x&y", "cookie": "c", "account": { "username": "ü", "password": "p:q" } });
    let request = || {
        outgoing(
            "https://reports.example.com/v2/a%20b?x=1&API%20key=evil&api+key=evil;api%20key=evil&y=%2F;z&&api%20key",
            &[
                ("x-key", "evil"),
                ("x_key", "evil"),
                ("authorization", "Bearer evil"),
                ("cookie", "a=b; legacy=evil"),
            ],
        )
    };
    let mut sent = request();
    carried(&["key", "token", "query", "cookie"], &all).put(&mut sent);
    assert_eq!(
        sent.url.as_str(),
        "https://reports.example.com/v2/a%20b?x=1&y=%2F;z&&api%20key=v%2Bw%20x%26y"
    );
    let mut expected =
        outgoing(SERVER, &[("x-key", "k"), ("authorization", "Bearer t.u"), ("cookie", "a=b; legacy=c")]);
    assert_eq!(sent.headers, expected.headers);
    assert!(sent.headers.values().all(http::HeaderValue::is_sensitive));

    let mut sent = outgoing(SERVER, &[]);
    carried(&["account", "query"], &all).put(&mut sent);
    assert_eq!(sent.headers["authorization"], "Basic w7w6cDpx");
    assert_eq!(sent.url.query(), Some("api%20key=v%2Bw%20x%26y"));

    expected = request();
    carried(&[], &all).put(&mut expected);
    assert_eq!((expected.url, expected.headers), (request().url, request().headers));
}

#[test]
fn another_origin_gets_nothing() {
    let all = json!({ "key": "k", "token": "t", "query": "q", "cookie": "c" });
    let carried = carried(&["key", "token", "query", "cookie"], &all);
    for other in [
        "http://reports.example.com/v2",
        "https://reports.example.com:8443/v2",
        "https://reports.example.com./v2",
        "https://api.reports.example.com/v2",
        "https://example.com/reports.example.com",
    ] {
        let mut sent = outgoing(other, &[("x-key", "own")]);
        carried.put(&mut sent);
        assert_eq!(
            (sent.url.as_str(), &sent.headers),
            (other, &outgoing(other, &[("x-key", "own")]).headers)
        );
    }
}

#[test]
fn a_value_that_is_not_there_is_named() {
    let given = check(&json!({ "key": "k", "account": { "username": "u", "password": "p" } })).unwrap();
    let base_url = Url::parse(SERVER).unwrap();
    // The definition may have given a name another meaning since.
    let other: BTreeMap<_, _> = [("account".to_owned(), StaticScheme::Bearer)].into();
    for (names, statics, base_url, missing) in [
        (vec!["key", "token"], &statics(), &base_url, "token"),
        (vec!["account"], &other, &base_url, "account"),
        (vec!["key"], &statics(), &Url::parse("https://evil.example/v2").unwrap(), "key"),
    ] {
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let outcome = Carried::new(base_url, &names, statics, &given);
        assert_eq!(outcome.unwrap_err(), NotGiven(missing.to_owned()));
    }
}

#[test]
fn what_a_site_copies_from_the_query_is_taken_out() {
    let long = carried(&["query"], &json!({ "query": "s3cret value" }));
    let short = carried(&["query"], &json!({ "query": "7" }));
    for (carried, value, expected) in [
        (&long, "/v2/?a=7&api%20key=s3cret%20value", "/v2/?a=7&api%20key="),
        (&long, "https://other.example/?api+key=s3cret+value#x", "https://other.example/?api+key=#x"),
        (&long, "</v2?api%20key=s3cret%20value&p=2>; rel=next", "</v2?api%20key=&p=2>; rel=next"),
        (&long, "/login?next=%2Fv2%3Fapi%2520key%3Ds3cret%2520value", "/login?next=%2Fv2%3Fapi%2520key%3D"),
        (&long, "said s3cret value", "said "),
        (&short, "/v2/7?api%20key=7&a=7", "/v2/7?api%20key=&a=7"),
    ] {
        let mut headers = HeaderMap::from_iter([(http::header::LOCATION, value.parse().unwrap())]);
        carried.take_out(&mut headers);
        assert_eq!(headers["location"], expected);
    }
}

proptest! {
    #[test]
    fn what_passes_the_check_can_be_carried(text in "\\PC{0,20}|[ -~\r\n\t]{0,20}", other in "\\PC{0,20}") {
        for name in ["key", "token", "query", "cookie", "account"] {
            let value = if name == "account" { json!({ "username": text, "password": other }) } else { json!(text) };
            let given = json!({ name: value });
            if check(&given).is_ok() {
                let carried = carried(&[name], &given);
                let mut sent = outgoing(SERVER, &[]);
                carried.put(&mut sent);
                prop_assert_ne!((&sent.url, sent.headers.len()), (&Url::parse(SERVER).unwrap(), 0));
                let sent_name = sent.url.query_pairs().next().map(|(name, value)| (name.into_owned(), value.into_owned()));
                prop_assert!(name != "query" || sent_name == Some(("api key".to_owned(), text.clone())));
            }
        }
    }
}
