//! `GET /v1/tokens`: the live ones, newest first, in pages.

use latchkey::app::App;
use latchkey::auth;
use latchkey::domain::id::TokenId;
use latchkey::domain::personal_token::PersonalToken;
use latchkey::domain::time::shown;
use latchkey::error::Error;
use latchkey::http::{Paging, Request, Response};
use serde_json::{Value, json};

/// What the cursors of this list are bound to.
const LIST: &str = "tokens";

pub async fn list(app: &App, request: &Request) -> Result<Response, Error> {
    let (principal, _) = auth::authenticate(app, request, |_| Vec::new()).await?;
    let person = principal.signed_in()?;
    let paging: Paging<TokenId> = Paging::of(app, request, person.user_id, LIST).await?;
    let page = app.store.list_tokens(person.user_id, paging.after, paging.limit).await?;
    let epoch = person.credentials_epoch();
    let live = page.tokens.iter().filter(|token| token.is_alive(epoch, request.now));
    let data: Vec<Value> = live.map(view).collect();
    paging.answer(app, &data, page.next.as_ref())
}

fn view(token: &PersonalToken) -> Value {
    json!({
        "id": token.id,
        "name": token.name,
        "created_at": shown(token.created_at),
        "expires_at": shown(token.expires_at),
    })
}
