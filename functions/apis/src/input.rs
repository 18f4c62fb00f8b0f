//! What a client sends for a definition: the document itself, as YAML or JSON, or a text of it in a JSON object.

use http::header::CONTENT_TYPE;
use latchkey::domain::id::ApiId;
use latchkey::error::{Code, Error, Fault};
use latchkey::http::Request;
use latchkey::upstream::definition::{self, Checked, DefinitionFault};
use serde_json::{Map, Value};

/// The media types of a definition as it is: YAML (RFC 9512), the names that it had before, OpenAPI's own.
const YAML: [&str; 6] = [
    "application/yaml",
    "application/x-yaml",
    "text/yaml",
    "text/x-yaml",
    "application/vnd.oai.openapi",
    "application/openapi+yaml",
];

/// A definition, its text as it was given, and the id that the client chose.
pub struct Input {
    pub id: Option<ApiId>,
    pub source: String,
    pub checked: Checked,
}

impl Input {
    /// Reads a request's body; the id of a bare document comes in the query.
    ///
    /// # Errors
    /// `unsupported_media_type`, `invalid_json`, or `invalid_request` with every fault, each of the definition's
    /// with its place and its line.
    pub fn read(request: &Request) -> Result<Self, Error> {
        let mut faults = Vec::new();
        let (id, source) = texts(request, &mut faults)?;
        let id = id.map(|id| {
            id.parse().map_err(|_| Fault::new("id", "must be 1 to 64 letters, digits, `_` or `-`"))
        });
        let id = id.transpose().map_err(|fault| faults.push(fault)).unwrap_or_default();
        let checked = source.as_ref().map(|source| definition::parse(source));
        let checked = match checked {
            Some(Err(told)) => {
                faults.extend(told.iter().map(fault));
                None
            }
            checked => checked.and_then(Result::ok),
        };
        match (source, checked) {
            (Some(source), Some(checked)) if faults.is_empty() => Ok(Self { id, source, checked }),
            _ => Err(Error::invalid(faults)),
        }
    }
}

/// The texts of the id and of the definition.
fn texts(request: &Request, faults: &mut Vec<Fault>) -> Result<(Option<String>, Option<String>), Error> {
    let content_type = request.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if YAML.iter().any(|yaml| essence.eq_ignore_ascii_case(yaml)) {
        return Ok((request.query_parameter("id"), Some(whole_body(request)?)));
    }
    let mut object = request.json_object().map_err(|error| match error.code {
        Code::UnsupportedMediaType => {
            error.detail("Send the definition as application/json or application/yaml.")
        }
        _ => error,
    })?;
    if object.contains_key("openapi") {
        return Ok((request.query_parameter("id"), Some(whole_body(request)?)));
    }
    let id = match object.remove("id") {
        None | Some(Value::Null) => None,
        Some(Value::String(id)) => Some(id),
        Some(_) => {
            faults.push(Fault::new("id", "must be a string"));
            None
        }
    };
    let definition = match object.remove("definition") {
        Some(Value::String(text)) => Some(text),
        Some(document @ Value::Object(_)) => Some(document.to_string()),
        Some(_) => {
            faults.push(Fault::new("definition", "must be the text of an OpenAPI document, or the document"));
            None
        }
        None => {
            faults.push(Fault::new("definition", "is required"));
            None
        }
    };
    unknown(&object, faults);
    Ok((id, definition))
}

fn whole_body(request: &Request) -> Result<String, Error> {
    let text = std::str::from_utf8(&request.body);
    text.map(str::to_owned).map_err(|_| Error::invalid_field("", "must be UTF-8"))
}

fn unknown(object: &Map<String, Value>, faults: &mut Vec<Fault>) {
    // The name is the client's own text: bounded, so that an answer stays small.
    let name = |name: &String| name.chars().take(100).collect::<String>();
    faults.extend(object.keys().map(|key| Fault::new(name(key), "is not a field of this request")));
}

/// A definition's fault: the field is its place in the document.
fn fault(fault: &DefinitionFault) -> Fault {
    let message = match fault.line {
        Some(line) => format!("line {line}: {}", fault.message),
        None => fault.message.clone(),
    };
    Fault::new(fault.place.clone(), message)
}
