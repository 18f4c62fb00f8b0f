//! Lean AWS clients: no default credential chain, one HTTP client, credentials and region from the
//! configuration.

use std::time::Duration;

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, SharedCredentialsProvider, SharedHttpClient};

use super::conflict::RetryConflicts;
use super::http::AwsHttp;
use crate::config::Aws;

/// How often one request to AWS is tried in all, the first time included.
const ATTEMPTS: u32 = 3;

/// How long a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// An HTTP client for everything at AWS: made once a process, so that connections are shared.
#[must_use]
pub fn http_client() -> SharedHttpClient {
    SharedHttpClient::new(AwsHttp::new(CONNECT_LIMIT))
}

/// Bounds on one request to AWS: well under the gateway's 30 seconds, all attempts included.
#[must_use]
pub fn sdk_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_LIMIT)
        .operation_attempt_timeout(Duration::from_secs(4))
        .operation_timeout(Duration::from_secs(10))
        .build()
}

pub(super) fn dynamodb(aws: &Aws) -> aws_sdk_dynamodb::Client {
    let mut config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(aws.region.clone()))
        .http_client(aws.http_client.clone())
        .timeout_config(sdk_timeouts())
        .retry_classifier(RetryConflicts)
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(ATTEMPTS)
                .with_initial_backoff(Duration::from_millis(50)),
        );
    config.set_credentials_provider(aws.credentials.clone().map(SharedCredentialsProvider::new));
    config.set_endpoint_url(aws.dynamodb_endpoint.clone());
    aws_sdk_dynamodb::Client::from_conf(config.build())
}
