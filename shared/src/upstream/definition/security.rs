//! Reads `security`: which schemes' values the requests of an operation, or of a mount, carry.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::reader::At;
use super::statics::{self, Scheme, StaticScheme};

/// Every security scheme of a document, and which of them something has named.
#[derive(Debug, Default)]
pub(super) struct Schemes<'n> {
    all: BTreeMap<&'n str, (Scheme, At<'n>)>,
    used: RefCell<BTreeSet<&'n str>>,
}

/// What a `security` asks for.
#[derive(Debug, Default, Clone)]
pub(super) struct Security {
    pub session: bool,
    /// Static schemes, each once.
    pub carries: Vec<String>,
}

impl<'n> Schemes<'n> {
    /// Reads `components.securitySchemes`; what stands in `x-session` is read elsewhere.
    pub fn read(schemes: &[(&'n str, At<'n>)]) -> Self {
        let read = |name: &str, at: &At<'n>| match at.member("x-session") {
            Some(_) => Scheme::Session,
            None => statics::scheme(name, at),
        };
        let all = schemes.iter().map(|(name, at)| (*name, (read(name, at), at.clone()))).collect();
        Self { all, used: RefCell::default() }
    }

    /// Reads a `security`. Of alternatives the first is taken, because nobody could say later which one held; a
    /// session counts wherever it is named.
    pub fn security(&self, at: &At<'n>) -> Security {
        let mut found = Security::default();
        let requirements: Vec<_> = at.list().iter().map(At::entries).collect();
        if requirements.len() > 1 {
            at.warn(
                "names alternatives, between which the gateway does not choose: a session counts in any of them, \
                 other schemes in the first that names something",
            );
        }
        let first = requirements.iter().position(|requirement| !requirement.is_empty());
        for (index, requirement) in requirements.iter().enumerate() {
            for (name, at) in requirement {
                self.name(name, at, Some(index) == first, &mut found);
            }
        }
        found
    }

    fn name(&self, name: &'n str, at: &At<'n>, counts: bool, found: &mut Security) {
        let Some((scheme, _)) = self.all.get(name) else {
            at.fault("is no security scheme of this document");
            return;
        };
        self.used.borrow_mut().insert(name);
        match scheme {
            Scheme::Session => found.session = true,
            Scheme::Unsupported(why) if counts => at.fault(why.clone()),
            Scheme::Static(scheme) if counts => {
                let (kind, place) = scheme.place();
                let same = |other: &String| matches!(self.of(other), Some(other) if other.place().1 == place && other.place().0 == kind);
                if found.carries.iter().any(same) {
                    at.fault(format!("sets the {kind} `{place}`, which another scheme beside it sets too"));
                }
                found.carries.push(name.to_owned());
            }
            Scheme::Static(_) | Scheme::Unsupported(_) | Scheme::Wrong => {}
        }
    }

    fn of(&self, name: &str) -> Option<&StaticScheme> {
        match self.all.get(name) {
            Some((Scheme::Static(scheme), _)) => Some(scheme),
            _ => None,
        }
    }

    /// Warns of schemes that do nothing, and gives the static ones.
    pub fn finish(self, credentials: impl Fn(&str) -> bool) -> BTreeMap<String, StaticScheme> {
        let used = self.used.into_inner();
        let mut statics = BTreeMap::new();
        for (name, (scheme, at)) in self.all {
            match scheme {
                Scheme::Static(scheme) => {
                    if !used.contains(name) {
                        at.warn("is never used: no `security` that the gateway acts on names it");
                    }
                    if credentials(name) {
                        at.fault(
                            "is also the name of a credential of x-session: stored values are given by name",
                        );
                    }
                    statics.insert(name.to_owned(), scheme);
                }
                Scheme::Unsupported(why) if !used.contains(name) => at.warn(why),
                Scheme::Session | Scheme::Unsupported(_) | Scheme::Wrong => {}
            }
        }
        statics
    }
}
