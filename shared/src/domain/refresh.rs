//! Refresh: one rotation, a short window in which its answer may be asked for again, and theft.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::id::{AccountId, LoginSessionId, UserId};
use crate::Timestamp;
use crate::clock::{after, seconds_between};

/// How long a refresh token lives, in seconds: 30 days.
pub const REFRESH_LIFE: i64 = 30 * 86_400;
/// When a login session ends at the latest, in seconds after the sign-in: 90 days.
pub const SESSION_LIFE: i64 = 90 * 86_400;
/// When a sign-in at the console ends at the latest, in seconds: 7 days.
pub const CONSOLE_SESSION_LIFE: i64 = 7 * 86_400;
/// How long after a rotation the spent token still gets the successor's answer, in seconds: longer than any
/// lost answer or second tab.
pub const REUSE_WINDOW: i64 = 60;

/// What keeps a login session going, and so which credentials are of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// A refresh token, and the access tokens that it gives.
    #[default]
    Api,
    /// The console's cookie.
    Console,
}

impl SessionKind {
    /// The name, as it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Console => "console",
        }
    }
}

/// A login session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginSession {
    pub user_id: UserId,
    pub id: LoginSessionId,
    pub account_id: AccountId,
    #[serde(default)]
    pub kind: SessionKind,
    /// How often its refresh token was rotated; the newest token carries this count.
    pub counter: u64,
    #[serde(with = "super::time::micros")]
    pub rotated_at: Timestamp,
    #[serde(with = "super::time::micros")]
    pub created_at: Timestamp,
    /// When the newest refresh token ends.
    #[serde(with = "super::time::micros")]
    pub expires_at: Timestamp,
    /// The password's epoch under which it was made.
    pub credentials_epoch: u64,
    /// When it was logged out or revoked.
    #[serde(default, with = "super::time::micros::option", skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The address it was begun from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// What the client that began it called itself, [made fit to be shown](super::user_agent::shown).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// When DynamoDB may delete it, in seconds since the Unix epoch.
    pub ttl: i64,
}

impl LoginSession {
    /// A session that begins now.
    #[must_use]
    pub fn begin(
        kind: SessionKind,
        id: LoginSessionId,
        user_id: UserId,
        account_id: AccountId,
        credentials_epoch: u64,
        now: Timestamp,
    ) -> Self {
        let expires_at = match kind {
            SessionKind::Api => after(now, REFRESH_LIFE),
            SessionKind::Console => after(now, CONSOLE_SESSION_LIFE),
        };
        Self {
            user_id,
            id,
            account_id,
            kind,
            counter: 0,
            rotated_at: now,
            created_at: now,
            expires_at,
            credentials_epoch,
            ended_at: None,
            ip: None,
            user_agent: None,
            ttl: expires_at.as_second(),
        }
    }

    /// When it ends, whatever is done with it.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        let life = match self.kind {
            SessionKind::Api => SESSION_LIFE,
            SessionKind::Console => CONSOLE_SESSION_LIFE,
        };
        after(self.created_at, life)
    }

    /// Whether its tokens hold: neither ended nor past its time, and made under the password of today.
    #[must_use]
    pub fn is_alive(&self, credentials_epoch: u64, now: Timestamp) -> bool {
        self.ended_at.is_none()
            && now < self.expires_at
            && now < self.ends_at()
            && self.credentials_epoch == credentials_epoch
    }

    /// When a refresh token made now ends.
    #[must_use]
    pub fn refresh_expiry(&self, now: Timestamp) -> Timestamp {
        after(now, REFRESH_LIFE).min(self.ends_at())
    }
}

/// What a presented refresh token means for a live login session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is the newest: rotate to this count.
    Rotate { next: u64 },
    /// It was rotated a moment ago, and its successor is the newest: issue that again, write nothing.
    Reissue { counter: u64 },
    /// It was used before: theft.
    Reused,
    /// It is newer than the stored one, which this gateway never issued: refuse, write nothing.
    Unknown,
}

/// Decides what a refresh token of count `presented` means; `session` is alive.
#[must_use]
pub fn decide(session: &LoginSession, presented: u64, now: Timestamp) -> Decision {
    if presented == session.counter {
        return Decision::Rotate { next: session.counter + 1 };
    }
    if presented > session.counter {
        return Decision::Unknown;
    }
    // Two instances' clocks differ a little: a rotation in the future is one of just now.
    let age = seconds_between(session.rotated_at, now).max(0);
    if presented + 1 == session.counter && age <= REUSE_WINDOW {
        Decision::Reissue { counter: session.counter }
    } else {
        Decision::Reused
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::at_second;
    use proptest::prelude::*;

    fn session(counter: u64) -> LoginSession {
        let start = at_second(1_800_000_000);
        let user = UserId::from_bits(1);
        LoginSession {
            counter,
            ..LoginSession::begin(
                SessionKind::Api,
                LoginSessionId::from_bits(9),
                user,
                user.personal_account(),
                3,
                start,
            )
        }
    }

    #[test]
    fn the_window_is_sixty_seconds() {
        let session = session(5);
        let at = |seconds| decide(&session, 4, after(session.rotated_at, seconds));
        assert_eq!(at(0), Decision::Reissue { counter: 5 });
        assert_eq!(at(-30), Decision::Reissue { counter: 5 });
        assert_eq!(at(60), Decision::Reissue { counter: 5 });
        assert_eq!(at(61), Decision::Reused);
        assert_eq!(decide(&session, 3, session.rotated_at), Decision::Reused);
        assert_eq!(decide(&session, 5, session.rotated_at), Decision::Rotate { next: 6 });
        assert_eq!(decide(&session, 6, session.rotated_at), Decision::Unknown);
    }

    #[test]
    fn a_session_ends_after_ninety_days() {
        let session = session(0);
        let late = after(session.created_at, SESSION_LIFE - 10);
        let session = LoginSession { expires_at: after(late, REFRESH_LIFE), ..session };
        assert_eq!(session.refresh_expiry(late), session.ends_at());
        assert!(session.is_alive(3, late));
        assert!(!session.is_alive(4, late));
        assert!(!session.is_alive(3, session.ends_at()));
    }

    #[test]
    fn a_sign_in_at_the_console_ends_after_seven_days() {
        let start = at_second(1_800_000_000);
        let (id, user) = (LoginSessionId::from_bits(9), UserId::from_bits(1));
        let session = LoginSession::begin(SessionKind::Console, id, user, user.personal_account(), 3, start);
        assert!(session.is_alive(3, after(start, CONSOLE_SESSION_LIFE - 1)));
        assert!(!session.is_alive(3, after(start, CONSOLE_SESSION_LIFE)));
        assert_eq!(session.ttl, after(start, CONSOLE_SESSION_LIFE).as_second());
    }

    proptest! {
        #[test]
        fn only_the_newest_rotates(counter in 0_u64..1000, presented in 0_u64..1000, age in -100_i64..1000) {
            let session = session(counter);
            let decision = decide(&session, presented, after(session.rotated_at, age));
            prop_assert_eq!(matches!(decision, Decision::Rotate { .. }), presented == counter);
            if let Decision::Reissue { counter: reissued } = decision {
                prop_assert_eq!(reissued, presented + 1);
            }
        }
    }
}
