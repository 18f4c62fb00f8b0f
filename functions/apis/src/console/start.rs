//! What a new definition may start from.

/// A definition to start from.
#[derive(Debug)]
pub struct Start {
    /// As the address names it.
    pub name: &'static str,
    pub title: &'static str,
    pub about: &'static str,
    source: &'static str,
}

/// An OpenAPI file to start from, as the address names it.
pub const FILE: &str = "openapi";

/// All that there is to start from.
pub const ALL: [Start; 6] = [
    Start {
        name: "blank",
        title: "A blank definition",
        about: "One endpoint that sends one request, and nothing else.",
        source: include_str!("examples/blank.yaml"),
    },
    Start {
        name: "form",
        title: "A site behind a login form",
        about: "Signs in with a user name and a password, reads pages, and knows when the site has ended the session.",
        source: include_str!("examples/form.yaml"),
    },
    Start {
        name: "token",
        title: "A JSON API with a token",
        about: "Signs in for a token, sends it with every call, and renews it in time.",
        source: include_str!("examples/token.yaml"),
    },
    Start {
        name: "mount",
        title: "An API passed on as it is",
        about: "Mounts an upstream at a path of the gateway, with a key of its own that callers never see.",
        source: include_str!("examples/mount.yaml"),
    },
    Start {
        name: "django-admin",
        title: "Django\u{2019}s admin, whole",
        about: "A real site: a form with a hidden token, tables read and rows added.",
        source: include_str!("../../../../docs/definitions/django-admin.yaml"),
    },
    Start {
        name: "dokuwiki",
        title: "DokuWiki, whole",
        about: "A real site: several forms on a page, pages read and written.",
        source: include_str!("../../../../docs/definitions/dokuwiki.yaml"),
    },
];

impl Start {
    /// The one of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|start| start.name == name)
    }

    /// Its text, without the line that is for editors on somebody's own machine.
    pub fn source(&self) -> &'static str {
        match self.source.split_once('\n') {
            Some((first, rest)) if first.starts_with("# yaml-language-server:") => rest,
            _ => self.source,
        }
    }
}

#[cfg(test)]
mod tests {
    use latchkey::upstream::definition;

    use super::*;

    #[test]
    fn every_start_can_be_used_as_it_is() {
        for start in &ALL {
            let checked = definition::parse(start.source());
            let checked = checked.unwrap_or_else(|faults| panic!("{}: {faults:?}", start.name));
            assert_eq!(checked.warnings, [], "{}", start.name);
            assert!(!start.source().contains("$schema"), "{}", start.name);
            assert!(Start::named(start.name).is_some() && start.name != FILE);
        }
    }
}
