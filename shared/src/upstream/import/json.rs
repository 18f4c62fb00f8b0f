//! The JSON form: a list of objects as browser extensions write them (`name`, `value`, `domain`, `hostOnly`, `path`,
//! `secure`, `httpOnly`, `sameSite`, `session`, `expirationDate`), and as test tools do (`expires` in seconds, or -1).

use serde_json::{Map, Value};

use super::{Exported, Place, host};
use crate::error::Fault;

pub(super) fn read(list: &[Value]) -> (Vec<Exported>, Vec<Fault>) {
    let (mut cookies, mut faults) = (Vec::new(), Vec::new());
    for (index, value) in list.iter().enumerate() {
        let place = Place::Member(index);
        let Value::Object(object) = value else {
            faults.push(place.fault("", "must be an object"));
            continue;
        };
        match cookie(object, &place) {
            Ok(cookie) => cookies.push(cookie),
            Err((member, message)) => faults.push(place.fault(member, message)),
        }
    }
    (cookies, faults)
}

fn cookie(object: &Map<String, Value>, place: &Place) -> Result<Exported, (&'static str, &'static str)> {
    let text = |member: &'static str| match object.get(member) {
        Some(Value::String(text)) => Ok(Some(text.clone())),
        None | Some(Value::Null) => Ok(None),
        Some(_) => Err((member, "must be a string")),
    };
    let flag = |member: &'static str| match object.get(member) {
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        None | Some(Value::Null) => Ok(None),
        Some(_) => Err((member, "must be true or false")),
    };
    let (domain, dotted) = text("domain")?
        .as_deref()
        .and_then(host)
        .ok_or(("domain", "must be the host that set the cookie"))?;
    let is_of_session = flag("session")?.unwrap_or_default();
    Ok(Exported {
        place: place.clone(),
        name: text("name")?.ok_or(("name", "is required"))?,
        value: text("value")?.ok_or(("value", "is required"))?,
        host_only: flag("hostOnly")?.unwrap_or(!dotted),
        domain,
        path: text("path")?.unwrap_or_else(|| "/".to_owned()),
        secure: flag("secure")?.unwrap_or_default(),
        http_only: flag("httpOnly")?.unwrap_or_default(),
        same_site: same_site(text("sameSite")?.as_deref()),
        expires: if is_of_session { None } else { expires(object)? },
    })
}

/// `SameSite` in the words of the tools; one that is not known is as if it were not there.
fn same_site(text: Option<&str>) -> Option<&'static str> {
    match text?.to_ascii_lowercase().as_str() {
        "strict" => Some("Strict"),
        "lax" => Some("Lax"),
        "none" | "no_restriction" => Some("None"),
        _ => None,
    }
}

fn expires(object: &Map<String, Value>) -> Result<Option<i64>, (&'static str, &'static str)> {
    for member in ["expirationDate", "expires"] {
        match object.get(member) {
            None | Some(Value::Null) => {}
            Some(Value::Number(number)) => {
                return Ok(number.as_f64().and_then(whole_seconds).filter(|seconds| *seconds >= 0));
            }
            Some(Value::String(text)) => {
                let at: jiff::Timestamp = text.parse().map_err(|_| (member, "must be a time"))?;
                return Ok(Some(at.as_second()));
            }
            Some(_) => return Err((member, "must be a time in seconds since 1970")),
        }
    }
    Ok(None)
}

/// Whole seconds; `None` for what is no number.
pub(super) fn whole_seconds(seconds: f64) -> Option<i64> {
    const LATEST: f64 = 253_402_300_799.0; // the end of the year 9999
    #[allow(clippy::cast_possible_truncation, reason = "held within what a time can say")]
    (!seconds.is_nan()).then(|| seconds.clamp(-LATEST, LATEST) as i64)
}
