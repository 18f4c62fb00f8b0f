//! Who belongs to the organization: listed, given another role, removed, or gone by themselves.

use http::{Method, StatusCode};
use latchkey::console::parts::{
    Paged, Question, Select, asked, badge, facts, form, moment_or, refusal, table,
};
use latchkey::console::{Page, Place, Told, Visit, see_other};
use latchkey::domain::account::Role;
use latchkey::domain::organization::may_change;
use latchkey::error::{Code, Error};
use latchkey::http::Response;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use super::{ORGANIZATIONS, act, api, delete, may_manage, organization, page_of, roles};

/// A member as the API shows one.
#[derive(Debug, Deserialize)]
pub struct Member {
    pub id: String,
    pub email: Option<String>,
    #[serde(rename = "firstName")]
    first_name: Option<String>,
    #[serde(rename = "lastName")]
    last_name: Option<String>,
    role: Role,
    joined_at: Option<String>,
}

impl Member {
    /// What people know the member by.
    fn words(&self) -> &str {
        self.email.as_deref().unwrap_or(&self.id)
    }

    fn is_visitor(&self, visit: &Visit<'_>) -> bool {
        visit.user().is_ok_and(|user| user.id.to_string() == self.id)
    }
}

/// The page of the list that the visitor asks for.
pub async fn page(visit: &Visit<'_>) -> Result<Paged<Member>, Error> {
    visit.get(&::organizations::FUNCTION, &api(visit, "/members"), &asked(visit)).await
}

/// Whether the visitor, who is `own` here, may do anything to `member`, themselves aside.
fn may(visit: &Visit<'_>, own: Role, member: &Member) -> bool {
    may_manage(visit) && may_change(Some(own), Some(member.role), None)
}

pub fn list(visit: &Visit<'_>, own: Role, members: &[Member]) -> Markup {
    let rows: Vec<Vec<Markup>> = members.iter().map(|member| row(visit, own, member)).collect();
    table("Members", &["Name", "E-mail address", "Role", "Member since", "Actions"], &rows)
}

fn row(visit: &Visit<'_>, own: Role, member: &Member) -> Vec<Markup> {
    let way = page_of(visit, &format!("/members/{}", member.id));
    vec![
        html! {
            (member.first_name.as_deref().unwrap_or_default()) " " (member.last_name.as_deref().unwrap_or_default())
            @if member.is_visitor(visit) { " " (badge("good", "You")) }
        },
        html! { (member.words()) },
        html! { (member.role.name()) },
        moment_or(member.joined_at.as_deref(), "the beginning"),
        html! {
            @if may(visit, own, member) {
                a href=(visit.href(&way)) { "Change the role" span class="unseen" { " of " (member.words()) } }
                " "
            }
            @if member.is_visitor(visit) {
                a href=(visit.href(&format!("{way}/remove"))) { "Leave…" }
            } @else if may(visit, own, member) {
                a href=(visit.href(&format!("{way}/remove"))) { "Remove…" span class="unseen" { " " (member.words()) } }
            }
        },
    ]
}

/// A member, wherever in the list, and what the visitor is in the organization.
async fn find(visit: &Visit<'_>, user: &str) -> Result<(Role, Member), Error> {
    let own = organization(visit).await?.role;
    let mut query = "limit=100".to_owned();
    loop {
        let page: Paged<Member> =
            visit.get(&::organizations::FUNCTION, &api(visit, "/members"), &query).await?;
        if let Some(member) = page.data.into_iter().find(|member| member.id == user) {
            return Ok((own, member));
        }
        let next = page.next_cursor.ok_or(Code::NotFound)?;
        query = format!("limit=100&cursor={next}");
    }
}

pub async fn show(visit: &Visit<'_>, user: &str) -> Result<Response, Error> {
    let (own, member) = find(visit, user).await?;
    if !may(visit, own, &member) {
        return Err(Code::PermissionDenied.into());
    }
    Ok(role_of(visit, own, &member, member.role.name(), &Told::nothing()).answer(StatusCode::OK))
}

/// The form that gives a member the role `chosen`.
fn role_of(visit: &Visit<'_>, own: Role, member: &Member, chosen: &str, told: &Told) -> Page {
    let options = roles(own, Some(member.role));
    let body = html! {
        (refusal(told, &["role"]))
        (facts(&[
            ("E-mail address", html! { (member.words()) }),
            ("Role", html! { (member.role.name()) }),
        ]))
        (form(visit, &page_of(visit, &format!("/members/{}", member.id)), html! {
            (Select { name: "role", label: "New role", value: chosen, hint: None, options: &options }.show(told))
            div class="actions" {
                button type="submit" { "Give the role" }
                a href=(visit.href(&page_of(visit, ""))) { "Cancel" }
            }
        }))
    };
    visit.page(Place::Organization, "Change a member\u{2019}s role", body)
}

pub async fn change(visit: &Visit<'_>, user: &str) -> Result<Response, Error> {
    let sent = visit.form().await?;
    let role = sent.given("role").unwrap_or_default();
    match act(visit, Method::PATCH, &format!("/members/{user}"), &json!({ "role": role })).await {
        Ok(_) => visit.go_on(&page_of(visit, "?done=changed")),
        Err(error) => {
            let Ok((own, member)) = find(visit, user).await else { return Err(error) };
            Err(visit.refused(error, |told| role_of(visit, own, &member, role, told)))
        }
    }
}

pub async fn ask(visit: &Visit<'_>, user: &str) -> Result<Response, Error> {
    let (own, member) = find(visit, user).await?;
    if !member.is_visitor(visit) && !may(visit, own, &member) {
        return Err(Code::PermissionDenied.into());
    }
    Ok(question(visit, &member, &Told::nothing()).answer(StatusCode::OK))
}

fn question(visit: &Visit<'_>, member: &Member, told: &Told) -> Page {
    let leaves = member.is_visitor(visit);
    let (title, yes) = match leaves {
        true => ("Leave this organization?", "Leave it"),
        false => ("Remove this member?", "Remove them"),
    };
    let about = html! {
        @if leaves {
            p { "You are refused here from the next request on. To come back, you must be invited." }
        } @else {
            p { strong { (member.words()) } " is refused here from the next request on. To come back, they must be invited." }
        }
        p { "Keys of the organization go on working, whoever made them." }
    };
    let act = page_of(visit, &format!("/members/{}/remove", member.id));
    let back = page_of(visit, "");
    let place = Place::Organization;
    Question { place, title, about, yes: (&act, yes), no: (&back, "Keep everything as it is") }
        .page(visit, told)
}

pub async fn remove(visit: &Visit<'_>, user: &str) -> Result<Response, Error> {
    visit.form().await?;
    match delete(visit, &format!("/members/{user}")).await {
        Ok(_) if visit.user()?.id.to_string() == user => see_other(&format!("{ORGANIZATIONS}?done=left")),
        Ok(_) => visit.go_on(&page_of(visit, "?done=removed")),
        Err(error) => {
            let Ok((_, member)) = find(visit, user).await else { return Err(error) };
            Err(visit.refused(error, |told| question(visit, &member, told)))
        }
    }
}
