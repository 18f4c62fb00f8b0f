use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::clock::after;
use crate::crypto::keyring::Purpose;
use crate::crypto::keyring::tests::{NOW, Stack};
use crate::store::proxy_pools::StoredPool;
use crate::{Code, Timestamp};

fn pool(urls: &[&str]) -> Pool {
    Pool::parse("home", urls.iter().copied()).unwrap()
}

fn fault(urls: &[&str]) -> String {
    Pool::parse("home", urls.iter().copied()).unwrap_err().to_string()
}

#[test]
fn members_are_taken_in_every_spelling_and_known_by_their_address() {
    for (url, address) in [
        ("http://proxy.example.com:3128", "http://proxy.example.com:3128"),
        ("HTTP://Proxy.Example.com:3128/", "http://proxy.example.com:3128"),
        ("http://proxy.example.com:80", "http://proxy.example.com:80"),
        ("http://u:p@10.0.0.1:8080", "http://10.0.0.1:8080"),
        ("http://u@0x7f.1:8080", "http://127.0.0.1:8080"),
        ("socks5://[2001:DB8::1]:1080", "socks5://[2001:db8::1]:1080"),
        ("socks5h://proxy.example.com:1080", "socks5://proxy.example.com:1080"),
        ("socks5://u%3Av:p%40%2F@proxy.example.com:1080", "socks5://proxy.example.com:1080"),
        ("http://customer-me-session-{session}:p@pr.example:7777", "http://pr.example:7777"),
    ] {
        assert_eq!(pool(&[url]).addresses(), [address], "{url}");
    }
}

#[test]
fn every_fault_names_its_pool_and_its_member_and_shows_no_secret() {
    let long = format!("http://{}:1@p.test:1", "s".repeat(256));
    let longer = format!("http://secret@{}:1", "p".repeat(LONGEST_URL));
    for (url, told) in [
        ("", "must begin with http:// or socks5://"),
        ("p.test:1", "must begin with http:// or socks5://"),
        ("https://secret@p.test:1", "must begin with http:// or socks5://"),
        ("socks4://p.test:1", "must begin with http:// or socks5://"),
        (
            "http://p.test",
            "must name a host and its port, and nothing after them, as http://proxy.example.com:3128 does",
        ),
        ("http://p.test:", "must name a host and its port"),
        ("http://p.test:0", "must name a host and its port"),
        ("http://p.test:65536", "must name a host and its port"),
        ("http://p.test:+1", "must name a host and its port"),
        ("http://:3128", "must name a host and its port"),
        ("http://p.test:1/path", "must name a host and its port"),
        ("http://p.test:1?q", "must name a host and its port"),
        ("http://p test:1", "must name a host and its port"),
        ("http://p%2Etest:1", "must name a host and its port"),
        ("http://::1:1080", "must name a host and its port"),
        ("http://:secret@p.test:1", "has no user name before its password"),
        ("http://@p.test:1", "has no user name before its password"),
        ("http://u:sec:ret@p.test:1", "must percent-encode special characters"),
        ("http://u:sec@ret@p.test:1", "must percent-encode special characters"),
        ("http://u:sec/ret@p.test:1", "must percent-encode special characters"),
        ("http://u:%ff@p.test:1", "must percent-encode special characters"),
        ("http://u:%0d%0asecret@p.test:1", "hold no control characters"),
        ("http://sec%3Aret:p@p.test:1", "has a colon in its user name"),
        (&long, "has a user name or a password of more than 255 bytes"),
        (&longer, "is longer than 900 bytes"),
    ] {
        let text = fault(&["http://good.test:1", url]);
        assert!(text.starts_with("the pool home: member 2 "), "{text}");
        assert!(text.contains(told), "{url}: {text}");
        assert!(!text.contains("secret") && !text.contains("sec"), "{text}");
    }
    assert_eq!(
        fault(&["x", "http://a.test:1", "http://u:secret@A.test:1/", "http://b.test:0"]),
        "the pool home: member 1 must begin with http:// or socks5://; member 3 is http://a.test:1, as another one is: \
         a pool has one member at an address; member 4 must name a host and its port, and nothing after them, as \
         http://proxy.example.com:3128 does"
    );
}

#[test]
fn a_pool_has_a_name_and_a_bounded_number_of_members() {
    assert_eq!(fault(&[]), "the pool home has no members");
    let urls: Vec<String> = (1..=MOST_MEMBERS).map(|port| format!("http://p.test:{port}")).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    assert_eq!(pool(&urls).addresses().len(), MOST_MEMBERS);
    assert_eq!(fault(&[&urls[..], &["http://q.test:1"]].concat()), "the pool home has more than 64 members");
    for name in ["", "a b", "a#b", &"n".repeat(65)] {
        assert_eq!(Pool::parse(name, ["http://p.test:1"]), Err(PoolError::Name));
    }
}

#[test]
fn a_session_keeps_its_token_and_another_has_another() {
    let pool = pool(&["http://user-{session}:pass-{session}@p.test:1"]);
    let bound = pool.choose(&[]).unwrap().unwrap();
    assert_eq!(pool.proxy(&bound), pool.proxy(&bound));
    let shown = bound.session.clone();
    let expected = Proxy::new(
        crate::upstream::egress::ProxyScheme::Http,
        url::Host::parse("p.test").unwrap(),
        1,
        Some((format!("user-{shown}").into(), format!("pass-{shown}").into())),
    );
    assert_eq!(pool.proxy(&bound), Some(expected));
    let tokens: BTreeSet<String> = (0..200).map(|_| pool.choose(&[]).unwrap().unwrap().session).collect();
    assert_eq!(tokens.len(), 200);
    assert!(tokens.iter().all(|token| {
        token.len() == 8 && token.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    }));
    assert!(!format!("{bound:?} {pool:?}").contains(&shown));
}

#[test]
fn every_member_may_be_drawn_beside_those_that_failed() {
    let pool = pool(&["http://a.test:1", "http://b.test:1", "socks5://a.test:1"]);
    let drawn: BTreeSet<String> = (0..200).map(|_| pool.choose(&[]).unwrap().unwrap().member).collect();
    assert_eq!(
        drawn.into_iter().collect::<Vec<_>>(),
        ["http://a.test:1", "http://b.test:1", "socks5://a.test:1"]
    );
    let except = ["http://a.test:1".to_owned(), "socks5://a.test:1".to_owned()];
    for _ in 0..20 {
        assert_eq!(pool.choose(&except).unwrap().unwrap().member, "http://b.test:1");
    }
    assert_eq!(pool.choose(&pool.addresses()).unwrap(), None);
}

#[test]
fn a_bound_proxy_outlives_reordering_and_new_passwords_and_nothing_else() {
    let before = pool(&["http://a:1@a.test:1", "http://b:1@b.test:1"]);
    let bound = before.choose(&["http://b.test:1".to_owned()]).unwrap().unwrap();
    let after = pool(&["http://c:1@c.test:1", "http://b:2@b.test:1", "http://a:2@a.test:1/"]);
    assert_ne!(after.proxy(&bound), before.proxy(&bound));
    assert_eq!(after.proxy(&bound).unwrap().to_string(), "http://a.test:1");
    for other in ["socks5://a.test:1", "http://a.test:2", "http://b.test:1"] {
        assert_eq!(pool(&[other]).proxy(&bound), None, "{other}");
    }
    let elsewhere = Pool::parse("work", ["http://a:1@a.test:1"]).unwrap();
    assert_eq!(elsewhere.proxy(&bound), None);
}

proptest! {
    #[test]
    fn any_text_is_refused_or_is_one_address(text in ".{0,60}", scheme in "(http|socks5h?)://", rest in "[a-z0-9.:@%{}\\[\\]/]{0,40}") {
        for url in [text.clone(), format!("{scheme}{text}"), format!("{scheme}{rest}")] {
            if let Ok(member) = Member::parse(&url) {
                let address = member.address();
                prop_assert!(!address.contains('@'));
                prop_assert_eq!(Member::parse(&address).unwrap().address(), address);
            }
        }
    }

    #[test]
    fn credentials_read_back_and_are_never_shown(user in "[^:\\p{Cc}]{1,40}", password in "[^\\p{Cc}]{0,40}") {
        use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let url = format!("http://{}:{}@p.test:3128", encode(&user), encode(&password));
        if url.len() <= LONGEST_URL {
            let pool = pool(&[&url]);
            let bound = pool.choose(&[]).unwrap().unwrap();
            let credentials = (user.clone().into(), password.clone().into());
            let host = url::Host::parse("p.test").unwrap();
            let plain = Proxy::new(crate::upstream::egress::ProxyScheme::Http, host, 3128, Some(credentials));
            prop_assert_eq!(pool.proxy(&bound), Some(plain));
            prop_assert_eq!(format!("{:?}", pool), "Pool { name: \"home\", members: [Member(http://p.test:3128)] }");
        }
    }
}

async fn read(stack: &Stack, pools: &Pools, name: &str, now: Timestamp) -> Result<Option<Vec<String>>, Code> {
    let keyring = stack.keyring(&[Purpose::StoredCredentials]).await;
    let pool = pools.get(name, &stack.store, &keyring, now).await.map_err(|error| error.code)?;
    Ok(pool.map(|pool| pool.addresses()))
}

#[tokio::test]
async fn stored_pools_are_read_once_a_minute_and_others_at_once() {
    let stack = Stack::start().await;
    let pools = Pools::given([Pool::parse("given", ["http://given.test:1"]).unwrap()]);
    let put = |urls: &'static [&'static str]| set(&stack.provider, &stack.store, "home", urls, NOW);
    assert_eq!(read(&stack, &pools, "given", NOW).await, Ok(Some(vec!["http://given.test:1".to_owned()])));
    assert_eq!(read(&stack, &pools, "home", NOW).await, Ok(None));

    assert_eq!(put(&["http://u:canary@a.test:1", "socks5://b.test:1"]).await.unwrap().0, Stored::Made);
    let first = Ok(Some(vec!["http://a.test:1".to_owned(), "socks5://b.test:1".to_owned()]));
    assert_eq!(read(&stack, &pools, "home", NOW).await, first);
    assert_eq!(put(&["http://c.test:1"]).await.unwrap().0, Stored::Replaced);
    assert_eq!(read(&stack, &pools, "home", after(NOW, 59)).await, first);
    let second = Ok(Some(vec!["http://c.test:1".to_owned()]));
    assert_eq!(read(&stack, &pools, "home", after(NOW, 60)).await, second);
    assert_eq!(read(&stack, &Pools::default(), "home", NOW).await, second);

    assert_eq!(put(&["nonsense"]).await.unwrap_err().code, Code::InvalidRequest);
    let listed = list(&stack.store).await.unwrap();
    let expected = Summary { name: "home".into(), members: vec!["http://c.test:1".into()], changed_at: NOW };
    assert_eq!(listed, [expected]);
    assert!(delete(&stack.store, "home").await.unwrap());
    assert!(!delete(&stack.store, "home").await.unwrap());
    assert_eq!(read(&stack, &pools, "home", after(NOW, 120)).await, Ok(None));
    assert!(list(&stack.store).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_pool_that_someone_moved_or_changed_opens_nothing() {
    let stack = Stack::start().await;
    set(&stack.provider, &stack.store, "home", &["http://u:canary@a.test:1"], NOW).await.unwrap();
    let stored = stack.store.proxy_pool("home").await.unwrap().unwrap();
    assert!(!String::from_utf8_lossy(&stored.sealed).contains("canary"));
    let moved = StoredPool::new("work", stored.members.clone(), stored.sealed.to_vec(), NOW);
    stack.store.put_proxy_pool(&moved).await.unwrap();
    assert_eq!(read(&stack, &Pools::default(), "work", NOW).await, Err(Code::Internal));
    let mut sealed = stored.sealed.to_vec();
    *sealed.last_mut().unwrap() ^= 1;
    stack.store.put_proxy_pool(&StoredPool::new("home", stored.members, sealed, NOW)).await.unwrap();
    assert_eq!(read(&stack, &Pools::default(), "home", NOW).await, Err(Code::Internal));
}
