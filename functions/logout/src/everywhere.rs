//! `POST /api/auth/logout-everywhere`.

use latchkey::app::App;
use latchkey::auth;
use latchkey::domain::activity::{Act, Target};
use latchkey::domain::email::CanonicalEmail;
use latchkey::error::Error;
use latchkey::http::{Request, Response};
use latchkey::store::credentials::{Epoch, Raised, Setting};

/// Ends every login session, cookie and personal token of the caller, the present one among them, in one write. API
/// keys live on: programs hold them, and each is revoked by itself.
pub async fn end_all(app: &App, request: &Request) -> Result<Response, Error> {
    let (principal, _) = auth::authenticate(app, request, |_| Vec::new()).await?;
    let person = principal.signed_in()?;
    request.optional_fields()?.finish()?;
    let user = person.account.user.as_ref().ok_or_else(|| Error::internal("a person without a user"))?;
    let email = CanonicalEmail::parse(&user.email).map_err(Error::internal)?;
    let epoch =
        Epoch { email: email.as_str(), account_id: person.account.id, seen: person.credentials_epoch() };
    let entry = principal
        .entry(request, Act::SignedOutEverywhere, Target::user(person.user_id))
        .in_log_of(person.account.id);
    match app.store.raise_epoch(epoch, Setting::Nothing, None, Some(&entry)).await? {
        // Where something else raised the epoch meanwhile, what was to end has ended.
        Raised::Done | Raised::Outdated => Ok(Response::no_content()),
    }
}
