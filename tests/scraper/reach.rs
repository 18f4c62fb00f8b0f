//! No definition, input, redirect, name server or proxy setting makes the gateway dial an address outside the rule.
//!
//! In these tests one loopback address is open, and a listener at another, closed one counts who comes.

use std::collections::HashMap;
use std::net::{IpAddr, TcpListener};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use latchkey::upstream::definition;
use latchkey::upstream::egress::Resolver;
use serde_json::json;

use super::problems::UPSTREAM_ERROR;
use super::raw::{Act, Raw, answer};
use super::scene::Scene;
use crate::support::{Answer, TestApp, logged};

const RAW: &str = include_str!("raw.yaml");
pub const OPEN: &str = "127.0.0.7";

/// For each name the answers of the name server, one after the other; the last one stays.
type Names = Arc<Mutex<HashMap<String, Vec<Vec<IpAddr>>>>>;

pub struct Reach {
    pub scene: Scene,
    /// A site at the open address.
    pub site: Raw,
    /// A listener at a closed address, on the port that is tried.
    pub trap: Raw,
    names: Names,
}

impl Reach {
    pub async fn start() -> Self {
        let names = Names::default();
        let asked = Arc::clone(&names);
        let resolver = Resolver::Custom(Arc::new(move |name: &str| {
            let mut names = asked.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(answers) = names.get_mut(name) else { return Vec::new() };
            if answers.len() > 1 { answers.remove(0) } else { answers.first().cloned().unwrap_or_default() }
        }));
        let app = TestApp::start_with(|options| {
            options.resolver = resolver;
            options.loopback = Some(vec![OPEN.parse().expect("an address")]);
        });
        let scene = Scene::on(app.await).await;
        let (site, trap) = (Raw::at(OPEN).await, Raw::at("127.0.0.1").await);
        site.on("/fine", Act::Say(answer("200 OK", "", "{}")));
        trap.on("/fine", Act::Say(answer("200 OK", "", "{\"trapped\":true}")));
        Self { scene, site, trap, names }
    }

    pub fn name(&self, name: &str, answers: &[&[&str]]) {
        let address = |text: &&str| text.parse().expect("an address");
        let answers = answers.iter().map(|answer| answer.iter().map(address).collect()).collect();
        self.names.lock().expect("no panic").insert(name.to_owned(), answers);
    }

    /// Puts in a definition of the site at `base`, which lists `hosts` too; `false` where it is refused.
    pub async fn define(&self, id: &str, base: &str, hosts: &[&str]) -> bool {
        let source = RAW
            .replace("\"http://site.test\"", &json!(base).to_string())
            .replace("[\"site.test\"]", &json!(hosts).to_string());
        if definition::parse(&source).is_err() {
            return false;
        }
        self.scene.apply(self.scene.jane.account_id, self.scene.jane.workspace_id, id, &source).await;
        true
    }

    pub async fn open(&self, id: &str, endpoint: &str, case: &str) -> Answer {
        let call = self.scene.app.post(&format!("/scraper/{id}/{endpoint}"), json!({ "case": case }));
        call.bearer(&self.scene.key.secret).send().await
    }

    /// That this was refused before anything was dialled, and by whom.
    pub fn refused(&self, what: &str, answer: &Answer, status: Option<u16>) {
        assert_eq!(answer.status, 502, "{what}: {}", answer.json);
        answer.refuses_with(
            UPSTREAM_ERROR,
            status.map_or(json!({}), |status| json!({ "upstream_status": status })),
        );
        let id = answer.text("request_id");
        let lines = logged();
        let line = lines.lines().find(|line| line.contains(&id) && line.contains("upstream_error"));
        let line = line.unwrap_or_else(|| panic!("{what}: nothing is logged of {id}"));
        // The last is no name to the TLS library, which is asked before the name server.
        let reasons = ["refused to call", "the site leads", "invalid dns name"];
        assert!(reasons.iter().any(|reason| line.contains(reason)), "{what}: {line}");
        assert_eq!(self.trap.connections(), 0, "{what}");
    }
}

#[tokio::test]
async fn no_definition_names_a_closed_address() {
    let reach = Reach::start().await;
    let (port, open) = (reach.trap.address.port(), reach.site.address.port());
    for base in
        [format!("http://{OPEN}:{open}"), format!("http://2130706439:{open}"), format!("http://127.7:{open}")]
    {
        assert!(reach.define("probe", &base, &[]).await, "{base}");
        reach.open("probe", "open", "fine").await.is(200);
    }
    for name in ["localhost", "localhost.", "a.localhost", "127.0.0.1.."] {
        reach.name(name, &[&["127.0.0.1"]]);
    }
    let mut reached = 0;
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "0x7f.1",
        "127.0.0.1.",
        "127.0.0.1..",
        "%31%32%37.0.0.1",
        "127%2e0%2e0%2e1",
        "１２７.０.０.１",
        "127。0。0。1",
        "①②⑦.⓪.⓪.①",
        "0",
        "0.0.0.0",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b:1::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[::1%25lo]",
        "[fe80::1%25eth0]",
        "[fe80::1]",
        "[::]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "10.0.0.1",
        "192.168.0.1",
        "172.16.0.1",
        "[fd00:ec2::254]",
        "[fc00::1]",
    ] {
        for scheme in ["http", "https"] {
            let base = format!("{scheme}://{host}:{port}");
            if reach.define("probe", &base, &[]).await {
                reached += 1;
                reach.refused(&base, &reach.open("probe", "open", "fine").await, None);
            }
        }
    }
    for base in [
        "https://169.254.169.254",
        "https://0xa9fea9fe",
        "https://169.254.43518",
        "https://100.100.100.200",
        "https://168.63.129.16",
        "https://192.0.0.192",
        "https://255.255.255.255",
        "https://224.0.0.1",
        "https://240.0.0.1",
        "https://198.18.0.1",
        "https://203.0.113.1",
        "https://[ff02::1]",
        "https://[2001:db8::1]",
        "https://[5f00::1]",
    ] {
        assert!(reach.define("probe", base, &[]).await, "{base}");
        reach.refused(base, &reach.open("probe", "open", "fine").await, None);
    }
    assert!(reached > 60, "only {reached} got past the reading of the definition");
}

#[tokio::test]
async fn no_mount_names_a_closed_address() {
    let reach = Reach::start().await;
    for host in ["127.0.0.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "trap.localhost", "both.localhost"]
    {
        reach.name("trap.localhost", &[&["127.0.0.1"]]);
        reach.name("both.localhost", &[&[OPEN, "127.0.0.1"]]);
        let source = format!(
            "{{openapi: 3.1.0, info: {{title: T, version: '1'}}, servers: [{{url: 'http://{host}:{}'}}], x-mount: /trap}}",
            reach.trap.address.port()
        );
        if definition::parse(&source).is_err() {
            continue;
        }
        let (account, workspace) = (reach.scene.jane.account_id, reach.scene.jane.workspace_id);
        reach.scene.apply(account, workspace, "trap", &source).await;
        let answer = reach.scene.app.get("/trap/fine").bearer(&reach.scene.key.secret).send().await;
        reach.refused(host, &answer, None);
    }
}

#[tokio::test]
async fn no_answer_of_a_name_server_leads_to_a_closed_address() {
    let reach = Reach::start().await;
    let port = reach.site.address.port();
    assert!(reach.define("probe", &format!("http://site.localhost:{port}"), &[]).await);
    // The trap would be found at the same port.
    let trap = Raw::at("127.0.0.1").await;
    for answer in [
        &["127.0.0.1"][..],
        &[OPEN, "127.0.0.1"],
        &["127.0.0.1", OPEN],
        &["::1"],
        &[OPEN, "::1"],
        &["::ffff:127.0.0.1"],
        &["::ffff:127.0.0.7"],
        &[OPEN, "64:ff9b::7f00:1"],
        &["2002:7f00:1::"],
        &["0.0.0.0"],
        &["169.254.169.254"],
        &["fd00:ec2::254"],
        &["10.0.0.1"],
        &[OPEN, "192.168.1.1"],
        &["fe80::1"],
        &["93.184.215.14", "127.0.0.1"],
    ] {
        reach.name("site.localhost", &[answer]);
        let answered = reach.open("probe", "open", "fine").await;
        reach.refused(&format!("{answer:?}"), &answered, None);
    }
    assert_eq!((reach.site.connections(), trap.connections()), (0, 0));
    reach.name("site.localhost", &[&[OPEN]]);
    reach.open("probe", "open", "fine").await.is(200);
}

#[tokio::test]
async fn a_name_that_changes_its_address_is_dialled_where_it_was_checked() {
    let reach = Reach::start().await;
    // Site and trap share a port, so that only the address tells them apart.
    let port = reach.site.address.port();
    let trap = TcpListener::bind(("127.0.0.1", port)).expect("the port is free there");
    trap.set_nonblocking(true).expect("a setting");
    let rebind: &[&[&str]] = &[&[OPEN], &["127.0.0.1"]];
    let base = format!("http://site.localhost:{port}");
    assert!(reach.define("probe", &base, &[]).await);

    // Asked once; a kept connection is still at the address that was checked.
    reach.name("site.localhost", rebind);
    for _ in 0..2 {
        reach.open("probe", "open", "fine").await.is(200);
    }
    assert_eq!(reach.site.connections(), 1);
    // A connection that is cut is dialled again, and checked again.
    reach.site.on("/cut", Act::Close(Vec::new()));
    reach.refused("again", &reach.open("probe", "open", "cut").await, None);
    // So is the next hop of a redirect.
    reach.name("site.localhost", rebind);
    let away = format!("location: {base}/fine\r\nconnection: close\r\n");
    reach.site.on("/away", Act::Close(answer("302 Found", &away, "")));
    reach.refused("hop", &reach.open("probe", "open", "away").await, Some(302));
    assert_eq!(trap.accept().map(|_| ()).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn variables_that_name_a_proxy_change_nothing() {
    let trap = TcpListener::bind("127.0.0.1:0").expect("a free port");
    trap.set_nonblocking(true).expect("a setting");
    let proxy = format!("http://{}", trap.local_addr().expect("an address"));
    // A sign-in and several calls, in a process of their own.
    let test = "scraper::session::body_fields_do_and_headers_are_preferred";
    let mut command = Command::new(std::env::current_exe().expect("this very program"));
    command.args(["--exact", test]).env_remove("NO_PROXY").env_remove("no_proxy");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "PROXY"] {
        command.env(name, &proxy).env(name.to_lowercase(), &proxy);
    }
    let output = command.output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert_eq!(trap.accept().map(|_| ()).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}
