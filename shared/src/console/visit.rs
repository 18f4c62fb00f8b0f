//! Somebody who is signed in at the console, and what they may be shown.

use http::header::SET_COOKIE;
use http::{HeaderValue, Method};

use super::{Page, Place, SIGN_IN, Told, form_token, own_page, page};
use crate::app::App;
use crate::auth::{self, Method as Credential, Person, Principal, cross_site};
use crate::clock::{after, seconds_between};
use crate::crypto::token::COOKIE_LIFETIME;
use crate::domain::account::User;
use crate::domain::id::AccountId;
use crate::domain::permission::Permission;
use crate::domain::refresh::LoginSession;
use crate::error::{Code, Error};
use crate::http::{Form, Request, Response};
use crate::store::login_sessions;

/// Where a cookie is issued anew, by the function that can.
pub const RENEW: &str = "/console/renew";
/// A cookie older than this is issued anew, in seconds: an hour.
const RENEWED_AFTER: i64 = 3_600;
/// The header that names the acting account; a page names it in its query.
const ACCOUNT: &str = "x-latchkey-account";

/// Somebody who is signed in with the console's cookie, at one of its pages.
#[derive(Debug)]
pub struct Visit<'a> {
    pub app: &'a App,
    /// The request, with the acting account named as the API wants it.
    pub request: Request,
    pub principal: Principal,
    /// The login session behind the cookie.
    pub session: LoginSession,
    /// What this visit's forms carry.
    form_token: String,
    /// The account that the page names, where it is another than the visitor's own.
    named: Option<AccountId>,
}

/// Who comes to a page.
#[derive(Debug)]
pub enum Arrival<'a> {
    /// Somebody who is signed in.
    Visit(Box<Visit<'a>>),
    /// Nobody: where they are sent.
    Elsewhere(Response),
}

impl<'a> Visit<'a> {
    /// Who comes with `request`. Whoever is not signed in goes to the form, and then where they wanted; whoever's cookie
    /// is old has it issued anew on the way.
    ///
    /// # Errors
    /// Where the visitor is refused: `account_deactivated`, `permission_denied` in an account that is not theirs.
    pub async fn begin(app: &'a App, request: &Request) -> Result<Arrival<'a>, Error> {
        let named = request.query_parameter("account");
        let mut request = request.clone();
        request.headers.remove(ACCOUNT);
        if let Some(account) = &named {
            let value = HeaderValue::from_str(account).map_err(|_| Code::PermissionDenied)?;
            request.headers.insert(ACCOUNT, value);
        }
        let (principal, rows) = match auth::authenticate(app, &request, |_| Vec::new()).await {
            Ok(found) if found.0.method == Credential::Cookie => found,
            Ok(_) => return Ok(Arrival::Elsewhere(to_sign_in(&request)?)),
            Err(error) => match error.code {
                Code::MissingCredentials | Code::InvalidCredentials | Code::MultipleCredentials => {
                    return Ok(Arrival::Elsewhere(to_sign_in(&request)?));
                }
                _ => return Err(error),
            },
        };
        let key = principal.signed_in()?.session.map(|(user, id)| login_sessions::key(user, id));
        let session: Option<LoginSession> = key.map(|key| rows.get(&key)).transpose()?.flatten();
        let session = session.ok_or_else(|| Error::internal("a cookie without a session"))?;
        let form_token = form_token::issue(&app.keyring, &session)?;
        let named = named.and_then(|_| {
            let person = principal.person.as_ref()?.id;
            (person != principal.account_id()).then(|| principal.account_id())
        });
        let visit = Self { app, request, principal, session, form_token, named };
        if visit.cookie_is_old() && visit.request.method == Method::GET && visit.request.path != RENEW {
            let to = page::see_other(&visit.with_next(RENEW))?;
            return Ok(Arrival::Elsewhere(to));
        }
        Ok(Arrival::Visit(Box::new(visit)))
    }

    /// The form that the visitor sent.
    ///
    /// # Errors
    /// `cross_site_request` where it does not come from a page of this sign-in; `unsupported_media_type`.
    pub async fn form(&self) -> Result<Form, Error> {
        cross_site::check(self.app, &self.request)?;
        let form = Form::of(&self.request)?;
        self.must_be_ours(form.text("form", 200)).await?;
        Ok(form)
    }

    /// That `token` is what a form of this sign-in carries.
    ///
    /// # Errors
    /// `cross_site_request`.
    pub async fn must_be_ours(&self, token: &str) -> Result<(), Error> {
        if form_token::is_of(&self.app.keyring, &self.session, token, self.request.now).await? {
            return Ok(());
        }
        Err(Error::from(Code::CrossSiteRequest).detail(
            "This form is of another sign-in, or too old. Nothing was changed: open the page again and repeat it.",
        ))
    }

    /// What a form carries besides its fields.
    #[must_use]
    pub fn form_token(&self) -> &str {
        &self.form_token
    }

    /// The path of a page, in the account that the visitor acts in.
    #[must_use]
    pub fn href(&self, path: &str) -> String {
        let Some(account) = self.named else { return path.to_owned() };
        let mark = if path.contains('?') { '&' } else { '?' };
        format!("{path}{mark}account={account}")
    }

    /// The account that pages name, where it is another than the visitor's own.
    #[must_use]
    pub const fn named(&self) -> Option<AccountId> {
        self.named
    }

    /// Goes on to a page of the account that the visitor acts in.
    ///
    /// # Errors
    /// `internal` where `path` is none.
    pub fn go_on(&self, path: &str) -> Result<Response, Error> {
        page::see_other(&self.href(path))
    }

    /// Whether the visitor may do `permission` here: what they may not is not offered. What is offered is decided again
    /// where it is done.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.principal.permissions.allow(permission)
    }

    /// The visitor in their own name.
    ///
    /// # Errors
    /// Never: whoever has a cookie is a person.
    pub fn person(&self) -> Result<Person<'_>, Error> {
        self.principal.signed_in()
    }

    /// The visitor.
    ///
    /// # Errors
    /// `internal` where a personal account has no user.
    pub fn user(&self) -> Result<&User, Error> {
        let account = self.principal.person.as_ref();
        account
            .and_then(|account| account.user.as_ref())
            .ok_or_else(|| Error::internal("a cookie without a user"))
    }

    /// A page in the visitor's frame.
    #[must_use]
    pub fn page(&self, place: Place, title: impl Into<String>, body: maud::Markup) -> Page {
        Page::new(title, body).in_frame(self, place)
    }

    /// The outcome of a page, where an error is told in the visitor's frame.
    ///
    /// # Errors
    /// The outcome's own.
    pub fn finish(&self, outcome: Result<Response, Error>) -> Result<Response, Error> {
        outcome.map_err(|error| {
            error.page(|error| {
                let title = error.code.title();
                let page = self.page(Place::Nowhere, title, page::words(error, &self.request.request_id));
                page.telling(error)
            })
        })
    }

    /// The error of a form, as the form again with what is wrong with it. What the form cannot mend stays as it is.
    #[must_use]
    pub fn refused(&self, error: Error, again: impl FnOnce(&Told) -> Page) -> Error {
        match error.code.status() {
            400 | 403 | 409 | 413 | 422 | 429 if error.code != Code::CrossSiteRequest => {
                error.page(|error| again(&Told::by(error)).telling(error))
            }
            _ => error,
        }
    }

    /// Whether the cookie should be issued anew. One that ends with its session cannot last longer.
    fn cookie_is_old(&self) -> bool {
        let Some(expires_at) = self.principal.expires_at else { return false };
        let issued_at = after(expires_at, -COOKIE_LIFETIME);
        expires_at < self.session.ends_at() && seconds_between(issued_at, self.request.now) > RENEWED_AFTER
    }

    fn with_next(&self, path: &str) -> String {
        format!("{path}?next={}", encoded(&here(&self.request)))
    }

    /// The answer with a cookie.
    #[must_use]
    pub fn with_cookie(answer: Response, cookie: HeaderValue) -> Response {
        answer.with(SET_COOKIE, cookie)
    }
}

/// To the form, and from there to the page that was wanted.
fn to_sign_in(request: &Request) -> Result<Response, Error> {
    let here = here(request);
    if here == super::HOME || own_page(&here).is_none() {
        return page::see_other(SIGN_IN);
    }
    page::see_other(&format!("{SIGN_IN}?next={}", encoded(&here)))
}

/// The page that is asked for; of a form, the page that it stands on is not known, and its address need not be one.
fn here(request: &Request) -> String {
    if request.method != Method::GET {
        return super::HOME.to_owned();
    }
    let path = percent_encoding::utf8_percent_encode(&request.path, PATH);
    if request.query.is_empty() { path.to_string() } else { format!("{path}?{}", request.query) }
}

/// What stands for itself in a path is left alone (RFC 3986 section 3.3), as far as our own paths need it.
const PATH: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
