//! Everything that the console shows and takes, found by following its links: by whoever may do all, by whoever may
//! do less, and by a stranger.

use std::collections::{BTreeMap, VecDeque};

use latchkey::domain::account::{Account, Role};
use serde_json::json;

use super::browser::{Browser, Form, Page};
use crate::scraper::scene::{MOUNT, SITE, Scene};
use crate::support::{TestApp, User};

/// Text that would be markup, wherever somebody can put text.
const MARKUP: &str = "<img src=x onerror=alert(1)> & \"Co\"";
/// More pages than the console has for what the town holds.
const MOST: usize = 250;

/// An organization with something of everything, and someone of each role.
struct Town {
    scene: Scene,
    organization: Account,
    people: BTreeMap<&'static str, User>,
}

impl Town {
    async fn start() -> Self {
        let scene = Scene::start().await;
        let app = &scene.app;
        let owner = app.user("owner").await;
        let organization = app.organization(MARKUP, &owner).await;
        let mut people = BTreeMap::from([("owner", owner), ("stranger", app.user("stranger").await)]);
        for (name, role) in [("admin", Role::Admin), ("member", Role::Member), ("viewer", Role::Viewer)] {
            let user = app.user(name).await;
            app.add_member(&organization, &user, role).await;
            people.insert(name, user);
        }
        for (id, source) in [("mill", SITE), ("contacts", MOUNT)] {
            scene.apply(organization.id, organization.workspace_id, id, source).await;
        }
        let access = app.sign_in(&people["owner"]).await.access;
        let organizations = format!("/v1/organizations/{}", organization.id);
        for (path, body) in [
            ("/v1/api-keys", json!({ "name": MARKUP })),
            ("/v1/api-keys", json!({ "name": "limited", "rate_limit": 5, "allowed_ips": ["192.0.2.0/24"] })),
            ("/v1/tokens", json!({ "name": MARKUP })),
            (&format!("{organizations}/workspaces"), json!({ "name": MARKUP })),
        ] {
            app.post(path, body).bearer(&access).acting_in(organization.id).send().await.is(201);
        }
        let invitation = json!({ "email": "new@example.com", "role": "member" });
        app.post(&format!("{organizations}/members"), invitation).bearer(&access).send().await.is(202);
        Self { scene, organization, people }
    }

    fn app(&self) -> &TestApp {
        &self.scene.app
    }

    async fn browser(&self, name: &str) -> Browser<'_> {
        Browser::sign_in(self.app(), &self.people[name]).await
    }

    /// Where the walk begins: in the organization.
    fn begin(&self) -> String {
        format!("/console?account={}", self.organization.id)
    }

    /// Every page that links lead to.
    async fn walk(&self, browser: &mut Browser<'_>) -> Vec<Page> {
        let mut ways = VecDeque::from([self.begin()]);
        let mut known: Vec<String> = ways.iter().cloned().collect();
        let mut pages = Vec::new();
        while let Some(path) = ways.pop_front() {
            let page = browser.open(&path).await.is(200);
            for (way, _) in page.links() {
                let way = way.split('#').next().unwrap_or_default().to_owned();
                assert!(way.is_empty() || way.starts_with("/console"), "{way} at {path}");
                if !way.is_empty() && !known.contains(&way) {
                    known.push(way.clone());
                    ways.push_back(way);
                }
            }
            pages.push(page);
            assert!(pages.len() <= MOST, "the console does not end: {known:?}");
        }
        pages
    }

    /// Every form that sends something, of all those pages: one of each address.
    async fn forms(&self, browser: &mut Browser<'_>) -> BTreeMap<String, Form> {
        let pages = self.walk(browser).await;
        let forms = pages.iter().flat_map(Page::forms).filter(|form| form.method == "post");
        forms.map(|form| (form.action.clone(), form)).collect()
    }
}

#[tokio::test]
async fn every_page_is_sound_and_shows_text_as_text() {
    let town = Town::start().await;
    for name in ["owner", "viewer"] {
        let pages = town.walk(&mut town.browser(name).await).await;
        assert!(pages.len() >= 8, "{name} sees {}", pages.len());
        for page in &pages {
            check(page);
        }
    }
}

/// What holds for every page.
fn check(page: &Page) {
    let at = &page.path;
    assert_eq!(page.all("h1").len(), 1, "{at}");
    let mut before = 0;
    for heading in page.all("h1, h2, h3, h4") {
        let level: u32 = heading.value().name()[1..].parse().unwrap();
        assert!(level <= before + 1, "a heading of level {level} after one of {before} at {at}");
        before = level;
    }
    for field in page.all("input:not([type=hidden]), select, textarea") {
        let id = field.attr("id").unwrap_or_else(|| panic!("{} without an id at {at}", field.html()));
        assert_eq!(page.all(&format!("label[for=\"{id}\"]")).len(), 1, "the label of {id} at {at}");
        assert_eq!(page.all(&format!("[id=\"{id}\"]")).len(), 1, "{id} stands twice at {at}");
    }
    for described in page.all("[aria-describedby]") {
        for id in described.attr("aria-describedby").unwrap().split(' ') {
            assert_eq!(page.all(&format!("[id=\"{id}\"]")).len(), 1, "{id} at {at}");
        }
    }
    for unwanted in ["img", "style", "[style]", "script:not([src])", "[onclick]", "[onerror]", "iframe"] {
        assert!(page.all(unwanted).is_empty(), "{unwanted} at {at}");
    }
    for table in page.all("table") {
        let html = table.html();
        assert!(html.contains("<caption") && html.contains("scope=\"col\""), "{at}: {html}");
    }
    for form in page.forms() {
        assert!(!form.words.is_empty(), "a form without a button at {at}");
        let is_guarded = form.action == "/console/sign-out" || form.method == "get";
        assert!(is_guarded || form.value("form").is_some_and(|token| !token.is_empty()), "{form:?} at {at}");
        assert!(
            form.action.contains("account=")
                || form.method == "get"
                || !at.contains("account=")
                || is_guarded,
            "{form:?} at {at} leaves the account"
        );
    }
}

#[tokio::test]
async fn forms_that_are_forged_stale_or_from_elsewhere_change_nothing() {
    let town = Town::start().await;
    let mut browser = town.browser("owner").await;
    let mut apart = town.browser("owner").await;
    let foreign = apart.open("/console/keys/new").await.is(200).form("Create the key");
    let foreign = foreign.value("form").unwrap().to_owned();
    let forms = town.forms(&mut browser).await;
    assert!(forms.len() >= 8, "{:?}", forms.keys());
    let before = town.app().database.decisive().await;
    for (action, form) in &forms {
        let cross_site = browser.post(form).header("sec-fetch-site", "cross-site");
        assert_eq!(cross_site.send().await.status, 403, "{action}");
        if action == "/console/sign-out" {
            continue;
        }
        let own = form.value("form").unwrap().to_owned();
        let flipped: String = own.chars().rev().collect();
        for token in ["", "nonsense", "a.b", &flipped, &foreign] {
            let answer = browser.send(&form.clone().with("form", token)).await;
            assert_eq!(answer.answer.status, 403, "{action} with {token:?}");
        }
        assert_eq!(browser.send(&form.clone().without("form")).await.answer.status, 403, "{action}");
        // Another's, whose cookie goes with it.
        assert_eq!(apart.send(form).await.answer.status, 403, "{action}");
    }
    assert_eq!(town.app().database.decisive().await, before);
}

#[tokio::test]
async fn what_is_not_offered_is_refused() {
    let town = Town::start().await;
    let mut owner = town.browser("owner").await;
    let mut all = town.forms(&mut owner).await;
    // Those of other accounts of hers have the same addresses for everybody.
    all.retain(|action, _| action.contains("account="));
    let pages: Vec<String> = town.walk(&mut owner).await.into_iter().map(|page| page.path).collect();
    for name in ["viewer", "stranger"] {
        let mut browser = town.browser(name).await;
        let token = browser.open("/console/tokens").await.is(200).form("Generate a token");
        let token = token.value("form").unwrap().to_owned();
        let (mut offered, mut seen) = (BTreeMap::new(), Vec::new());
        if name == "stranger" {
            let answer = browser.open(&town.begin()).await.is(403);
            assert!(!answer.text().contains("Co"), "{}", answer.text());
            for path in pages.iter().filter(|path| path.contains("account=")) {
                browser.open(path).await.is(403);
            }
        } else {
            offered = town.forms(&mut browser).await;
            seen = town.walk(&mut browser).await.into_iter().map(|page| page.path).collect();
        }
        let before = town.app().database.decisive().await;
        for (action, form) in all.iter().filter(|(action, _)| !offered.contains_key(*action)) {
            let answer = browser.send(&form.clone().with("form", &token)).await;
            assert!(
                matches!(answer.answer.status, 403 | 404),
                "{name}: {} to {action}",
                answer.answer.status
            );
        }
        assert_eq!(town.app().database.decisive().await, before, "{name}");
        // A page that is not linked is not shown either.
        for path in pages.iter().filter(|path| path.contains("account=") && !seen.contains(path)) {
            let status = browser.open(path).await.answer.status;
            assert!(matches!(status, 403 | 404), "{name}: {status} at {path}");
        }
    }
}
