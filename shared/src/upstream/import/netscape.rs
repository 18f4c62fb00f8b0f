//! The Netscape file, as curl and browser extensions write it: a line for each cookie, seven columns with tabs between
//! them (domain, whether subdomains get it, path, whether it is Secure, when it ends, name, value). Lines that begin
//! with `#` are comments, but for `#HttpOnly_` before the domain.

use super::{Exported, FIELD, LONGEST_FILE, Place, host};
use crate::error::Fault;

pub(super) fn read(text: &str) -> (Vec<Exported>, Vec<Fault>) {
    if text.len() > LONGEST_FILE {
        let message = format!("must be at most {LONGEST_FILE} bytes: export the site's own cookies alone");
        return (Vec::new(), vec![Fault::new(FIELD, message)]);
    }
    let (mut cookies, mut faults) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let (http_only, line) = match line.strip_prefix("#HttpOnly_") {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        if line.trim().is_empty() || (line.starts_with('#') && !http_only) {
            continue;
        }
        let place = Place::Line(number);
        match cookie(line, http_only, &place) {
            Ok(cookie) => cookies.push(cookie),
            Err((column, message)) => faults.push(place.fault(column, message)),
        }
    }
    (cookies, faults)
}

fn cookie(line: &str, http_only: bool, place: &Place) -> Result<Exported, (&'static str, &'static str)> {
    let columns: Vec<&str> = line.trim_end_matches('\r').splitn(7, '\t').collect();
    let (&[domain, subdomains, path, secure, expires, name], value) = match columns.as_slice() {
        [first @ .., value] if first.len() == 6 => {
            (<&[&str; 6]>::try_from(first).map_err(|_| ("", "is no cookie"))?, *value)
        }
        // A cookie without a value may lack the last tab.
        first if first.len() == 6 => (<&[&str; 6]>::try_from(first).map_err(|_| ("", "is no cookie"))?, ""),
        _ => return Err(("", "is no cookie: it needs seven columns with tabs between them")),
    };
    let flag = |text: &str| match text.to_ascii_uppercase().as_str() {
        "TRUE" => Some(true),
        "FALSE" => Some(false),
        _ => None,
    };
    let (domain, _) = host(domain).ok_or(("the domain", "is no host"))?;
    let subdomains = flag(subdomains).ok_or(("the second column", "must be TRUE or FALSE"))?;
    let secure = flag(secure).ok_or(("the fourth column", "must be TRUE or FALSE"))?;
    let expires: f64 =
        expires.trim().parse().map_err(|_| ("the time", "must be in seconds since 1970, or 0"))?;
    Ok(Exported {
        place: place.clone(),
        name: name.to_owned(),
        value: value.to_owned(),
        domain,
        host_only: !subdomains,
        path: path.to_owned(),
        secure,
        http_only,
        same_site: None,
        expires: super::json::whole_seconds(expires).filter(|seconds| *seconds != 0),
    })
}
