//! The log in words.

use latchkey::domain::activity::Act;

/// What was done, or was to be done.
pub const fn of(act: Act) -> &'static str {
    match act {
        Act::SignInSucceeded => "Signed in",
        Act::SignInFailed => "Failed to sign in",
        Act::LoginSessionEnded => "Ended a login session",
        Act::RefreshReused => "Used a spent refresh token, which ended the session",
        Act::SignedOutEverywhere => "Signed out everywhere",
        Act::PasswordChanged => "Changed the password",
        Act::PasswordReset => "Set a password without the one before",
        Act::ResetLinkCreated => "Made a link to set a password",
        Act::TokenCreated => "Generated a token",
        Act::TokenRevoked => "Revoked a token",
        Act::KeyCreated => "Made a key",
        Act::KeyChanged => "Changed a key",
        Act::KeyRotated => "Replaced a key\u{2019}s text",
        Act::KeyRevoked => "Revoked a key",
        Act::KeyReported => "Reported a key as leaked, which revoked it",
        Act::KeyUsedUnusually => "Used a key as it never was before",
        Act::OrganizationCreated => "Made the organization",
        Act::OrganizationRenamed => "Renamed the organization",
        Act::OrganizationDeleted => "Deleted the organization",
        Act::InvitationCreated => "Invited somebody",
        Act::InvitationAccepted => "Accepted an invitation",
        Act::InvitationDeclined => "Declined an invitation",
        Act::InvitationRevoked => "Withdrew an invitation",
        Act::MemberAdded => "Added a member",
        Act::MemberRoleChanged => "Changed a member\u{2019}s role",
        Act::MemberRemoved => "Removed a member, or left",
        Act::WorkspaceCreated => "Made a workspace",
        Act::WorkspaceChanged => "Changed a workspace",
        Act::WorkspaceDeleted => "Deleted a workspace",
        Act::ApiCreated => "Made an API",
        Act::ApiChanged => "Changed an API",
        Act::ApiDeleted => "Deleted an API",
        Act::ApiCredentialsSet => "Set an API\u{2019}s stored credentials",
        Act::ApiCredentialsRemoved => "Removed an API\u{2019}s stored credentials",
        Act::UpstreamSignedIn => "Signed in at a site",
        Act::UpstreamImported => "Brought a session of a site along",
        Act::UpstreamLoggedOut => "Signed out at a site",
        Act::UpstreamSessionEnded => "Lost a session at a site",
        Act::UpstreamCalled => "Called an API",
        Act::Denied => "Was refused",
        Act::UserCreated => "Made a user",
        Act::UserDeactivated => "Deactivated a user",
        Act::UserActivated => "Activated a user again",
        Act::OrganizationDeactivated => "Deactivated the organization",
        Act::OrganizationActivated => "Activated the organization again",
        Act::PlanChanged => "Changed the plan",
        Act::SessionCapChanged => "Changed how many sessions a site may have",
    }
}

/// How an act ended, by the outcome's name.
pub fn outcome(name: &str) -> &str {
    match name {
        "succeeded" => "Done",
        "refused" => "Refused",
        "failed" => "Failed",
        "called" => "Passed on",
        other => other,
    }
}

/// What kind of thing it was done to.
pub fn object(kind: &str) -> &str {
    match kind {
        "login_session" => "login session",
        "upstream_session" => "session at a site",
        "api" => "API",
        other => other,
    }
}
