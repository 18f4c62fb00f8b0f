//! What the visitor is invited to, and their answer.

use http::Method;
use latchkey::console::parts::{Paged, button, moment, table};
use latchkey::console::{Told, Visit};
use latchkey::domain::account::Role;
use latchkey::error::Error;
use latchkey::http::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::{ORGANIZATIONS, list, words};

const API: &str = "/v1/invitations";

/// An invitation as the invited sees it.
#[derive(Debug, Deserialize)]
pub struct Invitation {
    id: String,
    organization: Inviting,
    role: Role,
    expires_at: String,
}

#[derive(Debug, Deserialize)]
struct Inviting {
    name: String,
}

pub async fn all(visit: &Visit<'_>) -> Result<Vec<Invitation>, Error> {
    let page: Paged<Invitation> = visit.get(&::organizations::FUNCTION, API, "limit=100").await?;
    Ok(page.data)
}

pub fn show(visit: &Visit<'_>, invitations: &[Invitation]) -> Markup {
    let rows: Vec<Vec<Markup>> = invitations.iter().map(|invitation| row(visit, invitation)).collect();
    html! {
        @if !rows.is_empty() {
            h2 { "You are invited" }
            (table("Invitations to you", &["Organization", "As", "Until", "Accept", "Decline"], &rows))
        }
    }
}

fn row(visit: &Visit<'_>, invitation: &Invitation) -> Vec<Markup> {
    let name = &invitation.organization.name;
    let to = |what: &str| format!("{ORGANIZATIONS}/invitations/{}/{what}", invitation.id);
    vec![
        html! { (name) },
        html! { (words(invitation.role)) },
        moment(&invitation.expires_at),
        button(visit, &to("accept"), "", "Accept", &format!("the invitation to {name}")),
        button(visit, &to("decline"), "plain", "Decline", &format!("the invitation to {name}")),
    ]
}

/// Accepts or declines.
pub async fn answer(visit: &Visit<'_>, id: &str, what: &str) -> Result<Response, Error> {
    visit.form().await?;
    let (method, path, done) = match what {
        "accept" => (Method::POST, format!("{API}/{id}/accept"), "accepted"),
        _ => (Method::DELETE, format!("{API}/{id}"), "declined"),
    };
    match visit.call(&::organizations::FUNCTION, method, &path, "", None).await {
        Ok(_) => visit.go_on(&format!("{ORGANIZATIONS}?done={done}")),
        Err(error) => {
            let page = list::show(visit, &Told::by(&error)).await?;
            Err(visit.refused(error, |_| page))
        }
    }
}
