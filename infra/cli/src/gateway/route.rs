//! Which route a request takes, by the precedence of HTTP APIs: the route that says most of the path itself,
//! `$default` last.

use std::collections::BTreeMap;

use crate::template::RouteSpec;

/// The routes, the most specific first.
#[derive(Debug)]
pub(crate) struct Router {
    routes: Vec<Route>,
}

#[derive(Debug)]
struct Route {
    spec: RouteSpec,
    /// `None` for `$default`.
    segments: Option<Vec<Segment>>,
}

/// One part of a path between slashes; the order is the precedence.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Text(String),
    Parameter(String),
    /// `{name+}`: the rest of the path, at least one character of it.
    Rest(String),
}

/// The route that a request takes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Match<'a> {
    pub(crate) function: &'a str,
    pub(crate) route_key: String,
    pub(crate) parameters: BTreeMap<&'a str, &'a str>,
}

impl Router {
    pub(crate) fn new(routes: &[RouteSpec]) -> Self {
        let mut routes: Vec<Route> = routes.iter().cloned().map(Route::new).collect();
        routes.sort_by_key(Route::rank);
        Self { routes }
    }

    /// The route of a decoded path.
    pub(crate) fn find<'a>(&'a self, method: &str, path: &'a str) -> Option<Match<'a>> {
        self.routes.iter().find_map(|route| {
            let takes_method = route.spec.method == "ANY" || route.spec.method == method;
            let parameters = takes_method.then(|| route.parameters(path))??;
            Some(Match { function: &route.spec.function, route_key: route.key(), parameters })
        })
    }
}

impl Route {
    fn new(spec: RouteSpec) -> Self {
        let segments = (spec.path != "$default").then(|| {
            spec.path
                .split('/')
                .map(|text| match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
                    Some(name) => match name.strip_suffix('+') {
                        Some(name) => Segment::Rest(name.to_owned()),
                        None => Segment::Parameter(name.to_owned()),
                    },
                    None => Segment::Text(text.to_owned()),
                })
                .collect()
        });
        Self { spec, segments }
    }

    /// Text before parameters before the rest of a path, segment by segment; a method before `ANY`; `$default` last.
    fn rank(&self) -> (bool, Vec<u8>, bool) {
        let kind = |segment: &Segment| match segment {
            Segment::Text(_) => 0,
            Segment::Parameter(_) => 1,
            Segment::Rest(_) => 2,
        };
        let kinds = self.segments.iter().flatten().map(kind).collect();
        (self.segments.is_none(), kinds, self.spec.method == "ANY")
    }

    fn key(&self) -> String {
        match self.segments {
            Some(_) => format!("{} {}", self.spec.method, self.spec.path),
            None => self.spec.path.clone(),
        }
    }

    /// What the parameters stand for, where the path is this route's.
    fn parameters<'a>(&'a self, path: &'a str) -> Option<BTreeMap<&'a str, &'a str>> {
        let mut parameters = BTreeMap::new();
        let Some(segments) = &self.segments else { return Some(parameters) };
        let mut left = Some(path);
        for segment in segments {
            let given = left?;
            if let Segment::Rest(name) = segment {
                parameters.insert(name.as_str(), given);
                return (!given.is_empty()).then_some(parameters);
            }
            let (text, rest) = given.split_once('/').map_or((given, None), |(text, rest)| (text, Some(rest)));
            left = rest;
            match (segment, text) {
                (Segment::Text(expected), text) if expected == text => {}
                (Segment::Parameter(name), text) if !text.is_empty() => {
                    parameters.insert(name.as_str(), text);
                }
                _ => return None,
            }
        }
        left.is_none().then_some(parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(routes: &[(&str, &str)]) -> Router {
        let spec = |&(method, path): &(&str, &str)| RouteSpec {
            path: path.to_owned(),
            method: method.to_owned(),
            function: format!("{method} {path}"),
        };
        Router::new(&routes.iter().map(spec).collect::<Vec<_>>())
    }

    #[test]
    fn the_most_specific_route_wins() {
        let router = router(&[
            ("ANY", "$default"),
            ("ANY", "/pets/{id}"),
            ("ANY", "/pets/dog"),
            ("GET", "/pets/dog"),
            ("ANY", "/{kind}/dog"),
        ]);
        let found = |method, path| router.find(method, path).map(|found| found.function.to_owned());
        assert_eq!(found("GET", "/pets/dog").as_deref(), Some("GET /pets/dog"));
        assert_eq!(found("POST", "/pets/dog").as_deref(), Some("ANY /pets/dog"));
        assert_eq!(found("GET", "/pets/cat").as_deref(), Some("ANY /pets/{id}"));
        assert_eq!(found("GET", "/cars/dog").as_deref(), Some("ANY /{kind}/dog"));
        assert_eq!(found("GET", "/pets/").as_deref(), Some("ANY $default"));
        assert_eq!(found("GET", "/pets/dog/").as_deref(), Some("ANY $default"));
        assert_eq!(found("GET", "/pets/dog/1").as_deref(), Some("ANY $default"));
    }

    #[test]
    fn parameters_and_keys_are_those_of_the_event() {
        let router = router(&[("ANY", "/pets/{id}/toys/{toy}"), ("ANY", "$default")]);
        let found = router.find("GET", "/pets/7/toys/a b").unwrap();
        assert_eq!(found.route_key, "ANY /pets/{id}/toys/{toy}");
        assert_eq!(found.parameters, BTreeMap::from([("id", "7"), ("toy", "a b")]));
        assert_eq!(router.find("GET", "/").unwrap().route_key, "$default");
    }

    #[test]
    fn the_rest_of_a_path_comes_after_what_says_more() {
        let router = router(&[
            ("ANY", "/pets/{rest+}"),
            ("ANY", "/pets/toys/{rest+}"),
            ("ANY", "/pets/{id}"),
            ("ANY", "/pets/toys/ball"),
        ]);
        let found = |path| router.find("GET", path).map(|found| found.function.to_owned());
        assert_eq!(found("/pets/toys/ball").as_deref(), Some("ANY /pets/toys/ball"));
        assert_eq!(found("/pets/toys/rope").as_deref(), Some("ANY /pets/toys/{rest+}"));
        assert_eq!(found("/pets/toys").as_deref(), Some("ANY /pets/{id}"));
        assert_eq!(found("/pets/7/a").as_deref(), Some("ANY /pets/{rest+}"));
        assert_eq!(found("/pets/"), None);
        assert_eq!(found("/pets"), None);
        let found = router.find("GET", "/pets/7/a/").unwrap();
        assert_eq!((found.route_key.as_str(), found.parameters["rest"]), ("ANY /pets/{rest+}", "7/a/"));
    }

    #[test]
    fn without_a_default_nothing_may_match() {
        assert_eq!(router(&[("GET", "/a")]).find("POST", "/a"), None);
    }
}
