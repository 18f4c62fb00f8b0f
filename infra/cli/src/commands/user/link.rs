//! `latchkey user reset-password EMAIL --link`: a one-time link with which the user sets the password.

use clap::Args;
use latchkey::clock::after;
use latchkey::domain::time::shown;
use latchkey::sign_in::reset::RESET_LIFE;
use serde_json::json;

use crate::commands::cloudformation;
use crate::commands::operator::Operator;
use crate::commands::outcome::{Failure, Report, note};

/// Where a local stack listens unless it is told otherwise.
const LOCAL: &str = "http://127.0.0.1:3000";

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Set nothing: make a link with which the user sets the password, once and within 24 hours. It replaces any earlier
    /// one.
    #[arg(long, conflicts_with = "password_stdin")]
    link: bool,
    /// Where people reach the gateway, such as https://auth.example.com: what the link begins with.
    #[arg(long, requires = "link", value_parser = base_url)]
    base_url: Option<String>,
}

impl Flags {
    pub(super) const fn is_meant(&self) -> bool {
        self.link
    }
}

/// Makes the link. The token stands in the fragment, which a browser sends nowhere, so that no log on the way holds it.
pub(super) async fn make(operator: &Operator, email: &str, flags: &Flags) -> Result<Report, Failure> {
    let what = format!("the user {email}");
    let base_url = match &flags.base_url {
        Some(given) => given.clone(),
        None => found(operator).await?,
    };
    let expires_at = after(operator.now, RESET_LIFE);
    let made = operator.store.make_reset(email, expires_at, operator.now).await;
    let (token, account) = made.map_err(|error| Failure::of(&error, &what))?;
    let (token, expires_at) = (token.expose(), shown(expires_at));
    let url = format!("{base_url}/console/reset#{token}");
    Ok(Report {
        text: format!("A link for {what} to set the password with, once, until {expires_at}:\n{url}"),
        json: json!({
            "id": account.user.as_ref().map(|user| user.id),
            "email": account.user.as_ref().map(|user| &user.email),
            "url": url,
            "token": token,
            "expires_at": expires_at,
        }),
    })
}

/// The address of the stack that is meant: the API's own, where it is deployed.
async fn found(operator: &Operator) -> Result<String, Failure> {
    let Some(stack) = &operator.stack else {
        note(&format!("the link is for a stack at {LOCAL}: say --base-url if it is another"), operator.json);
        return Ok(LOCAL.to_owned());
    };
    let unknown = |why: String| {
        Failure::Usage(format!("where do people reach the stack {stack}? Give --base-url ({why})"))
    };
    let resources = cloudformation::resources(&operator.aws, None, stack).await.map_err(unknown)?;
    let id = resources.get("HttpApi").ok_or_else(|| unknown("it has no HttpApi".to_owned()))?;
    let region = &operator.aws.region;
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    Ok(format!("https://{id}.execute-api.{region}.{suffix}"))
}

/// An address without a slash at its end.
fn base_url(text: &str) -> Result<String, String> {
    let url = url::Url::parse(text).map_err(|fault| fault.to_string())?;
    let is_plain = url.query().is_none() && url.fragment().is_none() && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https") || !is_plain {
        return Err("give an http or https URL without a query".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}
