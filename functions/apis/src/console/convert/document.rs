//! What of an OpenAPI file matters here (OpenAPI 3.1, sections 4.8.2, 4.8.5 and 4.8.27). The file is a stranger's:
//! anything may stand anywhere.

use latchkey::upstream::definition;
use serde_json::{Map, Value, json};

use crate::console::sent::LONGEST_PART;

/// The longest title, version or address.
const LONGEST_TEXT: usize = 200;
/// The methods under which a path's operations stand.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// A file of OpenAPI 3.
#[derive(Debug)]
pub struct Document(Value);

impl Document {
    /// Reads a file, YAML or JSON.
    pub fn read(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("must not be empty".to_owned());
        }
        if text.len() as u64 > LONGEST_PART {
            return Err("is too large: 2 MB are the limit".to_owned());
        }
        let value = value(text)?;
        match value.get("openapi").map(plain).as_deref() {
            Some(version) if version.starts_with("3.") => Ok(Self(value)),
            Some(_) => Err("must be of OpenAPI 3.0 or 3.1".to_owned()),
            None if value.get("swagger").is_some() => {
                Err("is Swagger 2.0: convert it to OpenAPI 3 first, which most tools for it do".to_owned())
            }
            None => Err("must be an OpenAPI document: it has no `openapi`".to_owned()),
        }
    }

    pub fn title(&self) -> String {
        let title = self.at("/info/title").map(line).unwrap_or_default();
        if title.is_empty() { "Imported API".to_owned() } else { title }
    }

    pub fn version(&self) -> String {
        let version = self.at("/info/version").map(line).unwrap_or_default();
        if version.is_empty() { "1.0.0".to_owned() } else { version }
    }

    /// The address of the first server, with its variables' defaults.
    pub fn server(&self) -> Result<String, &'static str> {
        let given = self.at("/servers/0/url").and_then(Value::as_str).unwrap_or_default();
        let mut address = given.trim().to_owned();
        let variables = self.at("/servers/0/variables").and_then(Value::as_object);
        for (name, variable) in variables.into_iter().flatten().take(50) {
            let default = variable.get("default").map(plain).unwrap_or_default();
            address = address.replace(&format!("{{{name}}}"), &default);
            if address.len() > 10 * LONGEST_TEXT {
                return Err("must be given: the file's own address is too long");
            }
        }
        let is_absolute = url::Url::parse(&address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
        if is_absolute { Ok(address) } else { Err("must be given: the file names no whole address") }
    }

    /// The schemes of the first requirement that the gateway can meet for everyone: the document's own, else an
    /// operation's. A requirement of nothing asks for nothing.
    pub fn requirement(&self) -> Option<Map<String, Value>> {
        self.requirements().find_map(|requirement| {
            let named = requirement.keys().map(|name| Some((name.clone(), self.scheme(name)?)));
            named.collect::<Option<Map<String, Value>>>()
        })
    }

    pub fn asks_for_credentials(&self) -> bool {
        self.requirements().next().is_some()
    }

    /// Every requirement of something, the document's before its operations'.
    fn requirements(&self) -> impl Iterator<Item = &Map<String, Value>> {
        let items = self.at("/paths").and_then(Value::as_object).into_iter().flat_map(Map::values);
        let operations = items.flat_map(|item| METHODS.iter().filter_map(|method| item.get(method)));
        std::iter::once(&self.0)
            .chain(operations)
            .filter_map(|of| of.get("security").and_then(Value::as_array))
            .flatten()
            .filter_map(Value::as_object)
            .filter(|requirement| !requirement.is_empty())
    }

    /// A scheme that the gateway knows, and of it what the gateway needs.
    fn scheme(&self, name: &str) -> Option<Value> {
        let scheme = self.at("/components/securitySchemes")?.get(name)?;
        let scheme = match scheme.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.at(reference.strip_prefix('#')?)?,
            None => scheme,
        };
        let word = |name: &str| scheme.get(name).and_then(Value::as_str);
        match (word("type")?, word("scheme").map(str::to_ascii_lowercase).as_deref()) {
            ("apiKey", _) => Some(json!({ "type": "apiKey", "in": word("in")?, "name": word("name")? })),
            ("http", Some(scheme @ ("basic" | "bearer"))) => {
                Some(json!({ "type": "http", "scheme": scheme }))
            }
            _ => None,
        }
    }

    fn at(&self, pointer: &str) -> Option<&Value> {
        self.0.pointer(pointer)
    }
}

/// JSON first: it is read without the bounds that YAML's aliases need.
fn value(text: &str) -> Result<Value, String> {
    if text.trim_start().starts_with('{')
        && let Ok(value) = serde_json::from_str(text)
    {
        return Ok(value);
    }
    definition::read_document(text).map_err(|fault| match (fault.line, fault.column) {
        (Some(line), Some(column)) => format!("{} (line {line}, column {column})", fault.message),
        _ => fault.message,
    })
}

/// A scalar as text: versions are often written without quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

/// A scalar as one line of text that YAML can hold, not too long.
fn line(value: &Value) -> String {
    let text = plain(value);
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_text = |letter: &char| !letter.is_control() && !('\u{fffe}'..='\u{ffff}').contains(letter);
    let line: String = words.join(" ").chars().filter(is_text).take(LONGEST_TEXT).collect();
    line.trim().to_owned()
}
