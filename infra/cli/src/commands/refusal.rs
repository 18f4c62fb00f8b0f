//! What an operator can do where AWS refused or did not answer, told from the text of the cause.
//!
//! The text is all that an error keeps of its cause; in it stand the names that AWS gives its exceptions, as whole
//! words, and those are part of its interfaces.

/// What to do about `cause`; `None` where there is nothing better to say than the cause itself.
pub(super) fn advice(cause: &str) -> Option<String> {
    let has = |wanted: &str| words(cause).any(|word| word == wanted);
    let any = |wanted: &[&str]| wanted.iter().any(|name| has(name));
    let text = if any(&["ExpiredToken", "ExpiredTokenException"]) {
        "the credentials have expired: sign in again (with SSO, `aws sso login`) and run this again"
            .to_owned()
    } else if cause.contains("Signature expired") || cause.contains("Signature not yet current") {
        "AWS refuses the time of this machine: set its clock".to_owned()
    } else if any(&[
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "IncompleteSignatureException",
        "MissingAuthenticationTokenException",
    ]) {
        "AWS does not know these credentials: check --profile, or the variables AWS_ACCESS_KEY_ID, \
         AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, and that the account has the region switched on"
            .to_owned()
    } else if any(&["AccessDeniedException", "AccessDenied", "NotAuthorized"]) {
        let action = action(cause);
        let action = action.as_deref().unwrap_or("what it needs");
        format!("these credentials may not do {action}: use others, or let a policy allow it")
    } else if any(&["KMSInvalidStateException", "DisabledException"]) {
        "the KMS key is disabled or is to be deleted: enable it, or cancel the deletion, before anything else"
            .to_owned()
    } else if any(&["InvalidCiphertextException", "IncorrectKeyException"]) {
        "the stored secrets were wrapped with another KMS key: give the key they were made with in --kms-key-id"
            .to_owned()
    } else if has("KMS") && has("NotFoundException") {
        "the KMS key is not there. A stack makes it, and an alias for it: deploy the stack, or deploy it again where \
         it is of a version without the alias; or name the key in --kms-key-id (the stack's output KeyringKeyArn)"
            .to_owned()
    } else if has("ResourceNotFoundException") {
        "a table is not there: check the stack's name, --region, and whose credentials these are".to_owned()
    } else if any(&[
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "ProvisionedThroughputExceededException",
        "LimitExceededException",
    ]) {
        "AWS asks for fewer requests: wait a little and run this again; what was done stays done".to_owned()
    } else if cause.contains("dispatch failure") || cause.contains("timed out") || cause.contains("timeout") {
        "there is no answer: check the network, that --region is a region of AWS, and, where --endpoint-url or \
         AWS_ENDPOINT_URL is set, that something answers there"
            .to_owned()
    } else {
        return None;
    };
    Some(text)
}

/// The action that AWS says is not allowed: `… is not authorized to perform: dynamodb:ListTables on …`.
fn action(cause: &str) -> Option<String> {
    let (_, after) = cause.split_once("to perform: ")?;
    let end = after.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != ':');
    let action = &after[..end.unwrap_or(after.len())];
    action.contains(':').then(|| action.to_owned())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn advice_names_what_to_do() {
        for (cause, expected) in [
            (
                "service error: unhandled error (AccessDeniedException): Error { code: \"AccessDeniedException\", \
                 message: \"User: arn:aws:iam::111122223333:user/x is not authorized to perform: \
                 dynamodb:ListTables on resource: arn:aws:dynamodb:eu-west-1:111122223333:table/*\" }",
                "may not do dynamodb:ListTables:",
            ),
            ("AccessDeniedException: no", "may not do what it needs:"),
            ("AccessDeniedException: not authorized to perform: everything", "may not do what it needs:"),
            ("unhandled error (ExpiredTokenException): The security token …", "aws sso login"),
            ("UnrecognizedClientException: The security token included …", "does not know these credentials"),
            ("InvalidSignatureException: Signature expired: 2020 is now earlier than 2026", "clock"),
            (
                "KMS GenerateDataKey for index failed: NotFoundException: Alias arn:… is not found.",
                "KeyringKeyArn",
            ),
            (
                "service error: ResourceNotFoundException: Requested resource not found",
                "a table is not there",
            ),
            ("ThrottlingException: Rate exceeded", "wait a little"),
            ("KMSInvalidStateException: … is pending deletion.", "cancel the deletion"),
            ("KMS Decrypt for key-pepper failed: InvalidCiphertextException", "--kms-key-id"),
            ("dispatch failure: io error: client error (Connect): dns error", "--region"),
            ("request has timed out: HTTP read timeout", "--endpoint-url"),
        ] {
            let advice = advice(cause).unwrap_or_default();
            assert!(advice.contains(expected), "{cause}: {advice}");
        }
        assert_eq!(advice("the key of index has an unknown envelope"), None);
    }

    proptest! {
        #[test]
        fn any_cause_is_read(cause in ".{0,200}", action in "[a-z]{2,9}:[A-Za-z]{3,20}") {
            let _ = advice(&cause);
            let denied = format!("AccessDeniedException: not authorized to perform: {action} on resource {cause}");
            let told = advice(&denied).unwrap();
            let expired = denied.contains("ExpiredToken");
            prop_assert!(expired || told.contains(&action), "{told}");
        }
    }
}
