//! What people type, as the API takes it. What is wrong with it, the API says.

use serde_json::{Value, json};

/// A whole number; nothing where the field is empty. What is no number goes on as it is, to be refused.
#[must_use]
pub fn whole_number(text: &str) -> Value {
    match text.trim() {
        "" => Value::Null,
        text => text.parse::<u64>().map_or_else(|_| text.into(), Value::from),
    }
}

/// Several texts, one a line or with commas between; nothing where there are none.
#[must_use]
pub fn several(text: &str) -> Value {
    let lines: Vec<&str> = text.split([',', '\n']).map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { Value::Null } else { json!(lines) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_empty_is_nothing_and_what_is_odd_stays() {
        assert_eq!([" ", " 7 ", "0"].map(whole_number), [Value::Null, json!(7), json!(0)]);
        assert_eq!(["-1", "1.5", "many"].map(whole_number), [json!("-1"), json!("1.5"), json!("many")]);
        assert_eq!(several(" \r\n,"), Value::Null);
        assert_eq!(
            several("192.0.2.0/24\r\n2001:db8::/32, x"),
            json!(["192.0.2.0/24", "2001:db8::/32", "x"])
        );
    }

    proptest! {
        #[test]
        fn any_text_is_a_number_or_itself(text in "\\PC{0,30}") {
            match whole_number(&text) {
                Value::Null => prop_assert!(text.trim().is_empty()),
                Value::Number(number) => prop_assert_eq!(text.trim().parse::<u64>().ok(), number.as_u64()),
                other => prop_assert_eq!(other, json!(text.trim())),
            }
            if let Value::Array(lines) = several(&text) {
                prop_assert!(lines.iter().all(|line| text.contains(line.as_str().unwrap_or("no text"))));
            }
        }
    }
}
