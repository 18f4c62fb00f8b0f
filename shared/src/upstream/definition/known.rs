//! What expressions may name at each point of a definition, and what they have named so far.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::AllowedHost;
use super::reader::At;
use crate::upstream::expression::Expression;

/// The names in reach of one flow.
#[derive(Debug, Default)]
pub(super) struct Known<'n> {
    /// The declared inputs.
    pub inputs: BTreeSet<String>,
    /// Whether the schema takes inputs that it does not declare.
    pub any_input: bool,
    /// The hosts that requests may go to.
    hosts: Vec<AllowedHost>,
    /// Session values that exist by now.
    pub session: BTreeSet<String>,
    /// The outputs of the steps so far, with where each is written.
    outputs: BTreeMap<(String, String), Option<At<'n>>>,
    steps: BTreeSet<String>,
    used: RefCell<Used>,
}

#[derive(Debug, Default)]
struct Used {
    inputs: BTreeSet<String>,
    outputs: BTreeSet<(String, String)>,
    session: BTreeSet<String>,
}

impl<'n> Known<'n> {
    pub fn new(hosts: &[AllowedHost]) -> Self {
        Self { hosts: hosts.to_vec(), ..Self::default() }
    }

    /// Notes a step; its name must be new.
    pub fn add_step(&mut self, id: &str, at: &At<'n>) {
        if !self.steps.insert(id.to_owned()) {
            at.fault(format!("`{id}` is the id of an earlier step"));
        }
    }

    /// Notes an output of a step.
    pub fn add_output(&mut self, step: &str, output: &str, at: &At<'n>) {
        self.outputs.insert((step.to_owned(), output.to_owned()), Some(at.clone()));
    }

    /// Notes an output that is kept whether or not anything names it.
    pub fn add_token(&mut self, step: &str, output: &str) {
        self.outputs.insert((step.to_owned(), output.to_owned()), None);
    }

    pub fn has_step(&self, id: &str) -> bool {
        self.steps.contains(id)
    }

    /// Checks an expression in a request: what it names must exist by then.
    pub fn check(&self, expression: &Expression, at: &At<'n>) {
        let mut used = self.used.borrow_mut();
        match expression {
            Expression::Input(name) => {
                if !self.any_input && !self.inputs.contains(name) {
                    at.fault(format!("$inputs.{name} is not declared"));
                }
                used.inputs.insert(name.clone());
            }
            Expression::Output { step, output } => {
                let key = (step.clone(), output.clone());
                if !self.steps.contains(step) {
                    at.fault(format!("`{step}` is no earlier step"));
                } else if !self.outputs.contains_key(&key) {
                    at.fault(format!("step `{step}` has no output `{output}`"));
                }
                used.outputs.insert(key);
            }
            Expression::Session(name) => {
                if !self.session.contains(name) {
                    at.fault(format!(
                        "$session.{name} is never kept: no step of the login has such an output or token"
                    ));
                }
                used.session.insert(name.clone());
            }
            Expression::StatusCode | Expression::ResponseHeader(_) | Expression::ResponseBody => {
                at.fault(format!("{expression} is known only once there is an answer"));
            }
        }
    }

    /// Checks an expression in a criterion, which sees the answer and nothing else.
    pub fn check_reply(expression: &Expression, at: &At<'n>) {
        if !matches!(
            expression,
            Expression::StatusCode | Expression::ResponseHeader(_) | Expression::ResponseBody
        ) {
            at.fault("a criterion looks at the answer: $statusCode, $response.header.X or $response.body");
        }
    }

    pub fn allows(&self, host: &AllowedHost) -> bool {
        self.hosts.contains(host)
    }

    /// The session values that anything has named.
    pub fn used_session(&self) -> BTreeSet<String> {
        self.used.borrow().session.clone()
    }

    /// Warns of outputs that nothing names; `session` are the session values named anywhere.
    pub fn warn_of_unused_outputs(&self, session: &BTreeSet<String>) {
        let used = self.used.borrow();
        for (key, at) in self.outputs.iter().filter_map(|(key, at)| Some((key, at.as_ref()?))) {
            if !used.outputs.contains(key) && !session.contains(&key.1) {
                at.warn("is never used");
            }
        }
    }

    /// Warns at `at` of declared inputs that nothing names.
    pub fn warn_of_unused_inputs(&self, at: &At<'n>) {
        for name in self.inputs.difference(&self.used.borrow().inputs) {
            at.warn(format!("$inputs.{name} is declared and never used"));
        }
    }
}
