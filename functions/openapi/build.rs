//! Makes one JSON text of `document/*.yaml`, so that a function reads no YAML. What follows from what stands there, it
//! adds:
//!
//! - `x-needs` of an operation gives its `security`, and where that is not empty the parameter `X-Latchkey-Account`;
//! - `problems`, codes or groups of `problems.yaml`, give its refusals, one answer for each status, beside those that
//!   every operation of its kind has; where `x-session-state` is set, each carries the header that says it;
//! - `pages: X` gives the parameters and the answer of a list of `X`;
//! - the table of codes gives the schema `ErrorCode`, and cargo the version.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde_json::{Map, Value, json};

type Object = Map<String, Value>;
type Fallible<T> = Result<T, Box<dyn Error>>;

#[allow(clippy::disallowed_methods, clippy::print_stdout, reason = "so a build script and cargo speak")]
fn main() -> Fallible<()> {
    let folder = PathBuf::from("document");
    println!("cargo::rerun-if-changed={}", folder.display());
    let text = Document::read(&folder)?.finish()?.to_string();
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    println!("cargo::rustc-env=OPENAPI_ETAG=\"{:016x}\"", hasher.finish());
    let out = env::var_os("OUT_DIR").ok_or("cargo names no OUT_DIR")?;
    Ok(fs::write(Path::new(&out).join("openapi.json"), text)?)
}

struct Document {
    root: Object,
    paths: Object,
    components: BTreeMap<String, Object>,
    codes: BTreeMap<String, u16>,
    groups: BTreeMap<String, Vec<String>>,
}

impl Document {
    fn read(folder: &Path) -> Fallible<Self> {
        let mut root = read(&folder.join("root.yaml"))?;
        let mut problems = read(&folder.join("problems.yaml"))?;
        let mut document = Self {
            paths: Object::new(),
            components: serde_json::from_value(root.remove("components").unwrap_or_default())?,
            codes: serde_json::from_value(problems.remove("codes").unwrap_or_default())?,
            groups: serde_json::from_value(problems.remove("groups").unwrap_or_default())?,
            root,
        };
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Fallible<_>>()?;
        files.retain(|file| !file.ends_with("root.yaml") && !file.ends_with("problems.yaml"));
        files.sort();
        for file in files {
            for (section, content) in read(&file)? {
                let content: Object = serde_json::from_value(content)?;
                let place = match section.as_str() {
                    "paths" => &mut document.paths,
                    _ => document.components.entry(section).or_default(),
                };
                for (name, value) in content {
                    if place.insert(name.clone(), value).is_some() {
                        return Err(format!("{name} stands twice").into());
                    }
                }
            }
        }
        Ok(document)
    }

    fn finish(mut self) -> Fallible<Value> {
        let names: Vec<&String> = self.codes.keys().collect();
        let codes = json!({ "type": "string", "description": "What programs go by.", "enum": names });
        self.components.entry("schemas".into()).or_default().insert("ErrorCode".into(), codes);
        for (path, item) in std::mem::take(&mut self.paths) {
            let mut item: Object = serde_json::from_value(item)?;
            for (method, operation) in &mut item {
                if method != "parameters" {
                    let operation = operation.as_object_mut().ok_or("an operation is no object")?;
                    self.complete(method, operation).map_err(|fault| format!("{method} {path}: {fault}"))?;
                }
            }
            self.paths.insert(path, Value::Object(item));
        }
        self.root["info"]["version"] = env!("CARGO_PKG_VERSION").into();
        self.root.insert("paths".into(), Value::Object(self.paths));
        self.root.insert("components".into(), serde_json::to_value(self.components)?);
        Ok(Value::Object(self.root))
    }

    fn complete(&mut self, method: &str, operation: &mut Object) -> Fallible<()> {
        let needs = operation.get("x-needs").and_then(Value::as_str).ok_or("has no x-needs")?;
        let security = security(needs);
        let takes_credential = !security.is_empty();
        let mut problems: Vec<String> =
            serde_json::from_value(operation.remove("problems").unwrap_or(json!([])))?;
        problems.push("any".into());
        if takes_credential {
            add_parameter(operation, "Account");
            problems.push("credential".into());
            if method != "get" {
                problems.push("cookie".into());
            }
        }
        if operation.contains_key("requestBody") {
            problems.push("body".into());
        }
        operation.insert("security".into(), security.into());
        if let Some(entry) = operation.remove("pages") {
            add_parameter(operation, "Limit");
            add_parameter(operation, "Cursor");
            operation.insert("responses".into(), page(entry.as_str().ok_or("pages of no schema")?));
        }
        let has_state = operation.contains_key("x-session-state");
        for (status, codes) in self.by_status(&problems)? {
            let name = self.refusal(status, &codes, has_state);
            let answers = operation.get_mut("responses").and_then(Value::as_object_mut);
            let answers = answers.ok_or("has no responses")?;
            answers.insert(status.to_string(), reference("responses", &name));
        }
        Ok(())
    }

    /// The codes that are meant by names of codes and of groups, by status.
    fn by_status(&self, names: &[String]) -> Fallible<BTreeMap<u16, BTreeSet<String>>> {
        let mut found: BTreeMap<u16, BTreeSet<String>> = BTreeMap::new();
        let one = |name: &String| self.groups.get(name).cloned().unwrap_or_else(|| vec![name.clone()]);
        for code in names.iter().flat_map(one) {
            let status = self.codes.get(&code).ok_or_else(|| format!("no code {code}"))?;
            found.entry(*status).or_default().insert(code);
        }
        Ok(found)
    }

    /// The name of the answer that tells one of `codes`, which is made where it is not there yet.
    fn refusal(&mut self, status: u16, codes: &BTreeSet<String>, has_state: bool) -> String {
        let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
        let mut headers = Object::new();
        match status {
            401 => headers.insert("WWW-Authenticate".into(), reference("headers", "Challenge")),
            429 | 503 => headers.insert("Retry-After".into(), reference("headers", "RetryAfter")),
            _ => None,
        };
        if has_state {
            headers.insert("X-Latchkey-Session".into(), reference("headers", "SessionState"));
        }
        let quoted: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
        let answer = json!({
            "description": quoted.join(", "),
            "headers": headers,
            "content": { "application/problem+json": { "schema": reference("schemas", "Problem") } },
            "x-error-codes": codes,
        });
        let state = if has_state { ".with_state" } else { "" };
        let name = format!("{status}.{}{state}", codes.join("."));
        self.components.entry("responses".into()).or_default().insert(name.clone(), answer);
        name
    }
}

/// The credentials that fulfil a need, each by itself.
fn security(needs: &str) -> Vec<Value> {
    let schemes: &[&str] = match needs {
        "no credential" => &[],
        "a person who signed in" => &["accessToken", "consoleCookie"],
        "a person" | "an owner" => &["accessToken", "personalToken", "consoleCookie"],
        _ => &["accessToken", "personalToken", "apiKey", "apiKeyAsUserName", "apiKeyHeader", "consoleCookie"],
    };
    schemes.iter().map(|scheme| json!({ *scheme: [] })).collect()
}

fn page(entry: &str) -> Value {
    let schema = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["data", "next_cursor"],
        "properties": {
            "data": { "type": "array", "items": reference("schemas", entry), "maxItems": 100 },
            "next_cursor": reference("schemas", "Cursor"),
        },
    });
    json!({ "200": { "description": "A page.", "content": { "application/json": { "schema": schema } } } })
}

fn add_parameter(operation: &mut Object, name: &str) {
    let parameters = operation.entry("parameters").or_insert(json!([]));
    if let Some(parameters) = parameters.as_array_mut() {
        parameters.push(reference("parameters", name));
    }
}

fn reference(section: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{section}/{name}") })
}

fn read(file: &Path) -> Fallible<Object> {
    let text = fs::read_to_string(file)?;
    serde_saphyr::from_str(&text).map_err(|fault| format!("{}: {fault}", file.display()).into())
}
