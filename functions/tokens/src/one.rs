//! `DELETE /v1/tokens/{id}`.

use latchkey::app::App;
use latchkey::auth;
use latchkey::domain::activity::Act;
use latchkey::domain::id::TokenId;
use latchkey::domain::personal_token::PersonalToken;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::store::tokens;

use crate::token_entry;

/// Authenticates and reads the token at once. One that is gone or another user's is not found; it is looked for
/// among the caller's own only.
pub async fn revoke(app: &App, request: &Request, id: &str) -> Result<Response, Error> {
    let id: Option<TokenId> = id.parse().ok();
    let mut wanted = None;
    let (principal, rows) = auth::authenticate(app, request, |claim| {
        wanted = claim.user_id().zip(id).map(|(user_id, id)| tokens::key(user_id, id));
        wanted.iter().cloned().collect()
    })
    .await?;
    let person = principal.signed_in()?;
    let epoch = person.credentials_epoch();
    let token: Option<PersonalToken> = match &wanted {
        Some(wanted) => rows.get(wanted)?,
        None => None,
    };
    let token = token.filter(|token| token.is_alive(epoch, request.now)).ok_or(Code::NotFound)?;
    let entry = token_entry(&principal, request, Act::TokenRevoked, &token);
    let was_there = app.store.delete_token(token.user_id, token.id, &entry).await?;
    if was_there { Ok(Response::no_content()) } else { Err(Code::NotFound.into()) }
}
