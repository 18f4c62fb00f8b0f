//! The demo: a site that requires a login, and a user with keys and with that site's definition.
//!
//! What the operator would do goes through the operator's code, the rest through the functions' own flows, as
//! the user would do it.

use std::fmt;

use demo_site::DemoSite;
use http::{HeaderMap, HeaderValue, Method, header};
use latchkey::crypto::password;
use latchkey::crypto::secret::Secret;
use latchkey::domain::account::{Account, Plan};
use latchkey::domain::id::ApiId;
use latchkey::http::Request;
use latchkey::store::operator::NewUser;
use latchkey::{App, Code, Error, Function};
use serde_json::{Value, json};

/// The `scraper_id` of the demo site.
pub(super) const API_ID: &str = "demo";

/// The `scraper_id` of the same site's JSON side.
const JSON_API_ID: &str = "demo-json";

const EMAIL: &str = "demo@latchkey.local";
const SITE_USERNAME: &str = "sailor";

/// The names of the demo's keys, by which a later start finds and replaces them.
const ACCOUNT_KEY: &str = "Demo account key";
const WORKSPACE_KEY: &str = "Demo workspace key";

/// What the demo consists of. The secrets in it are for a machine of one's own; they change on every start.
pub struct Demo {
    pub site: DemoSite,
    pub email: String,
    pub password: String,
    pub account: Account,
    pub account_key: String,
    pub workspace_key: String,
    pub site_username: String,
    pub site_password: String,
}

impl fmt::Debug for Demo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Demo").field("email", &self.email).field("site", &self.site).finish_non_exhaustive()
    }
}

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub(super) enum DemoError {
    #[error("the demo site cannot listen: {0}")]
    Site(#[from] std::io::Error),
    #[error("{0}")]
    Refused(String),
    #[error("the demo's definition is wrong: {0}")]
    Definition(String),
    #[error("an answer has no {0}")]
    Incomplete(&'static str),
}

impl From<Error> for DemoError {
    fn from(error: Error) -> Self {
        Self::Refused(super::told(&error))
    }
}

impl Demo {
    /// Starts the site and makes, or renews, everything that leads to it.
    pub(super) async fn set_up(app: &App) -> Result<Self, DemoError> {
        let site_password = random_password();
        let site = DemoSite::start(
            0,
            vec![demo_site::User {
                username: SITE_USERNAME.to_owned(),
                password: site_password.clone(),
                display_name: "A sailor".to_owned(),
            }],
        )
        .await?;
        let password = random_password();
        let account = user(app, &password).await?;
        apply(app, &account, API_ID, &site.definition()).await?;
        apply(app, &account, JSON_API_ID, &site.json_definition()).await?;
        let (account_key, workspace_key) = keys(app, &account, &password).await?;
        Ok(Self {
            site,
            email: EMAIL.to_owned(),
            password,
            account,
            account_key,
            workspace_key,
            site_username: SITE_USERNAME.to_owned(),
            site_password,
        })
    }
}

/// The demo user with this password, made where there is none yet.
async fn user(app: &App, password: &str) -> Result<Account, Error> {
    let hash = password::hash(&Secret::new(password)).await?.as_phc().to_owned();
    let made = app
        .store
        .create_user(
            NewUser {
                email: EMAIL,
                first_name: "Demo",
                last_name: "User",
                plan: Plan::Pro,
                password_hash: Some(hash.clone()),
            },
            app.clock.now(),
        )
        .await;
    match made {
        Err(error) if error.code == Code::Conflict => app.store.set_password(EMAIL, hash).await,
        made => made,
    }
}

async fn apply(app: &App, account: &Account, id: &str, source: &str) -> Result<(), DemoError> {
    let checked = latchkey::upstream::definition::parse(source).map_err(|faults| {
        DemoError::Definition(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    })?;
    let id: ApiId = id.parse().map_err(|_| DemoError::Definition(format!("{id} is no id of an API")))?;
    app.store
        .apply_api(account.id, account.workspace_id, &id, &checked.definition, source, app.clock.now())
        .await?;
    Ok(())
}

/// New keys in place of those of an earlier start, whose texts nobody has any more.
async fn keys(app: &App, account: &Account, password: &str) -> Result<(String, String), DemoError> {
    let signed_in = call(
        app,
        &login::FUNCTION,
        (Method::POST, "/api/auth/login"),
        None,
        json!({"email": EMAIL, "password": password}),
    )
    .await?;
    let access = text(&signed_in, "access")?;
    let keys_route = "/v1/api-keys";
    let listed = call(app, &keys::FUNCTION, (Method::GET, keys_route), Some(&access), Value::Null).await?;
    for key in listed["data"].as_array().into_iter().flatten() {
        if [ACCOUNT_KEY, WORKSPACE_KEY].contains(&key["name"].as_str().unwrap_or_default()) {
            let path = format!("{keys_route}/{}", text(key, "id")?);
            call(app, &keys::FUNCTION, (Method::DELETE, &path), Some(&access), Value::Null).await?;
        }
    }
    let of_account = json!({ "name": ACCOUNT_KEY });
    let of_workspace = json!({
        "name": WORKSPACE_KEY,
        "scope": { "type": "workspace", "id": account.workspace_id.to_string() },
    });
    let made = call(app, &keys::FUNCTION, (Method::POST, keys_route), Some(&access), of_account).await?;
    let account_key = text(&made, "secret")?;
    let made = call(app, &keys::FUNCTION, (Method::POST, keys_route), Some(&access), of_workspace).await?;
    let workspace_key = text(&made, "secret")?;
    let refresh = json!({ "refresh": text(&signed_in, "refresh")? });
    call(app, &logout::FUNCTION, (Method::POST, "/api/auth/logout"), None, refresh).await?;
    Ok((account_key, workspace_key))
}

/// Runs one function's flow as a request would.
async fn call(
    app: &App,
    function: &Function,
    (method, path): (Method, &str),
    access: Option<&str>,
    body: Value,
) -> Result<Value, Error> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(access) = access {
        let value = HeaderValue::from_str(&format!("Bearer {access}")).map_err(Error::internal)?;
        headers.insert(header::AUTHORIZATION, value);
    }
    let request = Request {
        headers,
        body: if body.is_null() { bytes::Bytes::new() } else { body.to_string().into() },
        client_address: Some(std::net::Ipv4Addr::LOCALHOST.into()),
        request_id: "demo".to_owned(),
        ..Request::new(method, path, app.clock.now())
    };
    let response = (function.handle)(app, request).await?;
    Ok(serde_json::from_slice(&response.body).unwrap_or_default())
}

fn text(value: &Value, field: &'static str) -> Result<String, DemoError> {
    value[field].as_str().map(ToOwned::to_owned).ok_or(DemoError::Incomplete(field))
}

/// Random enough (122 bits), and easy to copy by hand.
fn random_password() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_definitions_can_be_used_on_this_machine() {
        let site = DemoSite::start(0, Vec::new()).await.unwrap();
        for source in [site.definition(), site.json_definition()] {
            let checked = latchkey::upstream::definition::parse(&source).unwrap();
            let warned: Vec<&str> = checked.warnings.iter().map(|warning| &*warning.place).collect();
            assert_eq!(warned, ["servers.0.url"], "only that it is on loopback");
        }
    }
}
