//! Outbound proxies: the operator's pools of them, and which one a session is bound to.
//!
//! A definition names a pool, never a proxy; what the pool holds is the operator's secret. At sign-in one member
//! and a token are drawn at random and kept in the sealed state, so that every later call goes out at the same
//! address. The token takes the place of `{session}` in user name and password: that is how the large providers
//! are told which address is meant.

mod known;
mod member;
mod stored;

#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use known::Pools;
pub use member::{LONGEST_CREDENTIAL, LONGEST_URL, Member, MemberError, PLACEHOLDER};
pub use stored::{Stored, Summary, delete, list, set};

use super::egress::Proxy;
use super::expression::is_name;
use crate::Error;
use crate::crypto::secret::random_bytes;

/// The most members of a pool.
pub const MOST_MEMBERS: usize = 64;

/// The letters and digits of a session's token.
const TOKEN_ALPHABET: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyz2345678";
/// The length of a session's token, in characters: what every large provider takes.
const TOKEN_LENGTH: usize = 8;

/// The proxies among which a session's is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pool {
    name: String,
    members: Vec<Member>,
}

/// The proxy that a session goes through, as its state keeps it. Its `Debug` shows the pool alone.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundProxy {
    /// The pool's name.
    pub pool: String,
    /// The member's address, which says which it is even where the pool is reordered or its passwords change.
    pub member: String,
    /// What takes the place of `{session}`.
    pub session: String,
}

/// Why a pool cannot be taken. The text names the pool and its members by number, and shows nothing of a URL.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    #[error("the pool's name must have 1 to 64 letters, digits, `_` or `-`")]
    Name,
    #[error("the pool {0} has no members")]
    Empty(String),
    #[error("the pool {0} has more than {MOST_MEMBERS} members")]
    TooMany(String),
    #[error("the pool {name}: {}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Members { name: String, faults: Vec<MemberFault> },
}

/// What is wrong with one member of a pool.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("member {number} {error}")]
pub struct MemberFault {
    /// Counted from 1.
    pub number: usize,
    pub error: MemberError,
}

impl Pool {
    /// The pool of this name with a member for each URL: `http://host:port` or `socks5://host:port`, each with
    /// `user:password@` before the host where the proxy wants it, special characters percent-encoded.
    ///
    /// # Errors
    /// See [`PoolError`]: every fault of the members at once.
    pub fn parse<'a>(name: &str, urls: impl IntoIterator<Item = &'a str>) -> Result<Self, PoolError> {
        if !is_name(name) {
            return Err(PoolError::Name);
        }
        let (mut members, mut faults) = (Vec::<Member>::new(), Vec::new());
        for (index, url) in urls.into_iter().enumerate() {
            if index >= MOST_MEMBERS {
                return Err(PoolError::TooMany(name.to_owned()));
            }
            let member = match Member::parse(url) {
                Ok(member) if members.iter().any(|other| other.address() == member.address()) => {
                    Err(MemberError::Twice(member.address()))
                }
                parsed => parsed,
            };
            match member {
                Ok(member) => members.push(member),
                Err(error) => faults.push(MemberFault { number: index + 1, error }),
            }
        }
        if !faults.is_empty() {
            return Err(PoolError::Members { name: name.to_owned(), faults });
        }
        if members.is_empty() {
            return Err(PoolError::Empty(name.to_owned()));
        }
        Ok(Self { name: name.to_owned(), members })
    }

    /// The name that definitions know it by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Each member's address, without credentials.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        self.members.iter().map(Member::address).collect()
    }

    /// A member at random, beside those of the addresses `except`, with a token of its own; `None` where no other
    /// is left.
    ///
    /// # Errors
    /// `internal` where the system's random source fails.
    pub fn choose(&self, except: &[String]) -> Result<Option<BoundProxy>, Error> {
        let left: Vec<String> =
            self.addresses().into_iter().filter(|address| !except.contains(address)).collect();
        let random = u64::from_be_bytes(*random_bytes()?);
        let Some(nth) = usize::try_from(random).unwrap_or_default().checked_rem(left.len()) else {
            return Ok(None);
        };
        let member = left.into_iter().nth(nth);
        let session = token()?;
        Ok(member.map(|member| BoundProxy { pool: self.name.clone(), member, session }))
    }

    /// The proxy that `bound` means; `None` where this is another pool, or the member is gone from it.
    #[must_use]
    pub fn proxy(&self, bound: &BoundProxy) -> Option<Proxy> {
        let member = self.members.iter().find(|member| member.address() == bound.member)?;
        (bound.pool == self.name).then(|| member.proxy(&bound.session))
    }
}

fn token() -> Result<String, Error> {
    let random = random_bytes::<TOKEN_LENGTH>()?;
    // 32 characters: every byte gives one of them with the same chance.
    let letter = |byte: &u8| TOKEN_ALPHABET.get(usize::from(byte % 32)).copied().map(char::from);
    Ok(random.iter().filter_map(letter).collect())
}

impl fmt::Debug for BoundProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundProxy").field("pool", &self.pool).finish_non_exhaustive()
    }
}
