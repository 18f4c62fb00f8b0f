//! The functions by their logical ids in the template.

use latchkey::app::{Function, Needs};

/// Every function behind a route.
pub static ROUTED: [(&str, &Function); 17] = [
    ("ActivityFunction", &activity::FUNCTION),
    ("ApisFunction", &apis::FUNCTION),
    ("ConsoleFunction", &console::FUNCTION),
    ("HealthFunction", &health::FUNCTION),
    ("JwksFunction", &jwks::FUNCTION),
    ("KeysFunction", &keys::FUNCTION),
    ("LoginFunction", &login::FUNCTION),
    ("LogoutFunction", &logout::FUNCTION),
    ("PasswordFunction", &password::FUNCTION),
    ("OpenapiFunction", &openapi::FUNCTION),
    ("OrganizationsFunction", &organizations::FUNCTION),
    ("ProxyFunction", &proxy::FUNCTION),
    ("RefreshFunction", &refresh::FUNCTION),
    ("ReportFunction", &report::FUNCTION),
    ("SessionFunction", &session::FUNCTION),
    ("TokensFunction", &tokens::FUNCTION),
    ("UsageFunction", &usage::FUNCTION),
];

/// What every function of the deployment needs, those that AWS calls with its own events among them.
pub fn all() -> impl Iterator<Item = (&'static str, &'static Needs)> {
    let called =
        [("AuthorizerFunction", &authorizer::FUNCTION.needs), ("RotateFunction", &rotate::FUNCTION.needs)];
    ROUTED.iter().map(|(id, function)| (*id, &function.needs)).chain(called)
}

/// The function of a logical id.
#[must_use]
pub fn find(logical_id: &str) -> Option<&'static Function> {
    ROUTED.iter().find_map(|(id, function)| (*id == logical_id).then_some(*function))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::template::Template;

    #[test]
    fn the_template_routes_to_every_function_and_to_no_other() {
        let template = Template::compiled_in().unwrap();
        let routed: BTreeSet<&str> = template.routes.iter().map(|route| &*route.function).collect();
        assert_eq!(routed, ROUTED.iter().map(|(id, _)| *id).collect());
    }

    #[test]
    fn logical_ids_are_the_crates_names() {
        for (id, needs) in all() {
            assert_eq!(id.strip_suffix("Function").map(str::to_ascii_lowercase).as_deref(), Some(needs.name));
        }
    }
}
