//! The file that gives a local stack its outbound proxies.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use latchkey::upstream::outbound::{Pool, PoolError};

/// The longest file, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// Why pools cannot be taken from a file. The text shows nothing of a URL.
#[derive(Debug, thiserror::Error)]
pub enum PoolsError {
    #[error("{} cannot be read: {}", .0.display(), .1)]
    Unreadable(PathBuf, #[source] std::io::Error),
    #[error("{} must be a map of pools' names, each with a list of URLs", .0.display())]
    Shape(PathBuf),
    #[error("{}: {}", .0.display(), .1)]
    Pool(PathBuf, #[source] PoolError),
}

/// The pools in a file: YAML or JSON, each pool's name with the list of its members' URLs.
///
/// # Errors
/// See [`PoolsError`].
pub fn read(path: &Path) -> Result<Vec<Pool>, PoolsError> {
    let mut text = zeroize::Zeroizing::new(String::new());
    std::fs::File::open(path)
        .and_then(|file| file.take(LONGEST).read_to_string(&mut text))
        .map_err(|fault| PoolsError::Unreadable(path.to_owned(), fault))?;
    // What the reader says of a fault quotes the file.
    let pools: BTreeMap<String, Vec<String>> =
        serde_saphyr::from_str(&text).map_err(|_| PoolsError::Shape(path.to_owned()))?;
    let parse = |(name, urls): (String, Vec<String>)| {
        Pool::parse(&name, urls.iter().map(String::as_str))
            .map_err(|fault| PoolsError::Pool(path.to_owned(), fault))
    };
    pools.into_iter().map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        match read(file.path()) {
            Ok(pools) => format!("{pools:?}"),
            Err(fault) => fault.to_string().replace(&file.path().display().to_string(), "FILE"),
        }
    }

    #[test]
    fn pools_are_read_from_yaml_and_json() {
        let expected =
            "[Pool { name: \"home\", members: [Member(http://a.test:1), Member(socks5://b.test:2)] }]";
        assert_eq!(told("home:\n  - http://u:canary@a.test:1\n  - socks5://b.test:2\n"), expected);
        assert_eq!(told(r#"{"home": ["http://u:canary@a.test:1", "socks5://b.test:2"]}"#), expected);
        assert_eq!(told("{}"), "[]");
    }

    #[test]
    fn a_fault_is_told_without_what_is_secret() {
        let shape = "FILE must be a map of pools' names, each with a list of URLs";
        for text in [
            "home: http://u:canary@a.test:1",
            "- http://u:canary@a.test:1",
            "home: {canary: 1",
            "home: [[canary]]",
        ] {
            assert_eq!(told(text), shape);
        }
        let text = told("home: ['http://a.test:1', 'https://u:canary@a.test:1']");
        assert_eq!(text, "FILE: the pool home: member 2 must begin with http:// or socks5://");
        assert!(read(Path::new("/nowhere/pools.yaml")).unwrap_err().to_string().contains("cannot be read"));
    }
}
