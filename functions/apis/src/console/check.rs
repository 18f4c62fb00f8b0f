//! What is wrong with a definition, as it is told beside the editor; and `POST /console/apis/check`, by which a script
//! asks for it while one types.

use http::StatusCode;
use latchkey::console::{Visit, file};
use latchkey::domain::permission::Permission;
use latchkey::error::Error;
use latchkey::http::Response;
use latchkey::upstream::definition::{self, Definition, DefinitionFault};
use maud::{Markup, html};

use super::sent::Sent;

/// Faults shown at once: whoever has more mends these first.
const MOST_SHOWN: usize = 50;

/// What was found in a definition's text: the same that `latchkey api check` finds.
#[derive(Debug)]
pub struct Found {
    pub definition: Option<Definition>,
    faults: Vec<DefinitionFault>,
    warnings: Vec<DefinitionFault>,
}

impl Found {
    /// What is in `source`.
    pub fn of(source: &str) -> Self {
        match definition::parse(source) {
            Ok(checked) => {
                Self { definition: Some(checked.definition), faults: Vec::new(), warnings: checked.warnings }
            }
            Err(faults) => Self { definition: None, faults, warnings: Vec::new() },
        }
    }

    pub const fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    /// It in words, each with its place.
    pub fn show(&self) -> Markup {
        html! {
            @match (&self.definition, self.faults.len()) {
                (Some(definition), _) => {
                    p class="well" { "It can be used: " (endpoints(definition)) }
                }
                (None, 1) => { p class="fault" { "One thing has to be mended:" } }
                (None, many) => { p class="fault" { (many) " things have to be mended:" } }
            }
            (places(&self.faults))
            @if !self.warnings.is_empty() {
                p { "Worth a look all the same:" }
                (places(&self.warnings))
            }
        }
    }
}

fn endpoints(definition: &Definition) -> Markup {
    html! {
        @match definition.endpoints.len() {
            0 => { "no endpoints" }
            1 => { "one endpoint" }
            many => { (many) " endpoints" }
        }
        @if let Some(mount) = &definition.mount { ", mounted at " code { (mount.path()) } }
        "."
    }
}

fn places(faults: &[DefinitionFault]) -> Markup {
    html! {
        @if !faults.is_empty() {
            ul class="places" {
                @for fault in faults.iter().take(MOST_SHOWN) {
                    li {
                        @match (fault.line, fault.column) {
                            (Some(line), Some(column)) => {
                                a href="#definition" data-line=(line) data-column=(column) { "Line " (line) ", column " (column) }
                                ": "
                            }
                            (Some(line), None) => { a href="#definition" data-line=(line) { "Line " (line) } ": " }
                            (None, _) => {}
                        }
                        @if !fault.place.is_empty() { code { (fault.place) } " " }
                        (fault.message)
                    }
                }
            }
            @if faults.len() > MOST_SHOWN { p { "And " (faults.len() - MOST_SHOWN) " more." } }
        }
    }
}

pub async fn answer(visit: &Visit<'_>) -> Result<Response, Error> {
    let sent = Sent::of(visit).await?;
    visit.principal.require(Permission::ApisWrite)?;
    let found = Found::of(&sent.source());
    Ok(file("text/html; charset=utf-8", found.show().into_string()).status(StatusCode::OK))
}
