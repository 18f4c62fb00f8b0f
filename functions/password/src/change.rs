//! `POST /api/auth/password`.

use futures_util::future::join;
use latchkey::app::App;
use latchkey::auth;
use latchkey::crypto::password;
use latchkey::crypto::secret::Secret;
use latchkey::domain::account::User;
use latchkey::domain::activity::{Act, Target};
use latchkey::domain::email::CanonicalEmail;
use latchkey::domain::new_password;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use latchkey::sign_in;
use latchkey::store::credentials::{Epoch, Raised, Setting};

use crate::LONGEST_FIELD;

/// Changes the caller's password. Every other login session, every cookie and every personal token ends in the same
/// write; the session that asked lives on.
pub async fn change(app: &App, request: &Request) -> Result<Response, Error> {
    let (principal, _) = auth::authenticate(app, request, |_| Vec::new()).await?;
    let person = principal.signed_in()?;
    let user = person.account.user.as_ref().ok_or_else(|| Error::internal("a person without a user"))?;
    let (current, new) = parse(request, user)?;

    // Under the throttles of a sign-in: whoever has found an access token must not guess its owner's password.
    let email = CanonicalEmail::parse(&user.email).map_err(Error::internal)?;
    let entry = principal
        .entry(request, Act::PasswordChanged, Target::user(person.user_id))
        .in_log_of(person.account.id);
    let checked = sign_in::check(app, &email, &current, request, Some(&entry)).await;
    let proof = checked.map_err(|error| match error.code {
        Code::InvalidCredentials => Error::invalid_field("current_password", "is wrong"),
        _ => error,
    })?;
    let hash = password::hash(&new).await?;
    let epoch = Epoch::from(&proof.credentials);
    // Asked for by a session of another epoch than the password's: something else has just ended it.
    if epoch.seen != person.credentials_epoch() {
        proof.forgive(app).await;
        return Err(Code::Conflict.into());
    }
    let raise = app.store.raise_epoch(epoch, Setting::Password(&hash), person.session, Some(&entry));
    let (raised, ()) = join(raise, proof.forgive(app)).await;
    match raised? {
        Raised::Done => Ok(Response::no_content()),
        Raised::Outdated => Err(Code::Conflict.into()),
    }
}

fn parse(request: &Request, user: &User) -> Result<(Secret, Secret), Error> {
    let mut fields = request.fields()?;
    let current = Secret::new(fields.required_text("current_password", LONGEST_FIELD));
    // Both bounds of the length have their own words below.
    let new = Secret::new(fields.required_text("new_password", usize::MAX));
    let text = new.expose_secret();
    let fault = (!text.is_empty()).then(|| {
        new_password::length_fault(text)
            .or_else(|| (new == current).then(|| "must not be the current password".to_owned()))
            .or_else(|| new_password::weakness(text, &[&user.email, &user.first_name, &user.last_name]))
    });
    if let Some(Some(fault)) = fault {
        fields.fault("new_password", fault);
    }
    fields.finish()?;
    Ok((current, new))
}
