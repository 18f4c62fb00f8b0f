//! The tables of a deployed stack, by the names that CloudFormation gives: `STACK-LogicalId-RANDOM`.

use std::collections::{BTreeMap, BTreeSet};

use latchkey::config::Aws;
use latchkey::store::{Store, Table};

use super::cloudformation;
use super::outcome::Failure;

/// Why the tables of a stack are not known.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    /// None of them is there.
    Absent,
    /// This one is not there, but others are.
    Missing(Table),
    /// There are several that may be this one.
    Ambiguous(Table, Vec<String>),
}

/// The physical name of each table of `stack`. CloudFormation, at `endpoint` where it is given, is asked only where
/// the names do not tell.
pub(super) async fn tables(
    store: &Store,
    aws: &Aws,
    endpoint: Option<String>,
    stack: &str,
) -> Result<BTreeMap<Table, String>, Failure> {
    let region = &aws.region;
    let names = names(store, region).await?;
    let mut found = find(stack, &names, |_| None);
    let mut refused = String::new();
    if matches!(found, Err(Fault::Ambiguous(..))) {
        match cloudformation::resources(aws, endpoint, stack).await {
            Ok(resources) => found = find(stack, &names, |table| resources.get(&table.logical_id()).cloned()),
            Err(fault) => refused = format!(" ({fault})"),
        }
    }
    found.map_err(|fault| match fault {
        Fault::Absent => Failure::NotFound(format!(
            "these credentials see no stack {stack} in {region}. Deploy it, or check --stack-name, --region and \
             --profile. {}",
            known(&names, region)
        )),
        Fault::Missing(table) => Failure::NotFound(format!(
            "the stack {stack} in {region} has no {}: it was deployed from another version, or is not whole. \
             Deploy it again from this one",
            table.logical_id()
        )),
        Fault::Ambiguous(table, found) => Failure::Failed(format!(
            "which {} is the stack's? There are {}: some were kept when an earlier stack {stack} was deleted, and \
             CloudFormation did not tell{refused}. Delete those that are not needed, or let these credentials do \
             cloudformation:ListStackResources",
            table.logical_id(),
            found.join(" and "),
        )),
    })
}

/// What to do where nobody said which stack is meant.
pub(super) async fn unsaid(store: &Store, region: &str) -> Failure {
    match names(store, region).await {
        Ok(names) => Failure::Usage(format!(
            "which stack? Give --stack-name, set LATCHKEY_STACK_NAME, or run this in the folder whose samconfig.toml \
             `sam deploy --guided` saved; for a local stack give --endpoint-url with the URL that `latchkey local` \
             prints. {}",
            known(&names, region)
        )),
        Err(failure) => failure,
    }
}

async fn names(store: &Store, region: &str) -> Result<Vec<String>, Failure> {
    let listed = store.list_table_names().await;
    listed.map_err(|error| Failure::of(&error, &format!("the list of tables in {region}")))
}

fn known(names: &[String], region: &str) -> String {
    let stacks: Vec<_> = stacks(names).into_iter().collect();
    let list = if stacks.is_empty() { "none".to_owned() } else { stacks.join(", ") };
    format!("Latchkey's stacks in {region}: {list}")
}

/// The stacks that have all of the tables.
fn stacks(names: &[String]) -> BTreeSet<&str> {
    let middle = format!("-{}-", Table::Secrets.logical_id());
    names
        .iter()
        .filter_map(|name| name.rsplit_once(&middle).map(|(stack, _)| stack))
        .filter(|stack| matches!(find(stack, names, |_| None), Ok(_) | Err(Fault::Ambiguous(..))))
        .collect()
}

/// Each table's name among `names`.
fn find(
    stack: &str,
    names: &[String],
    preferred: impl Fn(Table) -> Option<String>,
) -> Result<BTreeMap<Table, String>, Fault> {
    let mut missing = None;
    let mut found = BTreeMap::new();
    for &table in Table::ALL {
        let candidates = candidates(stack, names, table);
        let name = match candidates.as_slice() {
            [] => {
                missing = missing.or(Some(table));
                continue;
            }
            [one] => (*one).clone(),
            several => preferred(table).filter(|name| several.contains(&name)).ok_or_else(|| {
                Fault::Ambiguous(table, several.iter().map(|name| (*name).clone()).collect())
            })?,
        };
        found.insert(table, name);
    }
    match missing {
        None => Ok(found),
        Some(_) if found.is_empty() => Err(Fault::Absent),
        Some(table) => Err(Fault::Missing(table)),
    }
}

fn candidates<'a>(stack: &str, names: &'a [String], table: Table) -> Vec<&'a String> {
    let prefix = format!("{stack}-{}-", table.logical_id());
    let is_suffix = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
    names.iter().filter(|name| name.strip_prefix(&prefix).is_some_and(is_suffix)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(stack: &str, suffix: &str) -> Vec<String> {
        Table::ALL.iter().map(|table| format!("{stack}-{}-{suffix}", table.logical_id())).collect()
    }

    #[test]
    fn a_stacks_tables_are_found_among_all_others() {
        let mut names: Vec<String> =
            ["other", "latchkey", "latchkey-two"].into_iter().flat_map(|stack| of(stack, "1A2B")).collect();
        let none = |_| None;
        let found = find("latchkey", &names, none).unwrap();
        assert_eq!(found[&Table::LoginSessions], "latchkey-LoginSessionsTable-1A2B");
        assert_eq!(found.len(), Table::ALL.len());
        assert_eq!(find("latch", &names, none), Err(Fault::Absent));
        assert_eq!(stacks(&names), BTreeSet::from(["latchkey", "latchkey-two", "other"]));
        names.retain(|name| name != "latchkey-SecretsTable-1A2B");
        assert_eq!(find("latchkey", &names, none), Err(Fault::Missing(Table::Secrets)));
        assert_eq!(stacks(&names), BTreeSet::from(["latchkey-two", "other"]));
    }

    #[test]
    fn a_table_that_outlived_its_stack_is_not_taken_for_the_new_one() {
        let kept = "latchkey-KeysTable-OLD".to_owned();
        let names = [of("latchkey", "NEW"), vec![kept.clone()]].concat();
        let both = vec!["latchkey-KeysTable-NEW".to_owned(), kept];
        assert_eq!(find("latchkey", &names, |_| None), Err(Fault::Ambiguous(Table::Keys, both.clone())));
        let chosen = find("latchkey", &names, |_| Some("latchkey-KeysTable-NEW".to_owned())).unwrap();
        assert_eq!(chosen[&Table::Keys], both[0]);
        assert_eq!(chosen[&Table::Secrets], "latchkey-SecretsTable-NEW");
        // What is named must be one of the stack's: a variable left over from another stack is none.
        let other = find("latchkey", &names, |_| Some("production-KeysTable-X".to_owned()));
        assert_eq!(other, Err(Fault::Ambiguous(Table::Keys, both)));
        assert!(stacks(&names).contains("latchkey"));
    }

    proptest! {
        #[test]
        fn every_stack_is_found_by_its_name(
            stacks_there in proptest::collection::btree_set("[A-Za-z][A-Za-z0-9-]{0,20}", 1..5),
            suffix in "[A-Z0-9]{12}",
            others in proptest::collection::vec("[A-Za-z0-9._-]{3,40}", 0..10),
        ) {
            let mut names: Vec<String> = stacks_there.iter().flat_map(|stack| of(stack, &suffix)).collect();
            names.extend(others);
            for stack in &stacks_there {
                let found = find(stack, &names, |_| None);
                prop_assert!(found.is_ok(), "{stack}: {found:?}");
                prop_assert!(stacks(&names).contains(stack.as_str()));
            }
        }
    }
}
