//! `GET /console/apis`.

use http::StatusCode;
use latchkey::console::parts::{Paged, badge, done, moment, number, pager, table};
use latchkey::console::{Place, Visit, page_of_api};
use latchkey::error::Error;
use latchkey::http::Response;
use maud::{Markup, html};

use super::{API, APIS, Api, may_call, may_write};
use crate::FUNCTION;

pub async fn show(visit: &Visit<'_>) -> Result<Response, Error> {
    let query = visit.request.query_parameter("cursor").map_or_else(String::new, |cursor| {
        url::form_urlencoded::Serializer::new(String::new()).append_pair("cursor", &cursor).finish()
    });
    let apis: Paged<Api> = visit.get(&FUNCTION, API, &query).await?;
    let rows: Vec<Vec<Markup>> = apis.data.iter().map(|api| row(visit, api)).collect();
    let body = html! {
        @if visit.request.query_parameter("done").as_deref() == Some("deleted") {
            (done("The API is deleted: its paths answer no more."))
        }
        p { "An API is an upstream that the gateway calls for you: a site behind a login, or an API that it passes on." }
        @if may_write(visit) {
            p class="actions" { a class="button" href=(visit.href("/console/apis/new")) { "Create an API" } }
        }
        @if rows.is_empty() {
            p class="empty" { "There are no APIs yet." }
        } @else {
            div id="apis" {
                (table("APIs", &["Name", "Id", "What it is", "Login", "Mounted at", "Endpoints", "Changed", "Try"], &rows))
            }
        }
        (pager(visit, APIS, apis.next_cursor.as_deref()))
    };
    Ok(visit.page(Place::Apis, "APIs", body).answer(StatusCode::OK))
}

fn row(visit: &Visit<'_>, api: &Api) -> Vec<Markup> {
    vec![
        html! { a href=(visit.href(&page_of_api(&api.id))) { (api.title) } },
        html! { code { (api.id) } },
        html! { (api.kind()) },
        if api.signs_in() { badge("good", "Authenticated") } else { badge("calm", "None") },
        match &api.mount {
            Some(mount) => html! { code { (mount) } },
            None => html! { span class="none" { "nowhere" } },
        },
        html! { (number(api.endpoints.len() as u64)) },
        moment(&api.updated_at),
        html! {
            @if may_call(visit) {
                a href=(visit.href(&format!("{APIS}/{}/try", api.id))) { "Try" span class="unseen" { " " (api.title) } }
            }
        },
    ]
}
