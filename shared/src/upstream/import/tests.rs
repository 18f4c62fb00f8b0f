use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW: i64 = 1_800_000_000;

fn hosts(names: &[&str]) -> Vec<AllowedHost> {
    names.iter().map(|name| AllowedHost { host: (*name).to_owned(), port: None }).collect()
}

/// What a request to `url` carries after the import.
fn carried(given: &Value, url: &str) -> String {
    let jar = jar(&read(given).unwrap(), &hosts(&["mail.example.com", "127.0.0.1"]), at_second(NOW)).unwrap();
    let header = jar.header_for(&Url::parse(url).unwrap(), at_second(NOW));
    header.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

/// The faults of an import, as `field: message`.
fn faults(given: &Value) -> Vec<String> {
    let faults = match read(given) {
        Ok(cookies) => jar(&cookies, &hosts(&["mail.example.com"]), at_second(NOW)).unwrap_err(),
        Err(faults) => faults,
    };
    faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect()
}

#[test]
fn a_netscape_file_is_read() {
    let file = "# Netscape HTTP Cookie File\r\n\
        # https://curl.se/docs/http-cookies.html\r\n\
        \r\n\
        mail.example.com\tFALSE\t/\tTRUE\t0\tsid\ta=b c\r\n\
        #HttpOnly_.example.com\tTRUE\t/m\tFALSE\t1900000000\tall\tx\ty\r\n\
        mail.example.com\tFALSE\t/\tFALSE\t1700000000\tgone\t1\r\n\
        mail.example.com\tFALSE\t/\tFALSE\t0\tempty\n";
    let given = json!(file);
    assert_eq!(carried(&given, "https://mail.example.com/m/1"), "all=x\ty; sid=a=b c; empty=");
    assert_eq!(carried(&given, "https://www.example.com/m"), "all=x\ty", "a domain's cookie");
    assert_eq!(carried(&given, "http://mail.example.com/"), "empty=", "Secure stays at home");
}

#[test]
fn what_browsers_export_as_json_is_read() {
    let extension = json!([
        { "domain": ".example.com", "hostOnly": false, "expirationDate": 1_900_000_000.5, "httpOnly": true,
          "name": "all", "path": "/", "sameSite": "no_restriction", "secure": true, "session": false,
          "storeId": "0", "value": "1", "id": 1 },
        { "domain": "mail.example.com", "hostOnly": true, "name": "sid", "session": true, "value": "2",
          "expirationDate": 1 },
    ]);
    assert_eq!(carried(&extension, "https://mail.example.com/"), "all=1; sid=2");
    assert_eq!(carried(&extension, "https://a.mail.example.com/"), "all=1");
    let tool = json!({ "cookies": [
        { "name": "sid", "value": "3", "domain": "127.0.0.1", "path": "/", "expires": -1, "httpOnly": true,
          "secure": false, "sameSite": "Lax" },
        { "name": "old", "value": "3", "domain": "127.0.0.1", "path": "/", "expires": "2020-01-01T00:00:00Z" },
    ], "origins": [] });
    assert_eq!(carried(&tool, "http://127.0.0.1:8000/x"), "sid=3");
}

#[test]
fn attributes_stay_as_the_browser_had_them() {
    let given = json!([{ "name": "a", "value": "1", "domain": "mail.example.com", "path": "/", "httpOnly": true,
                         "secure": true, "sameSite": "strict", "expirationDate": NOW + 60 }]);
    let jar = jar(&read(&given).unwrap(), &hosts(&["mail.example.com"]), at_second(NOW)).unwrap();
    let kept = serde_json::to_value(&jar).unwrap();
    let cookie = &kept[0][1]["cookie"];
    assert_eq!(
        (&cookie["secure"], &cookie["http_only"], &cookie["same_site"], &cookie["expires"]),
        (&json!(true), &json!(true), &json!("strict"), &json!((NOW + 60) * 1_000_000))
    );
}

#[test]
fn every_fault_is_told_and_no_value() {
    let cookie =
        |name: &str, value: &str, domain: &str| json!({ "name": name, "value": value, "domain": domain });
    let foreign = "domain: is no host of this API: export the site's own cookies alone";
    let unkept = "is no cookie that a browser keeps: its domain, prefix, size or characters forbid it";
    for (given, expected) in [
        (json!([cookie("a", "secret", "bank.example")]), vec![format!("cookies.0.{foreign}")]),
        (
            json!([cookie("a", "1", "mail.example.com"), cookie("b", "secret", "other.example.com"), 7]),
            vec!["cookies.2: must be an object".to_owned()],
        ),
        (json!([cookie("a", "1", "xmail.example.com")]), vec![format!("cookies.0.{foreign}")]),
        (json!([cookie("a", "1", "example.com")]), vec![format!("cookies.0.{foreign}")]),
        (json!([cookie("a", "1", ".com")]), vec![format!("cookies.0: {unkept}")]),
        (json!([cookie("__Host-a", "1", "mail.example.com")]), vec![format!("cookies.0: {unkept}")]),
        (json!([cookie("a", &"x".repeat(5_000), "mail.example.com")]), vec![format!("cookies.0: {unkept}")]),
        (
            json!([cookie("a", "1; Domain=example.com", "mail.example.com")]),
            vec!["cookies.0.value: holds a semicolon or a control character".to_owned()],
        ),
        (
            json!([cookie("a=b", "1", "mail.example.com")]),
            vec!["cookies.0.name: holds an equals sign".to_owned()],
        ),
        (
            json!([{ "name": "a", "value": 1, "domain": "mail.example.com" }, { "value": "", "domain": "a b" }]),
            vec![
                "cookies.0.value: must be a string".to_owned(),
                "cookies.1.domain: must be the host that set the cookie".to_owned(),
            ],
        ),
        (
            json!(
                "mail.example.com\tYES\t/\tTRUE\t0\ta\t1\nnonsense\nmail.example.com\tFALSE\t/\tTRUE\tsoon\ta\t1"
            ),
            vec![
                "cookies: line 1: the second column must be TRUE or FALSE".to_owned(),
                "cookies: line 2: is no cookie: it needs seven columns with tabs between them".to_owned(),
                "cookies: line 3: the time must be in seconds since 1970, or 0".to_owned(),
            ],
        ),
        (
            json!("www.example.com\tFALSE\t/\tTRUE\t0\ta\t1"),
            vec![
                "cookies: line 1: domain is no host of this API: export the site's own cookies alone"
                    .to_owned(),
            ],
        ),
        (json!("# nothing"), vec!["cookies: holds no cookie".to_owned()]),
        (json!([]), vec!["cookies: holds no cookie".to_owned()]),
        (
            json!("mail.example.com\tFALSE\t/\tTRUE\t5\ta\t1"),
            vec!["cookies: holds no cookie that is still good: export them again".to_owned()],
        ),
        (
            json!(7),
            vec![
                "cookies: must be the text of a cookies.txt file, or the list that a browser exports"
                    .to_owned(),
            ],
        ),
    ] {
        assert_eq!(faults(&given), expected, "{given}");
    }
}

#[test]
fn there_is_an_end_to_everything() {
    let cookie = json!({ "name": "a", "value": "1", "domain": "mail.example.com" });
    let many = Value::Array(vec![cookie; MOST_COOKIES + 1]);
    assert_eq!(faults(&many).len(), 1);
    assert_eq!(faults(&Value::Array(vec![json!(1); 1_000])).len(), MOST_FAULTS);
    assert_eq!(faults(&json!("#".repeat(LONGEST_FILE + 1))).len(), 1);
}

const MEMBERS: [&str; 9] =
    ["name", "value", "domain", "hostOnly", "path", "secure", "expires", "expirationDate", "sameSite"];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        Just(json!("mail.example.com")),
        Just(json!("1; Domain=com")),
    ];
    let cookie = prop::collection::btree_map(prop::sample::select(&MEMBERS[..]), leaf, 0..9)
        .prop_map(|object| json!(object));
    prop::collection::vec(cookie, 0..6).prop_map(Value::Array)
}

proptest! {
    /// Whatever is given, nothing reaches a host that the definition does not list.
    #[test]
    fn nothing_given_reaches_another_host(list in any_json(), text in "([a-z.#\\t0-9]|TRUE|FALSE|\\n){0,80}") {
        let hosts = hosts(&["mail.example.com"]);
        for given in [list, Value::String(text)] {
            let Ok(cookies) = read(&given) else { continue };
            let Ok(jar) = jar(&cookies, &hosts, at_second(NOW)) else { continue };
            for url in ["https://com/", "https://example.org/", "https://co.uk/"] {
                prop_assert_eq!(jar.header_for(&Url::parse(url).unwrap(), at_second(NOW)), None);
            }
        }
    }
}
