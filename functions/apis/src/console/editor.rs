//! The field in which a definition is written, with what is wrong with it beside, and the file that may stand for it.

use latchkey::console::{Told, Visit};
use latchkey::error::{Code, Error, Fault};
use maud::{Markup, html};

use super::check::Found;

/// A form that may hold a file.
pub fn form(visit: &Visit<'_>, path: &str, content: Markup) -> Markup {
    html! {
        form method="post" action=(visit.href(path)) enctype="multipart/form-data" {
            input type="hidden" name="form" value=(visit.form_token());
            (content)
        }
    }
}

/// The field; `found` is what a check found in it, where it was checked.
pub fn editor(visit: &Visit<'_>, source: &str, found: Option<&Found>, told: &Told) -> Markup {
    let is_wrong = found.is_some_and(Found::has_faults);
    html! {
        div class="field wide" {
            label for="definition" { "Definition" }
            // A browser drops the first line's end.
            textarea id="definition" name="definition" class="mono code" rows="24" wrap="off" spellcheck="false"
                autocapitalize="none" autocomplete="off" aria-invalid=[is_wrong.then_some("true")]
                aria-describedby="definition-hint found" { "\n" (source) }
            div id="found" role="status" aria-live="polite" data-check=(visit.href("/console/apis/check")) {
                @if let Some(found) = found { (found.show()) }
            }
            p class="hint" id="definition-hint" {
                "An OpenAPI 3.1 document in YAML or JSON that says what the gateway sends and what it takes from the answers."
            }
        }
        (file(told, "Or choose a file with it"))
    }
}

/// A file in place of what is typed.
pub fn file(told: &Told, label: &str) -> Markup {
    let fault = told.of("file", "The file");
    html! {
        div class="field" {
            label for="file" { (label) }
            input id="file" name="file" type="file" accept=".yaml,.yml,.json,application/yaml,application/json"
                aria-invalid=[fault.is_some().then_some("true")]
                aria-describedby=(if fault.is_some() { "file-fault file-hint" } else { "file-hint" });
            @if let Some(fault) = &fault { p class="fault" id="file-fault" { (fault) } }
            p class="hint" id="file-hint" { "It takes the place of what is typed above." }
        }
    }
}

/// That the file is no text.
pub fn unreadable() -> Told {
    Told::by(&Error::invalid_field("file", "must be a text in UTF-8"))
}

/// What the API said of a definition, but for what [`Found`] says better: there it has its place in the text.
pub fn told(error: &Error, fields: &[&str]) -> Told {
    if error.code != Code::InvalidRequest {
        return Told::by(error);
    }
    let own: Vec<Fault> =
        error.faults.iter().filter(|fault| fields.contains(&fault.field.as_str())).cloned().collect();
    if own.is_empty() {
        return Told::that(
            "Nothing was changed: the definition cannot be used yet. See what is said beneath it.",
        );
    }
    Told::by(&Error::invalid(own))
}
