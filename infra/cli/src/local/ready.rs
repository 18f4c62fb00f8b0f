//! What a started stack tells programs.

use serde::Serialize;

use super::Stack;

/// The one line of `--ready-json`.
#[derive(Clone, Debug, Serialize)]
pub struct Ready {
    pub base_url: String,
    pub console_url: String,
    pub dynamodb_url: String,
    pub user: Option<ReadyUser>,
    pub account_id: Option<String>,
    pub workspace_id: Option<String>,
    pub keys: Option<ReadyKeys>,
    pub demo: Option<ReadyDemo>,
}

/// The demo user.
#[derive(Clone, Debug, Serialize)]
pub struct ReadyUser {
    pub email: String,
    pub password: String,
}

/// The demo user's keys.
#[derive(Clone, Debug, Serialize)]
pub struct ReadyKeys {
    pub account: String,
    pub workspace: String,
}

/// The demo site, and who can sign in there.
#[derive(Clone, Debug, Serialize)]
pub struct ReadyDemo {
    pub scraper_id: String,
    pub site_url: String,
    pub username: String,
    pub password: String,
}

impl Ready {
    pub(super) fn of(stack: &Stack) -> Self {
        let demo = stack.demo.as_ref();
        Self {
            base_url: stack.base_url.clone(),
            console_url: format!("{}/console", stack.base_url),
            dynamodb_url: stack.dynamodb_url.clone(),
            user: demo.map(|demo| ReadyUser { email: demo.email.clone(), password: demo.password.clone() }),
            account_id: demo.map(|demo| demo.account.id.to_string()),
            workspace_id: demo.map(|demo| demo.account.workspace_id.to_string()),
            keys: demo.map(|demo| ReadyKeys {
                account: demo.account_key.clone(),
                workspace: demo.workspace_key.clone(),
            }),
            demo: demo.map(|demo| ReadyDemo {
                scraper_id: super::demo::API_ID.to_owned(),
                site_url: demo.site.url(),
                username: demo.site_username.clone(),
                password: demo.site_password.clone(),
            }),
        }
    }
}
