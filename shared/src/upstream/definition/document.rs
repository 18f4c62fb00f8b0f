//! Reads a whole document.

use super::node::Node;
use super::operation::{Around, Endpoints, endpoints};
use super::reader::{At, Report};
use super::request::{absolute, warn_of_plain_http};
use super::scheme::{Session, allowed_hosts, session};
use super::security::Schemes;
use super::{AllowedHost, Checked, Definition, DefinitionFault, LONGEST_DOCUMENT, Mount};

/// Segments of a mount's path.
const MOST_SEGMENTS: usize = 3;
/// The longest mount, title or version.
const LONGEST_TEXT: usize = 200;
/// What a mount may not begin with: the gateway's own routes.
const OWN_PATHS: [&str; 7] =
    ["/api/auth", "/v1", "/scraper", "/.well-known", "/console", "/healthz", "/openapi.json"];
/// The extensions that are known at the top and on a security scheme; another `x-` name is somebody else's.
const OWN_WORDS: [&str; 4] = ["x-session", "x-upstream", "x-initiates-session", "x-mount"];

pub(super) fn parse(text: &str) -> Result<Checked, Vec<DefinitionFault>> {
    let whole =
        |message: String| vec![DefinitionFault { line: None, column: None, place: String::new(), message }];
    if text.len() > LONGEST_DOCUMENT {
        return Err(whole(format!("must be at most {LONGEST_DOCUMENT} bytes")));
    }
    let node = Node::read(text).map_err(|fault| vec![fault])?;
    let report = Report::default();
    let definition = read(&node, &report);
    let has_faults = report.has_faults();
    let (faults, warnings) = report.into_parts();
    match definition {
        Some(definition) if !has_faults => Ok(Checked { definition, warnings }),
        _ if has_faults => Err(faults),
        _ => Err(whole("is no definition".to_owned())),
    }
}

fn read(node: &Node, report: &Report) -> Option<Definition> {
    let root = At::root(node, report);
    if !root.is_map() {
        root.fault("must be an OpenAPI document: a map");
        return None;
    }
    let version = root.member("openapi");
    if !version
        .as_ref()
        .and_then(At::text)
        .is_some_and(|version| version == "3.1" || version.starts_with("3.1."))
    {
        version.as_ref().unwrap_or(&root).fault("needs `openapi: 3.1.0`");
    }
    let (title, version) = info(&root);
    let base_url = server(&root);
    let mount = root.member("x-mount").and_then(|at| mount(&at));
    let (session, schemes, hosts) = security_schemes(&root, base_url.as_ref());
    misplaced(&root);

    let paths = root.member("paths");
    if paths.is_none() && mount.is_none() {
        root.fault("needs `paths`, or `x-mount`");
    }
    let nothing = std::collections::BTreeSet::new();
    let security = root.member("security").map(|at| schemes.security(&at)).unwrap_or_default();
    let mount_carries = if mount.is_some() { security.carries.clone() } else { Vec::new() };
    let around = Around {
        document: node,
        hosts: &hosts,
        scheme: session.as_ref().map(|session| session.scheme.name.as_str()),
        schemes: &schemes,
        session: session.as_ref().map_or(&nothing, |session| &session.kept_known.session),
        security,
        is_mounted: mount.is_some(),
    };
    let endpoints = paths.map(|paths| endpoints(&paths, &around)).unwrap_or_default();
    let (session, login) = finish(&root, session, &endpoints);
    let is_credential = |name: &str| login.as_ref().is_some_and(|login| login.credentials.contains_key(name));
    let statics = schemes.finish(is_credential);
    Some(Definition {
        title: title?,
        version: version?,
        base_url: base_url?,
        hosts,
        session,
        login,
        endpoints: endpoints.by_name,
        mount,
        statics,
        mount_carries,
    })
}

fn finish(
    root: &At<'_>,
    session: Option<Session<'_>>,
    endpoints: &Endpoints,
) -> (Option<super::SessionScheme>, Option<super::LoginFlow>) {
    let Some(mut session) = session else { return (None, None) };
    session.keep(endpoints.used_session.clone());
    match &endpoints.login {
        Some(endpoint) => {
            session.login.endpoint.clone_from(endpoint);
            session.scheme.login.clone_from(endpoint);
        }
        None => root.fault("has x-session, but no operation says `x-initiates-session`"),
    }
    (Some(session.scheme), Some(session.login))
}

fn info(root: &At<'_>) -> (Option<String>, Option<String>) {
    let info = root.member("info");
    if info.is_none() {
        root.fault("needs `info` with `title` and `version`");
    }
    let text = |name: &str| {
        let at = info.as_ref()?;
        let Some(member) = at.member(name) else {
            at.fault(format!("needs `{name}`"));
            return None;
        };
        let text = member.scalar()?;
        if text.trim().is_empty() || text.chars().count() > LONGEST_TEXT {
            member.fault(format!("must have 1 to {LONGEST_TEXT} characters"));
        }
        Some(text)
    };
    (text("title"), text("version"))
}

fn server(root: &At<'_>) -> Option<url::Url> {
    let servers = root.member("servers").map(|at| at.list()).unwrap_or_default();
    let Some(at) = servers.first().and_then(|server| server.member("url")) else {
        root.fault("needs `servers` with the site's `url`");
        return None;
    };
    if servers.len() > 1 {
        at.warn("only the first server is used");
    }
    let mut url = at.accept(absolute(at.text()?))?;
    if url.query().is_some() {
        at.fault("must hold no query");
        return None;
    }
    warn_of_plain_http(&at, &url);
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Some(url)
}

fn mount(at: &At<'_>) -> Option<Mount> {
    let text = at.text()?;
    let path = text.strip_suffix('/').unwrap_or(text);
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let is_segment = |segment: &&str| {
        !segment.is_empty()
            && *segment != "."
            && *segment != ".."
            && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte))
    };
    if !path.starts_with('/')
        || path.len() > LONGEST_TEXT
        || !(1..=MOST_SEGMENTS).contains(&segments.len())
        || !segments.iter().all(is_segment)
    {
        at.fault("must be a path of one to three segments of letters, digits, `.`, `_`, `~` and `-`");
        return None;
    }
    // Without regard to case: a mount that only looks like a route of the gateway would deceive.
    let lower = path.to_ascii_lowercase();
    let begins =
        |own: &&&str| lower.strip_prefix(**own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if let Some(own) = OWN_PATHS.iter().find(begins) {
        at.fault(format!("must not begin with {own}: that is the gateway's own"));
    } else if lower == "/api" {
        at.fault("must not be /api: routes of the gateway lie below it");
    }
    Some(Mount(path.to_owned()))
}

/// Reads the security scheme with `x-session`; every scheme and the hosts come with it.
fn security_schemes<'n>(
    root: &At<'n>,
    base_url: Option<&url::Url>,
) -> (Option<Session<'n>>, Schemes<'n>, Vec<AllowedHost>) {
    let mut hosts: Vec<AllowedHost> = base_url.and_then(AllowedHost::of).into_iter().collect();
    let schemes = root.member("components").and_then(|at| at.member("securitySchemes"));
    let schemes = schemes.map(|at| at.entries()).unwrap_or_default();
    let mut found: Option<(&str, At<'n>)> = None;
    for (name, scheme) in &schemes {
        let Some(at) = scheme.member("x-session") else { continue };
        if found.is_some() {
            at.fault("is the second x-session; a definition has one");
        }
        found.get_or_insert((name, at));
    }
    let session = found.map(|(name, at)| {
        for host in at.member("allowedHosts").map(|at| allowed_hosts(&at)).unwrap_or_default() {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        session(name, &at, &hosts)
    });
    (session, Schemes::read(&schemes), hosts)
}

/// Our own words at the top where they do nothing.
fn misplaced(root: &At<'_>) {
    for word in OWN_WORDS {
        if word != "x-mount"
            && let Some(at) = root.member(word)
        {
            at.fault("does not belong at the top of the document");
        }
    }
}
