//! The other side: a Python process that is asked in lines of JSON.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

use crate::Fault;

/// A running script of `infra/bench/python`.
pub struct Python {
    child: Child,
    asked: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Python {
    /// Starts `script` with what `.ci/requirements-bench.txt` pins, which is installed when it is not yet.
    pub fn start(script: &str) -> Result<Self, Fault> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let installed =
            Command::new(root.join(".ci/tools")).arg("bench").stderr(Stdio::inherit()).output()?;
        if !installed.status.success() {
            return Err("Python's packages could not be installed".into());
        }
        let folder = String::from_utf8(installed.stdout)?;
        let mut child = Command::new(Path::new(folder.trim()).join("python"))
            .arg("-IB")
            .arg(root.join("infra/bench/python").join(script))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(asked), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("Python has no standard input".into());
        };
        Ok(Self { child, asked, answers: BufReader::new(answers) })
    }

    /// Asks one thing.
    pub fn ask(&mut self, question: &Value) -> Result<Value, Fault> {
        writeln!(self.asked, "{question}")?;
        let mut answer = String::new();
        if self.answers.read_line(&mut answer)? == 0 {
            return Err("Python ended".into());
        }
        Ok(serde_json::from_str(&answer)?)
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        // It has nothing to lose; that it had ended already is no fault.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
