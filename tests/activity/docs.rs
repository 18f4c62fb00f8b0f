//! The list of acts is neither longer nor shorter than what the documentation names and what the code writes.

use std::collections::BTreeSet;
use std::path::Path;

use latchkey::domain::activity::Act;

#[test]
fn the_page_of_the_log_names_every_act() {
    let page = include_str!("../../docs/activity.md");
    let named: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split_once('`'))
        .map(|(name, _)| name)
        .filter(|name| *name == "denied" || name.contains('.'))
        .collect();
    assert_eq!(named, Act::ALL.iter().map(|act| act.name()).collect());
}

#[test]
fn every_act_is_written_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut written = BTreeSet::new();
    for folder in ["shared/src", "functions", "infra/cli/src"] {
        collect(&root.join(folder), &mut written);
    }
    for act in Act::ALL {
        assert!(written.contains(&format!("{act:?}")), "nothing writes {act}");
    }
}

/// The acts that the code below `folder` names, its tests aside.
fn collect(folder: &Path, written: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, written);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for after in code.split("Act::").skip(1) {
                written.insert(after.chars().take_while(char::is_ascii_alphanumeric).collect());
            }
        }
    }
}
