use std::time::Duration;

use lambda_http::{Body, Response};
use latchkey::Timestamp;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

const QUICK: Limits =
    Limits { payload: 20_000, head: 10_240, time: Duration::from_millis(200), stop: Duration::from_secs(5) };

fn route(path: &str, function: &str) -> RouteSpec {
    RouteSpec { path: path.to_owned(), method: "ANY".to_owned(), function: function.to_owned() }
}

/// A function for each test: its name says what it does.
fn invoke(function: &str, request: lambda_http::Request) -> Answer {
    let function = function.to_owned();
    Box::pin(async move {
        let response = match &*function {
            "Echo" => echo(&request),
            "Panic" => panic!("on purpose"),
            "Slow" => {
                tokio::time::sleep(Duration::from_millis(400)).await;
                Response::new(Body::Text("late".to_owned()))
            }
            "Large" => Response::new(Body::Text("x".repeat(30_000))),
            "Binary" => {
                let mut response = Response::new(Body::Binary(vec![0, 159, 146, 150]));
                let headers = response.headers_mut();
                headers.append("set-cookie", "a=1; Path=/".parse().unwrap());
                headers.append("set-cookie", "b=2".parse().unwrap());
                headers.insert("content-type", "application/octet-stream".parse().unwrap());
                headers.insert("X-Upper", "Value".parse().unwrap());
                response
            }
            other => panic!("no function {other}"),
        };
        response.into()
    })
}

fn echo(request: &lambda_http::Request) -> Response<Body> {
    use lambda_http::RequestExt as _;
    let context = request.request_context_ref().map(|context| serde_json::to_value(context).unwrap());
    let headers = request.headers().iter();
    let seen = serde_json::json!({
        "method": request.method().as_str(),
        "path": request.raw_http_path(),
        "query": request.uri().query(),
        "id": request.path_parameters_ref().and_then(|parameters| parameters.first("id")),
        "headers": headers.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect::<Vec<_>>(),
        "body": String::from_utf8_lossy(request.body()),
        "context": context,
    });
    Response::new(Body::Text(seen.to_string()))
}

async fn gateway() -> Gateway {
    let routes = [
        route("/things/{id}", "Echo"),
        route("/panic", "Panic"),
        route("/slow", "Slow"),
        route("/large", "Large"),
        route("/binary", "Binary"),
        route("$default", "Echo"),
    ];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let clock = Clock::manual("2026-01-02T03:04:05Z".parse::<Timestamp>().unwrap());
    Gateway::start(listener, &routes, Arc::new(invoke), clock, QUICK).unwrap()
}

/// Sends `request` as it stands and gives the whole answer as text.
async fn send(gateway: &Gateway, request: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.write_all(request.as_ref()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

async fn get(gateway: &Gateway, path: &str) -> String {
    send(gateway, format!("GET {path} HTTP/1.1\r\nHost: localhost:3000\r\nConnection: close\r\n\r\n")).await
}

fn body(answer: &str) -> Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn a_request_reaches_its_function_as_an_event() {
    let gateway = gateway().await;
    let answer = send(
        &gateway,
        "PUT /things/a%20b?x=1&x=%32 HTTP/1.1\r\nHost: gate.example\r\nX-Two: 1\r\nx-two: 2\r\nCookie: a=1; b=2\r\n\
         User-Agent: test/1\r\nX-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\n\
         Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let seen = body(&answer);
    assert_eq!(seen["method"], "PUT");
    assert_eq!(seen["path"], "/things/a b");
    assert_eq!(seen["query"], "x=1&x=%32");
    assert_eq!(seen["id"], "a b");
    assert_eq!(seen["body"], "{}");
    let headers = seen["headers"].to_string();
    for expected in [
        "x-two: 1,2",
        "cookie: a=1; b=2",
        "x-forwarded-for: 9.9.9.9, 127.0.0.1",
        "x-forwarded-proto: http",
        "x-amzn-trace-id: Root=1-6957",
        "host: gate.example",
    ] {
        assert!(headers.contains(expected), "{expected} is not in {headers}");
    }
    assert!(!headers.contains("connection"), "{headers}");
    let context = &seen["context"];
    assert_eq!(context["http"]["sourceIp"], "127.0.0.1");
    assert_eq!(context["http"]["userAgent"], "test/1");
    assert_eq!(context["routeKey"], "ANY /things/{id}");
    assert_eq!(context["time"], "02/Jan/2026:03:04:05 +0000");
    assert_eq!(context["timeEpoch"], 1_767_323_045_000_i64);
    let id = context["requestId"].as_str().unwrap();
    assert!(answer.contains(&format!("apigw-requestid: {id}\r\n")), "{answer}");
}

#[tokio::test]
async fn a_form_and_binary_travel_as_base64_and_arrive_whole() {
    let gateway = gateway().await;
    let answer = send(
        &gateway,
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n\
         Connection: close\r\n\r\na=1&b=2",
    )
    .await;
    assert_eq!(body(&answer)["body"], "a=1&b=2");
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.write_all(b"GET /binary HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.ends_with(&[0, 159, 146, 150]));
    let head = String::from_utf8_lossy(&answer);
    assert!(head.contains("set-cookie: a=1; Path=/\r\nset-cookie: b=2\r\n"), "{head}");
    assert!(head.contains("x-upper: Value\r\n"), "{head}");
}

#[tokio::test]
async fn a_bad_host_is_refused_before_anything_else() {
    let gateway = gateway().await;
    for hosts in [
        "",
        "Host:\r\n",
        "Host: a\r\nHost: b\r\n",
        "Host: a b\r\n",
        "Host: a/b\r\n",
        "Host: u@a\r\n",
        "Host: a:99999\r\n",
    ] {
        let answer = send(&gateway, format!("GET / HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{hosts:?}: {answer}");
        assert_eq!(body(&answer)["error_code"], "invalid_request", "{hosts:?}");
    }
}

#[tokio::test]
async fn odd_paths_never_break_the_gateway() {
    let gateway = gateway().await;
    for path in ["/%00", "/%ff", "/%zz", "/..%2f..", "//x", "/%3f%23", "/%5c", "/a%0d%0ab", "/?%", "/:80/"] {
        let answer = get(&gateway, path).await;
        assert!(answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
    }
    let answer = get(&gateway, "*").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_next_request_works() {
    let gateway = gateway().await;
    let mut stream = TcpStream::connect(gateway.address()).await.unwrap();
    stream.write_all(b"GET /panic HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    assert!(answers.starts_with("HTTP/1.1 500"), "{answers}");
    assert!(answers.contains("\"error_code\":\"internal\"") && answers.contains("HTTP/1.1 200"), "{answers}");
}

#[tokio::test]
async fn limits_are_those_given() {
    let gateway = gateway().await;
    let answer = get(&gateway, "/slow").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 1"), "{answer}");
    let answer = get(&gateway, "/large").await;
    assert!(answer.starts_with("HTTP/1.1 500"), "{answer}");
    let answer = get(&gateway, &format!("/{}", "a".repeat(11_000))).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    assert_eq!(body(&answer)["error_code"], "payload_too_large");
}

#[tokio::test]
async fn a_body_too_large_gets_its_answer() {
    let gateway = gateway().await;
    // The larger ones overflow what the sockets buffer: unread, they would break the connection.
    for size in [20_001, 7 * 1024 * 1024] {
        let head =
            format!("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n");
        let mut request = head.into_bytes();
        request.resize(request.len() + size, b'x');
        let answer = send(&gateway, request).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        assert_eq!(body(&answer)["error_code"], "payload_too_large");
    }
    // Small enough itself, too large as base64 in its envelope.
    let head = "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 16000\r\n\r\n";
    let answer = send(&gateway, format!("{head}{}", "x".repeat(16_000))).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_stop_lets_a_running_request_end() {
    let gateway = gateway().await;
    let address = gateway.address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    gateway.stop().await;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(TcpStream::connect(address).await.is_err());
}
