//! `GET /v1/organizations/{id}/members`.

use latchkey::app::App;
use latchkey::domain::account::Account;
use latchkey::domain::id::UserId;
use latchkey::error::Error;
use latchkey::http::{Paging, Request, Response};
use latchkey::store::accounts;

use crate::access::in_organization;
use crate::view;

pub async fn list(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let acting = in_organization(app, request, id, |_| Vec::new()).await?;
    acting.may_see_members()?;
    let paging: Paging<UserId> = Paging::of(app, request, acting.account_id(), "members").await?;
    let page = app.store.list_members(acting.account_id(), paging.after, paging.limit).await?;

    let personal = |id: UserId| accounts::account_key(id.personal_account());
    let keys = page.members.iter().map(|member| personal(member.user_id)).collect();
    let rows = app.store.read(keys).await?;
    let mut data = Vec::new();
    for member in &page.members {
        let account: Option<Account> = rows.get(&personal(member.user_id))?;
        data.push(view::member(member, account.as_ref()));
    }
    paging.answer(app, &data, page.next.as_ref())
}
