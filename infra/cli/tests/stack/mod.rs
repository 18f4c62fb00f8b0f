//! A local stack in a process of its own, and the operator's commands on it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// The command.
pub const LATCHKEY: &str = env!("CARGO_BIN_EXE_latchkey");

/// A stack in a process of its own.
pub struct Local {
    pub process: Child,
    /// What it said when it was ready.
    pub ready: Value,
}

impl Local {
    pub fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(LATCHKEY)
            .args(["local", "--port", "0", "--ready-json", "--log", "error"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process, ready: serde_json::from_str(&line).unwrap() }
    }

    pub fn text(&self, pointer: &str) -> &str {
        self.ready.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("no {pointer}"))
    }

    pub fn operator(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(LATCHKEY);
        command.args(["--endpoint-url", self.text("/dynamodb_url")]).args(arguments).output().unwrap()
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        let done = self.operator(&[arguments, &["--json"]].concat());
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        serde_json::from_slice(&done.stdout).unwrap()
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn code(output: &Output) -> Option<i32> {
    output.status.code()
}
