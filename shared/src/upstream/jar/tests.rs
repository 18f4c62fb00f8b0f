//! The rules of RFC 6265bis (draft 22), one test each, and the traps known from other jars.
//!
//! | section | rule | test |
//! |---|---|---|
//! | 5.1.1 | dates: parts in any order, the first of each, ranges, two-digit years | `date::tests` |
//! | 5.1.2, 5.1.3 | hosts and domains match whole labels; an address matches itself alone | `a_domain_cookie_is_for_that_domain_and_below`, `an_address_has_no_parent` |
//! | 5.1.4 | default path; paths match on a boundary | `a_path_matches_on_its_boundary_only`, `a_cookie_without_a_path_gets_the_folder`, `rules::tests` |
//! | 5.4 | `__Secure-` and `__Host-` in any case, and not borrowed by a nameless cookie | `prefixes_keep_their_promise` |
//! | 5.5 | 400 days at most | `no_cookie_lives_longer_than_400_days` |
//! | 5.6 | control characters; first `=`; trimming; nameless and valueless; 4,096 octets | `set_cookie::tests`, `nameless_and_odd_values_come_back_as_they_were` |
//! | 5.6 | an attribute of more than 1,024 octets is as if absent | `an_attribute_that_is_too_long_is_as_if_it_were_not_there` |
//! | 5.6.1, 5.6.2 | `Expires` and `Max-Age`: odd ones are none, zero and less delete, large ones are the longest | `a_cookie_without_an_end_lives_as_long_as_the_session_and_an_odd_end_is_none`, `set_cookie::tests` |
//! | 5.6.3, 5.6.4 | one leading dot goes; lower case; `Path` begins with a slash or is the default | `a_domain_cookie_is_for_that_domain_and_below`, `a_cookie_without_a_path_gets_the_folder` |
//! | 5.6.5 to 5.6.7 | flags in any case and with any value; unknown `SameSite` is none | `set_cookie::tests`, `attributes_are_kept` |
//! | 5.7, 4 | `Max-Age` before `Expires`; the last of each attribute | `max_age_comes_before_expires`, `an_empty_domain_is_none_and_the_last_domain_counts` |
//! | 5.7, 8 | a domain of other than ASCII characters | `a_cookie_for_a_sibling_or_a_child_is_refused` |
//! | 5.7, 9 | public suffixes | `a_public_suffix_is_refused_and_at_its_own_host_means_that_host` |
//! | 5.7, 10 | host-only without a domain, none for siblings or children | `a_cookie_without_domain_is_for_its_host_alone`, `a_cookie_for_a_sibling_or_a_child_is_refused` |
//! | 5.7, 13 | Secure not from plain HTTP | `secure_cookies_pass_over_https_and_to_this_machine_only` |
//! | 5.7, 16 | leave secure cookies alone | `plain_http_cannot_replace_or_shadow_a_secure_cookie` |
//! | 5.7, 19 | `SameSite=None` needs Secure | `a_cookie_for_every_site_must_be_secure` |
//! | 5.7, 23 | same name, domain, host-only and path: replaced, creation time kept | `longer_paths_come_first_then_earlier_ones`, `a_host_cookie_and_a_domain_cookie_are_two` |
//! | 5.7 | expired ones go; limits of a domain and of the jar, insecure first | `an_end_in_the_past_deletes`, `a_crowded_domain_…`, `a_crowded_jar_…` |
//! | 5.8.3 | what is sent, in which order | `longer_paths_come_first_then_earlier_ones`, `one_header_carries_all` |
//!
//! Not as written there: of cookies over a limit the one received first goes, not the one sent first, for a jar that
//! noted each sending would be saved after each call; and an address is always host-only, as in browsers.

use http::{HeaderMap, HeaderValue};
use url::Url;

use super::*;
use crate::clock::after;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn headers(fields: &[&str]) -> HeaderMap {
    fields.iter().map(|field| (SET_COOKIE, HeaderValue::from_str(field).unwrap())).collect()
}

/// A jar that received `fields` from `from` at second 0.
fn jar(from: &str, fields: &[&str]) -> Jar {
    let mut jar = Jar::default();
    jar.receive(&url(from), &headers(fields), at(0));
    jar
}

fn sent(jar: &Jar, to: &str) -> String {
    sent_at(jar, to, 1)
}

fn sent_at(jar: &Jar, to: &str, second: i64) -> String {
    jar.header_for(&url(to), at(second)).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

#[test]
fn a_cookie_without_domain_is_for_its_host_alone() {
    let jar = jar("https://a.example.com/", &["s=1"]);
    assert_eq!(sent(&jar, "https://a.example.com/"), "s=1");
    assert_eq!(sent(&jar, "https://x.a.example.com/"), "");
    assert_eq!(sent(&jar, "https://example.com/"), "");
}

#[test]
fn a_domain_cookie_is_for_that_domain_and_below() {
    for field in ["s=1; Domain=example.com", "s=1; Domain=.EXAMPLE.com"] {
        let jar = jar("https://a.example.com/", &[field]);
        for to in ["https://example.com/", "https://a.example.com/", "https://x.y.example.com/"] {
            assert_eq!(sent(&jar, to), "s=1", "{to}");
        }
        for to in ["https://notexample.com/", "https://example.com.evil.test/", "https://com/"] {
            assert_eq!(sent(&jar, to), "", "{to}");
        }
    }
}

#[test]
fn a_cookie_for_a_sibling_or_a_child_is_refused() {
    for domain in [
        "b.example.com",
        "x.a.example.com",
        "evil.test",
        "ample.com",
        "..example.com",
        "exämple.com",
        "e\u{212a}ample.com",
    ] {
        let mut jar = Jar::default();
        let field = HeaderValue::from_bytes(format!("s=1; Domain={domain}").as_bytes()).unwrap();
        jar.receive(&url("https://a.example.com/"), &HeaderMap::from_iter([(SET_COOKIE, field)]), at(0));
        assert_eq!(jar.len(at(0)), 0, "{domain}");
    }
}

#[test]
fn a_public_suffix_is_refused_and_at_its_own_host_means_that_host() {
    for (host, domain) in [
        ("shop.co.uk", "co.uk"),
        ("a.example.com", "com"),
        ("me.github.io", "github.io"),
        ("a.test", "test"),
        // By the rules `*.ck` and `*.kawasaki.jp`.
        ("a.b.ck", "b.ck"),
        ("a.b.kawasaki.jp", "b.kawasaki.jp"),
        ("a.xn--55qx5d.cn", "xn--55qx5d.cn"),
    ] {
        let jar = jar(&format!("https://{host}/"), &[&format!("s=1; Domain={domain}")]);
        assert_eq!(jar.len(at(0)), 0, "{domain}");
    }
    // The rules `!www.ck` and `!city.kawasaki.jp` except these two.
    for (host, domain) in [("a.www.ck", "www.ck"), ("a.city.kawasaki.jp", "city.kawasaki.jp")] {
        let jar = jar(&format!("https://{host}/"), &[&format!("s=1; Domain={domain}")]);
        assert_eq!(jar.len(at(0)), 1, "{domain}");
    }
    let jar = jar("https://github.io/", &["s=1; Domain=github.io"]);
    assert_eq!(sent(&jar, "https://github.io/"), "s=1");
    assert_eq!(sent(&jar, "https://me.github.io/"), "");
}

#[test]
fn an_address_has_no_parent() {
    assert_eq!(jar("https://10.1.2.3/", &["s=1; Domain=2.3"]).len(at(0)), 0);
    let jar = jar("http://127.0.0.1:8000/", &["s=1; Domain=127.0.0.1"]);
    assert_eq!(sent(&jar, "http://127.0.0.1:9000/"), "s=1");
    assert_eq!(sent(&jar, "http://127.0.0.2/"), "");
}

#[test]
fn an_empty_domain_is_none_and_the_last_domain_counts() {
    let jar = jar("https://a.example.com/", &["s=1; Domain=evil.test; Domain="]);
    assert_eq!(sent(&jar, "https://a.example.com/"), "s=1");
    assert_eq!(sent(&jar, "https://example.com/"), "");
}

#[test]
fn a_path_matches_on_its_boundary_only() {
    let jar = jar("https://a.test/", &["s=1; Path=/mail"]);
    for (to, expected) in [("/mail", "s=1"), ("/mail/x", "s=1"), ("/mailbox", ""), ("/", ""), ("/Mail", "")] {
        assert_eq!(sent(&jar, &format!("https://a.test{to}")), expected, "{to}");
    }
}

#[test]
fn a_cookie_without_a_path_gets_the_folder() {
    for field in ["s=1", "s=1; Path=", "s=1; Path=relative", "s=1; Path=/; Path=x"] {
        let jar = jar("https://a.test/app/login?x=/y/", &[field]);
        assert_eq!(sent(&jar, "https://a.test/app/other"), "s=1", "{field}");
        assert_eq!(sent(&jar, "https://a.test/"), "", "{field}");
    }
}

#[test]
fn secure_cookies_pass_over_https_and_to_this_machine_only() {
    let mut jar = jar("https://a.test/", &["s=1; Secure"]);
    assert_eq!(sent(&jar, "https://a.test/"), "s=1");
    assert_eq!(sent(&jar, "http://a.test/"), "");
    jar.receive(&url("http://a.test/"), &headers(&["t=1; Secure"]), at(0));
    assert_eq!(sent(&jar, "https://a.test/"), "s=1");
    jar.receive(&url("http://127.0.0.1:8000/"), &headers(&["u=1; Secure"]), at(0));
    assert_eq!(sent(&jar, "http://127.0.0.1:8000/"), "u=1");
}

#[test]
fn plain_http_cannot_replace_or_shadow_a_secure_cookie() {
    let mut jar =
        jar("https://a.example.com/", &["s=1; Secure; Path=/app", "d=1; Secure; Domain=example.com; Path=/"]);
    let forged = [
        "s=2; Path=/app",
        "s=3; Path=/app/x",
        "s=4; Domain=example.com; Path=/app",
        "d=2; Path=/",
        "s=; Max-Age=0; Path=/app",
    ];
    jar.receive(&url("http://a.example.com/"), &headers(&forged), at(1));
    assert_eq!(sent(&jar, "https://a.example.com/app/x"), "s=1; d=1");
    jar.receive(&url("http://a.example.com/"), &headers(&["s=5; Path=/other"]), at(1));
    assert_eq!(sent(&jar, "https://a.example.com/other"), "s=5; d=1");
}

#[test]
fn prefixes_keep_their_promise() {
    for (field, accepted) in [
        ("__Secure-s=1; Secure", true),
        ("__Secure-s=1", false),
        ("__secure-s=1", false),
        ("__Host-s=1; Secure; Path=/", true),
        ("__HOST-s=1; Path=/", false),
        ("__Host-s=1; Secure", false),
        ("__Host-s=1; Secure; Path=/x", false),
        ("__Host-s=1; Secure; Path=/; Domain=a.example.com", false),
        ("=__Host-s=1; Secure; Path=/", false),
        ("__Secure-s", false),
        ("__Hosts=1", true),
    ] {
        assert_eq!(jar("https://a.example.com/", &[field]).len(at(0)) == 1, accepted, "{field}");
    }
}

#[test]
fn max_age_comes_before_expires() {
    let past = "Expires=Thu, 01 Jan 1970 00:00:00 GMT";
    let jar = jar("https://a.test/", &[&format!("s=1; Max-Age=60; {past}")]);
    assert_eq!(sent_at(&jar, "https://a.test/", 59), "s=1");
    assert_eq!(sent_at(&jar, "https://a.test/", 60), "");
}

#[test]
fn an_end_in_the_past_deletes() {
    for field in ["s=x; Max-Age=0", "s=x; Max-Age=-5", "s=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"] {
        let mut jar = jar("https://a.test/", &["s=1", "t=2"]);
        jar.receive(&url("https://a.test/"), &headers(&[field]), at(1));
        assert_eq!(sent(&jar, "https://a.test/"), "t=2", "{field}");
    }
    let mut other_path = jar("https://a.test/", &["s=1; Path=/"]);
    other_path.receive(&url("https://a.test/"), &headers(&["s=; Max-Age=0; Path=/x"]), at(1));
    assert_eq!(sent(&other_path, "https://a.test/"), "s=1");
}

#[test]
fn a_cookie_without_an_end_lives_as_long_as_the_session_and_an_odd_end_is_none() {
    for field in ["s=1", "s=1; Expires=soon", "s=1; Max-Age=soon"] {
        assert_eq!(
            sent_at(&jar("https://a.test/", &[field]), "https://a.test/", 10_000_000_000),
            "s=1",
            "{field}"
        );
    }
}

#[test]
fn no_cookie_lives_longer_than_400_days() {
    let day = 24 * 60 * 60;
    for field in ["s=1; Max-Age=99999999999999999999", "s=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT"] {
        let jar = jar("https://a.test/", &[field]);
        assert_eq!(sent_at(&jar, "https://a.test/", 400 * day - 1), "s=1", "{field}");
        assert_eq!(sent_at(&jar, "https://a.test/", 400 * day), "", "{field}");
    }
}

#[test]
fn a_cookie_that_is_too_large_is_ignored_whole() {
    let value = "v".repeat(5000);
    let jar = jar("https://a.test/", &["s=1", &format!("s={value}"), &format!("t={value}")]);
    assert_eq!(sent(&jar, "https://a.test/"), "s=1");
}

#[test]
fn longer_paths_come_first_then_earlier_ones() {
    let mut jar = jar("https://a.test/", &["b=1; Path=/", "a=1; Path=/", "c=1; Path=/x/y", "d=1; Path=/x"]);
    assert_eq!(sent(&jar, "https://a.test/x/y"), "c=1; d=1; b=1; a=1");
    jar.receive(&url("https://a.test/"), &headers(&["b=2; Path=/"]), at(5));
    assert_eq!(sent_at(&jar, "https://a.test/", 6), "b=2; a=1", "a new value keeps the creation time");
}

#[test]
fn of_one_name_twice_in_an_answer_the_last_counts() {
    assert_eq!(sent(&jar("https://a.test/", &["s=1", "s=2"]), "https://a.test/"), "s=2");
    assert_eq!(sent(&jar("https://a.test/", &["s=1; Max-Age=0", "s=2"]), "https://a.test/"), "s=2");
    assert_eq!(sent(&jar("https://a.test/", &["s=2", "s=1; Max-Age=0"]), "https://a.test/"), "");
}

#[test]
fn a_host_cookie_and_a_domain_cookie_are_two() {
    let jar = jar("https://example.com/", &["s=1", "s=2; Domain=example.com"]);
    assert_eq!(sent(&jar, "https://example.com/"), "s=1; s=2");
}

#[test]
fn nameless_and_odd_values_come_back_as_they_were() {
    let mut jar = jar("https://a.test/", &["only", "q=\"a, b\"", "e=", "eq=a=b=="]);
    let latin = HeaderValue::from_bytes(b"l=caf\xe9").unwrap();
    jar.receive(&url("https://a.test/"), &HeaderMap::from_iter([(SET_COOKIE, latin)]), at(1));
    let jar: Jar = serde_json::from_slice(&serde_json::to_vec(&jar).unwrap()).unwrap();
    let header = jar.header_for(&url("https://a.test/"), at(1)).unwrap();
    assert_eq!(header.as_bytes(), b"only; q=\"a, b\"; e=; eq=a=b==; l=caf\xe9");
    assert!(header.is_sensitive());
    assert_eq!(jar.get(&url("https://a.test/"), "l", at(1)).unwrap(), "café");
}

#[test]
fn a_value_is_read_where_it_would_be_sent_or_else_on_its_host() {
    let jar =
        jar("https://a.example.com/", &["x=1; Path=/app", "x=2; Path=/", "y=3; Path=/app", "z=4; Max-Age=5"]);
    let get = |to: &str, name: &str, second: i64| jar.get(&url(to), name, at(second));
    assert_eq!(get("https://a.example.com/app", "x", 1).as_deref(), Some("1"));
    assert_eq!(get("https://a.example.com/login", "x", 1).as_deref(), Some("2"));
    assert_eq!(get("https://a.example.com/login", "y", 1).as_deref(), Some("3"));
    assert_eq!(get("https://b.example.com/app", "y", 1), None);
    assert_eq!(get("https://a.example.com/", "z", 5), None);
}

#[test]
fn a_cookie_for_every_site_must_be_secure() {
    for (field, accepted) in [
        ("s=1; SameSite=None", false),
        ("s=1; samesite=NONE", false),
        ("s=1; SameSite=None; Secure", true),
        ("s=1; SameSite=None; SameSite=Lax", true),
        ("s=1; SameSite=odd", true),
    ] {
        assert_eq!(jar("https://a.test/", &[field]).len(at(0)) == 1, accepted, "{field}");
    }
}

#[test]
fn an_attribute_that_is_too_long_is_as_if_it_were_not_there() {
    let long = "x".repeat(1025);
    let field =
        format!("s=1; Path=/app; Path=/{long}; Domain=example.com; Domain={long}; Max-Age=5; Max-Age={long}");
    let jar = jar("https://a.example.com/", &[&field]);
    assert_eq!(sent(&jar, "https://b.example.com/app"), "s=1");
    assert_eq!(sent(&jar, "https://b.example.com/"), "");
    assert_eq!(sent_at(&jar, "https://b.example.com/app", 5), "");
}

#[test]
fn one_header_carries_all() {
    let jar = jar("https://a.test/", &["a=1", "b=2; HttpOnly", "c=3; SameSite=Strict"]);
    assert_eq!(sent(&jar, "https://a.test/"), "a=1; b=2; c=3");
    assert_eq!(jar.header_for(&url("https://b.test/"), at(1)), None, "none is none, not an empty one");
}

#[test]
fn a_deletion_deletes_its_own_cookie_alone() {
    let all = &["s=1; Path=/", "s=2; Path=/x", "s=3; Domain=example.com; Path=/", "t=4; Path=/"];
    for (deletion, left) in [
        ("s=; Max-Age=0; Path=/", "s=2; s=3; t=4"),
        ("s=; Max-Age=0; Path=/x", "s=1; s=3; t=4"),
        ("s=; Max-Age=0; Path=/; Domain=example.com", "s=2; s=1; t=4"),
        ("s=; Max-Age=0; Path=/y", "s=2; s=1; s=3; t=4"),
        ("gone=; Max-Age=0; Path=/", "s=2; s=1; s=3; t=4"),
    ] {
        let mut jar = jar("https://a.example.com/", all);
        jar.receive(&url("https://a.example.com/"), &headers(&[deletion]), at(1));
        assert_eq!(sent(&jar, "https://a.example.com/x"), left, "{deletion}");
    }
    // A cookie that comes again after its deletion is a new one, and comes last.
    let mut jar = jar("https://a.test/", &["a=1", "b=1"]);
    jar.receive(&url("https://a.test/"), &headers(&["a=; Max-Age=0"]), at(1));
    jar.receive(&url("https://a.test/"), &headers(&["a=2"]), at(2));
    assert_eq!(sent_at(&jar, "https://a.test/", 3), "b=1; a=2");
}

#[test]
fn attributes_are_kept() {
    let jar = jar("https://a.test/", &["s=1; Secure; HttpOnly; SameSite=Lax; Max-Age=60"]);
    let stored: serde_json::Value = serde_json::to_value(&jar).unwrap();
    let cookie = &stored[0][1]["cookie"];
    assert_eq!(cookie["secure"], true);
    assert_eq!(cookie["http_only"], true);
    assert_eq!(cookie["same_site"], "lax");
    assert_eq!(cookie["expires"], at(60).as_microsecond());
}

#[test]
fn a_crowded_domain_loses_its_insecure_then_its_oldest_cookies() {
    let mut jar = Jar::default();
    let from = url("https://a.test/");
    jar.receive(&from, &headers(&["keep=1; Secure"]), at(0));
    for number in 0..60 {
        jar.receive(&from, &headers(&[&format!("c{number}=1")]), at(1 + number));
    }
    assert_eq!(jar.len(at(100)), DOMAIN_LIMIT);
    let header = sent_at(&jar, "https://a.test/", 100);
    assert!(header.starts_with("keep=1; c11=1;") && header.ends_with("c59=1"), "{header}");
}

#[test]
fn a_crowded_jar_loses_its_oldest_cookies() {
    let mut jar = Jar::default();
    for number in 0..200 {
        let from = url(&format!("https://h{number}.example.com/"));
        jar.receive(&from, &headers(&["s=1; Secure"]), at(number));
    }
    assert_eq!(jar.len(at(300)), JAR_LIMIT);
    assert_eq!(sent_at(&jar, "https://h19.example.com/", 300), "");
    assert_eq!(sent_at(&jar, "https://h20.example.com/", 300), "s=1");
}

#[test]
fn tombstones_are_forgotten_after_ten_minutes_and_never_many() {
    let mut jar = Jar::default();
    for number in 0..300 {
        let deletion = format!("d{number}=; Max-Age=0");
        jar.receive(&url("https://a.test/"), &headers(&[&deletion]), at(0));
    }
    assert_eq!(jar.slots.len(), JAR_LIMIT);
    jar.receive(&url("https://a.test/"), &headers(&[]), after(at(0), 601));
    assert!(jar.slots.is_empty());
}

#[test]
fn nothing_secret_is_in_the_debug_text() {
    let jar = jar("https://a.test/", &["name=canary-value"]);
    let changes = jar.changes_since(&Jar::default());
    for text in [format!("{jar:?}"), format!("{changes:?}"), format!("{:?}", jar.slots)] {
        assert!(!text.contains("canary-value"), "{text}");
    }
}
