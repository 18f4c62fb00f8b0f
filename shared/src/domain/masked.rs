//! Names that are shown so far that their owner knows them, and no further.

/// The longest name that is shown of an e-mail address's host, in characters.
const LONGEST_HOST: usize = 64;

/// A user's name at a site, masked: its first character, and of an e-mail address the host. `None` for an empty one.
#[must_use]
pub fn masked(name: &str) -> Option<String> {
    let name = name.trim();
    let first = name.chars().next().filter(|first| !first.is_control())?;
    let host = name.rsplit_once('@').map(|(_, host)| host).filter(|host| {
        let is_host = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
        !host.is_empty() && host.chars().count() <= LONGEST_HOST && host.chars().all(is_host)
    });
    Some(match host {
        Some(host) if first != '@' => format!("{first}***@{host}"),
        _ => format!("{first}***"),
    })
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn a_name_is_shown_by_its_beginning() {
        for (name, expected) in [
            ("jane", Some("j***")),
            ("j", Some("j***")),
            (" jane.doe@mail.example.com ", Some("j***@mail.example.com")),
            ("Ärger@exämple.de", Some("Ä***@exämple.de")),
            ("a@b@c.d", Some("a***@c.d")),
            ("jane@", Some("j***")),
            ("@jane", Some("@***")),
            ("jane@a b", Some("j***")),
            ("", None),
            ("  ", None),
        ] {
            assert_eq!(masked(name).as_deref(), expected, "{name:?}");
        }
    }
}
