//! Reads `template.yaml`, the single source of tables and routes, as it was when this was compiled.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The template itself.
pub(crate) const SOURCE: &str = include_str!("../../../template.yaml");

/// What the local stack needs to know of the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pub tables: Vec<TableSpec>,
    pub routes: Vec<RouteSpec>,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSpec {
    /// The logical id, such as `LoginSessionsTable`.
    pub logical_id: String,
    pub partition_key: String,
    pub sort_key: Option<String>,
    pub ttl_attribute: Option<String>,
}

/// One route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteSpec {
    /// The path with its `{parameters}`; `$default` for what no other route matches.
    pub path: String,
    /// The method, upper case; `ANY` for all.
    pub method: String,
    /// The logical id of the function that answers.
    pub function: String,
}

/// A template that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    #[error("template.yaml is not the YAML expected: {0}")]
    Yaml(String),
    #[error("template.yaml: {resource}: {cause}")]
    Resource { resource: String, cause: String },
}

impl Template {
    /// The template that this program was built with.
    ///
    /// # Errors
    /// Where it says something that the local stack does not understand.
    pub fn compiled_in() -> Result<Self, TemplateError> {
        Self::parse(SOURCE)
    }

    /// Reads a template. The tags of CloudFormation (`!Ref`, `!Sub` …) are passed over: their values stay.
    ///
    /// # Errors
    /// As [`compiled_in`](Self::compiled_in).
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let document: Document =
            serde_saphyr::from_str(text).map_err(|fault| TemplateError::Yaml(fault.to_string()))?;
        let mut template = Self { tables: Vec::new(), routes: Vec::new() };
        for (id, resource) in document.resources {
            match resource.r#type.as_str() {
                "AWS::DynamoDB::Table" => template.tables.push(table(id, resource.properties)?),
                "AWS::Serverless::Function" => template.routes.extend(routes(&id, resource.properties)?),
                _ => {}
            }
        }
        Ok(template)
    }
}

impl TableSpec {
    /// The table's name in a local stack: `LoginSessionsTable` is `latchkey-login-sessions`.
    #[must_use]
    pub fn local_name(&self) -> String {
        let words = words(self.logical_id.strip_suffix("Table").unwrap_or(&self.logical_id));
        format!("latchkey-{}", words.join("-").to_ascii_lowercase())
    }

    /// The environment variable that tells a function the table's name: `LATCHKEY_TABLE_LOGIN_SESSIONS`.
    #[must_use]
    pub fn variable(&self) -> String {
        let words = words(self.logical_id.strip_suffix("Table").unwrap_or(&self.logical_id));
        format!("LATCHKEY_TABLE_{}", words.join("_").to_ascii_uppercase())
    }
}

fn words(camel_case: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for letter in camel_case.chars() {
        match words.last_mut() {
            Some(word) if !letter.is_ascii_uppercase() => word.push(letter),
            _ => words.push(letter.to_string()),
        }
    }
    words
}

fn table(id: String, properties: Value) -> Result<TableSpec, TemplateError> {
    let properties: TableProperties = typed(&id, properties)?;
    let key = |kind| {
        let mut elements = properties.key_schema.iter();
        elements.find(|element| element.key_type == kind).map(|element| element.attribute_name.clone())
    };
    for definition in &properties.attribute_definitions {
        if definition.attribute_type != "S" {
            return Err(fault(&id, "the local stack makes only keys that are strings"));
        }
    }
    let partition_key = key("HASH").ok_or_else(|| fault(&id, "has no partition key"))?;
    let sort_key = key("RANGE");
    let ttl = properties.time_to_live_specification.filter(|ttl| ttl.enabled);
    Ok(TableSpec {
        logical_id: id,
        partition_key,
        sort_key,
        ttl_attribute: ttl.map(|ttl| ttl.attribute_name),
    })
}

fn routes(id: &str, properties: Value) -> Result<Vec<RouteSpec>, TemplateError> {
    let properties: FunctionProperties = typed(id, properties)?;
    let events = properties.events.into_values().filter(|event| event.r#type == "HttpApi");
    let route = |event: Event| RouteSpec {
        path: event.properties.path.unwrap_or_else(|| "$default".to_owned()),
        method: event.properties.method.unwrap_or_else(|| "ANY".to_owned()).to_ascii_uppercase(),
        function: id.to_owned(),
    };
    Ok(events.map(route).collect())
}

fn typed<T: DeserializeOwned>(id: &str, properties: Value) -> Result<T, TemplateError> {
    serde_json::from_value(properties).map_err(|cause| fault(id, cause))
}

fn fault(resource: &str, cause: impl ToString) -> TemplateError {
    TemplateError::Resource { resource: resource.to_owned(), cause: cause.to_string() }
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "Resources")]
    resources: BTreeMap<String, Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    r#type: String,
    #[serde(default)]
    properties: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TableProperties {
    attribute_definitions: Vec<AttributeDefinition>,
    key_schema: Vec<KeyElement>,
    time_to_live_specification: Option<TimeToLive>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AttributeDefinition {
    attribute_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyElement {
    attribute_name: String,
    key_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TimeToLive {
    attribute_name: String,
    enabled: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FunctionProperties {
    #[serde(default)]
    events: BTreeMap<String, Event>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    r#type: String,
    #[serde(default)]
    properties: EventProperties,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct EventProperties {
    path: Option<String>,
    method: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(table: &TableSpec) -> String {
        let keys = [Some(&table.partition_key), table.sort_key.as_ref(), table.ttl_attribute.as_ref()];
        let keys: Vec<&str> = keys.into_iter().map(|key| key.map_or("-", String::as_str)).collect();
        format!("{} {} {}", table.local_name(), table.variable(), keys.join(" "))
    }

    #[test]
    fn tables_are_those_of_the_plan() {
        let template = Template::compiled_in().unwrap();
        let tables: Vec<String> = template.tables.iter().map(described).collect();
        let expected = [
            "latchkey-accounts LATCHKEY_TABLE_ACCOUNTS id - -",
            "latchkey-activity LATCHKEY_TABLE_ACTIVITY account_id id ttl",
            "latchkey-apis LATCHKEY_TABLE_APIS account_id id -",
            "latchkey-credentials LATCHKEY_TABLE_CREDENTIALS email - -",
            "latchkey-invitations LATCHKEY_TABLE_INVITATIONS holder id ttl",
            "latchkey-keys LATCHKEY_TABLE_KEYS account_id id ttl",
            "latchkey-limits LATCHKEY_TABLE_LIMITS id - ttl",
            "latchkey-login-sessions LATCHKEY_TABLE_LOGIN_SESSIONS user_id id ttl",
            "latchkey-members LATCHKEY_TABLE_MEMBERS account_id user_id -",
            "latchkey-memberships LATCHKEY_TABLE_MEMBERSHIPS user_id account_id -",
            "latchkey-secrets LATCHKEY_TABLE_SECRETS purpose - -",
            "latchkey-tokens LATCHKEY_TABLE_TOKENS user_id id ttl",
            "latchkey-upstream-sessions LATCHKEY_TABLE_UPSTREAM_SESSIONS account_id id ttl",
            "latchkey-usage LATCHKEY_TABLE_USAGE account_id id ttl",
        ];
        assert_eq!(tables, expected);
    }

    #[test]
    fn every_path_stands_with_and_without_a_slash_under_one_function() {
        let template = Template::compiled_in().unwrap();
        let mut routes: BTreeMap<&str, &str> = BTreeMap::new();
        for route in &template.routes {
            assert_eq!(route.method, "ANY", "{}", route.path);
            let twice = routes.insert(&route.path, &route.function);
            assert_eq!(twice, None, "{} stands twice", route.path);
        }
        let expected = [
            ("/.well-known/jwks.json", "JwksFunction"),
            ("/api/auth/login", "LoginFunction"),
            ("/api/auth/logout", "LogoutFunction"),
            ("/api/auth/logout-everywhere", "LogoutFunction"),
            ("/api/auth/password", "PasswordFunction"),
            ("/api/auth/reset", "PasswordFunction"),
            ("/api/auth/session", "SessionFunction"),
            ("/api/auth/sessions", "SessionFunction"),
            ("/api/auth/sessions/{id}", "SessionFunction"),
            ("/api/auth/token/refresh", "RefreshFunction"),
            ("/healthz", "HealthFunction"),
            ("/openapi.json", "OpenapiFunction"),
            ("/scraper/{scraper_id}", "ProxyFunction"),
            ("/scraper/{scraper_id}/{endpoint}", "ProxyFunction"),
            ("/v1/activity", "ActivityFunction"),
            ("/console", "ConsoleFunction"),
            ("/console/password", "PasswordFunction"),
            ("/console/reset", "PasswordFunction"),
            ("/console/reset.js", "PasswordFunction"),
            ("/console/{page+}", "ConsoleFunction"),
            ("/console/apis", "ApisFunction"),
            ("/console/apis/{page+}", "ApisFunction"),
            ("/console/apis/{id}/try", "ProxyFunction"),
            ("/console/sessions", "ProxyFunction"),
            ("/console/sessions/{page+}", "ProxyFunction"),
            ("/v1/tokens", "TokensFunction"),
            ("/v1/tokens/{id}", "TokensFunction"),
            ("/v1/api-keys", "KeysFunction"),
            ("/v1/api-keys/{id}", "KeysFunction"),
            ("/v1/api-keys/{id}/rotate", "KeysFunction"),
            ("/v1/api-keys/report", "ReportFunction"),
            ("/v1/api-keys/report/github", "ReportFunction"),
            ("/v1/usage", "UsageFunction"),
            ("/v1/organizations", "OrganizationsFunction"),
            ("/v1/organizations/{id}", "OrganizationsFunction"),
            ("/v1/organizations/{id}/members", "OrganizationsFunction"),
            ("/v1/organizations/{id}/members/{user}", "OrganizationsFunction"),
            ("/v1/organizations/{id}/invitations", "OrganizationsFunction"),
            ("/v1/organizations/{id}/invitations/{invitation}", "OrganizationsFunction"),
            ("/v1/organizations/{id}/workspaces", "OrganizationsFunction"),
            ("/v1/organizations/{id}/workspaces/{workspace}", "OrganizationsFunction"),
            ("/v1/invitations", "OrganizationsFunction"),
            ("/v1/invitations/{id}", "OrganizationsFunction"),
            ("/v1/invitations/{id}/accept", "OrganizationsFunction"),
            ("/v1/sessions", "ProxyFunction"),
            ("/v1/sessions/{id}", "ProxyFunction"),
            ("/v1/apis", "ApisFunction"),
            ("/v1/apis/{id}", "ApisFunction"),
            ("/v1/apis/{id}/credentials", "ApisFunction"),
            ("/v1/definition.schema.json", "ApisFunction"),
        ];
        for (path, function) in expected {
            assert_eq!(routes.remove(path), Some(function), "{path}");
            // What is greedy takes a slash at the end as well.
            if !path.ends_with("+}") {
                assert_eq!(routes.remove(format!("{path}/").as_str()), Some(function), "{path}/");
            }
        }
        assert_eq!(routes.into_iter().collect::<Vec<_>>(), [("$default", "ProxyFunction")]);
    }

    #[test]
    fn a_fault_names_its_resource() {
        let text = "Resources:\n  X:\n    Type: AWS::DynamoDB::Table\n    Properties:\n      KeySchema: []\n      \
                    AttributeDefinitions: []\n";
        let fault = Template::parse(text).unwrap_err();
        assert_eq!(fault.to_string(), "template.yaml: X: has no partition key");
    }
}
