//! The documentation: its links lead somewhere, the files that it names are there, its commands are ours, and its
//! tables are whole.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what does not hold")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use latchkey_cli::commands::Cli;

/// The folders of the repository: code that begins so names a file.
const FOLDERS: &[&str] = &[".ci/", "docs/", "functions/", "infra/", "shared/", "tests/"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|fault| panic!("{}: {fault}", file.display()))
}

/// Every document, with its text.
fn documents() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for folder in
        [root(), root().join("docs"), root().join("docs/decisions"), root().join("docs/definitions")]
    {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.extend(entries.filter(|file| file.extension().is_some_and(|end| end == "md")));
    }
    assert!(files.len() > 10, "{files:?}");
    files.into_iter().map(|file| (file.clone(), read(&file))).collect()
}

/// The text without its code blocks, and the code blocks with their languages.
fn split(text: &str) -> (String, Vec<(String, String)>) {
    let (mut prose, mut blocks, mut open) = (String::new(), Vec::new(), false);
    for line in text.lines() {
        match line.trim_start().strip_prefix("```") {
            Some(_) if open => open = false,
            Some(language) => {
                open = true;
                blocks.push((language.to_owned(), String::new()));
            }
            None if open => blocks.last_mut().unwrap().1.push_str(&format!("{line}\n")),
            None => prose.push_str(&format!("{line}\n")),
        }
    }
    (prose, blocks)
}

/// A heading's anchor, as GitHub makes it.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let letters = |heading: &str| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept =
            heading.chars().filter(|letter| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter));
        kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect::<String>()
    };
    headings.map(letters).collect()
}

/// What stands between `open` and `close`, each time.
fn between<'a>(text: &'a str, open: &str, close: char) -> Vec<&'a str> {
    text.split(open).skip(1).filter_map(|rest| rest.split_once(close).map(|(inside, _)| inside)).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for (file, text) in documents() {
        let (prose, _) = split(&text);
        for link in between(&prose, "](", ')') {
            if link.starts_with("https://") {
                continue;
            }
            let (path, anchor) =
                link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
            let target = if path.is_empty() { file.clone() } else { file.parent().unwrap().join(path) };
            let is_there = target.exists()
                && anchor.is_none_or(|anchor| anchors(&split(&read(&target)).0).contains(anchor));
            if !is_there {
                broken.push(format!("{}: {link}", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn files_that_are_named_are_there() {
    let mut absent = Vec::new();
    for (file, text) in documents() {
        let (prose, blocks) = split(&text);
        let shell = blocks
            .iter()
            .filter(|(language, _)| language == "sh")
            .flat_map(|(_, text)| text.split_whitespace());
        let spans: Vec<&str> = prose.split('`').skip(1).step_by(2).flat_map(str::split_whitespace).collect();
        for name in spans.into_iter().chain(shell) {
            let is_path = FOLDERS.iter().any(|folder| name.starts_with(folder));
            let is_pattern = name.contains(['<', '*', '…', '{']);
            if is_path && !is_pattern && !root().join(name).exists() {
                absent.push(format!("{}: {name}", file.display()));
            }
        }
    }
    assert!(absent.is_empty(), "{absent:#?}");
}

#[test]
fn our_commands_are_ones_that_we_take() {
    let mut seen = 0;
    let mut refused = Vec::new();
    for (file, text) in documents() {
        for (_, block) in split(&text).1.iter().filter(|(language, _)| language == "sh") {
            for line in block.lines().filter(|line| line.starts_with("latchkey ")) {
                seen += 1;
                // An id that is left open stands for any.
                let line = line.replace("acc_…", "acc_00000000000000000000000000");
                // The file that a shell reads from is no argument.
                let line = line.split(" < ").next().unwrap_or_default();
                if let Err(fault) = Cli::try_parse_from(shlex::split(line).unwrap()) {
                    refused.push(format!("{}: {line}: {fault}", file.display()));
                }
            }
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
    assert!(seen >= 8, "{seen}");
}

/// The names that stand at two blanks between two lines of the template.
fn names_in_template(from: &str, to: &str) -> Vec<String> {
    let template = read(&root().join("template.yaml"));
    let (_, rest) = template.split_once(&format!("\n{from}:\n")).unwrap();
    let (section, _) = rest.split_once(&format!("\n{to}:\n")).unwrap();
    let names = section.lines().filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'));
    names.filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric())).map(str::to_owned).collect()
}

/// The code in the first cells of the table under `heading`.
fn first_cells(document: &str, heading: &str) -> BTreeSet<String> {
    let text = read(&root().join(document));
    let (_, section) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    rows.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn every_parameter_is_told() {
    let parameters = names_in_template("Parameters", "Rules");
    assert!(parameters.len() > 10);
    assert_eq!(first_cells("docs/deploying.md", "Parameters"), parameters.into_iter().collect());
}

#[test]
fn every_alarm_is_told() {
    let template = read(&root().join("template.yaml"));
    let alarms: BTreeSet<_> = between(&template, "AlarmName: !Sub \"${AWS::StackName}-", '"')
        .into_iter()
        .map(str::to_owned)
        .collect();
    assert!(alarms.len() > 5);
    assert_eq!(first_cells("docs/operating.md", "Alarms"), alarms);
}

#[test]
fn every_table_has_its_line_in_the_backups() {
    let resources = names_in_template("Resources", "Outputs");
    let tables: BTreeSet<_> = resources.into_iter().filter(|name| name.ends_with("Table")).collect();
    assert_eq!(first_cells("docs/operating.md", "Backup and restore"), tables);
}

#[test]
fn the_pattern_for_secret_scanners_is_the_keys_own() {
    let text = read(&root().join("docs/leaks.md"));
    assert!(text.contains(&format!("\n{}\n", latchkey::domain::key_text::PATTERN)));
    let example = text.lines().find(|line| line.starts_with("sk_lk_")).unwrap();
    assert!(latchkey::domain::key_text::parse(example).is_ok(), "{example}");
    let (body, checksum) = example.split_at(example.len() - 6);
    let hash = text.split("`0x").nth(1).and_then(|rest| rest.split('`').next()).unwrap();
    let number = u32::from_str_radix(hash, 16).unwrap();
    let told = format!(
        "first {} characters have the CRC-32 `0x{hash}`, which is {number}, in base62 `{checksum}`",
        body.len()
    );
    assert!(text.contains(&told), "{told}");
}
