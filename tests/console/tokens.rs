//! `/console/tokens`: a personal token is made, shown once, listed and revoked.

use serde_json::json;

use super::browser::Browser;
use crate::support::TestApp;

const TOKENS: &str = "/console/tokens";

#[tokio::test]
async fn a_token_is_shown_once_and_works_until_it_is_revoked() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    let jane = app.user("jane").await;
    let mut browser = Browser::sign_in(&app, &jane).await;
    let empty = browser.open(TOKENS).await.is(200);
    empty.says("There are no tokens on this page.");
    let made = browser.send(&empty.form("Generate a token").with("name", "try <b>it</b>")).await.is(201);
    made.says("It is shown this once.");
    let secret = made.all("#secret")[0].attr("value").unwrap().to_owned();
    let who = other.session(&secret).await.is(200).json;
    assert_eq!((&who["method"], &who["user"]["id"]), (&json!("personal_token"), &json!(jane.id)));

    let list = browser.follow(&made, "I have kept it: back to the tokens").await.is(200);
    assert_eq!(list.texts("td:first-child"), ["try <b>it</b>"]);
    assert!(list.texts("td")[2].ends_with("16 Jan 2027, 12:00 UTC"), "{:?}", list.texts("td"));
    assert!(!list.html.html().contains(&secret));

    let question = browser.follow(&list, "Revoke… the token try <b>it</b>").await.is(200);
    question.says("Whatever uses try <b>it</b> is refused from the next request on.");
    other.session(&secret).await.is(200);
    let done = browser.send(&question.form("Revoke it")).await.is(200);
    done.says("The token is revoked");
    done.says("There are no tokens on this page.");
    other.session(&secret).await.is(401);
    // Once more there is nothing to revoke.
    browser.open(&question.path).await.is(404);
    browser.send(&question.form("Revoke it")).await.is(404);
}

#[tokio::test]
async fn what_the_api_refuses_is_told_beside_the_name() {
    let app = TestApp::start().await;
    let jane = app.user("jane").await;
    let mut browser = Browser::sign_in(&app, &jane).await;
    let form = browser.open(TOKENS).await.is(200).form("Generate a token");
    let before = app.database.decisive().await;
    let long = "x".repeat(101);
    for name in ["", "a\u{7}b", long.as_str()] {
        let refused = browser.send(&form.clone().with("name", name)).await.is(400);
        let body = json!({ "name": name });
        let api = app.post("/v1/tokens", body).cookie(&browser.cookie).send().await.is(400);
        let message = api.json["errors"][0]["message"].as_str().unwrap();
        assert_eq!(refused.fault("name").unwrap(), format!("Name {message}."));
        assert_eq!(refused.form("Generate a token").value("name"), Some(name));
    }
    assert_eq!(app.database.decisive().await, before);
}

#[tokio::test]
async fn nobody_sees_or_revokes_anothers_token() {
    let app = TestApp::start().await;
    let (_, tokens) = app.signed_in("jane").await;
    let (id, secret) = app.named_personal_token(&tokens.access).await;
    let joe = app.user("joe").await;
    let mut browser = Browser::sign_in(&app, &joe).await;
    let list = browser.open(TOKENS).await.is(200);
    list.says("There are no tokens on this page.");
    let mut form = list.form("Generate a token");
    form.action = format!("{TOKENS}/{id}/revoke");
    browser.open(&form.action).await.is(404);
    browser.send(&form).await.is(404);
    app.session(&secret).await.is(200);
}
