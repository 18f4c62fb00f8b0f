//! `POST /v1/tokens`.

use http::StatusCode;
use latchkey::app::App;
use latchkey::auth;
use latchkey::crypto::token;
use latchkey::domain::activity::Act;
use latchkey::domain::id::TokenId;
use latchkey::domain::personal_token::{LONGEST_NAME, PersonalToken};
use latchkey::domain::time::shown;
use latchkey::error::{Code, Error};
use latchkey::http::{Fields, Request, Response};
use serde_json::json;

use crate::{MOST, token_entry};

pub async fn create(app: &App, request: &Request) -> Result<Response, Error> {
    let (principal, _) = auth::authenticate(app, request, |_| Vec::new()).await?;
    let person = principal.signed_in()?;
    let epoch = person.credentials_epoch();

    let mut fields = request.fields()?;
    let name = name(&mut fields);
    fields.finish()?;

    // The live ones are the newest: where there are too many, they are all that the first page holds.
    let newest = app.store.list_tokens(person.user_id, None, MOST).await?.tokens;
    let live = newest.iter().filter(|token| token.is_alive(epoch, request.now)).count();
    if i32::try_from(live).is_ok_and(|live| live >= MOST) {
        return Err(Error::from(Code::Conflict).detail(format!(
            "There are {MOST} live personal tokens, the most that a user has. Revoke one first."
        )));
    }

    let id = TokenId::new(request.now)?;
    let token = PersonalToken::begin(id, person.user_id, name, epoch, request.now);
    let text = token::issue_personal(
        &app.keyring,
        app.config.realm(),
        &token.user_id.to_string(),
        &token.id.to_string(),
        request.now,
    )?;
    let entry = token_entry(&principal, request, Act::TokenCreated, &token);
    app.store.put_new_token(&token, &entry).await?;
    Ok(Response::json_with(
        StatusCode::CREATED,
        &json!({
            "id": token.id,
            "name": token.name,
            "token": text.expose(),
            "expires_at": shown(token.expires_at),
        }),
    ))
}

fn name(fields: &mut Fields) -> String {
    let name = fields.required_text("name", LONGEST_NAME);
    if name.chars().any(char::is_control) {
        fields.fault("name", "must not hold control characters");
    }
    name
}
