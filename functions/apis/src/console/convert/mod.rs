//! From an OpenAPI file to a definition that mounts the API which it describes.

mod document;
#[cfg(test)]
mod tests;

use latchkey::error::Fault;
use latchkey::upstream::definition::{self, DefinitionFault};
use serde_json::{Map, Value, json};

use self::document::Document;

/// What the visitor says in place of the file.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Where the API is; empty for what the file says.
    pub server: &'a str,
    /// The path of the gateway; empty for one that is made of the title.
    pub mount: &'a str,
}

/// A definition, and what its author should know of it.
#[derive(Debug)]
pub struct Converted {
    pub source: String,
    pub notes: Vec<String>,
}

/// A definition of what `text` describes, which the gateway takes as it is.
///
/// # Errors
/// What is wrong with which field: `definition`, `server` or `mount`.
pub fn convert(text: &str, wish: Wish<'_>) -> Result<Converted, Vec<Fault>> {
    let document = Document::read(text).map_err(|message| vec![Fault::new("definition", message)])?;
    let server = match wish.server {
        "" => document.server().map_err(|message| vec![Fault::new("server", message)])?,
        given => given.to_owned(),
    };
    let title = document.title();
    let mount = if wish.mount.is_empty() { mount_of(&title) } else { wish.mount.to_owned() };
    let parts = Parts { title, version: document.version(), server, mount };
    let asked = document.requirement();
    // What the gateway cannot carry is told and left out: the mount is worth having without it.
    let (schemes, source) = match asked.as_ref().map(|schemes| (schemes, parts.write(schemes))) {
        Some((schemes, source)) if definition::parse(&source).is_ok() => (Some(schemes), source),
        _ => (None, parts.write(&Map::new())),
    };
    match definition::parse(&source) {
        Ok(_) => Ok(Converted { notes: notes(&document, &parts.mount, schemes), source }),
        Err(faults) => Err(faults.iter().map(told).collect()),
    }
}

fn notes(document: &Document, mount: &str, schemes: Option<&Map<String, Value>>) -> Vec<String> {
    let mut notes = vec![format!("What is sent to {mount} and below goes on to the server as it is.")];
    match schemes {
        Some(schemes) => {
            let names: Vec<&str> = schemes.keys().map(String::as_str).collect();
            notes.push(format!(
                "Every request carries {}: store the value once the API is made.",
                names.join(" and ")
            ));
        }
        None if document.asks_for_credentials() => notes.push(
            "The file asks for a credential of a kind that the gateway cannot send for everyone, so none is sent."
                .to_owned(),
        ),
        None => {}
    }
    notes
}

/// A fault of the definition as one of the field that it comes from.
fn told(fault: &DefinitionFault) -> Fault {
    let field = match fault.place.split('.').next() {
        Some("servers") => "server",
        Some("x-mount") => "mount",
        _ => "definition",
    };
    Fault::new(field, fault.message.clone())
}

/// The path that a title comes to.
fn mount_of(title: &str) -> String {
    let mut slug = String::new();
    for letter in title.chars().filter(char::is_ascii) {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(40);
    match slug.trim_end_matches('-') {
        "" => "/api/upstream".to_owned(),
        // Our own sign-in lies there.
        "auth" => "/api/auth-api".to_owned(),
        slug => format!("/api/{slug}"),
    }
}

/// What a definition is written of.
struct Parts {
    title: String,
    version: String,
    server: String,
    mount: String,
}

impl Parts {
    /// The text: a YAML document for people, each value of which is JSON.
    fn write(&self, schemes: &Map<String, Value>) -> String {
        let Self { title, version, server, mount } = self;
        let text = |text: &str| Value::from(text).to_string();
        let mut source = format!(
            "openapi: 3.1.0\ninfo: {{ title: {}, version: {} }}\nservers: [{{ url: {} }}]\nx-mount: {}\n",
            text(title),
            text(version),
            text(server),
            text(mount)
        );
        if !schemes.is_empty() {
            let names: Map<String, Value> = schemes.keys().map(|name| (name.clone(), json!([]))).collect();
            source.push_str(&format!(
                "security: [{}]\ncomponents:\n  securitySchemes:\n",
                Value::Object(names)
            ));
            for (name, scheme) in schemes {
                source.push_str(&format!("    {}: {scheme}\n", text(name)));
            }
        }
        source
    }
}
