//! `docs/permissions.md` says what the code does.

use latchkey::domain::account::Role;
use latchkey::domain::permission::{Permission, Permissions};

use super::ROUTES;

const PAGE: &str = include_str!("../../docs/permissions.md");

/// The cells of a line of a table.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

#[test]
fn the_roles_are_those_of_the_code() {
    let mut expected = Vec::new();
    for permission in Permission::ALL {
        let has = |role| if Permissions::of(role).allow(permission) { "yes" } else { "" };
        let row = [Role::Owner, Role::Admin, Role::Member, Role::Viewer].map(has);
        expected.push((format!("`{}`", permission.name()), row));
    }
    let rows: Vec<_> = PAGE.lines().filter_map(cells).filter(|row| row.len() == 6).collect();
    let told: Vec<_> = rows
        .iter()
        .filter(|row| row[0].starts_with('`'))
        .map(|row| (row[0].to_owned(), [row[2], row[3], row[4], row[5]]))
        .collect();
    assert_eq!(told, expected);
}

#[test]
fn the_routes_are_those_of_the_code() {
    let expected: Vec<_> = ROUTES
        .iter()
        .map(|route| {
            let path = if route.path == "$default" { "/{mounted path}" } else { route.path };
            (format!("`{} {path}`", route.method), route.needs.words())
        })
        .collect();
    let rows = PAGE.lines().filter_map(cells).filter(|row| row.len() == 2 && row[0].starts_with('`'));
    let told: Vec<_> = rows.map(|row| (row[0].to_owned(), row[1].to_owned())).collect();
    assert_eq!(told, expected);
}
