//! Who the actors of a log are, as far as the visitor may know them: themselves, the members, the workspaces' system
//! users.

use futures_util::future::try_join;
use latchkey::console::Visit;
use latchkey::console::parts::Paged;
use latchkey::domain::account::Kind;
use latchkey::domain::activity::Actor;
use latchkey::error::Error;
use maud::{Markup, html};
use serde::Deserialize;

/// People and system users, each with their id and what they are known by.
#[derive(Debug)]
pub struct People {
    visitor: String,
    /// The visitor among them.
    users: Vec<(String, String)>,
    systems: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Member {
    id: String,
    email: Option<String>,
}

#[derive(Deserialize)]
struct Workspace {
    name: String,
    system_user_id: String,
}

impl People {
    /// Those of the account acted in, as far as one page of its members goes.
    pub async fn of(visit: &Visit<'_>) -> Result<Self, Error> {
        let user = visit.user()?;
        let within = |what: &str| format!("/v1/organizations/{}/{what}", visit.principal.account_id());
        let members = async {
            match visit.principal.account.kind {
                Kind::Personal => {
                    let own = Member { id: user.id.to_string(), email: Some(user.email.clone()) };
                    Ok(Paged { data: vec![own], next_cursor: None })
                }
                Kind::Organization => {
                    visit.get(&::organizations::FUNCTION, &within("members"), "limit=100").await
                }
            }
        };
        let workspaces = within("workspaces");
        let workspaces = visit.get::<Paged<Workspace>>(&::organizations::FUNCTION, &workspaces, "limit=100");
        let (members, workspaces): (Paged<Member>, _) = try_join(members, workspaces).await?;
        let member = |member: Member| Some((member.id, member.email?));
        let system = |workspace: Workspace| {
            (workspace.system_user_id, format!("A key of the workspace {}", workspace.name))
        };
        Ok(Self {
            visitor: user.id.to_string(),
            users: members.data.into_iter().filter_map(member).collect(),
            systems: workspaces.data.into_iter().map(system).collect(),
        })
    }

    pub fn is_visitor(&self, id: &str) -> bool {
        self.visitor == id
    }

    /// The address of a user.
    pub fn email(&self, id: &str) -> Option<&str> {
        found(&self.users, id)
    }

    /// What an actor is called.
    pub fn name(&self, actor: &Actor) -> Markup {
        match actor {
            Actor::User(id) => {
                let id = id.to_string();
                html! {
                    @match self.email(&id) {
                        Some(email) => { (email) @if self.is_visitor(&id) { " (you)" } }
                        None => { code { (id) } }
                    }
                }
            }
            Actor::System(id) => {
                let id = id.to_string();
                html! { (found(&self.systems, &id).unwrap_or("A key of the organization")) }
            }
            Actor::Operator => html! { "The operator" },
            Actor::Anonymous => html! { "Nobody known" },
        }
    }

    /// The values of the filter, with `chosen` among them whatever it is.
    pub fn choices(&self, chosen: &str) -> Vec<(String, String)> {
        let fixed = [("", "Anybody"), ("operator", "The operator"), ("anonymous", "Nobody known")];
        let mut all: Vec<(String, String)> =
            fixed.iter().map(|&(value, words)| (value.to_owned(), words.to_owned())).collect();
        all.extend(self.users.iter().chain(&self.systems).cloned());
        super::filters::with_chosen(all, chosen)
    }
}

fn found<'a>(all: &'a [(String, String)], id: &str) -> Option<&'a str> {
    all.iter().find(|(known, _)| known == id).map(|(_, words)| words.as_str())
}
