//! Canaries: secrets that go through every flow, and everything that comes out is read.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::{Answer, Call, SignedIn, TestApp, logged};

/// What was sent and received that must not be seen, and what may be read of it.
#[derive(Default)]
pub struct Watch {
    pub secrets: Vec<String>,
    pub refusals: Vec<String>,
}

impl Watch {
    /// Watches for a secret, and gives it back.
    pub fn secret(&mut self, secret: &str) -> String {
        self.secrets.push(secret.to_owned());
        secret.to_owned()
    }

    pub fn tokens(&mut self, answer: Answer) -> SignedIn {
        let tokens = SignedIn::from(answer);
        self.secret(&tokens.access);
        self.secret(&tokens.refresh);
        tokens
    }

    pub fn key(&mut self, answer: &Answer) -> String {
        self.secret(&answer.text("secret"))
    }

    /// Sends a call that is to be refused, and keeps what the client is told.
    pub async fn refused(&mut self, call: Call) {
        let answer = call.send().await;
        assert!(answer.status >= 400, "{}", answer.json);
        self.refusals.push(format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.body)));
    }

    /// That none of the secrets stands in the log, in what was refused, in a table, or in what was ever written to one.
    pub async fn find_none(&self, app: &TestApp) {
        self.find_none_in("the log", &logged());
        self.find_none_in("a refusal", &self.refusals.join("\n"));
        for (table, items) in app.database.dump().await {
            self.find_none_in(table, &items.join("\n"));
        }
        // What was deleted or replaced since.
        self.find_none_in("a write", &app.database.written().join("\n"));
    }

    /// That none of the secrets stands in `text`, whole or in its telling part, plain or encoded.
    fn find_none_in(&self, place: &str, text: &str) {
        for secret in &self.secrets {
            for form in forms(secret) {
                let found = text.find(&form).map(|at| {
                    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
                    text[start..].chars().take(2_000).collect::<String>()
                });
                assert_eq!(found, None, "{form} was found in {place}");
            }
        }
    }
}

/// The ways in which a secret would betray itself.
pub fn forms(secret: &str) -> Vec<String> {
    // A token's signature, a key's random part: what makes it more than the ids in it.
    let telling = match secret.rsplit_once('.') {
        Some((_, signature)) => signature,
        None if secret.starts_with("sk_") || secret.starts_with("pk_") => &secret[secret.len() - 40..],
        None => secret,
    };
    let mut forms = vec![telling.to_owned(), telling.chars().rev().collect()];
    forms.push(telling.bytes().map(|byte| format!("{byte:02x}")).collect());
    forms.push(format!("{:?}", telling.as_bytes()));
    // Base64 of a longer text holds that of the secret, at one of three offsets, less what its edges share.
    for text in [telling.to_owned(), format!("{secret}:")] {
        for offset in 0..3 {
            let shifted = [&b"..."[..offset], text.as_bytes()].concat();
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let encoded = engine.encode(&shifted);
                forms.push(encoded[4..encoded.len() - 4].to_owned());
            }
        }
    }
    forms
}
