//! `/console`: what needs attention, and the figures.

use serde_json::json;

use super::browser::Browser;
use crate::support::TestApp;

#[tokio::test]
async fn what_needs_attention_is_said_with_a_way_to_it() {
    let app = TestApp::start().await;
    let (jane, tokens) = app.signed_in("jane").await;
    let mut browser = Browser::sign_in(&app, &jane).await;
    let quiet = browser.open("/console").await.is(200);
    quiet.says("Nothing needs your attention.");
    quiet.says("0 requests in 30 days, 0 failed.");

    let ends = latchkey::clock::after(app.clock.now(), 3 * 86_400).to_string();
    app.key(&tokens.access, json!({ "name": "short", "expires_at": ends })).await;
    let used = app.key(&tokens.access, json!({ "name": "roving" })).await;
    for source in ["127.0.0.2", "127.1.0.2"] {
        app.from(source).get("/v1/api-keys").bearer(&used.secret).send().await.is(200);
    }
    app.get("/v1/api-keys/nothing").bearer(&used.secret).send().await.is(404);
    let home = browser.open("/console").await.is(200);
    home.says("short ends on");
    home.says("roving was used from a network that it was never used from before");
    home.says("3 requests in 30 days, 1 failed.");
    browser.follow(&home, "roving").await.is(200).says("That was us");
    // A mark that was seen to is taken away.
    let form = browser.follow(&home, "roving").await.form("That was us");
    browser.send(&form).await.is(200).says("The mark is taken away.");
    assert!(!browser.open("/console").await.text().contains("was used from a network"));
}

#[tokio::test]
async fn an_invitation_needs_attention() {
    let app = TestApp::start().await;
    let (owner, tokens) = app.signed_in("owner").await;
    let guest = app.user("guest").await;
    let organization = app.organization("Harbour", &owner).await;
    let invitation = json!({ "email": guest.email, "role": "viewer" });
    let path = format!("/v1/organizations/{}/members", organization.id);
    app.post(&path, invitation).bearer(&tokens.access).send().await.is(202);
    let home = Browser::sign_in(&app, &guest).await.open("/console").await.is(200);
    home.says("You are invited to Harbour");
}
