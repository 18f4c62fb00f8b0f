//! Where redirects, values and inputs may lead a call, and what goes along.

use serde_json::json;

use super::problems::UPSTREAM_ERROR;
use super::raw::{Act, Raw, answer};
use super::reach::{OPEN, Reach};

#[tokio::test]
async fn no_redirect_leads_to_a_closed_address() {
    let reach = Reach::start().await;
    let (port, own) = (reach.trap.address.port(), reach.scene.app.stack.base_url.clone());
    let listed =
        ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "trap.localhost"].map(|host| format!("{host}:{port}"));
    let own_host = own.trim_start_matches("http://").to_owned();
    let listed: Vec<&str> = listed.iter().map(String::as_str).chain([own_host.as_str()]).collect();
    let base = format!("http://{}", reach.site.address);
    assert!(reach.define("probe", &base, &listed).await);
    reach.name("trap.localhost", &[&["127.0.0.1"]]);
    let unlisted = Raw::at(OPEN).await;
    for location in [
        format!("http://127.0.0.1:{port}/fine"),
        format!("//127.0.0.1:{port}/fine"),
        format!("\\\\127.0.0.1:{port}\\fine"),
        format!("/\\127.0.0.1:{port}/fine"),
        format!("\t//127.0.0.1:{port}/fine"),
        format!("ht\ttp://127.0.0.1:{port}/fine"),
        format!("http:\\\\127.0.0.1:{port}/fine"),
        format!("http://2130706433:{port}/fine"),
        format!("http://0x7f.1:{port}/fine"),
        format!("http://%31%32%37.0.0.1:{port}/fine"),
        format!("http://１２７.0.0.1:{port}/fine"),
        format!("http://127.0.0.1.:{port}/fine"),
        format!("http://[::1]:{port}/fine"),
        format!("http://[::ffff:127.0.0.1]:{port}/fine"),
        format!("http://trap.localhost:{port}/fine"),
        format!("http://{OPEN}@127.0.0.1:{port}/fine"),
        format!("http://user:pass@{}/fine", reach.site.address),
        format!("http://{}/fine", unlisted.address),
        format!("https://127.0.0.1:{port}/fine"),
        format!("{own}/healthz"),
        "javascript:alert(1)".to_owned(),
        "file:///etc/passwd".to_owned(),
        "ftp://127.0.0.1/".to_owned(),
        "data:text/html,x".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ] {
        for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
            let head = format!("location: {location}\r\n");
            reach.site.on("/away", Act::Say(answer(status, &head, "")));
            let answered = reach.open("probe", "open", "away").await;
            reach.refused(&location, &answered, status[..3].parse().ok());
        }
        // An address that an answer gave as a value goes the same way.
        reach.site.on("/page", Act::Say(answer("200 OK", "", json!({ "next": location }).to_string())));
        let answered = reach.open("probe", "lead", "page").await;
        assert_eq!((answered.status, reach.trap.connections()), (502, 0), "{location}: {}", answered.json);
    }
    assert_eq!(unlisted.connections(), 0);
}

#[tokio::test]
async fn no_input_changes_where_a_call_goes() {
    let reach = Reach::start().await;
    let port = reach.trap.address.port();
    assert!(reach.define("probe", &format!("http://{}", reach.site.address), &["127.0.0.1"]).await);
    for case in [
        format!("@127.0.0.1:{port}/fine"),
        format!("/127.0.0.1:{port}/fine"),
        format!("//127.0.0.1:{port}/fine"),
        format!("http://127.0.0.1:{port}/fine"),
        format!("\\\\127.0.0.1:{port}\\fine"),
        format!("x\r\nHost: 127.0.0.1:{port}"),
        format!("?@127.0.0.1:{port}#"),
        format!(":{port}/fine"),
    ] {
        let before = reach.site.requests().len();
        let answered = reach.open("probe", "open", &case).await;
        let requests = reach.site.requests();
        assert_eq!(
            (answered.status, requests.len() - before),
            (502, 1),
            "{case}: a path that the site has not"
        );
        let seen = requests.last().expect("a request");
        assert!(seen.contains(&format!("host: {}\r\n", reach.site.address)), "{seen}");
        assert_eq!(seen.matches('/').count() - seen.matches("*/*").count(), 3, "{seen}");
        assert_eq!(reach.trap.connections(), 0);
    }
}

#[tokio::test]
async fn what_is_for_one_origin_does_not_go_to_another() {
    let reach = Reach::start().await;
    let other = Raw::at(OPEN).await;
    other.on("/fine", Act::Say(answer("200 OK", "", "{}")));
    let listed = other.address.to_string();
    assert!(reach.define("probe", &format!("http://{}", reach.site.address), &[&listed]).await);
    let login = answer("200 OK", "set-cookie: sid=first\r\nx-key: canary\r\n", "{}");
    reach.site.on("/login", Act::Say(login));
    let session =
        reach.scene.app.post("/scraper/probe/login", json!({ "username": "ada", "password": "canary" }));
    let session = session.bearer(&reach.scene.key.secret).send().await.is(200);
    let call = |endpoint: &str| {
        let call = reach.scene.app.post(&format!("/scraper/probe/{endpoint}"), json!({ "case": "away" }));
        let call = call.bearer(&reach.scene.key.secret).header("x-session-id", session.text("session_id"));
        call.header("x-encryption-key", session.text("encryption_key"))
    };
    let away = format!("location: http://{}/fine\r\n", other.address);
    for (endpoint, status, method) in [
        ("get", "302 Found", Some("GET")),
        ("get", "308 Permanent", Some("GET")),
        ("send", "302 Found", Some("GET")),
        ("send", "303 See Other", Some("GET")),
        ("send", "307 Temporary", None),
        ("send", "308 Permanent", None),
    ] {
        reach.site.on("/away", Act::Say(answer(status, &away, "")));
        let before = other.requests().len();
        let answered = call(endpoint).send().await;
        let seen = other.requests().split_off(before);
        let first = reach.site.requests().pop().expect("a request");
        assert!(first.contains("canary"), "it was sent to its own origin: {first}");
        match method {
            Some(method) => {
                answered.is(200);
                assert!(seen[0].starts_with(&format!("{method} /fine HTTP/1.1\r\n")), "{seen:?}");
                for gone in ["canary", "x-key", "referer", "origin", "content-type", "content-length"] {
                    assert!(!seen[0].contains(gone), "{gone} in {seen:?}");
                }
            }
            None => {
                answered.refuses_with(
                    UPSTREAM_ERROR,
                    json!({ "upstream_status": status[..3].parse::<u16>().unwrap() }),
                );
                assert_eq!(seen, Vec::<String>::new());
            }
        }
    }
}
