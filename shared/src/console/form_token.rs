//! What every form of a signed-in page carries, so that it holds for the sign-in that it was shown to and no other: a
//! MAC under `cookie` of who is signed in and in which login session.
//!
//! It stands beside the check of where a request comes from ([`cross_site`](crate::auth::cross_site)), not in its place.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::Timestamp;
use crate::crypto::keyring::{DataKey, Keyring, Purpose};
use crate::crypto::secret::same;
use crate::domain::refresh::LoginSession;
use crate::error::Error;

/// The domain of the MAC.
const DOMAIN: &str = "latchkey/console-form/v1";

/// The token of `session`'s forms.
///
/// # Errors
/// `internal` where this function did not load `cookie`.
pub fn issue(keyring: &Keyring, session: &LoginSession) -> Result<String, Error> {
    let key = keyring.newest(Purpose::Cookie)?;
    Ok(format!("{}.{}", key.id(), URL_SAFE_NO_PAD.encode(mac(&key, session))))
}

/// Whether `text` is the token of `session`'s forms.
///
/// # Errors
/// `internal` where this function did not load `cookie`; `unavailable` where it is not known whether there is such a
/// key.
pub async fn is_of(
    keyring: &Keyring,
    session: &LoginSession,
    text: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let Some((id, given)) = text.split_once('.') else { return Ok(false) };
    let Ok(given) = URL_SAFE_NO_PAD.decode(given) else { return Ok(false) };
    let key = keyring.version(Purpose::Cookie, id, now).await?;
    Ok(key.is_some_and(|key| same(mac(&key, session), given)))
}

fn mac(key: &DataKey, session: &LoginSession) -> [u8; 32] {
    key.mac(DOMAIN, &[session.user_id.to_string().as_bytes(), session.id.to_string().as_bytes()])
}
