//! The functions by their logical ids in the template.

use latchkey::Function;

/// Every function of the deployment.
pub static ALL: [(&str, &Function); 8] = [
    ("HealthFunction", &health::FUNCTION),
    ("JwksFunction", &jwks::FUNCTION),
    ("KeysFunction", &keys::FUNCTION),
    ("LoginFunction", &login::FUNCTION),
    ("LogoutFunction", &logout::FUNCTION),
    ("ProxyFunction", &proxy::FUNCTION),
    ("RefreshFunction", &refresh::FUNCTION),
    ("SessionFunction", &session::FUNCTION),
];

/// The function of a logical id.
#[must_use]
pub fn find(logical_id: &str) -> Option<&'static Function> {
    ALL.iter().find_map(|(id, function)| (*id == logical_id).then_some(*function))
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
        assert_eq!(routed, ALL.iter().map(|(id, _)| *id).collect());
    }

    #[test]
    fn logical_ids_are_the_crates_names() {
        for (id, function) in &ALL {
            assert_eq!(
                id.strip_suffix("Function").map(str::to_ascii_lowercase).as_deref(),
                Some(function.name)
            );
        }
    }
}
