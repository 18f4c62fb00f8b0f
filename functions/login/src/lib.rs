//! `POST /api/auth/login`: e-mail and password to an access token and a refresh token.

use latchkey::app::{Action, App, Function, Needs};
use latchkey::crypto::keyring::Purpose;
use latchkey::crypto::secret::Secret;
use latchkey::crypto::token;
use latchkey::domain::email::CanonicalEmail;
use latchkey::domain::refresh::{LoginSession, SessionKind};
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::sign_in::{self, LONGEST_FIELD};
use latchkey::store::Table;
use latchkey::store::credentials::Credentials;
use serde_json::json;

/// This function, as deployed and as local mode serves it.
pub static FUNCTION: Function = Function {
    needs: Needs {
        name: "login",
        tables: &[
            (Table::Credentials, &[Action::GetItem]),
            (Table::Activity, &[Action::PutItem]),
            (Table::Accounts, &[Action::ConditionCheckItem]),
            (Table::LoginSessions, &[Action::PutItem]),
            (Table::Limits, &[Action::BatchGetItem, Action::PutItem, Action::UpdateItem]),
        ],
        purposes: &[Purpose::JwtSigning, Purpose::RefreshMac, Purpose::Index],
        ..Needs::NOTHING
    },
    handle: |app, request| Box::pin(handle(app, request)),
};

async fn handle(app: &App, request: Request) -> Result<Response, Error> {
    request.only("POST")?;
    let (email, password) = parse(&request)?;
    let proof = sign_in::check(app, &email, &password, &request, None).await?;
    let session = sign_in::start(app, SessionKind::Api, &proof, &request).await?;
    answer(app, &session, &proof.credentials, &request)
}

fn parse(request: &Request) -> Result<(CanonicalEmail, Secret), Error> {
    let mut fields = request.fields()?;
    let email = fields.required_text("email", LONGEST_FIELD);
    let password = Secret::new(fields.required_text("password", LONGEST_FIELD));
    let email = CanonicalEmail::parse(&email).map_err(|error| {
        if !email.is_empty() {
            fields.fault("email", error.to_string());
        }
    });
    fields.finish()?;
    // A fault of the address was told by `finish`.
    email.map(|email| (email, password)).map_err(|()| Code::InvalidRequest.into())
}

fn answer(
    app: &App,
    session: &LoginSession,
    credentials: &Credentials,
    request: &Request,
) -> Result<Response, Error> {
    let (user, id, ends_at) = (session.user_id.to_string(), session.id.to_string(), session.ends_at());
    let access = token::issue_access(&app.keyring, app.config.realm(), &user, &id, ends_at, request.now)?;
    let refresh = token::issue_refresh(&app.keyring, &user, &id, session.counter, ends_at, request.now)?;
    Ok(Response::json(&json!({
        "access": access.expose(),
        "refresh": refresh.expose(),
        "user": {
            "id": credentials.user_id,
            "email": credentials.shown_email,
            "firstName": credentials.first_name,
            "lastName": credentials.last_name,
            "workspaceId": credentials.workspace_id,
        },
    })))
}
