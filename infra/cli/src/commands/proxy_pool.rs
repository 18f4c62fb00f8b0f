//! `latchkey proxy-pool …`

use std::io::Read as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use latchkey::crypto::secret::Secret;
use latchkey::domain::time::shown;
use latchkey::upstream::outbound::{self, LONGEST_URL, MOST_MEMBERS, Stored};
use serde_json::{Value, json};

use super::operator::Operator;
use super::outcome::{Failure, Report};
use super::secrets::{Wrapper, provider, wrapping};

/// The longest list of URLs, in bytes: room for comments beside them.
const LONGEST_INPUT: usize = 2 * MOST_MEMBERS * LONGEST_URL;

#[derive(Debug, Subcommand)]
pub(super) enum ProxyPool {
    /// Put a pool in place, new or instead of the one of its name. Sessions that are signed in go on through a member
    /// that stays, by scheme, host and port.
    Set(Set),
    /// List the pools and their members, without credentials.
    List,
    /// Remove a pool: what is bound to it answers `502 proxy_unavailable`.
    Delete {
        /// The name that definitions know it by.
        name: String,
    },
}

#[derive(Debug, Args)]
pub(super) struct Set {
    /// The name that definitions know it by.
    name: String,
    /// The file with the members, in place of standard input: one URL a line, `http://user:password@host:port` or
    /// `socks5://…`, `{session}` standing for each session's own token. Empty lines and lines that begin with # do
    /// not count.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    wrapper: Wrapper,
}

pub(super) async fn run(operator: &Operator, command: ProxyPool) -> Result<Report, Failure> {
    match command {
        ProxyPool::Set(command) => set(operator, command).await,
        ProxyPool::List => list(operator).await,
        ProxyPool::Delete { name } => delete(operator, &name).await,
    }
}

async fn set(operator: &Operator, command: Set) -> Result<Report, Failure> {
    // Before anything is read: without it nothing can be done.
    let provider = provider(operator, &wrapping(operator, command.wrapper)?)?;
    let text = read(command.file)?;
    let urls = urls(text.expose_secret());
    let (stored, pool) = outbound::set(&provider, &operator.store, &command.name, &urls, operator.now)
        .await
        .map_err(|error| match error.faults.first() {
            Some(fault) => Failure::Failed(fault.message.clone()),
            None => Failure::of(&error, &format!("the pool {}", command.name)),
        })?;
    let (name, members) = (pool.name(), pool.addresses());
    let is_new = stored == Stored::Made;
    let done = if is_new { "Made" } else { "Replaced" };
    let text = format!("{done} the pool {name}:\n{}\nIt is in use within a minute.", lines(&members));
    Ok(Report { text, json: json!({ "id": name, "members": members, "created": is_new }) })
}

async fn list(operator: &Operator) -> Result<Report, Failure> {
    let pools = outbound::list(&operator.store).await;
    let pools = pools.map_err(|error| Failure::of(&error, "the pools"))?;
    let text = match pools.is_empty() {
        true => "There are no pools of outbound proxies.".to_owned(),
        false => pools
            .iter()
            .map(|pool| format!("{}, set {}\n{}\n", pool.name, shown(pool.changed_at), lines(&pool.members)))
            .collect(),
    };
    let json: Vec<Value> = pools
        .iter()
        .map(|pool| json!({ "id": pool.name, "members": pool.members, "changed_at": shown(pool.changed_at) }))
        .collect();
    Ok(Report { text, json: Value::Array(json) })
}

async fn delete(operator: &Operator, name: &str) -> Result<Report, Failure> {
    let was_there = outbound::delete(&operator.store, name).await;
    match was_there.map_err(|error| Failure::of(&error, &format!("the pool {name}")))? {
        true => Ok(Report {
            text: format!("Removed the pool {name}. It is out of use within a minute."),
            json: json!({ "id": name }),
        }),
        false => Err(Failure::NotFound(format!("the pool {name} does not exist"))),
    }
}

fn lines(members: &[String]) -> String {
    members.iter().map(|member| format!("  {member}")).collect::<Vec<_>>().join("\n")
}

/// The URLs of a list, one a line.
fn urls(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

fn read(file: Option<PathBuf>) -> Result<Secret, Failure> {
    let failed = |from: String| {
        move |fault: std::io::Error| Failure::Failed(format!("{from} cannot be read: {fault}"))
    };
    let mut text = String::new();
    let limit = u64::try_from(LONGEST_INPUT).unwrap_or(u64::MAX).saturating_add(1);
    match file {
        Some(path) => std::fs::File::open(&path)
            .and_then(|file| file.take(limit).read_to_string(&mut text))
            .map_err(failed(path.display().to_string()))?,
        None => std::io::stdin()
            .take(limit)
            .read_to_string(&mut text)
            .map_err(failed("standard input".to_owned()))?,
    };
    if text.len() > LONGEST_INPUT {
        return Err(Failure::Failed(format!("the list is longer than {LONGEST_INPUT} bytes")));
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::urls;

    #[test]
    fn a_list_has_one_url_a_line_and_may_have_comments() {
        let text = "# home\nhttp://a.test:1\r\n\n  socks5://u:p%23@b.test:2 \n#http://c.test:3";
        assert_eq!(urls(text), ["http://a.test:1", "socks5://u:p%23@b.test:2"]);
    }
}
