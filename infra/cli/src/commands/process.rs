//! Credentials from another program, in the format that AWS's tools call `credential_process`.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use aws_credential_types::Credentials;
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use zeroize::Zeroizing;

/// How long a program may take: it may ask a person for a code.
pub(super) const LIMIT: Duration = Duration::from_secs(90);

/// The longest answer of a program, in bytes.
const LONGEST: usize = 64 * 1024;

/// Why a program gave no credentials. None of it holds a part of what the program printed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("is not installed")]
    NotInstalled,
    #[error("cannot be run: {0}")]
    Run(io::Error),
    #[error("took longer than {} seconds", .0.as_secs_f32())]
    TooSlow(Duration),
    #[error("ended with {0}")]
    Failed(ExitStatus),
    #[error("printed more than credentials can be")]
    TooLong,
    #[error("printed what is no credentials: {0}")]
    Answer(&'static str),
}

/// Runs `program` and takes the credentials that it prints. No shell sees the arguments, and the program sees nothing
/// of standard input (which may hold a password); what it says on standard error goes to `told`.
pub(super) async fn credentials<A: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: impl IntoIterator<Item = A>,
    told: Stdio,
    limit: Duration,
) -> Result<Credentials, Fault> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(told).kill_on_drop(true);
    let mut child = command.spawn().map_err(|fault| match fault.kind() {
        io::ErrorKind::NotFound => Fault::NotInstalled,
        _ => Fault::Run(fault),
    })?;
    // Of full length from the start, so that no copy of a secret is left where it grew.
    let mut printed = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
    let outcome = tokio::time::timeout(limit, async {
        if let Some(stdout) = child.stdout.take() {
            stdout.take(LONGEST as u64 + 1).read_to_end(&mut printed).await.map_err(Fault::Run)?;
        }
        if printed.len() > LONGEST {
            return Err(Fault::TooLong);
        }
        child.wait().await.map_err(Fault::Run)
    })
    .await;
    let status = match outcome {
        Ok(ended) => ended,
        Err(_) => Err(Fault::TooSlow(limit)),
    };
    match status {
        Ok(status) if status.success() => parse(&printed).map_err(Fault::Answer),
        Ok(status) => Err(Fault::Failed(status)),
        Err(fault) => {
            // It may be past killing; there is nothing more to do about it.
            let _ = child.kill().await;
            Err(fault)
        }
    }
}

/// What such a program prints; lent from the text, so that there is no second copy of it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    version: u32,
    #[serde(borrow)]
    access_key_id: Cow<'a, str>,
    #[serde(borrow)]
    secret_access_key: Cow<'a, str>,
    #[serde(borrow)]
    session_token: Option<Cow<'a, str>>,
    account_id: Option<String>,
}

fn parse(printed: &[u8]) -> Result<Credentials, &'static str> {
    // What the parser has to say is left out: it quotes.
    let answer: Answer<'_> = serde_json::from_slice(printed)
        .map_err(|_| "not JSON with Version, AccessKeyId and SecretAccessKey")?;
    if answer.version != 1 {
        return Err("the Version is not 1");
    }
    let is_text = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let token = answer.session_token.filter(|token| !token.is_empty());
    let parts = [Some(&answer.access_key_id), Some(&answer.secret_access_key), token.as_ref()];
    if !parts.into_iter().flatten().all(|part| is_text(part)) {
        return Err("a part of them is empty, or not plain ASCII");
    }
    let mut credentials = Credentials::builder()
        .access_key_id(answer.access_key_id)
        .secret_access_key(answer.secret_access_key)
        .provider_name("process");
    credentials.set_session_token(token.map(Cow::into_owned));
    credentials.set_account_id(answer.account_id.filter(|id| !id.is_empty()).map(Into::into));
    Ok(credentials.build())
}

#[cfg(test)]
mod tests {
    use aws_credential_types::attributes::AccountId;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[cfg(unix)]
    async fn shell(script: &str, limit: Duration) -> Result<Credentials, Fault> {
        credentials("sh", ["-c", script], Stdio::inherit(), limit).await
    }

    #[test]
    fn the_documented_answer_is_taken() {
        let text = json!({
            "Version": 1,
            "AccessKeyId": "ASIAEXAMPLE",
            "SecretAccessKey": "secret/+=",
            "SessionToken": "token",
            "Expiration": "2026-01-01T00:00:00+00:00",
            "AccountId": "111122223333",
        });
        let found = parse(text.to_string().as_bytes()).unwrap();
        assert_eq!((found.access_key_id(), found.secret_access_key()), ("ASIAEXAMPLE", "secret/+="));
        assert_eq!(found.session_token(), Some("token"));
        assert_eq!(found.account_id().map(AccountId::as_str), Some("111122223333"));
        let least = br#"{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b", "SessionToken": ""}"#;
        assert_eq!(parse(least).unwrap().session_token(), None);
    }

    #[test]
    fn anything_else_is_refused_without_a_word_of_it() {
        for wrong in [
            "",
            "canary",
            "{}",
            r#"{"Version": 2, "AccessKeyId": "canary", "SecretAccessKey": "canary"}"#,
            r#"{"Version": "canary", "AccessKeyId": "canary", "SecretAccessKey": "canary"}"#,
            r#"{"Version": 1, "AccessKeyId": "canary", "SecretAccessKey": ["canary"]}"#,
            r#"{"Version": 1, "AccessKeyId": "canary", "SecretAccessKey": ""}"#,
            r#"{"Version": 1, "AccessKeyId": "canary\r\nHost: x", "SecretAccessKey": "canary"}"#,
            r#"{"Version": 1, "AccessKeyId": "canary", "SecretAccessKey": "canary", "SessionToken": "a b"}"#,
        ] {
            let fault = Fault::Answer(parse(wrong.as_bytes()).unwrap_err());
            let told = format!("{fault} {fault:?}");
            assert!(!told.contains("canary"), "{told}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(printed in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&printed);
        }

        #[test]
        fn any_plain_credentials_come_back(
            id in "[!-~]{1,40}", secret in "[!-~]{1,60}", token in proptest::option::of("[!-~]{1,200}"),
        ) {
            let text = json!({
                "Version": 1, "AccessKeyId": id, "SecretAccessKey": secret, "SessionToken": token,
            });
            let found = parse(text.to_string().as_bytes()).unwrap();
            prop_assert_eq!(found.access_key_id(), id);
            prop_assert_eq!(found.secret_access_key(), secret);
            prop_assert_eq!(found.session_token(), token.as_deref());
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_program_that_hangs_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        // Hangs for good: it waits for a writer to a pipe that has none.
        let script = format!("echo $$ > {0}; mkfifo {0}.pipe; exec cat {0}.pipe", pid.display());
        let limit = Duration::from_secs(2);
        let outcome = shell(&script, limit).await;
        assert!(matches!(outcome, Err(Fault::TooSlow(after)) if after == limit), "{outcome:?}");
        // On a machine so busy that it was ended before its first line, there is no number.
        if let Ok(pid) = std::fs::read_to_string(pid) {
            let alive = std::process::Command::new("kill").args(["-0", pid.trim()]).output().unwrap();
            assert!(!alive.status.success(), "it runs on");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_program_that_fails_or_prints_garbage_gives_none() {
        let failed = shell("echo '{}'; exit 3", LIMIT).await;
        assert!(matches!(failed, Err(Fault::Failed(status)) if status.code() == Some(3)), "{failed:?}");
        assert!(matches!(shell("echo garbage", LIMIT).await, Err(Fault::Answer(_))));
        assert!(matches!(shell("exec cat /dev/zero", LIMIT).await, Err(Fault::TooLong)));
        let absent = credentials("no-such-program-here", ["x"], Stdio::inherit(), LIMIT).await;
        assert!(matches!(absent, Err(Fault::NotInstalled)), "{absent:?}");
        let folder = tempfile::tempdir().unwrap();
        let forbidden = credentials(folder.path(), ["x"], Stdio::inherit(), LIMIT).await;
        assert!(matches!(forbidden, Err(Fault::Run(_))), "{forbidden:?}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn arguments_are_no_commands_and_standard_input_is_kept_back() {
        let script = r#"test "$1" = '$(touch /nowhere); x' && test -z "$(cat)" &&
            echo '{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "b"}'"#;
        let found =
            credentials("sh", ["-c", script, "sh", "$(touch /nowhere); x"], Stdio::inherit(), LIMIT).await;
        assert_eq!(found.unwrap().access_key_id(), "a");
    }
}
