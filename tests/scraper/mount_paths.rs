//! Paths across a mount: what is matched is what is forwarded.

use http::Method;

use super::scene::Scene;

#[tokio::test]
async fn a_path_is_encoded_anew_segment_by_segment() {
    let scene = Scene::start().await;
    for (path, expected) in [
        ("/api/contacts/a%20b", "/a%20b"),
        ("/api/contacts/%C3%A4/%E2%82%AC", "/%C3%A4/%E2%82%AC"),
        ("/api/contacts/50%25", "/50%25"),
        ("/api/contacts/%2541", "/%2541"),
        ("/api/contacts/a+b@c:d,e=f~g", "/a+b@c:d,e=f~g"),
        ("/api/contacts/%41%2D%7E", "/A-~"),
        ("/api/contacts/%22%3C%3E", "/%22%3C%3E"),
        ("/api/contacts/...", "/..."),
        ("/api/contacts/.hidden/a..b", "/.hidden/a..b"),
        ("/api/%63ontacts/1", "/1"),
    ] {
        scene.app.get(path).bearer(&scene.key.secret).send().await.is(200);
        assert_eq!(scene.site.last_seen().line, format!("GET /crm/v2{expected}"), "{path}");
    }
}

#[tokio::test]
async fn a_path_that_another_server_could_read_otherwise_is_refused() {
    let scene = Scene::start().await;
    let dots = "must not hold dot segments";
    let marks = "must not hold ?, # or a backslash, encoded or not";
    let controls = "must not hold control characters";
    for (path, message) in [
        ("/api/contacts/..", dots),
        ("/api/contacts/../admin", dots),
        ("/api/contacts/./x", dots),
        ("/api/contacts/%2e%2e/admin", dots),
        ("/api/contacts/.%2E/admin", dots),
        ("/api/contacts/%252e%252e/admin", dots),
        ("/api/contacts/x/..%2fadmin", dots),
        ("/api/contacts/..%252fadmin", dots),
        ("/api/contacts/..;/admin", dots),
        ("/api/contacts/..%3Bx=1/admin", dots),
        ("/api/contacts/a%5Cb", marks),
        ("/api/contacts/..%5Cadmin", marks),
        ("/api/contacts/a%3Fb", marks),
        ("/api/contacts/a%23b", marks),
        ("/api/contacts/a%00b", controls),
        ("/api/contacts/a%0D%0Ab", controls),
        ("/api/contacts/a%7Fb", controls),
        ("/api/contacts/a%C2%85b", controls),
        ("/api/contacts//x", "must not hold empty segments"),
        ("/api/contacts/x//", "must not hold empty segments"),
    ] {
        let answer = scene.app.call(Method::GET, path).bearer(&scene.key.secret).send().await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.json);
        answer.refuses_fields(&[("path", message)]);
    }
    assert_eq!(scene.site.log().len(), 0);
}

#[tokio::test]
async fn a_path_cannot_leave_its_mount_for_a_route_of_the_gateway() {
    let scene = Scene::start().await;
    for path in [
        "/api/contacts/../../v1/api-keys",
        "/api/contacts/%2e%2e/%2e%2e/v1/api-keys",
        "/api/contacts/..%2f..%2fscraper/mill",
        "//api/contacts",
        "/api//contacts",
        "/x/../api/contacts",
        "/api/./contacts",
    ] {
        let answer = scene.app.call(Method::GET, path).bearer(&scene.key.secret).send().await;
        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
        assert_eq!(answer.json["type"], "about:blank", "{path}");
    }
    assert_eq!(scene.site.log().len(), 0);
}
