//! The tables of a deployed stack, by the names that CloudFormation gives: `STACK-LogicalId-RANDOM`.

use std::collections::BTreeMap;

use latchkey::store::{Store, Table};

use super::outcome::Failure;

/// The physical name of each table of `stack`.
pub(super) async fn tables(store: &Store, stack: &str) -> Result<BTreeMap<Table, String>, Failure> {
    let names =
        store.list_table_names().await.map_err(|error| Failure::of(&error, &format!("the stack {stack}")))?;
    find(stack, &names).map_err(|missing| {
        Failure::NotFound(format!(
            "the stack {stack} has no {} here: check --stack-name, --region and whose credentials these are",
            missing.logical_id()
        ))
    })
}

/// Each table's name among `names`, or the first table that has none.
fn find(stack: &str, names: &[String]) -> Result<BTreeMap<Table, String>, Table> {
    let name_of = |table: Table| {
        let prefix = format!("{stack}-{}-", table.logical_id());
        let is_suffix =
            |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let name = names.iter().find(|name| name.strip_prefix(&prefix).is_some_and(is_suffix));
        name.cloned().map(|name| (table, name)).ok_or(table)
    };
    Table::ALL.iter().map(|&table| name_of(table)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stacks_tables_are_found_among_all_others() {
        let of = |stack: &'static str| {
            Table::ALL.iter().map(move |table| format!("{stack}-{}-1A2B", table.logical_id()))
        };
        let mut names: Vec<String> = ["other", "latchkey", "latchkey-two"].into_iter().flat_map(of).collect();
        let found = find("latchkey", &names).unwrap();
        assert_eq!(found[&Table::LoginSessions], "latchkey-LoginSessionsTable-1A2B");
        assert_eq!(found.len(), Table::ALL.len());
        names.retain(|name| name != "latchkey-SecretsTable-1A2B");
        assert_eq!(find("latchkey", &names), Err(Table::Secrets));
    }
}
