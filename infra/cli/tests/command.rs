//! The command itself: its exit codes and output, and the commands that it tells people to copy.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what does not hold")]

mod stack;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::stack::{LATCHKEY, Local, code};

#[test]
fn operators_commands_tell_by_output_and_exit_code_what_they_did() {
    let stack = Local::start(&["--no-demo"]);
    assert_eq!(stack.ready["user"], Value::Null);

    let made = stack.json(&["user", "create", "Ada@Example.com", "--first-name", "Ada"]);
    assert!(made["id"].as_str().unwrap().starts_with("usr_"), "{made}");
    assert_eq!(made["plan"], "free");
    assert!(made["password"].as_str().unwrap().len() >= 20, "{made}");
    let account = made["account_id"].as_str().unwrap();

    assert_eq!(code(&stack.operator(&["user", "create", "ada@example.com"])), Some(4), "it is taken");
    assert_eq!(code(&stack.operator(&["user", "create", "nobody"])), Some(1), "it is no address");
    assert_eq!(code(&stack.operator(&["account", "deactivate", "b@example.com"])), Some(3));
    assert_eq!(code(&stack.operator(&["account", "set-plan", account, "gold"])), Some(2));

    assert_eq!(stack.json(&["account", "set-plan", account, "pro"])["plan"], "pro");
    assert_eq!(stack.json(&["account", "deactivate", "ada@example.com"])["status"], "deactivated");
    let listed = stack.json(&["user", "list"]);
    assert_eq!((&listed[0]["plan"], &listed[0]["status"]), (&"pro".into(), &"deactivated".into()));
    assert_eq!(stack.json(&["account", "activate", account])["status"], "active");
}

#[test]
fn a_profile_gives_access_keys_or_says_what_to_do() {
    let stack = Local::start(&["--no-demo"]);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let keys = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = example\nregion = eu-central-1\n";
    std::fs::write(
        &config,
        format!("[profile keys]\n{keys}[profile role]\nrole_arn = arn:aws:iam::1:role/x\n"),
    )
    .unwrap();
    // A deployed stack's, which a local one is not taken for.
    let saved = "[default.deploy.parameters]\nstack_name = \"nowhere\"\n";
    std::fs::write(folder.path().join("samconfig.toml"), saved).unwrap();
    let run = |arguments: &[&str]| {
        Command::new(LATCHKEY)
            .args(arguments)
            .args(["user", "list"])
            .current_dir(folder.path())
            // No AWS command line, whatever this machine has.
            .env("PATH", folder.path())
            .env("AWS_CONFIG_FILE", &config)
            .env("AWS_SHARED_CREDENTIALS_FILE", folder.path().join("none"))
            .env_remove("AWS_ACCESS_KEY_ID")
            .output()
            .unwrap()
    };
    let endpoint = ["--endpoint-url", stack.text("/dynamodb_url")];
    let with = |name| run(&[&endpoint[..], &["--profile", name]].concat());
    assert_eq!(code(&with("keys")), Some(0));
    assert_eq!(code(&with("none")), Some(3));
    let role = with("role");
    assert_eq!(code(&role), Some(1));
    let told = String::from_utf8_lossy(&role.stderr);
    assert!(told.contains("the AWS command line is not installed"), "{told}");
    // Nothing to authenticate with, and no emulator: said before anything is sent.
    assert_eq!(code(&run(&[])), Some(1));
    assert_eq!(code(&run(&[&endpoint[..], &["--stack-name", "elsewhere"]].concat())), Some(3));
}

#[test]
fn an_api_is_given_its_credentials_on_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let stack = Local::start(&["--no-demo", "--data", folder.path().to_str().unwrap()]);
    stack.json(&["user", "create", "ada@example.com"]);
    let file = folder.path().join("office.yaml");
    let definition = "openapi: 3.1.0\ninfo: { title: Office, version: 1 }\nservers: [{ url: https://a.example }]\n\
        x-mount: /office\nsecurity: [{ gate: [] }]\n\
        components: { securitySchemes: { gate: { type: apiKey, in: header, name: X-Gate } } }\n";
    std::fs::write(&file, definition).unwrap();
    stack.json(&["api", "apply", file.to_str().unwrap(), "--account", "ada@example.com"]);
    let master = folder.path().join("master.key");
    let wrapper = ["--master-key", master.to_str().unwrap()];
    let run = |action: &str, id: &str, more: &[&str], input: &str| {
        let mut command = Command::new(LATCHKEY)
            .args(["--endpoint-url", stack.text("/dynamodb_url"), "api", "credentials", action, id])
            .args(["--account", "ada@example.com", "--json"])
            .args(more)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that refuses before it reads has closed it.
        let _ = command.stdin.take().unwrap().write_all(input.as_bytes());
        let done = command.wait_with_output().unwrap();
        let told = [done.stdout.as_slice(), done.stderr.as_slice()].concat();
        let told = String::from_utf8(told).unwrap();
        assert!(!told.contains("s3cret"), "{told}");
        (code(&Output { stdout: Vec::new(), stderr: Vec::new(), ..done }), told)
    };
    let (exit, told) = run("set", "office", &wrapper, "{\"gate\": \"s3cret\"}\n");
    assert_eq!((exit, told.trim()), (Some(0), "{\"id\":\"office\",\"names\":[\"gate\"]}"));
    for (id, more, input, exit, part) in [
        (
            "office",
            &wrapper[..],
            "{\"gate\": \"s3cret\\n\", \"x\": \"s3cret\"}",
            1,
            "gate must hold only visible ASCII",
        ),
        ("office", &wrapper, "{\"gate\": \"s3cret\"", 1, "no JSON object (line 1, column 17)"),
        ("office", &wrapper, "[\"s3cret\"]", 1, "no JSON object"),
        ("none", &wrapper, "{\"gate\": \"s3cret\"}", 3, "does not exist"),
        ("office", &[], "{\"gate\": \"s3cret\"}", 2, "what wraps the keys?"),
    ] {
        let (code, told) = run("set", id, more, input);
        assert_eq!(code, Some(exit), "{told}");
        assert!(told.contains(part), "{told}");
    }
    assert_eq!(run("delete", "office", &[], "").0, Some(0));
    let (exit, told) = run("delete", "office", &[], "");
    assert!(exit == Some(3) && told.contains("nothing is stored for the API office"), "{told}");
}

#[test]
fn a_password_comes_from_standard_input_and_is_not_shown() {
    let stack = Local::start(&["--no-demo"]);
    let mut create = Command::new(LATCHKEY)
        .args(["--endpoint-url", stack.text("/dynamodb_url"), "user", "create", "a@example.com"])
        .args(["--password-stdin", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    create.stdin.take().unwrap().write_all(b"a password typed here\n").unwrap();
    let done = create.wait_with_output().unwrap();
    let made: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(made.get("password"), None, "{made}");
}

#[test]
fn a_link_to_set_a_password_is_made_and_shown_once() {
    let stack = Local::start(&["--no-demo"]);
    stack.json(&["user", "create", "ada@example.com"]);
    let reset = ["user", "reset-password", "ada@example.com", "--link"];
    let made = stack.json(&[&reset[..], &["--base-url", "https://auth.example.com/"]].concat());
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("rst_"), "{made}");
    assert_eq!(made["url"], format!("https://auth.example.com/console/reset#{token}"));
    let again = stack.operator(&reset);
    let told = String::from_utf8(again.stdout).unwrap();
    assert!(told.contains("http://127.0.0.1:3000/console/reset#rst_") && !told.contains(token), "{told}");
    assert_eq!(code(&stack.operator(&["user", "reset-password", "bob@example.com", "--link"])), Some(3));
    assert_eq!(code(&stack.operator(&[&reset[..], &["--base-url", "ftp://x"]].concat())), Some(2));
    assert_eq!(code(&stack.operator(&[&reset[..], &["--password-stdin"]].concat())), Some(2));
}

#[test]
fn definitions_are_checked_and_applied() {
    let stack = Local::start(&["--no-demo"]);
    let made = stack.json(&["user", "create", "ada@example.com"]);
    let account = made["account_id"].as_str().unwrap();
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../demo-site/demo.yaml");
    let refused = stack.operator(&["api", "apply", demo, "--account", account]);
    assert_eq!(code(&refused), Some(1), "the plan free has no APIs with login endpoints");
    stack.json(&["account", "set-plan", account, "pro"]);
    let applied = stack.json(&["api", "apply", demo, "--account", account]);
    assert_eq!((&applied["id"], &applied["created"]), (&"demo".into(), &true.into()));
    let applied = stack.json(&["api", "apply", demo, "--account", account, "--id", "demo"]);
    assert_eq!(applied["created"], false);
    assert_eq!(stack.json(&["api", "list", "--account", "ada@example.com"])[0]["title"], "Harbour Mail");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.yaml");
    std::fs::write(&file, "openapi: 3.1.0\n").unwrap();
    let refused = stack.operator(&["api", "check", file.to_str().unwrap()]);
    assert_eq!(code(&refused), Some(1));
    assert_eq!(code(&stack.operator(&["api", "check", "no-such-file.yaml"])), Some(3));
}

/// Asks for a stop as a service manager does; the exit code.
#[cfg(unix)]
fn stop(mut stack: Local) -> Option<i32> {
    let id = stack.process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    stack.process.wait().unwrap().code()
}

#[cfg(unix)]
#[test]
fn a_second_start_finds_the_data_of_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = ["--data", data.to_str().unwrap()];
    let first = Local::start(&data);
    let account = first.text("/account_id").to_owned();
    let password = first.text("/user/password").to_owned();
    let taken = Command::new(LATCHKEY).args(["local", "--port", "0"]).args(data).output().unwrap();
    assert_eq!(code(&taken), Some(1), "two must not share a folder");
    assert_eq!(stop(first), Some(0));
    let second = Local::start(&data);
    assert_eq!(second.text("/account_id"), account);
    assert_ne!(second.text("/user/password"), password, "the old one is stored nowhere");
    assert_eq!(second.json(&["user", "list"]).as_array().unwrap().len(), 1);
    let key = concat!("--master-key=", env!("CARGO_TARGET_TMPDIR"), "/no-such-key");
    assert_eq!(code(&second.operator(&["secrets", "rotate", "jwt-signing", key])), Some(1));
    let key = format!("--master-key={}/master.key", data[1]);
    assert_eq!(second.json(&["secrets", "rotate", "jwt-signing", &key])[0]["purpose"], "jwt-signing");
    assert_eq!(second.json(&["secrets", "init", &key])["created"], Value::Array(Vec::new()));
    assert_eq!(stop(second), Some(0));
}

#[test]
fn pools_of_proxies_come_from_standard_input_and_show_no_credentials() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let stack = Local::start(&["--no-demo", "--data", data]);
    let key = format!("--master-key={data}/master.key");
    let set = |name: &str, urls: &str| {
        let mut process = Command::new(LATCHKEY)
            .args(["--endpoint-url", stack.text("/dynamodb_url"), "proxy-pool", "set", name, &key])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        process.stdin.take().unwrap().write_all(urls.as_bytes()).unwrap();
        let done = process.wait_with_output().unwrap();
        let told = [done.stdout, done.stderr].concat();
        let told = String::from_utf8(told).unwrap();
        assert!(!told.contains("canary"), "{told}");
        (done.status.code(), told)
    };
    assert_eq!(stack.json(&["proxy-pool", "list"]), Value::Array(Vec::new()));
    let (code, told) = set("home", "http://canary:canary@b.test:1\nsocks5://a.test:2\n");
    assert_eq!(
        (code, &*told),
        (
            Some(0),
            "Made the pool home:\n  http://b.test:1\n  socks5://a.test:2\nIt is in use within a minute.\n"
        )
    );
    assert_eq!(set("a-second", "http://canary@c.test:3").0, Some(0));
    for (name, urls, said) in [
        ("home", "", "latchkey: the pool home has no members"),
        ("home", "http://canary@c.test", "latchkey: the pool home: member 1 must name a host and its port"),
        ("not a name", "http://canary@c.test:3", "latchkey: the pool's name must have 1 to 64 letters"),
    ] {
        let (code, told) = set(name, urls);
        assert!(code == Some(1) && told.starts_with(said), "{told}");
    }
    let listed = stack.json(&["proxy-pool", "list"]);
    assert_eq!((&listed[0]["id"], &listed[1]["id"]), (&"a-second".into(), &"home".into()));
    assert_eq!(listed[1]["members"], serde_json::json!(["http://b.test:1", "socks5://a.test:2"]));
    let unsaid = stack.operator(&["proxy-pool", "set", "home"]);
    assert_eq!(unsaid.status.code(), Some(2), "what wraps it must be said");
}

#[test]
fn a_local_stack_that_cannot_take_its_pools_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pools.yaml");
    std::fs::write(&file, "home: ['https://canary@a.test:1']").unwrap();
    let start = || {
        Command::new(LATCHKEY).args(["local", "--port", "0", "--proxy-pools"]).arg(&file).output().unwrap()
    };
    let done = start();
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(code(&done), Some(1));
    assert!(told.contains("the pool home: member 1 must begin with http:// or socks5://"), "{told}");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(code(&start()), Some(1));
}

#[cfg(unix)]
#[test]
fn a_port_in_use_says_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let done = Command::new(LATCHKEY).args(["local", "--port", &port]).output().unwrap();
    assert_eq!(code(&done), Some(1));
    let text = String::from_utf8_lossy(&done.stderr);
    assert!(text.contains(&port) && text.contains("--port"), "{text}");
}

/// Runs the printed commands in a shell, in their order, as a person would paste them.
#[cfg(unix)]
#[test]
fn the_printed_commands_lead_the_whole_way() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: there is no curl");
        return;
    }
    let mut process = Command::new(LATCHKEY)
        .args(["local", "--port", "0", "--log", "error"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut script = String::new();
    for line in BufReader::new(process.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if line.starts_with("Ctrl-C") {
            break;
        }
        let is_command = ["BASE=", "ACCESS=", "KEY=", "LOGIN=", "SESSION_ID=", "ENCRYPTION_KEY=", "curl "];
        if is_command.iter().any(|start| line.starts_with(start)) {
            script.push_str(&line);
            script.push('\n');
        }
    }
    let done = Command::new("bash").args(["-e", "-c", &script]).output().unwrap();
    process.kill().unwrap();
    process.wait().unwrap();
    let out = String::from_utf8_lossy(&done.stdout);
    for expected in ["My first key", r#""method":"api_key""#, r#""logged_in":true"#, "Keys for the boathouse"]
    {
        assert!(out.contains(expected), "{expected} is not in:\n{out}");
    }
}
