//! Ending what was found of a key.

use latchkey::Timestamp;
use latchkey::app::App;
use latchkey::crypto::keyring::Purpose;
use latchkey::crypto::pepper;
use latchkey::crypto::secret::Secret;
use latchkey::domain::activity::{Act, Actor, Target};
use latchkey::domain::api_key::{ApiKey, Digest};
use latchkey::domain::key_text;
use latchkey::domain::usage::Day;
use latchkey::error::{Code, Error};
use latchkey::http::Request;
use latchkey::store::{Written, keys};

/// How often it is tried again where the key was changed at the same time.
const ROUNDS: usize = 4;

/// What became of the key of a reported text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The newest text: the key is revoked, and with it every older text.
    Key,
    /// A text that was rotated away and still worked: it alone is dead. Its owner has moved on, and who found the old
    /// text shall not be able to stop what runs with the new one.
    OldText,
    /// No key has this text now.
    Nothing,
}

/// Ends what `text` opens. `None` where it is no key's text at all.
///
/// # Errors
/// `unavailable` where DynamoDB or KMS fails, `conflict` where the key is changed over and over.
pub async fn end(app: &App, request: &Request, text: &Secret) -> Result<Option<Ended>, Error> {
    let Ok(claimed) = key_text::parse(text.expose_secret()) else { return Ok(None) };
    let place = keys::key(claimed.account_id, claimed.key_id);
    for _ in 0..ROUNDS {
        let rows = app.store.read([place.clone()].into_iter().collect()).await?;
        let stored: Option<ApiKey> = rows.get(&place)?;
        let Some(key) = stored.filter(|key| key.scope.workspace() == claimed.workspace_id) else {
            return Ok(Some(Ended::Nothing));
        };
        let entry = request.entry(
            key.account_id,
            Actor::Anonymous,
            Act::KeyReported,
            Target::key(key.id).with("name", &key.name),
        );
        let entry = key.workspace_id.into_iter().fold(entry, latchkey::domain::activity::Entry::within);
        // One that has expired is ended too: its owner could let it live again.
        if is_of(app, &key.digest, text, request.now).await? {
            // Where somebody was faster, it is gone as well.
            app.store.delete_key(&key, &entry.with("ended", "key"), Day::of(request.now)).await?;
            return Ok(Some(Ended::Key));
        }
        let Some(without) = without_old_text(app, &key, text, request.now).await? else {
            return Ok(Some(Ended::Nothing));
        };
        match app.store.replace_key(&without, &entry.with("ended", "old_text")).await? {
            Written::Done => return Ok(Some(Ended::OldText)),
            Written::Lost(None) => return Ok(Some(Ended::Nothing)),
            Written::Lost(Some(_)) => {}
        }
    }
    Err(Code::Conflict.into())
}

/// The key without the old text that `text` is; `None` where it is none that still works.
async fn without_old_text(
    app: &App,
    key: &ApiKey,
    text: &Secret,
    now: Timestamp,
) -> Result<Option<ApiKey>, Error> {
    for previous in key.previous.iter().filter(|previous| now < previous.until) {
        if is_of(app, &previous.digest, text, now).await? {
            let kept = key.previous.iter().filter(|other| *other != previous).cloned().collect();
            return Ok(Some(ApiKey { previous: kept, version: key.version + 1, ..key.clone() }));
        }
    }
    Ok(None)
}

async fn is_of(app: &App, digest: &Digest, text: &Secret, now: Timestamp) -> Result<bool, Error> {
    let Some(pepper) = app.keyring.version(Purpose::KeyPepper, &digest.pepper, now).await? else {
        return Err(Error::internal("a key was stored under a pepper that is gone"));
    };
    Ok(pepper::matches(&pepper, text.expose_secret(), &digest.mac))
}
