//! What counts as a change, and that calls that ran at once lose nothing.

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use serde_json::json;
use url::Url;

use super::*;

const SITE: &str = "https://a.example.com/";

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
}

fn receive(state: &mut State, fields: &[&str], millis: i64) {
    let headers: HeaderMap =
        fields.iter().map(|field| (SET_COOKIE, HeaderValue::from_str(field).unwrap())).collect();
    state.jar.receive(&Url::parse(SITE).unwrap(), &headers, at(millis));
}

fn state(fields: &[&str]) -> State {
    let mut state = State::default();
    receive(&mut state, fields, 0);
    state
}

fn cookies(state: &State, millis: i64) -> String {
    let header = state.jar.header_for(&Url::parse(SITE).unwrap(), at(millis));
    header.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

/// Whether receiving `fields` a second later is worth a save.
fn changes(loaded: &State, fields: &[&str]) -> bool {
    let mut state = loaded.clone();
    receive(&mut state, fields, 1000);
    state.changed_since(loaded)
}

/// A proxy of this pool.
fn bound(pool: &str) -> BoundProxy {
    BoundProxy { pool: pool.into(), member: "http://canary:1".into(), session: "canary".into() }
}

#[test]
fn a_state_survives_its_bytes() {
    let mut state = state(&[
        "s=1; Secure; HttpOnly; SameSite=None; Max-Age=60",
        "t=2; Domain=example.com",
        "u=; Max-Age=0",
    ]);
    state.capture("xsrf", json!("x"), at(1));
    state.capture_until("token", json!({"a": [1, null]}), at(2), Some(at(60_000)));
    state.proxy = Some(bound("home"));
    let bytes = state.to_bytes();
    assert_eq!(State::from_bytes(&bytes).unwrap(), state);
    assert_eq!(State::from_bytes(&bytes).unwrap().to_bytes(), bytes);
    for other in [&b""[..], b"{", b"[]", b"null", b"{\"jar\":1}"] {
        assert!(State::from_bytes(other).is_none());
    }
    assert!(State::from_bytes(&vec![b' '; STATE_LIMIT + 1]).is_none());
}

#[test]
fn only_what_makes_a_difference_is_a_change() {
    let loaded = state(&["s=1", "long=1; Max-Age=86400", "short=1; Max-Age=600"]);
    for (field, expected) in [
        ("s=1", false),
        ("s=2", true),
        ("s=1; HttpOnly", true),
        ("s=1; SameSite=Lax", true),
        ("s=; Max-Age=0", true),
        ("other=1", true),
        ("unknown=; Max-Age=0", false),
        ("s=1; Domain=co.uk", false),
        ("long=1; Max-Age=86400", false),
        ("long=1; Max-Age=96400", false),
        ("long=1; Max-Age=60", true),
        ("long=1", true),
        ("short=1; Max-Age=600", false),
        ("short=1; Max-Age=700", true),
    ] {
        assert_eq!(changes(&loaded, &[field]), expected, "{field}");
    }
    assert!(!loaded.clone().changed_since(&loaded));
}

#[test]
fn a_short_cookie_that_slides_is_saved_before_it_lags_by_a_minute() {
    let loaded = state(&["short=1; Max-Age=1200"]);
    for (millis, expected) in [(30_000, false), (60_000, false), (61_000, true)] {
        let mut state = loaded.clone();
        receive(&mut state, &["short=1; Max-Age=1200"], millis);
        assert_eq!(state.changed_since(&loaded), expected, "{millis}");
    }
}

#[test]
fn captured_values_are_changes_when_they_differ() {
    let mut loaded = State::default();
    loaded.capture("a", json!("1"), at(0));
    let captures = |value, name| {
        let mut state = loaded.clone();
        state.capture(name, json!(value), at(10));
        state.changed_since(&loaded)
    };
    assert!(!captures("1", "a"));
    assert!(captures("2", "a") && captures("1", "b"));
    let proxied = State { proxy: Some(bound("home")), ..loaded.clone() };
    assert!(proxied.changed_since(&loaded));
}

#[test]
fn an_older_set_does_not_bring_a_deleted_cookie_back() {
    let loaded = state(&["s=1"]);
    let (mut sets, mut deletes) = (loaded.clone(), loaded.clone());
    receive(&mut sets, &["s=2"], 10);
    receive(&mut deletes, &["s=; Max-Age=0"], 20);
    let mut stored = deletes.clone();
    stored.merge(&sets.changes_since(&loaded));
    assert_eq!(cookies(&stored, 30), "");
    // A deletion counts even of what this call never saw.
    let mut unseen = State::default();
    receive(&mut unseen, &["s=; Max-Age=0"], 20);
    sets.merge(&unseen.changes_since(&State::default()));
    assert_eq!(cookies(&sets, 30), "");
}

#[test]
fn a_repetition_goes_along_with_a_save_and_is_ordered_by_its_time() {
    let loaded = state(&["s=1", "t=1"]);
    let (mut repeats, mut rotates) = (loaded.clone(), loaded.clone());
    receive(&mut repeats, &["s=1", "t=2"], 20);
    receive(&mut rotates, &["s=2"], 10);
    rotates.merge(&repeats.changes_since(&loaded));
    assert_eq!(cookies(&rotates, 30), "s=1; t=2");
}

#[test]
fn after_a_lost_write_a_repetition_is_worth_a_save() {
    let loaded = state(&["s=1"]);
    let (mut mine, mut stored, mut third) = (loaded.clone(), loaded.clone(), loaded.clone());
    receive(&mut stored, &["s=2"], 10);
    receive(&mut third, &["s=3"], 20);
    receive(&mut mine, &["s=2"], 30);
    let before = stored.clone();
    stored.merge(&mine.changes_since(&loaded));
    assert!(!stored.changed_since(&before) && !stored.changes_since(&before).is_empty());
    stored.merge(&third.changes_since(&loaded));
    assert_eq!(cookies(&stored, 40), "s=2");
    assert!(stored.changes_since(&stored).is_empty());
}

#[test]
fn of_the_same_time_the_applied_change_stands() {
    let (mut stored, mut mine) = (State::default(), State::default());
    receive(&mut stored, &["s=1"], 10);
    receive(&mut mine, &["s=2"], 10);
    mine.capture("a", json!(2), at(10));
    stored.capture("a", json!(1), at(10));
    stored.merge(&mine.changes_since(&State::default()));
    assert_eq!((cookies(&stored, 30).as_str(), &stored.captured["a"].value), ("s=2", &json!(2)));
}

#[test]
fn what_was_loaded_is_older_whatever_the_clock_says() {
    let mut loaded = State::default();
    receive(&mut loaded, &["s=1"], 5000);
    loaded.capture("a", json!(1), at(5000));
    let mut behind = loaded.clone();
    receive(&mut behind, &["s=2"], 0);
    behind.capture("a", json!(2), at(0));
    let mut stored = loaded.clone();
    stored.merge(&behind.changes_since(&loaded));
    assert_eq!((cookies(&stored, 6000).as_str(), &stored.captured["a"].value), ("s=2", &json!(2)));
}

#[test]
fn nothing_secret_is_in_the_debug_text() {
    let mut state = state(&["s=canary"]);
    state.capture("token", json!("canary"), at(0));
    state.proxy = Some(bound("home"));
    for text in [
        format!("{state:?}"),
        format!("{:?}", state.changes_since(&State::default())),
        format!("{:?}", state.captured["token"]),
    ] {
        assert!(!text.contains("canary"), "{text}");
    }
}

/// One thing that a call receives: of which cookie, which value (`None`: its deletion), whether captured.
type Event = (u8, Option<u8>, bool);

fn apply(state: &mut State, (which, value, captured): Event, millis: i64) {
    let name = which % 6;
    if captured {
        state.capture(format!("v{name}"), json!(value), at(millis));
        return;
    }
    let (path, domain) = (which % 2, if which % 3 == 0 { "; Domain=example.com" } else { "" });
    let field = match value {
        Some(value) => format!("c{name}={value}; Path=/{path}{domain}"),
        None => format!("c{name}=; Max-Age=0; Path=/{path}{domain}"),
    };
    receive(state, &[&field], millis);
}

proptest! {
    #[test]
    fn calls_saved_in_any_order_give_one_state_with_the_last_of_each(
        before in prop::collection::vec(any::<Event>(), 0..8),
        events in prop::collection::vec((0_usize..4, any::<Event>()), 0..40),
        order in Just([0_usize, 1, 2, 3]).prop_shuffle(),
    ) {
        let mut loaded = State::default();
        for (millis, event) in (0..).zip(before) {
            apply(&mut loaded, event, millis);
        }
        let mut calls = vec![loaded.clone(); 4];
        let mut truth = loaded.clone();
        for (millis, (call, event)) in (1000..).zip(events) {
            apply(&mut calls[call], event, millis);
            apply(&mut truth, event, millis);
        }
        let saved = |order: [usize; 4]| {
            let mut stored = loaded.clone();
            for call in order {
                // Stored and read again in between, as it really happens.
                stored = State::from_bytes(&stored.to_bytes()).unwrap();
                stored.merge(&calls[call].changes_since(&loaded));
            }
            stored
        };
        let stored = saved(order);
        prop_assert_eq!(stored.to_bytes(), saved([0, 1, 2, 3]).to_bytes());
        prop_assert_eq!(&stored.captured, &truth.captured);
        for path in ["0", "1/x"] {
            let url = Url::parse(SITE).unwrap().join(path).unwrap();
            let values = |state: &State| {
                let header = state.jar.header_for(&url, at(5000));
                let mut values: Vec<String> = header.iter().flat_map(|value| value.to_str().unwrap().split("; "))
                    .map(str::to_owned).collect();
                values.sort();
                values
            };
            prop_assert_eq!(values(&stored), values(&truth));
        }
    }

    #[test]
    fn what_is_no_change_makes_no_difference(
        before in prop::collection::vec(any::<Event>(), 0..8),
        event in any::<Event>(),
    ) {
        let mut loaded = State::default();
        for (millis, event) in (0..).zip(before) {
            apply(&mut loaded, event, millis);
        }
        let mut state = loaded.clone();
        apply(&mut state, event, 1000);
        if !state.changed_since(&loaded) {
            let same = |state: &State| ["0", "1"].map(|path| {
                state.jar.header_for(&Url::parse(SITE).unwrap().join(path).unwrap(), at(2000))
            });
            prop_assert_eq!(same(&state), same(&loaded));
        }
    }

    #[test]
    fn any_bytes_are_a_state_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = State::from_bytes(&bytes);
    }
}
