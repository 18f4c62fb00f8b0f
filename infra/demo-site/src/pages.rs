//! The pages: sign-in, inbox, message, send, sign-out.

use http::StatusCode;

use crate::request::{Answer, Request, html, redirect, with_cookie};
use crate::state::{Signed, State};

/// The session's cookie.
const SESSION: &str = "sid";

/// The cookie that ties a sign-in form to its browser.
const FORM: &str = "pre";

pub(crate) fn login_form(state: &mut State, notice: Option<&str>) -> Answer {
    let (cookie, csrf) = state.open_form();
    let notice = notice.map(|text| format!("<p class=\"error\">{text}</p>")).unwrap_or_default();
    let body = format!(
        r#"{notice}<form method="post" action="/login">
<input type="hidden" name="csrf" value="{csrf}">
<label>User <input name="user" autocomplete="username"></label>
<label>Password <input name="pass" type="password" autocomplete="current-password"></label>
<button>Sign in</button>
</form>"#
    );
    with_cookie(html(StatusCode::OK, page("Sign in", &body)), FORM, &cookie)
}

pub(crate) fn login(state: &mut State, request: &Request) -> Answer {
    if !state.close_form(request.cookie(FORM).unwrap_or_default(), &request.field("csrf")) {
        return forbidden();
    }
    let username = request.field("user");
    if !state.check_password(&username, &request.field("pass")) {
        return login_form(state, Some("Wrong password"));
    }
    let value = state.sign_in(&username);
    with_cookie(with_cookie(redirect("/inbox"), SESSION, &value), FORM, "")
}

pub(crate) fn inbox(state: &mut State, request: &Request) -> Answer {
    let Some(signed) = signed(state, request) else { return redirect("/login") };
    let rows: String = state
        .messages(&signed.username)
        .iter()
        .map(|message| {
            format!(
                "<tr class=\"message\"><td class=\"from\">{}</td><td class=\"subject\">{}</td>\
                 <td><a href=\"/inbox/{}\">Read</a></td></tr>\n",
                escaped(&message.from),
                escaped(&message.subject),
                message.id
            )
        })
        .collect();
    let csrf = &signed.csrf;
    let body = format!(
        r#"<p>Signed in as <span class="user-name">{}</span></p>
<table><tr><th>From</th><th>Subject</th><th></th></tr>
{rows}</table>
<form method="post" action="/send">
<input type="hidden" name="csrf" value="{csrf}">
<label>Subject <input name="subject"></label>
<label>Text <textarea name="body"></textarea></label>
<button>Send to myself</button>
</form>
<form method="post" action="/logout"><input type="hidden" name="csrf" value="{csrf}"><button>Sign out</button></form>"#,
        escaped(state.display_name(&signed.username)),
    );
    renewed(state, &signed, html(StatusCode::OK, page("Inbox", &body)))
}

pub(crate) fn message(state: &mut State, request: &Request) -> Answer {
    let Some(signed) = signed(state, request) else { return redirect("/login") };
    let id = request.path.strip_prefix("/inbox/").and_then(|id| id.parse::<usize>().ok());
    let mut messages = state.messages(&signed.username).iter();
    let answer = match messages.find(|message| Some(message.id) == id) {
        Some(message) => {
            let body = format!(
                "<p class=\"from\">{}</p><h2 class=\"subject\">{}</h2><div class=\"body\">{}</div>\
                 <p><a href=\"/inbox\">Back</a></p>",
                escaped(&message.from),
                escaped(&message.subject),
                escaped(&message.body)
            );
            html(StatusCode::OK, page("Message", &body))
        }
        None => html(StatusCode::NOT_FOUND, page("Not found", "<p>No such message.</p>")),
    };
    renewed(state, &signed, answer)
}

pub(crate) fn send(state: &mut State, request: &Request) -> Answer {
    let Some(signed) = signed(state, request) else { return redirect("/login") };
    if request.field("csrf") != signed.csrf {
        return renewed(state, &signed, forbidden());
    }
    let subject = request.field("subject");
    let answer = if subject.is_empty() {
        html(StatusCode::UNPROCESSABLE_ENTITY, page("Send", "<p class=\"error\">A subject is needed.</p>"))
    } else {
        let id = state.add_message(&signed.username, subject, request.field("body"));
        html(StatusCode::OK, page("Sent", &format!("<p class=\"sent\" data-id=\"{id}\">Sent.</p>")))
    };
    renewed(state, &signed, answer)
}

pub(crate) fn logout(state: &mut State, request: &Request) -> Answer {
    let Some(signed) = signed(state, request) else { return redirect("/login") };
    if request.field("csrf") != signed.csrf {
        return renewed(state, &signed, forbidden());
    }
    state.sign_out(signed.id);
    with_cookie(redirect("/login"), SESSION, "")
}

fn signed(state: &State, request: &Request) -> Option<Signed> {
    request.cookie(SESSION).and_then(|value| state.signed(value))
}

/// The answer with the session's next cookie value.
fn renewed(state: &mut State, signed: &Signed, answer: Answer) -> Answer {
    match state.next_cookie(signed.id) {
        Some(value) => with_cookie(answer, SESSION, &value),
        None => answer,
    }
}

fn forbidden() -> Answer {
    html(StatusCode::FORBIDDEN, page("Refused", "<p class=\"error\">This form has expired.</p>"))
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} - Harbour Mail</title>\
         </head>\n<body><h1>Harbour Mail</h1>\n{body}\n</body></html>\n"
    )
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}
