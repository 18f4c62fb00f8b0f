//! The endpoint that every API with a login has beside its own: it makes a session of cookies that a browser has.

use serde_json::Value;

use super::{
    BodyTemplate, Definition, Endpoint, EndpointKind, Method, RequestTemplate, Target, UpstreamCall,
};
use crate::upstream::expression::{Expression, PathTemplate};

/// Its name: no operation of a definition may have it.
pub const IMPORT: &str = "import";

impl Definition {
    /// Every endpoint that can be called: the definition's own and, where it signs in, the one that imports.
    pub fn callable(&self) -> impl Iterator<Item = Endpoint> {
        self.endpoints.values().cloned().chain(self.import())
    }

    /// What an imported session is tried with: the request that the definition names, else the first endpoint of the
    /// session, by name, that only reads and can do so without an input, else the server's first page.
    fn import(&self) -> Option<Endpoint> {
        let session = self.session.as_ref()?;
        let mut protected = self.endpoints.values().filter(|e| e.kind == EndpointKind::Protected);
        // What the session's endpoints carry beside it, the trial needs as well.
        let carries = protected.clone().next().map(|endpoint| endpoint.carries.clone()).unwrap_or_default();
        let alone = |request| {
            let upstream = Some(UpstreamCall { steps: Vec::new(), request, follow: true, extract: None });
            Endpoint { carries, input_schema: None, upstream, ..named() }
        };
        Some(match &session.verify {
            Some(request) => alone(request.clone()),
            None => protected.find_map(reads_alone).unwrap_or_else(|| alone(first_page())),
        })
    }
}

fn named() -> Endpoint {
    Endpoint {
        name: IMPORT.to_owned(),
        kind: EndpointKind::Imports,
        description: None,
        input_schema: None,
        carries: Vec::new(),
        upstream: None,
    }
}

/// The import by way of an endpoint, where that only reads and needs nothing that a client would have to give.
fn reads_alone(endpoint: &Endpoint) -> Option<Endpoint> {
    let call = endpoint.upstream.as_ref()?;
    let schema = endpoint.input_schema.as_ref();
    let required = schema.and_then(|schema| schema.get("required")).and_then(Value::as_array);
    let needs_nothing = required.is_none_or(Vec::is_empty);
    let reads = call.request.method == Method::Get && call.steps.is_empty();
    let Target::Path(path) = &call.request.target else { return None };
    let is_given = |expression: &Expression| match expression {
        Expression::Input(name) => {
            schema.is_some_and(|schema| !schema["properties"][name]["default"].is_null())
        }
        // What only a sign-in captures is not there.
        _ => false,
    };
    (reads && needs_nothing && path.expressions().all(is_given)).then(|| Endpoint {
        input_schema: endpoint.input_schema.clone(),
        carries: endpoint.carries.clone(),
        upstream: Some(UpstreamCall { extract: None, ..call.clone() }),
        ..named()
    })
}

fn first_page() -> RequestTemplate {
    RequestTemplate {
        method: Method::Get,
        target: Target::Path(PathTemplate::root()),
        query: Vec::new(),
        headers: Vec::new(),
        body: BodyTemplate::None,
    }
}
