//! The `openapi` function of a deployment.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    latchkey::app::run(&openapi::FUNCTION).await
}
