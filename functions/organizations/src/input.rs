//! What a client may say.

use latchkey::domain::account::Role;
use latchkey::domain::email::CanonicalEmail;
use latchkey::http::Fields;

/// The longest name, in characters.
const LONGEST_NAME: usize = 100;
/// The longest address that is looked at, in characters.
const LONGEST_EMAIL: usize = 254;

/// Takes a name.
pub fn name(fields: &mut Fields) -> String {
    let name = fields.required_text("name", LONGEST_NAME);
    if name.chars().any(char::is_control) {
        fields.fault("name", "must not hold control characters");
    }
    name
}

/// Takes a role.
pub fn role(fields: &mut Fields) -> Option<Role> {
    let given = fields.take("role");
    let role = given.as_ref().and_then(|value| Role::named(value.as_str()?));
    match given {
        None => fields.fault("role", "is required"),
        Some(_) if role.is_none() => {
            let all = Role::ALL.map(Role::name).join(", ");
            fields.fault("role", format!("must be one of {all}"));
        }
        Some(_) => {}
    }
    role
}

/// Takes an e-mail address.
pub fn email(fields: &mut Fields) -> Option<CanonicalEmail> {
    let text = fields.required_text("email", LONGEST_EMAIL);
    if text.is_empty() {
        return None;
    }
    let email = CanonicalEmail::parse(&text);
    if let Err(fault) = &email {
        fields.fault("email", fault.to_string());
    }
    email.ok()
}
