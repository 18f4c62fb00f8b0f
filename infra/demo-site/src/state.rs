//! What the site remembers, and the rules of its sessions.

use std::collections::{HashMap, VecDeque};

use uuid::Uuid;

/// How many of a session's latest cookie values are good: a browser's parallel requests carry older ones.
const RECENT_VALUES: usize = 50;

/// How many sign-in forms may be open at once.
const OPEN_FORMS: usize = 1_000;

/// How many requests the log keeps.
const LOG_LENGTH: usize = 10_000;

/// Someone who can sign in.
#[derive(Clone, Debug)]
pub struct User {
    pub username: String,
    pub password: String,
    pub display_name: String,
}

/// One message of an inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub id: usize,
    pub from: String,
    pub subject: String,
    pub body: String,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct LoggedRequest {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// A signed-in browser.
#[derive(Debug)]
struct Session {
    username: String,
    csrf: String,
    recent: VecDeque<String>,
}

#[derive(Debug)]
pub(crate) struct State {
    users: Vec<User>,
    inboxes: HashMap<String, Vec<Message>>,
    sessions: HashMap<Uuid, Session>,
    /// Which session a cookie value belongs to.
    cookies: HashMap<String, Uuid>,
    /// Sign-in forms: the pre-session cookie and the CSRF token it goes with.
    forms: VecDeque<(String, String)>,
    tokens: HashMap<String, String>,
    pub(crate) issued_cookies: Vec<String>,
    pub(crate) issued_tokens: Vec<String>,
    pub(crate) log: Vec<LoggedRequest>,
}

/// A session that a request's cookie opened.
pub(crate) struct Signed {
    pub(crate) id: Uuid,
    pub(crate) username: String,
    pub(crate) csrf: String,
}

impl State {
    pub(crate) fn new(users: Vec<User>) -> Self {
        let inboxes = users.iter().map(|user| (user.username.clone(), first_messages())).collect();
        Self {
            users,
            inboxes,
            sessions: HashMap::new(),
            cookies: HashMap::new(),
            forms: VecDeque::new(),
            tokens: HashMap::new(),
            issued_cookies: Vec::new(),
            issued_tokens: Vec::new(),
            log: Vec::new(),
        }
    }

    pub(crate) fn note(&mut self, request: LoggedRequest) {
        if self.log.len() < LOG_LENGTH {
            self.log.push(request);
        }
    }

    /// Opens a sign-in form: its cookie and its token.
    pub(crate) fn open_form(&mut self) -> (String, String) {
        if self.forms.len() == OPEN_FORMS {
            self.forms.pop_front();
        }
        let form = (random(), random());
        self.forms.push_back(form.clone());
        form
    }

    /// Uses a sign-in form up; false where cookie and token do not go together.
    pub(crate) fn close_form(&mut self, cookie: &str, csrf: &str) -> bool {
        let found = self.forms.iter().position(|form| form.0 == cookie && form.1 == csrf);
        found.is_some_and(|place| self.forms.remove(place).is_some())
    }

    pub(crate) fn check_password(&self, username: &str, password: &str) -> bool {
        self.users.iter().any(|user| user.username == username && user.password == password)
    }

    pub(crate) fn display_name<'a>(&'a self, username: &'a str) -> &'a str {
        let user = self.users.iter().find(|user| user.username == username);
        user.map_or(username, |user| &user.display_name)
    }

    /// Signs a user in; the cookie's first value.
    pub(crate) fn sign_in(&mut self, username: &str) -> String {
        let id = Uuid::new_v4();
        let session = Session { username: username.to_owned(), csrf: random(), recent: VecDeque::new() };
        self.sessions.insert(id, session);
        self.next_cookie(id).unwrap_or_default()
    }

    /// The session that a cookie value opens.
    pub(crate) fn signed(&self, cookie: &str) -> Option<Signed> {
        let id = *self.cookies.get(cookie)?;
        let session = self.sessions.get(&id)?;
        Some(Signed { id, username: session.username.clone(), csrf: session.csrf.clone() })
    }

    /// The value that the session's next answer sets; the oldest one falls out of use.
    pub(crate) fn next_cookie(&mut self, id: Uuid) -> Option<String> {
        let session = self.sessions.get_mut(&id)?;
        let value = random();
        session.recent.push_back(value.clone());
        if session.recent.len() > RECENT_VALUES
            && let Some(oldest) = session.recent.pop_front()
        {
            self.cookies.remove(&oldest);
        }
        self.cookies.insert(value.clone(), id);
        self.issued_cookies.push(value.clone());
        Some(value)
    }

    pub(crate) fn sign_out(&mut self, id: Uuid) {
        if let Some(session) = self.sessions.remove(&id) {
            for value in session.recent {
                self.cookies.remove(&value);
            }
        }
    }

    pub(crate) fn end_all_sessions(&mut self) {
        self.sessions.clear();
        self.cookies.clear();
        self.tokens.clear();
    }

    pub(crate) fn issue_token(&mut self, username: &str) -> String {
        let token = random();
        self.tokens.insert(token.clone(), username.to_owned());
        self.issued_tokens.push(token.clone());
        token
    }

    /// Whose bearer token this is.
    pub(crate) fn token_owner(&self, token: &str) -> Option<&str> {
        self.tokens.get(token).map(String::as_str)
    }

    pub(crate) fn messages(&self, username: &str) -> &[Message] {
        self.inboxes.get(username).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn add_message(&mut self, username: &str, subject: String, body: String) -> usize {
        let from = self.display_name(username).to_owned();
        let inbox = self.inboxes.entry(username.to_owned()).or_default();
        let id = inbox.len() + 1;
        inbox.push(Message { id, from, subject, body });
        id
    }
}

fn first_messages() -> Vec<Message> {
    [
        (
            "Mill & Sons",
            "Your order has left the mill",
            "Two sacks of flour, on their way since this morning.",
        ),
        ("Ada", "Keys for the boathouse", "They hang behind the <blue> door."),
        ("The library", "Three books are due", "Bring them back by Friday, or renew them here."),
    ]
    .into_iter()
    .zip(1..)
    .map(|((from, subject, body), id)| Message {
        id,
        from: from.to_owned(),
        subject: subject.to_owned(),
        body: body.to_owned(),
    })
    .collect()
}

fn random() -> String {
    // Two, for their 244 random bits.
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
