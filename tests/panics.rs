//! A flow that panics: the frame around it answers all the same.

use lambda_http::IntoResponse as _;
use latchkey::app::{Function, Needs};
use serde_json::Value;

use crate::support::TestApp;

/// Panics before its first await, or after one: both are the flow's.
static PANICS: Function = Function {
    needs: Needs { name: "panics", ..Needs::NOTHING },
    handle: |_, request| {
        Box::pin(async move {
            if request.method == http::Method::POST {
                tokio::task::yield_now().await;
            }
            panic!("canary-7c1f of the inside")
        })
    },
};

#[tokio::test]
async fn a_panic_is_a_500_that_tells_nothing() {
    let app = TestApp::start().await;
    for method in [http::Method::GET, http::Method::POST] {
        let mut event = lambda_http::Request::default();
        *event.method_mut() = method;
        let answer =
            latchkey::http::serve(&app.gateway.stack.app, &PANICS, event).await.into_response().await;
        assert_eq!(answer.status(), 500);
        let body: Value = serde_json::from_slice(answer.body()).expect("a problem");
        assert_eq!(body["error_code"], "internal");
        assert!(!body.to_string().contains("canary-7c1f"));
    }
}
