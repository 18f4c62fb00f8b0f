//! The operator's commands for people, organizations and workspaces, and the search for keys.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what does not hold")]

mod stack;

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::stack::{LATCHKEY, Local, code};

/// Runs a command that must fail; its exit code and what it says.
fn refused(stack: &Local, arguments: &[&str]) -> (i32, String) {
    let done = stack.operator(arguments);
    (code(&done).unwrap(), String::from_utf8(done.stderr).unwrap())
}

/// The organization Mill & Sons, owned by ada@example.com.
fn organization(stack: &Local) -> String {
    stack.json(&["user", "create", "ada@example.com"]);
    let made = stack.json(&["organization", "create", "Mill & Sons", "--owner", "ada@example.com"]);
    made["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_user_is_deactivated_and_comes_back() {
    let stack = Local::start(&["--no-demo"]);
    let made = stack.json(&["user", "create", "Ada@Example.com"]);
    let status = || stack.json(&["user", "list"])[0]["status"].clone();
    for (command, expected) in [("deactivate", "deactivated"), ("activate", "active")] {
        let told = stack.json(&["user", command, "ada@example.com"]);
        assert_eq!(told, json!({ "id": made["id"], "status": expected }));
        assert_eq!(status(), expected);
        let text = stack.operator(&["user", command, "ada@example.com"]).stdout;
        assert_eq!(String::from_utf8(text).unwrap(), format!("The user ada@example.com is {expected}.\n"));
    }
    let (exit, told) = refused(&stack, &["user", "deactivate", "bob@example.com"]);
    assert_eq!((exit, told.as_str()), (3, "latchkey: the user bob@example.com does not exist\n"));
}

#[test]
fn an_account_gets_a_session_cap() {
    let stack = Local::start(&["--no-demo"]);
    let made = stack.json(&["user", "create", "ada@example.com"]);
    let account = made["account_id"].as_str().unwrap();
    let cap = || stack.json(&["user", "list"])[0]["session_cap"].clone();
    assert_eq!(cap(), 1);
    let set = |account, sessions| stack.json(&["account", "set-session-cap", account, sessions]);
    assert_eq!(set(account, "100"), json!({ "id": account, "session_cap": 100 }));
    assert_eq!(cap(), 100);
    assert_eq!(set("ada@example.com", "3")["session_cap"], 3);
    for wrong in ["0", "101", "-1", "many"] {
        assert_eq!(refused(&stack, &["account", "set-session-cap", account, wrong]).0, 2, "{wrong}");
    }
    assert_eq!(refused(&stack, &["account", "set-session-cap", "b@example.com", "2"]).0, 3);
    assert_eq!(cap(), 3);
}

#[test]
fn an_organization_is_named_listed_and_keeps_an_owner() {
    let stack = Local::start(&["--no-demo"]);
    assert_eq!(stack.json(&["organization", "list"]), json!([]));
    let id = &organization(&stack);
    stack.json(&["user", "create", "bob@example.com"]);
    let renamed = stack.json(&["organization", "rename", id, "Pier"]);
    assert_eq!(renamed, json!({ "id": id, "name": "Pier" }));
    let listed = stack.json(&["organization", "list"]);
    assert_eq!(
        (&listed[0]["name"], &listed[0]["owners"], &listed[0]["status"], &listed[1]),
        (&json!("Pier"), &json!(1), &json!("active"), &Value::Null)
    );

    let add = |email, role| stack.json(&["organization", "add-member", id, email, "--role", role]);
    assert_eq!(add("bob@example.com", "viewer")["role"], "viewer");
    assert_eq!(add("bob@example.com", "owner")["role"], "owner");
    let remove = ["organization", "remove-member", id];
    assert_eq!(stack.json(&[&remove[..], &["ada@example.com"]].concat())["organization_id"], *id);
    let last = "this is its last owner: make another member owner first";
    let (exit, told) = refused(&stack, &[&remove[..], &["bob@example.com"]].concat());
    assert!(exit == 4 && told.contains(last), "{told}");
    let demote = ["organization", "add-member", id, "bob@example.com", "--role", "admin"];
    let (exit, told) = refused(&stack, &demote);
    assert!(exit == 4 && told.contains(last), "{told}");
    assert_eq!(refused(&stack, &[&remove[..], &["ada@example.com"]].concat()).0, 3, "no member any more");
    assert_eq!(stack.json(&["organization", "list"])[0]["owners"], 1);
}

#[test]
fn nobody_joins_a_deactivated_organization_and_the_operator_is_told_why() {
    let stack = Local::start(&["--no-demo"]);
    let id = &organization(&stack);
    stack.json(&["user", "create", "bob@example.com"]);
    let add = |email| ["organization", "add-member", id, email];
    stack.json(&["account", "deactivate", id]);
    let (exit, told) = refused(&stack, &add("bob@example.com"));
    let expected = format!(
        "latchkey: the organization {id}: it is deactivated, so that nobody can become a member: activate it first\n"
    );
    assert_eq!((exit, told), (4, expected));
    stack.json(&["account", "activate", id]);
    assert_eq!(stack.json(&add("bob@example.com"))["role"], "member");

    for (organization, email) in [(id.as_str(), "nobody@example.com"), (&personal(&stack), "bob@example.com")]
    {
        assert_eq!(refused(&stack, &["organization", "add-member", organization, email]).0, 3);
        assert_eq!(refused(&stack, &["organization", "remove-member", organization, email]).0, 3);
    }
    assert_eq!(refused(&stack, &["organization", "rename", &personal(&stack), "x"]).0, 3);
    assert_eq!(refused(&stack, &["organization", "rename", "acc_x", "x"]).0, 2);
}

/// A personal account, which is no organization.
fn personal(stack: &Local) -> String {
    stack.json(&["user", "list"])[0]["account_id"].as_str().unwrap().to_owned()
}

#[test]
fn a_workspace_is_made_and_listed() {
    let stack = Local::start(&["--no-demo"]);
    let id = &organization(&stack);
    for account in [id.as_str(), "ada@example.com"] {
        let made = stack.json(&["workspace", "create", "Staging", "--account", account]);
        let listed = stack.json(&["workspace", "list", account]);
        let names: Vec<_> = listed.as_array().unwrap().iter().map(|one| &one["name"]).collect();
        assert_eq!((names.as_slice(), &listed[1]), (&[&json!("Default"), &json!("Staging")][..], &made));
        let defaults = (&listed[0]["is_default"], &listed[1]["is_default"]);
        assert_eq!(defaults, (&json!(true), &json!(false)));
    }
    assert_eq!(refused(&stack, &["workspace", "list", "bob@example.com"]).0, 3);
    assert_eq!(refused(&stack, &["workspace", "create", "x", "--account", "bob@example.com"]).0, 3);
    assert_eq!(refused(&stack, &["workspace", "create", "x"]).0, 2);
}

#[test]
fn a_key_is_found_and_not_printed() {
    let stack = Local::start(&[]);
    let key = stack.text("/keys/account");
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    // One letter of the random part is another.
    let digit = if key.as_bytes()[80] == b'0' { "1" } else { "0" };
    let mistyped = format!("{}{digit}{}", &key[..80], &key[81..]);
    let (leaked, harmless) = (write("leaked", &format!("a\nKEY={key}\n")), write("harmless", &mistyped));
    let check = |files: &[&str], input: &str| {
        let mut process = Command::new(LATCHKEY)
            .args(["key", "check", "--json"])
            .args(files)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // With files named, it does not read.
        let _ = process.stdin.take().unwrap().write_all(input.as_bytes());
        let done = process.wait_with_output().unwrap();
        let told = String::from_utf8([done.stdout.as_slice(), done.stderr.as_slice()].concat()).unwrap();
        assert!(!told.contains(key) && !told.contains(&mistyped), "{told}");
        (done.status.code().unwrap(), serde_json::from_str::<Value>(&told).unwrap())
    };
    let (exit, told) = check(&[&leaked, &harmless], "");
    assert_eq!((exit, &told["whole_keys"]), (5, &json!(1)));
    let first = &told["found"][0];
    assert_eq!((&first["file"], &first["line"], &first["column"]), (&json!(leaked), &json!(2), &json!(5)));
    assert!(key.starts_with(first["prefix"].as_str().unwrap()));
    assert_eq!((&told["found"][1]["file"], &told["found"][1]["is_whole"]), (&json!(harmless), &json!(false)));
    assert_eq!(check(&[&harmless], key).0, 0, "the files that are named are looked into, and nothing else");
    assert_eq!(check(&[], &format!("x {key} y")).1["found"][0]["file"], "standard input");
    assert_eq!(check(&[], "sk_lk_ is how one begins").1, json!({ "found": [], "whole_keys": 0 }));
    assert_eq!(check(&["no-such-file"], "").0, 1);
}
