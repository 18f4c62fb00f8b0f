//! Which stack a command works on, in which region and with which profile.
//!
//! A flag wins over what `sam deploy --guided` saved, and that over AWS's variables: so the commands work on the
//! stack that `sam deploy` in the same folder deploys.

use aws_types::os_shim_internal::Env;
use latchkey::store::Table;

use super::samconfig::Saved;

/// Where a command works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) tables: Tables,
    pub(super) region: Option<String>,
    pub(super) profile: Option<String>,
    /// Whether a part of it is from `samconfig.toml`.
    pub(super) is_saved: bool,
}

/// Which tables a command works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tables {
    /// Those of a deployed stack.
    Stack(String),
    /// Those that the variables `LATCHKEY_TABLE_…` name.
    Variables,
    /// Nobody said: a local stack's, if anything.
    Unsaid,
}

/// What the command line says of it.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Flags<'a> {
    pub(super) stack_name: Option<&'a str>,
    pub(super) region: Option<&'a str>,
    pub(super) profile: Option<&'a str>,
}

/// A variable of the environment, unless it is empty.
pub(super) fn variable(environment: &Env, name: &str) -> Option<String> {
    environment.get(name).ok().filter(|value| !value.is_empty())
}

pub(super) fn choose(flags: Flags<'_>, environment: &Env, saved: &Saved) -> Target {
    let own = |text: Option<&str>| text.map(str::to_owned);
    let named = own(flags.stack_name).or_else(|| variable(environment, "LATCHKEY_STACK_NAME"));
    let has_tables = || Table::ALL.iter().any(|table| variable(environment, &table.variable()).is_some());
    let (tables, stack_is_saved) = match (named, &saved.stack_name) {
        (Some(name), _) => (Tables::Stack(name), false),
        (None, _) if has_tables() => (Tables::Variables, false),
        (None, Some(name)) => (Tables::Stack(name.clone()), true),
        (None, None) => (Tables::Unsaid, false),
    };
    let region =
        || variable(environment, "AWS_REGION").or_else(|| variable(environment, "AWS_DEFAULT_REGION"));
    let is_saved = stack_is_saved
        || (flags.region.is_none() && saved.region.is_some())
        || (flags.profile.is_none() && saved.profile.is_some());
    Target {
        tables,
        region: own(flags.region).or_else(|| saved.region.clone()).or_else(region),
        // AWS_PROFILE comes last, and behind access keys in the environment: as AWS's tools have it.
        profile: own(flags.profile).or_else(|| saved.profile.clone()),
        is_saved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(name: &str) -> Tables {
        Tables::Stack(name.to_owned())
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_variables() {
        let saved = Saved {
            stack_name: Some("saved".to_owned()),
            region: Some("eu-central-1".to_owned()),
            profile: Some("saved".to_owned()),
        };
        let nothing = Env::from_slice(&[]);
        let set = Env::from_slice(&[("AWS_REGION", "us-west-2"), ("LATCHKEY_STACK_NAME", "variable")]);
        let flags = Flags { stack_name: Some("flag"), region: Some("ap-south-1"), profile: Some("flag") };

        let found = choose(flags, &set, &saved);
        assert_eq!((&found.tables, found.is_saved), (&stack("flag"), false));
        assert_eq!((found.region.as_deref(), found.profile.as_deref()), (Some("ap-south-1"), Some("flag")));

        let found = choose(Flags::default(), &set, &saved);
        assert_eq!((&found.tables, found.is_saved), (&stack("variable"), true));
        assert_eq!(
            (found.region.as_deref(), found.profile.as_deref()),
            (Some("eu-central-1"), Some("saved"))
        );

        let found = choose(Flags::default(), &nothing, &saved);
        assert_eq!((&found.tables, found.is_saved), (&stack("saved"), true));

        let found = choose(Flags::default(), &set, &Saved::default());
        assert_eq!(
            (found.region.as_deref(), found.profile, found.is_saved),
            (Some("us-west-2"), None, false)
        );
        let second = Env::from_slice(&[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "us-west-1")]);
        let found = choose(Flags::default(), &second, &Saved::default());
        assert_eq!((found.region.as_deref(), found.tables), (Some("us-west-1"), Tables::Unsaid));
    }

    #[test]
    fn tables_that_are_named_are_no_stack_of_the_file() {
        let saved = Saved { stack_name: Some("saved".to_owned()), ..Saved::default() };
        let tables = Env::from_slice(&[("LATCHKEY_TABLE_SECRETS", "mine")]);
        assert_eq!(choose(Flags::default(), &tables, &saved).tables, Tables::Variables);
        let flags = Flags { stack_name: Some("flag"), ..Flags::default() };
        assert_eq!(choose(flags, &tables, &saved).tables, stack("flag"));
    }
}
