//! `POST /v1/api-keys/report/github`: alerts in the form of GitHub's secret scanning partner program. The body is a list of
//! what was found in public places, signed by the host; the answer says of each whether it was a key.
//!
//! An alert that is sent again ends nothing that is not ended already: a key's text never works for a second key.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use latchkey::app::App;
use latchkey::crypto::alert::{AlertKey, hash_of_token};
use latchkey::crypto::secret::Secret;
use latchkey::error::{Code, Error};
use latchkey::http::{Request, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::alert_keys;
use crate::end::{self, Ended};

/// The largest body, in bytes.
const LARGEST: usize = 1024 * 1024;
/// The most findings of one alert.
const MOST: usize = 500;
/// How many of them are looked at at once.
const AT_ONCE: usize = 8;
/// The longest text that can be a key, in characters.
const LONGEST_TEXT: usize = 200;
/// The longest name of a kind of token that is repeated in the answer, in characters.
const LONGEST_TYPE: usize = 200;

/// One thing that was found.
#[derive(Deserialize)]
struct Finding {
    token: String,
    #[serde(default, rename = "type")]
    kind: String,
}

pub async fn take(app: &App, request: &Request) -> Result<Response, Error> {
    request.only("POST")?;
    let url = app.config.alert_keys_url.as_ref().ok_or(Code::NotFound)?;
    if request.body.len() > LARGEST {
        return Err(Code::PayloadTooLarge.into());
    }
    let header = |name| request.header(name).ok_or_else(unsigned);
    let (id, signature) = (header("github-public-key-identifier")?, header("github-public-key-signature")?);
    let key: AlertKey = alert_keys::find(app, url, id, request).await?.ok_or_else(unsigned)?;
    if !key.has_signed(&request.body, signature) {
        return Err(unsigned());
    }
    let findings = read(&request.body)?;
    let answers = stream::iter(findings).map(|finding| judge(app, request, finding)).buffered(AT_ONCE);
    let answers: Vec<Value> = answers.try_collect().await?;
    Ok(Response::json(&Value::Array(answers)))
}

/// No signature, or none of a key that the host publishes.
fn unsigned() -> Error {
    Error::from(Code::InvalidCredentials)
        .detail("The alert is not signed with a key that the code host publishes.")
}

fn read(body: &[u8]) -> Result<Vec<Finding>, Error> {
    let findings: Vec<Finding> = serde_json::from_slice(body)
        .map_err(|_| Error::invalid_field("", "must be a list of objects with a text in \"token\""))?;
    if findings.len() > MOST {
        return Err(Error::invalid_field("", format!("must have at most {MOST} entries")));
    }
    Ok(findings)
}

/// Ends what was found, and says what it was: by the digest of its text, so that the text does not travel again.
async fn judge(app: &App, request: &Request, finding: Finding) -> Result<Value, Error> {
    let hash = hash_of_token(&finding.token);
    let text = Secret::new(finding.token);
    let is_short = text.expose_secret().len() <= LONGEST_TEXT;
    let ended = if is_short { end::end(app, request, &text).await? } else { None };
    let label = match ended {
        Some(Ended::Key | Ended::OldText) => "true_positive",
        // One that was a key once cannot be told from one that never was.
        Some(Ended::Nothing) | None => "false_positive",
    };
    let kind: String = finding.kind.chars().take(LONGEST_TYPE).collect();
    Ok(json!({ "token_hash": hash, "token_type": kind, "label": label }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_list_of_findings_is_read_and_nothing_else() {
        let body = br#"[{"token": "t", "type": "k", "url": "https://x.test/", "source": "content"}, {"token": "u"}]"#;
        let findings = read(body).unwrap();
        assert_eq!(findings.iter().map(|found| found.token.as_str()).collect::<Vec<_>>(), ["t", "u"]);
        let many = format!("[{}]", vec![r#"{"token":"t"}"#; MOST + 1].join(","));
        for body in ["", "{}", "[1]", r#"[{"token": 1}]"#, r#"[{"type": "k"}]"#, "[", &many] {
            assert_eq!(
                read(body.as_bytes()).err().map(|error| error.code),
                Some(Code::InvalidRequest),
                "{body:.40}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&body);
        }
    }
}
