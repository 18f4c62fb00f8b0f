//! Every route of the gateway and what it takes to use it: what `docs/permissions.md` tells, in the form that the
//! tests walk.

use http::Method;
use latchkey::domain::permission::Permission as P;

/// What a route needs of whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// No credential.
    Nothing,
    /// Any credential.
    Credential,
    Permission(P),
    /// One of the two.
    Either(P, P),
    /// A permission, and a credential of the whole account: no workspace's key.
    Account(P),
    /// A member, or a key of the whole organization.
    Member,
    /// A member, or a key of the whole organization that has this permission.
    MemberOr(P),
    /// A member, or any key of the account; a workspace's key sees its own workspace alone.
    Within,
    /// The owner of an organization.
    Owner,
    /// A user in their own name: no key.
    Person,
    /// A user who signed in with a password: no key and no personal token.
    SignedIn,
}

impl Needs {
    /// How the documentation says it.
    pub fn words(self) -> String {
        match self {
            Self::Nothing => "no credential".into(),
            Self::Credential => "any credential".into(),
            Self::Permission(permission) => format!("`{}`", permission.name()),
            Self::Either(one, other) => format!("`{}` or `{}`", one.name(), other.name()),
            Self::Account(permission) => format!("`{}`, not a workspace's key", permission.name()),
            Self::Member => "a member or the organization's key".into(),
            Self::MemberOr(permission) => {
                format!("a member, or the organization's key with `{}`", permission.name())
            }
            Self::Within => "a member or any key of the account".into(),
            Self::Owner => "an owner".into(),
            Self::Person => "a person".into(),
            Self::SignedIn => "a person who signed in".into(),
        }
    }
}

/// A route with one of its methods.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    pub method: &'static str,
    /// As in the template.
    pub path: &'static str,
    pub needs: Needs,
}

impl Route {
    pub fn method(&self) -> Method {
        self.method.parse().expect("a method")
    }

    /// Whether a call that is allowed ends the credential, or the account that the others act in.
    pub fn ends_things(&self) -> bool {
        matches!(self.path, "/api/auth/logout" | "/api/auth/logout-everywhere")
            || (self.method == "DELETE" && matches!(self.path, "/v1/organizations/{id}"))
    }
}

const fn route(method: &'static str, path: &'static str, needs: Needs) -> Route {
    Route { method, path, needs }
}

use Needs::{
    Account, Credential, Either, Member, MemberOr, Nothing, Owner, Permission, Person, SignedIn, Within,
};

/// All of them, the console's pages aside: what those do, they do through the routes here.
pub const ROUTES: &[Route] = &[
    route("GET", "/healthz", Nothing),
    route("GET", "/.well-known/jwks.json", Nothing),
    route("GET", "/openapi.json", Nothing),
    route("GET", "/v1/definition.schema.json", Nothing),
    route("POST", "/api/auth/login", Nothing),
    route("POST", "/api/auth/token/refresh", Nothing),
    route("POST", "/api/auth/reset", Nothing),
    route("POST", "/v1/api-keys/report", Nothing),
    route("POST", "/v1/api-keys/report/github", Nothing),
    route("GET", "/api/auth/session", Credential),
    route("POST", "/api/auth/logout", SignedIn),
    route("GET", "/api/auth/sessions", Person),
    route("DELETE", "/api/auth/sessions/{id}", SignedIn),
    route("POST", "/api/auth/password", SignedIn),
    route("POST", "/api/auth/logout-everywhere", SignedIn),
    route("GET", "/v1/tokens", SignedIn),
    route("POST", "/v1/tokens", SignedIn),
    route("DELETE", "/v1/tokens/{id}", SignedIn),
    route("GET", "/v1/organizations", Person),
    route("POST", "/v1/organizations", Person),
    route("GET", "/v1/invitations", Person),
    route("POST", "/v1/invitations/{id}/accept", Person),
    route("DELETE", "/v1/invitations/{id}", Person),
    route("GET", "/v1/organizations/{id}", Member),
    route("PATCH", "/v1/organizations/{id}", Account(P::MembersWrite)),
    route("DELETE", "/v1/organizations/{id}", Owner),
    route("GET", "/v1/organizations/{id}/members", MemberOr(P::MembersWrite)),
    route("POST", "/v1/organizations/{id}/members", Account(P::MembersWrite)),
    route("PATCH", "/v1/organizations/{id}/members/{user}", Account(P::MembersWrite)),
    route("DELETE", "/v1/organizations/{id}/members/{user}", Account(P::MembersWrite)),
    route("GET", "/v1/organizations/{id}/invitations", Account(P::MembersWrite)),
    route("DELETE", "/v1/organizations/{id}/invitations/{invitation}", Account(P::MembersWrite)),
    route("GET", "/v1/organizations/{id}/workspaces", Within),
    route("POST", "/v1/organizations/{id}/workspaces", Account(P::MembersWrite)),
    route("GET", "/v1/organizations/{id}/workspaces/{workspace}", Within),
    route("PATCH", "/v1/organizations/{id}/workspaces/{workspace}", Account(P::MembersWrite)),
    route("DELETE", "/v1/organizations/{id}/workspaces/{workspace}", Account(P::MembersWrite)),
    route("GET", "/v1/api-keys", Permission(P::KeysRead)),
    route("POST", "/v1/api-keys", Permission(P::KeysWrite)),
    route("GET", "/v1/api-keys/{id}", Permission(P::KeysRead)),
    route("PATCH", "/v1/api-keys/{id}", Permission(P::KeysWrite)),
    route("DELETE", "/v1/api-keys/{id}", Permission(P::KeysWrite)),
    route("POST", "/v1/api-keys/{id}/rotate", Permission(P::KeysWrite)),
    route("GET", "/v1/usage", Permission(P::KeysRead)),
    route("GET", "/v1/activity", Permission(P::ActivityRead)),
    route("GET", "/v1/apis", Permission(P::ApisRead)),
    route("POST", "/v1/apis", Permission(P::ApisWrite)),
    route("GET", "/v1/apis/{id}", Permission(P::ApisRead)),
    route("PUT", "/v1/apis/{id}", Permission(P::ApisWrite)),
    route("DELETE", "/v1/apis/{id}", Permission(P::ApisWrite)),
    route("PUT", "/v1/apis/{id}/credentials", Permission(P::ApisWrite)),
    route("DELETE", "/v1/apis/{id}/credentials", Permission(P::ApisWrite)),
    route("GET", "/v1/sessions", Permission(P::SessionsRead)),
    route("DELETE", "/v1/sessions", Permission(P::SessionsWrite)),
    route("DELETE", "/v1/sessions/{id}", Permission(P::SessionsWrite)),
    route("GET", "/scraper/{scraper_id}", Either(P::ApisRead, P::ScraperCall)),
    route("POST", "/scraper/{scraper_id}/{endpoint}", Permission(P::ScraperCall)),
    route("ANY", "$default", Permission(P::ScraperCall)),
];
