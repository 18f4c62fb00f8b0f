//! `GET` and `POST /v1/organizations`: the caller's own.

use http::StatusCode;
use latchkey::app::App;
use latchkey::auth;
use latchkey::domain::account::{Account, Membership, Plan, Role};
use latchkey::domain::activity::{Act, Target};
use latchkey::domain::id::AccountId;
use latchkey::domain::organization::MOST_ORGANIZATIONS;
use latchkey::error::{Code, Error};
use latchkey::http::{Paging, Request, Response};
use latchkey::store::accounts;
use latchkey::store::organizations::NewOrganization;

use crate::{input, view};

/// Those that the user belongs to and that exist, those made last first.
pub async fn list(app: &App, request: &Request) -> Result<Response, Error> {
    let (principal, _) = auth::authenticate(app, request, |_| Vec::new()).await?;
    let person = principal.as_person()?;
    let paging: Paging<AccountId> = Paging::of(app, request, person.user_id, "organizations").await?;
    let page = app.store.list_memberships(person.user_id, paging.after, paging.limit).await?;

    let account_key = |id: &AccountId| accounts::account_key(*id);
    let membership_key = |id: &AccountId| accounts::membership_key(*id, person.user_id);
    let (accounts, memberships) = tokio::try_join!(
        app.store.read(page.organizations.iter().map(account_key).collect()),
        app.store.read(page.organizations.iter().map(membership_key).collect()),
    )?;
    let mut data = Vec::new();
    for id in &page.organizations {
        let account: Option<Account> = accounts.get(&account_key(id))?;
        let membership: Option<Membership> = memberships.get(&membership_key(id))?;
        if let (Some(account), Some(membership)) = (account, membership) {
            data.push(view::organization(&account, Some(membership.role)));
        }
    }
    paging.answer(app, &data, page.next.as_ref())
}

/// Makes an organization, whose maker is its owner.
pub async fn create(app: &App, request: &Request) -> Result<Response, Error> {
    let (principal, _) = auth::authenticate(app, request, |_| Vec::new()).await?;
    let person = principal.as_person()?;
    let mut fields = request.fields()?;
    let name = input::name(&mut fields);
    fields.finish()?;

    let new = NewOrganization::new(&name, person.user_id, Plan::Free, request.now)?;
    let account = new.account().clone();
    let target = Target::organization(account.id).with("name", &name);
    let entry = principal.entry(request, Act::OrganizationCreated, target).in_log_of(account.id);
    if !app.store.found_organization(new, &[entry]).await? {
        return Err(Error::from(Code::Conflict).detail(format!(
            "You have made {MOST_ORGANIZATIONS} organizations, and nobody may have made more. Delete one first."
        )));
    }
    Ok(Response::json_with(StatusCode::CREATED, &view::organization(&account, Some(Role::Owner))))
}
