//! Who is invited to the organization, by those who may invite.

use http::{Method, StatusCode};
use latchkey::console::parts::{Input, Paged, Select, button, form, moment, refusal, table};
use latchkey::console::{Page, Place, Told, Visit};
use latchkey::domain::account::Role;
use latchkey::domain::permission::Permission;
use latchkey::error::Error;
use latchkey::http::Response;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use super::{Organization, act, api, delete, may_manage, organization, page_of, roles};

/// An open invitation as the API shows it to those who manage members.
#[derive(Debug, Deserialize)]
pub struct Invitation {
    id: String,
    email: String,
    role: Role,
    expires_at: String,
}

/// All that are open; nothing for who may not see them.
pub async fn all(visit: &Visit<'_>) -> Result<Option<Vec<Invitation>>, Error> {
    if !may_manage(visit) {
        return Ok(None);
    }
    let path = api(visit, "/invitations");
    let page: Paged<Invitation> = visit.get(&::organizations::FUNCTION, &path, "limit=100").await?;
    Ok(Some(page.data))
}

pub fn list(visit: &Visit<'_>, invitations: Option<&[Invitation]>) -> Markup {
    let Some(invitations) = invitations else { return html! {} };
    let rows: Vec<Vec<Markup>> = invitations.iter().map(|invitation| row(visit, invitation)).collect();
    html! {
        p class="actions" { a class="button" href=(visit.href(&page_of(visit, "/invite"))) { "Invite somebody" } }
        @if !rows.is_empty() {
            h2 { "Invited" }
            (table("Open invitations", &["E-mail address", "Role", "Until", "Actions"], &rows))
        }
    }
}

fn row(visit: &Visit<'_>, invitation: &Invitation) -> Vec<Markup> {
    let way = page_of(visit, &format!("/invitations/{}/withdraw", invitation.id));
    vec![
        html! { (invitation.email) },
        html! { (invitation.role.name()) },
        moment(&invitation.expires_at),
        button(visit, &way, "plain", "Withdraw", &format!("the invitation of {}", invitation.email)),
    ]
}

pub async fn show(visit: &Visit<'_>) -> Result<Response, Error> {
    visit.principal.require(Permission::MembersWrite)?;
    let own = organization(visit).await?.role;
    Ok(page(visit, own, "", Role::Member.name(), &Told::nothing()).answer(StatusCode::OK))
}

fn page(visit: &Visit<'_>, own: Role, email: &str, role: &str, told: &Told) -> Page {
    let address = Input::new("email", "E-mail address").of_type("email").holding(email).required();
    let options = roles(own, None);
    let select = Select { name: "role", label: "Role", value: role, hint: None, options: &options };
    let body = html! {
        (refusal(told, &["email", "role"]))
        p { "Nothing is sent: tell them. They find the invitation in their console, once they sign in with this address." }
        (form(visit, &page_of(visit, "/invite"), html! {
            (address.show(told))
            (select.show(told))
            div class="actions" {
                button type="submit" { "Invite them" }
                a href=(visit.href(&page_of(visit, ""))) { "Cancel" }
            }
        }))
    };
    visit.page(Place::Organization, "Invite somebody", body)
}

pub async fn invite(visit: &Visit<'_>) -> Result<Response, Error> {
    let sent = visit.form().await?;
    let field = |name| sent.given(name).unwrap_or_default();
    let (email, role) = (field("email"), field("role"));
    match act(visit, Method::POST, "/members", &json!({ "email": email, "role": role })).await {
        Ok(_) => visit.go_on(&page_of(visit, "?done=invited")),
        Err(error) => {
            let Ok(Organization { role: own, .. }) = organization(visit).await else { return Err(error) };
            Err(visit.refused(error, |told| page(visit, own, email, role, told)))
        }
    }
}

pub async fn withdraw(visit: &Visit<'_>, id: &str) -> Result<Response, Error> {
    visit.form().await?;
    delete(visit, &format!("/invitations/{id}")).await?;
    visit.go_on(&page_of(visit, "?done=withdrawn"))
}
