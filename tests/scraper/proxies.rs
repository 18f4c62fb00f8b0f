//! Outbound proxies: a session goes out where it began, or says that it cannot.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use latchkey::upstream::outbound;
use serde_json::json;

use super::fake_proxy::FakeProxy;
use super::problems::PROXY_UNAVAILABLE;
use super::scene::{SITE, Scene, Session};
use super::site::PASSWORD;
use crate::support::logged;

/// How long a change of a pool may take, in seconds.
const FRESH: i64 = 60;

/// A scene whose site is reached through proxies.
struct Through {
    scene: Scene,
    proxies: Vec<FakeProxy>,
}

impl Through {
    /// With so many proxies in a pool, each with these credentials (`user:password@`).
    async fn start(sticky: &str, count: usize, credentials: &str) -> Self {
        let scene = Scene::start().await;
        scene.cap(10).await;
        let proxies = join_all((0..count).map(|_| FakeProxy::start())).await;
        let through = Self { scene, proxies };
        through.apply(&format!("{{ pool: mill, sticky: {sticky} }}")).await;
        let urls: Vec<String> = through.proxies.iter().map(|proxy| proxy.url(credentials)).collect();
        through.set(&urls).await;
        through
    }

    /// The definition with this rule.
    async fn apply(&self, rule: &str) {
        let hosts = "allowedHosts: [\"site.test\"]\n";
        let source = SITE.replace(hosts, &format!("{hosts}        proxy: {rule}\n"));
        assert_ne!(source, SITE);
        self.apply_source(&source).await;
    }

    async fn apply_source(&self, source: &str) {
        let jane = &self.scene.jane;
        self.scene.apply(jane.account_id, jane.workspace_id, "mill", source).await;
    }

    /// Puts these members in the pool.
    async fn set(&self, urls: &[String]) {
        let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
        let (stack, now) = (&self.scene.app.gateway.stack, self.scene.app.clock.now());
        outbound::set(&stack.provider, &stack.app.store, "mill", &urls, now).await.expect("a pool");
    }

    /// The same as [`set`](Self::set), once it is in use.
    async fn change(&self, urls: &[String]) {
        self.set(urls).await;
        self.scene.app.clock.advance(FRESH);
    }

    /// Through which proxy the site's last request came.
    fn via(&self) -> usize {
        let name = self.scene.site.last_seen().header("via").to_owned();
        self.proxies.iter().position(|proxy| proxy.name == name).expect("it came through a proxy")
    }

    /// Makes a call; through which proxy it came.
    async fn call(&self, session: &Session) -> usize {
        self.scene.steady(session).await.is(200).saw("active");
        self.via()
    }

    async fn refused(&self, session: &Session) {
        let asked = self.scene.site.log().len();
        self.scene.steady(session).await.saw("unknown").refuses(PROXY_UNAVAILABLE);
        assert_eq!(self.scene.site.log().len(), asked, "nothing reached the site");
    }
}

#[tokio::test]
async fn a_session_goes_out_where_it_began() {
    let through = Through::start("strict", 4, "").await;
    for user in ["ada", "bob", "cy", "dee", "eve"] {
        // Three sign-ins an hour.
        through.scene.app.clock.advance(1300);
        let session = through.scene.sign_in(user).await;
        let first = through.via();
        for _ in 0..4 {
            assert_eq!(through.call(&session).await, first);
        }
        let revision = through.scene.stored(&session).await.revision;
        assert_eq!(revision, 1, "the same choice is no change");
    }
    assert!(through.scene.site.log().iter().all(|seen| !seen.header("via").is_empty()));
}

#[tokio::test]
async fn a_token_stands_for_its_session_in_user_name_and_password() {
    let through = Through::start("strict", 1, "me-session-{session}:pw-{session}@").await;
    let mut tokens = BTreeSet::new();
    for user in ["ada", "bob"] {
        let from = through.proxies[0].asked_as().len();
        let session = through.scene.sign_in(user).await;
        through.call(&session).await;
        through.call(&session).await;
        let asked: BTreeSet<String> = through.proxies[0].asked_as().split_off(from).into_iter().collect();
        let asked: Vec<String> = asked.into_iter().collect();
        let [asked] = &asked[..] else { panic!("one session is one: {asked:?}") };
        let (user, password) = asked.split_once(':').expect("a pair");
        let token = user.strip_prefix("me-session-").expect("the user name");
        assert_eq!((password, token.len()), (&*format!("pw-{token}"), 8));
        tokens.insert(token.to_owned());
    }
    assert_eq!(tokens.len(), 2, "two sessions are two");
}

#[tokio::test]
async fn credentials_reach_the_proxy_and_neither_the_site_nor_the_log() {
    let mut through = Through::start("best_effort", 2, "canary-user:canary-password@").await;
    let session = through.scene.sign_in("ada").await;
    through.call(&session).await;
    for proxy in &mut through.proxies {
        proxy.go_down().await;
    }
    through.refused(&session).await;
    assert!(
        through
            .proxies
            .iter()
            .any(|proxy| proxy.asked_as().contains(&"canary-user:canary-password".to_owned()))
    );
    for seen in through.scene.site.log() {
        assert!(!format!("{seen:?}").contains("canary-"), "{seen:?}");
        assert_eq!(seen.header("proxy-authorization"), "");
    }
    let log = logged();
    assert!(log.contains(&format!("127.0.0.1:{}", through.proxies[0].name.trim_start_matches("proxy-"))));
    assert!(!log.contains("canary-user") && !log.contains("canary-password"));
    let stored = through.scene.app.database.dump().await;
    assert!(!format!("{stored:?}").contains("canary-"));
}

#[tokio::test]
async fn strictly_a_proxy_that_fails_ends_the_call_and_not_the_session() {
    let mut through = Through::start("strict", 3, "").await;
    let session = through.scene.sign_in("ada").await;
    let first = through.via();
    through.proxies[first].go_down().await;
    for _ in 0..3 {
        through.refused(&session).await;
    }
    through.proxies[first].come_back().await;
    assert_eq!(through.call(&session).await, first);
}

#[tokio::test]
async fn a_member_that_is_gone_is_missed_until_it_is_back() {
    let through = Through::start("strict", 3, "u:before@").await;
    let session = through.scene.sign_in("ada").await;
    let first = through.via();
    let url = |nth: usize, credentials: &str| through.proxies[nth].url(credentials);
    let others: Vec<String> = (0..3).filter(|nth| *nth != first).map(|nth| url(nth, "")).collect();
    through.change(&others).await;
    through.refused(&session).await;
    // In another place, and with a new password.
    through.change(&[&others[..], &[url(first, "u:after@")]].concat()).await;
    assert_eq!(through.call(&session).await, first);
    assert_eq!(through.proxies[first].asked_as().last().map(String::as_str), Some("u:after"));
}

#[tokio::test]
async fn a_session_whose_pool_changed_does_not_go_another_way() {
    let through = Through::start("strict", 2, "").await;
    let session = through.scene.sign_in("ada").await;
    let first = through.via();
    let stack = &through.scene.app.gateway.stack;
    let urls = [through.proxies[0].url(""), through.proxies[1].url("")];
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let now = through.scene.app.clock.now();
    outbound::set(&stack.provider, &stack.app.store, "other", &urls, now).await.expect("a pool");

    through.apply("{ pool: other, sticky: strict }").await;
    through.refused(&session).await;
    through.apply("{ pool: missing, sticky: best_effort }").await;
    through.refused(&session).await;
    through.apply_source(SITE).await;
    through.refused(&session).await;
    through.apply("{ pool: mill }").await;
    assert_eq!(through.call(&session).await, first);

    // The other way round: it began without a proxy.
    through.apply_source(SITE).await;
    let direct = through.scene.sign_in("bob").await;
    assert_eq!(through.scene.site.last_seen().header("via"), "");
    through.apply("{ pool: mill }").await;
    through.refused(&direct).await;
    through.apply("{ pool: mill, sticky: best_effort }").await;
    let taken = through.call(&direct).await;
    through.apply("{ pool: mill }").await;
    assert_eq!(through.call(&direct).await, taken);
}

#[tokio::test]
async fn with_best_effort_another_proxy_is_taken_and_kept() {
    let mut through = Through::start("best_effort", 2, "u-{session}:@").await;
    let session = through.scene.sign_in("ada").await;
    let first = through.via();
    let before = through.scene.stored(&session).await.revision;
    through.proxies[first].go_down().await;
    let second = through.call(&session).await;
    assert_ne!(second, first);
    assert_eq!(through.scene.stored(&session).await.revision, before + 1);
    through.proxies[first].come_back().await;
    for _ in 0..3 {
        assert_eq!(through.call(&session).await, second);
    }
    let asked: BTreeSet<String> = through.proxies[second].asked_as().into_iter().collect();
    assert_eq!(asked.len(), 1, "the new choice has one token");
    assert!(!asked.is_subset(&through.proxies[first].asked_as().into_iter().collect()));

    // A member that left the pool is another way to be gone.
    through.change(&[through.proxies[first].url("")]).await;
    assert_eq!(through.call(&session).await, first);
}

#[tokio::test]
async fn with_best_effort_few_are_tried_and_a_sign_in_may_move_too() {
    let mut through = Through::start("best_effort", 5, "").await;
    let session = through.scene.sign_in("ada").await;
    let first = through.via();
    for proxy in &mut through.proxies {
        proxy.go_down().await;
    }
    through.refused(&session).await;
    // The first that is tried and two more: with three of five back, one of those is found at the latest.
    let others: Vec<usize> = (0..5).filter(|nth| *nth != first).collect();
    for nth in &others[..3] {
        through.proxies[*nth].come_back().await;
    }
    assert!(others[..3].contains(&through.call(&session).await));

    let signed_in = through.scene.sign_in("bob").await;
    let via = through.via();
    assert!(others[..3].contains(&via));
    assert_eq!(through.call(&signed_in).await, via);
}

#[tokio::test]
async fn what_may_have_reached_the_site_is_not_sent_another_way() {
    let through = Through::start("best_effort", 2, "").await;
    let session = through.scene.sign_in("ada").await;
    let first = through.via();
    through.proxies[first].break_off();
    let other = through.proxies[1 - first].asked_as().len();
    through.refused(&session).await;
    assert_eq!(through.proxies[1 - first].asked_as().len(), other);
}

#[tokio::test]
async fn parallel_calls_of_a_session_go_one_way() {
    let through = Through::start("best_effort", 4, "u-{session}:@").await;
    let session = through.scene.sign_in("ada").await;
    let (first, from) = (through.via(), through.scene.site.log().len());
    let answers = join_all((1..=20).map(|number| through.scene.page(&session, number))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let log = through.scene.site.log().split_off(from);
    assert_eq!(log.len(), 20);
    assert!(log.iter().all(|seen| seen.header("via") == through.proxies[first].name));
    assert_eq!(through.proxies[first].asked_as().into_iter().collect::<BTreeSet<_>>().len(), 1);
    assert_eq!(through.call(&session).await, first);
}

#[tokio::test]
async fn a_call_without_a_session_goes_through_the_pool_as_well() {
    let mut through = Through::start("strict", 1, "u-{session}:@").await;
    for _ in 0..2 {
        through.scene.bare("get_open", json!({})).send().await.is(200);
        assert_eq!(through.via(), 0);
    }
    let asked = through.proxies[0].asked_as();
    assert_ne!(asked[0], asked[1], "two calls have nothing to do with each other");
    through.proxies[0].go_down().await;
    through.scene.bare("get_open", json!({})).send().await.refuses(PROXY_UNAVAILABLE);
}

#[tokio::test]
async fn a_sign_in_without_its_pool_is_refused_and_leaves_no_session() {
    let through = Through::start("strict", 1, "").await;
    through.apply("{ pool: missing }").await;
    let asked = through.scene.site.log().len();
    through.scene.login("ada", PASSWORD).send().await.saw("unknown").refuses(PROXY_UNAVAILABLE);
    assert_eq!(through.scene.site.log().len(), asked);
    through.apply("{ pool: mill }").await;
    through.scene.cap(1).await;
    // The slot of the refused one is free.
    through.scene.sign_in("bob").await;
}

#[tokio::test]
async fn a_pool_is_read_once_a_minute_by_who_needs_it() {
    let through = Through::start("strict", 1, "").await;
    let session = through.scene.sign_in("ada").await;
    through.scene.app.database.forget();
    through.call(&session).await;
    let warm = through.scene.calls("BatchGetItem");
    through.scene.app.clock.advance(FRESH);
    through.scene.app.database.forget();
    through.call(&session).await;
    assert_eq!((warm, through.scene.calls("BatchGetItem")), (1, 2));
}
