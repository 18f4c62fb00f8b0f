//! What is told of a fault: where it is, and the rule that was broken, never the value.

use super::seen::Place;
use super::{Rule, Type};

/// Characters of a client's own field name that are told back.
const LONGEST_FIELD: usize = 100;
/// Values that are listed.
const MOST_OPTIONS: usize = 20;

/// A field's name: `filter.tags.0`.
pub(super) fn field(place: Place<'_>) -> String {
    let (above, name) = match place {
        Place::Root => return String::new(),
        Place::Member(above, name) => (above, bounded(name)),
        Place::Item(above, index) => (above, index.to_string()),
    };
    let above = field(*above);
    if above.is_empty() { name } else { format!("{above}.{name}") }
}

/// The beginning of a name that a client chose.
pub fn bounded(name: &str) -> String {
    name.chars().take(LONGEST_FIELD).collect()
}

pub(super) fn required() -> String {
    "is required".to_owned()
}

pub(super) fn invalid() -> String {
    "is not what the endpoint's schema asks for".to_owned()
}

pub fn unknown() -> String {
    "is not an input of this endpoint".to_owned()
}

pub(super) fn of(rule: &Rule) -> String {
    match rule {
        Rule::Types(types) => format!("must be of type {}", names(types)),
        Rule::Enum(options) if options.len() <= MOST_OPTIONS => {
            let options: Vec<String> = options.iter().map(ToString::to_string).collect();
            format!("must be one of {}", options.join(", "))
        }
        Rule::Enum(_) => "must be one of the values that the schema names".to_owned(),
        Rule::Const(value) => format!("must be {value}"),
        Rule::Minimum(limit) => format!("must be at least {limit}"),
        Rule::Maximum(limit) => format!("must be at most {limit}"),
        Rule::ExclusiveMinimum(limit) => format!("must be more than {limit}"),
        Rule::ExclusiveMaximum(limit) => format!("must be less than {limit}"),
        Rule::MultipleOf(step) => format!("must be a multiple of {step}"),
        Rule::MinLength(1) => "must not be empty".to_owned(),
        Rule::MinLength(limit) => format!("must be at least {limit} characters"),
        Rule::MaxLength(limit) => format!("must be at most {limit} characters"),
        Rule::Pattern(pattern) => format!("must match the pattern {}", pattern.text),
        Rule::Format(format) => format!("must be of the format {}", format.name()),
        Rule::MinItems(limit) => format!("must have at least {limit} items"),
        Rule::MaxItems(limit) => format!("must have at most {limit} items"),
        Rule::UniqueItems => "must hold no item twice".to_owned(),
        Rule::Contains { least, most: None, .. } => {
            format!("must have at least {least} items of the kind that the schema asks for")
        }
        Rule::Contains { least, most: Some(most), .. } => {
            format!("must have {least} to {most} items of the kind that the schema asks for")
        }
        Rule::MinProperties(limit) => format!("must have at least {limit} members"),
        Rule::MaxProperties(limit) => format!("must have at most {limit} members"),
        Rule::PropertyNames(_) => "has a member whose name is not allowed".to_owned(),
        Rule::Any(_) => "fits none of the forms that the schema allows".to_owned(),
        Rule::One(_) => "must fit exactly one of the forms that the schema allows".to_owned(),
        Rule::Not(_) => "has a form that the schema does not allow".to_owned(),
        Rule::Never => "is not allowed here".to_owned(),
        _ => invalid(),
    }
}

/// `a`, `a or b`, `a, b or c`.
fn names(types: &[Type]) -> String {
    let names: Vec<&str> = types.iter().map(|kind| kind.name()).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
