//! Fields of a form, each with its label, its hint and what is wrong with it.

use maud::{Markup, html};

use crate::console::Told;

/// A field of one line.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    name: &'a str,
    label: &'a str,
    kind: &'a str,
    value: &'a str,
    hint: Option<&'a str>,
    autocomplete: &'a str,
    required: bool,
    code: bool,
    shortest: Option<usize>,
    longest: Option<usize>,
    least: Option<&'a str>,
    most: Option<&'a str>,
}

impl<'a> Input<'a> {
    /// A field for text, which browsers do not fill in by themselves.
    #[must_use]
    pub const fn new(name: &'a str, label: &'a str) -> Self {
        Self {
            name,
            label,
            kind: "text",
            value: "",
            hint: None,
            autocomplete: "off",
            required: false,
            code: false,
            shortest: None,
            longest: None,
            least: None,
            most: None,
        }
    }

    /// The same of another type, as `email`, `password`, `number` or `date`.
    #[must_use]
    pub const fn of_type(self, kind: &'a str) -> Self {
        Self { kind, ..self }
    }

    /// The same with what it holds.
    #[must_use]
    pub const fn holding(self, value: &'a str) -> Self {
        Self { value, ..self }
    }

    /// The same with a word of advice.
    #[must_use]
    pub const fn hint(self, hint: &'a str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// The same, filled in by browsers that know what this is (HTML, "autofill field").
    #[must_use]
    pub const fn known_as(self, autocomplete: &'a str) -> Self {
        Self { autocomplete, ..self }
    }

    /// The same, not to be left empty.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// The same for what is no word of any language: nothing corrects it.
    #[must_use]
    pub const fn code(self) -> Self {
        Self { code: true, ..self }
    }

    /// The same of at least so many characters.
    #[must_use]
    pub const fn shortest(self, shortest: usize) -> Self {
        Self { shortest: Some(shortest), ..self }
    }

    /// The same of at most so many characters.
    #[must_use]
    pub const fn longest(self, longest: usize) -> Self {
        Self { longest: Some(longest), ..self }
    }

    /// The same for numbers or dates in this range.
    #[must_use]
    pub const fn within(self, least: &'a str, most: Option<&'a str>) -> Self {
        Self { least: Some(least), most, ..self }
    }

    /// The field, with what `told` says of it.
    #[must_use]
    pub fn show(&self, told: &Told) -> Markup {
        let fault = told.of(self.name, self.label);
        let described = described(self.name, self.hint.is_some(), fault.is_some());
        html! {
            div class="field" {
                label for=(self.name) { (self.label) }
                input id=(self.name) name=(self.name) type=(self.kind) value=(self.value)
                    autocomplete=(self.autocomplete) required[self.required] minlength=[self.shortest]
                    maxlength=[self.longest] class=[self.code.then_some("mono")]
                    autocapitalize=[self.code.then_some("none")] spellcheck=[self.code.then_some("false")]
                    min=[self.least] max=[self.most] aria-invalid=[fault.is_some().then_some("true")]
                    aria-describedby=[described];
                (beneath(self.name, self.hint, fault.as_deref()))
            }
        }
    }
}

/// A field of several lines.
#[derive(Debug, Clone, Copy)]
pub struct Lines<'a> {
    /// The field's name.
    pub name: &'a str,
    /// What people know it as.
    pub label: &'a str,
    /// What it holds.
    pub value: &'a str,
    /// A word of advice.
    pub hint: Option<&'a str>,
    /// How many lines it shows.
    pub rows: usize,
}

impl Lines<'_> {
    /// The field, with what `told` says of it.
    #[must_use]
    pub fn show(&self, told: &Told) -> Markup {
        let fault = told.of(self.name, self.label);
        let described = described(self.name, self.hint.is_some(), fault.is_some());
        html! {
            div class="field" {
                label for=(self.name) { (self.label) }
                // A browser drops the first line's end.
                textarea id=(self.name) name=(self.name) class="mono" rows=(self.rows) spellcheck="false"
                    autocapitalize="none" autocomplete="off" aria-invalid=[fault.is_some().then_some("true")]
                    aria-describedby=[described] { "\n" (self.value) }
                (beneath(self.name, self.hint, fault.as_deref()))
            }
        }
    }
}

/// One of several.
#[derive(Debug, Clone, Copy)]
pub struct Select<'a> {
    /// The field's name.
    pub name: &'a str,
    /// What people know it as.
    pub label: &'a str,
    /// The value that is chosen.
    pub value: &'a str,
    /// A word of advice.
    pub hint: Option<&'a str>,
    /// The values that there are, each with its words.
    pub options: &'a [(String, String)],
}

impl Select<'_> {
    /// The field, with what `told` says of it.
    #[must_use]
    pub fn show(&self, told: &Told) -> Markup {
        let fault = told.of(self.name, self.label);
        let described = described(self.name, self.hint.is_some(), fault.is_some());
        html! {
            div class="field" {
                label for=(self.name) { (self.label) }
                select id=(self.name) name=(self.name) aria-invalid=[fault.is_some().then_some("true")]
                    aria-describedby=[described] {
                    @for (value, words) in self.options {
                        option value=(value) selected[value == self.value] { (words) }
                    }
                }
                (beneath(self.name, self.hint, fault.as_deref()))
            }
        }
    }
}

/// Any of several.
#[derive(Debug, Clone, Copy)]
pub struct Checks<'a> {
    /// The fields' common name.
    pub name: &'a str,
    /// What people know them as.
    pub label: &'a str,
    /// A word of advice.
    pub hint: Option<&'a str>,
    /// The values that there are, each with its words and whether it is chosen.
    pub options: &'a [(&'a str, &'a str, bool)],
}

impl Checks<'_> {
    /// The fields, with what `told` says of them.
    #[must_use]
    pub fn show(&self, told: &Told) -> Markup {
        let fault = told.of(self.name, self.label);
        let described = described(self.name, self.hint.is_some(), fault.is_some());
        html! {
            fieldset class="field" aria-describedby=[described] {
                legend { (self.label) }
                @for (value, words, chosen) in self.options {
                    @let id = format!("{}-{}", self.name, value.replace(':', "-"));
                    div class="check" {
                        input id=(id) type="checkbox" name=(self.name) value=(value) checked[*chosen];
                        label for=(id) { code { (value) } " " (words) }
                    }
                }
                (beneath(self.name, self.hint, fault.as_deref()))
            }
        }
    }
}

/// The ids of what describes a field (WAI-ARIA 1.2, `aria-describedby`).
fn described(name: &str, has_hint: bool, has_fault: bool) -> Option<String> {
    let ids = [(has_fault, "fault"), (has_hint, "hint")].into_iter().filter(|(is_there, _)| *is_there);
    let ids: Vec<String> = ids.map(|(_, what)| format!("{name}-{what}")).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

fn beneath(name: &str, hint: Option<&str>, fault: Option<&str>) -> Markup {
    html! {
        @if let Some(fault) = fault {
            p class="fault" id={ (name) "-fault" } { (fault) }
        }
        @if let Some(hint) = hint {
            p class="hint" id={ (name) "-hint" } { (hint) }
        }
    }
}
