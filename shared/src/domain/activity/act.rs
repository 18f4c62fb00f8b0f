//! The acts of the activity log, each under its name.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! acts {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// What somebody did, or tried to do. `docs/activity.md` tells users of each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Act {
            $($(#[$doc])* $variant),*
        }

        impl Act {
            /// Every act.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name, as in `key.created`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),*
                }
            }
        }
    };
}

acts! {
    /// A user signed in with e-mail and password; the target is the login session.
    SignInSucceeded = "sign_in.succeeded",
    /// A sign-in to a user who exists was refused.
    SignInFailed = "sign_in.failed",
    /// A login session was ended: signed out of, or ended from the list.
    LoginSessionEnded = "login_session.ended",
    /// A spent refresh token was used, which ended its login session.
    RefreshReused = "refresh.reused",
    /// Every login session, cookie and personal token of a user was ended.
    SignedOutEverywhere = "sign_out.everywhere",
    /// A user changed the password.
    PasswordChanged = "password.changed",
    /// A password was set without the one before: by a one-time link, or by the operator.
    PasswordReset = "password.reset",
    /// The operator made a one-time link with which a password can be set.
    ResetLinkCreated = "password.reset_link_created",

    /// A personal token was made.
    TokenCreated = "token.created",
    /// A personal token was revoked.
    TokenRevoked = "token.revoked",

    /// An API key was made.
    KeyCreated = "key.created",
    /// An API key was renamed, or its limits changed.
    KeyChanged = "key.changed",
    /// An API key got a new text.
    KeyRotated = "key.rotated",
    /// An API key was revoked.
    KeyRevoked = "key.revoked",
    /// Somebody who holds an API key reported it as leaked, which revoked it.
    KeyReported = "key.reported",
    /// An API key was used as it never was before.
    KeyUsedUnusually = "key.used_unusually",

    /// An organization was made.
    OrganizationCreated = "organization.created",
    /// An organization was renamed.
    OrganizationRenamed = "organization.renamed",
    /// An organization was deleted.
    OrganizationDeleted = "organization.deleted",
    /// Somebody was invited to an organization.
    InvitationCreated = "invitation.created",
    /// An invitation was accepted: its user is a member.
    InvitationAccepted = "invitation.accepted",
    /// An invitation was declined by whom it was for.
    InvitationDeclined = "invitation.declined",
    /// An invitation was withdrawn.
    InvitationRevoked = "invitation.revoked",
    /// The operator made a user a member.
    MemberAdded = "member.added",
    /// A member got another role.
    MemberRoleChanged = "member.role_changed",
    /// A member was removed, or left.
    MemberRemoved = "member.removed",
    /// A workspace was made.
    WorkspaceCreated = "workspace.created",
    /// A workspace was renamed, or its limits changed.
    WorkspaceChanged = "workspace.changed",
    /// A workspace was deleted.
    WorkspaceDeleted = "workspace.deleted",

    /// An API was made.
    ApiCreated = "api.created",
    /// An API got another definition.
    ApiChanged = "api.changed",
    /// An API was deleted.
    ApiDeleted = "api.deleted",
    /// What an API uses upstream for everyone was set.
    ApiCredentialsSet = "api.credentials_set",
    /// What an API uses upstream for everyone was taken away.
    ApiCredentialsRemoved = "api.credentials_removed",

    /// A sign-in at a site.
    UpstreamSignedIn = "upstream.signed_in",
    /// A session at a site was made of a browser's cookies.
    UpstreamImported = "upstream.imported",
    /// A session at a site was ended by its owner.
    UpstreamLoggedOut = "upstream.logged_out",
    /// A site was seen to have ended a session.
    UpstreamSessionEnded = "upstream.session_ended",
    /// A call that may change something upstream was passed on.
    UpstreamCalled = "upstream.called",

    /// Somebody whose credential holds was refused.
    Denied = "denied",

    /// The operator made a user.
    UserCreated = "user.created",
    /// The operator deactivated a user or a personal account.
    UserDeactivated = "user.deactivated",
    /// The operator activated a user or a personal account again.
    UserActivated = "user.activated",
    /// The operator deactivated an organization.
    OrganizationDeactivated = "organization.deactivated",
    /// The operator activated an organization again.
    OrganizationActivated = "organization.activated",
    /// The operator put an account on another plan.
    PlanChanged = "account.plan_changed",
    /// The operator changed how many sessions an account may have at one site.
    SessionCapChanged = "account.session_cap_changed",
}

impl Act {
    /// The act of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|act| act.name() == name)
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Act {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Act {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| serde::de::Error::custom("is no act of the activity log"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_act_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = Act::ALL.iter().map(|act| act.name()).collect();
        assert_eq!(names.len(), Act::ALL.len());
        for &act in Act::ALL {
            assert_eq!(Act::named(act.name()), Some(act));
        }
        assert_eq!(Act::named("key.create"), None);
    }
}
