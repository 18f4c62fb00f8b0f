//! Organizations: what bounds them, who may change which member, and invitations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::account::Role;
use super::email::CanonicalEmail;
use super::id::{AccountId, InvitationId, UserId};
use crate::Timestamp;
use crate::clock::after;

/// How many organizations that still exist one user may have made. Those that the operator made do not count.
pub const MOST_ORGANIZATIONS: u32 = 20;
/// How many workspaces one account may have, the default one among them.
pub const MOST_WORKSPACES: usize = 100;
/// How many invitations of one organization may be open at once.
pub const MOST_INVITATIONS: usize = 100;
/// How long an invitation may be accepted, in seconds: 14 days.
pub const INVITATION_LIFE: i64 = 14 * 86_400;

/// Whether somebody may give a member the role `to` in place of `from`; `None` stands for no member at all. Only an
/// owner makes, changes or removes an owner. `own` is the role of who asks; a key has none, and is never an owner.
#[must_use]
pub fn may_change(own: Option<Role>, from: Option<Role>, to: Option<Role>) -> bool {
    let concerns_an_owner = from == Some(Role::Owner) || to == Some(Role::Owner);
    !concerns_an_owner || own == Some(Role::Owner)
}

/// By how much such a change alters the number of owners.
#[must_use]
pub fn owners_change(from: Option<Role>, to: Option<Role>) -> i64 {
    i64::from(to == Some(Role::Owner)) - i64::from(from == Some(Role::Owner))
}

/// That somebody may become a member of an organization. It holds no secret: only the user with its address can accept
/// it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub id: InvitationId,
    pub account_id: AccountId,
    /// The canonical address.
    pub email: String,
    pub role: Role,
    /// Who invites: a user, or the organization's system user.
    pub invited_by: UserId,
    #[serde(with = "super::time::micros")]
    pub created_at: Timestamp,
    #[serde(with = "super::time::micros")]
    pub expires_at: Timestamp,
}

impl Invitation {
    /// An invitation of `email` to an organization. The id is the same for the same address and organization, so that
    /// a second invitation stands in the first one's place.
    #[must_use]
    pub fn new(
        account_id: AccountId,
        email: &CanonicalEmail,
        role: Role,
        invited_by: UserId,
        now: Timestamp,
    ) -> Self {
        Self {
            id: InvitationId::of(account_id, email),
            account_id,
            email: email.as_str().to_owned(),
            role,
            invited_by,
            created_at: now,
            expires_at: after(now, INVITATION_LIFE),
        }
    }

    /// Whether it can be accepted still.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// Whether it is for the user with this address, as they write it.
    #[must_use]
    pub fn is_for(&self, email: &str) -> bool {
        CanonicalEmail::parse(email).is_ok_and(|email| email.as_str() == self.email)
    }
}

/// The invitations of an organization, some of which may have ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitations {
    pub open: BTreeMap<InvitationId, Invitation>,
}

impl Invitations {
    /// Whether no further invitation fits beside those that are open.
    #[must_use]
    pub fn are_full_for(&self, id: InvitationId, now: Timestamp) -> bool {
        let others = self.open.values().filter(|other| other.id != id && other.is_open(now));
        others.count() >= MOST_INVITATIONS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::at_second;
    use proptest::prelude::*;

    const ROLES: [Option<Role>; 5] =
        [None, Some(Role::Owner), Some(Role::Admin), Some(Role::Member), Some(Role::Viewer)];

    fn email(text: &str) -> CanonicalEmail {
        CanonicalEmail::parse(text).unwrap()
    }

    fn invitation(text: &str, now: i64) -> Invitation {
        let (account, inviter) = (AccountId::from_bits(1), UserId::from_bits(2));
        Invitation::new(account, &email(text), Role::Member, inviter, at_second(now))
    }

    #[test]
    fn only_an_owner_concerns_themselves_with_owners() {
        for from in ROLES {
            for to in ROLES {
                let owners = [from, to].contains(&Some(Role::Owner));
                for own in ROLES {
                    assert_eq!(may_change(own, from, to), !owners || own == Some(Role::Owner));
                }
                // What the count adds up to is what it was, and one way undoes the other.
                assert_eq!(owners_change(from, to), -owners_change(to, from));
            }
        }
        assert_eq!(owners_change(None, Some(Role::Owner)), 1);
        assert_eq!(owners_change(Some(Role::Owner), Some(Role::Admin)), -1);
    }

    #[test]
    fn one_address_has_one_invitation_to_one_organization() {
        let first = invitation("Jane@Example.com", 0);
        assert_eq!(first.id, invitation(" jane@example.COM ", 9).id);
        assert_ne!(first.id, invitation("joe@example.com", 0).id);
        assert_ne!(first.id, InvitationId::of(AccountId::from_bits(2), &email("jane@example.com")));
        assert!(first.is_for("JANE@example.com") && !first.is_for("joe@example.com") && !first.is_for(""));
    }

    #[test]
    fn an_invitation_ends_after_14_days() {
        let invitation = invitation("jane@example.com", 0);
        assert!(invitation.is_open(at_second(14 * 86_400 - 1)));
        assert!(!invitation.is_open(at_second(14 * 86_400)));
    }

    proptest! {
        #[test]
        fn what_has_ended_takes_no_room(ended in 0_usize..150, open in 0_usize..150) {
            let of = |n: usize, now| invitation(&format!("user{n}@example.com"), now);
            let invitations = (0..ended).map(|n| of(n, 0)).chain((ended..ended + open).map(|n| of(n, 100)));
            let all = Invitations { open: invitations.map(|one| (one.id, one)).collect() };
            let now = at_second(INVITATION_LIFE);
            prop_assert_eq!(all.are_full_for(of(999, 0).id, now), open >= MOST_INVITATIONS);
        }
    }
}
