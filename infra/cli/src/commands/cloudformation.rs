//! What CloudFormation itself knows of a stack: its parameters, and its resources where table names alone do not tell,
//! because tables of an earlier stack of the same name were kept.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::config::{BehaviorVersion, Region, SharedCredentialsProvider};
use aws_sdk_cloudformation::error::DisplayErrorContext;
use aws_sdk_cloudformation::types::ResourceStatus;
use aws_sdk_cloudformation::{Client, Config};
use latchkey::config::Aws;
use latchkey::store::sdk_timeouts;

/// The physical names of `stack`'s resources by their logical ids, without those that it has let go.
pub(super) async fn resources(
    aws: &Aws,
    endpoint: Option<String>,
    stack: &str,
) -> Result<BTreeMap<String, String>, String> {
    let client = client(aws, endpoint);
    let mut resources = BTreeMap::new();
    let mut next = None;
    loop {
        let request = client.list_stack_resources().stack_name(stack).set_next_token(next.take());
        let page = request.send().await.map_err(|fault| DisplayErrorContext(fault).to_string())?;
        for resource in page.stack_resource_summaries.unwrap_or_default() {
            let is_there = resource.resource_status != Some(ResourceStatus::DeleteComplete);
            if let (true, Some(logical), Some(physical)) =
                (is_there, resource.logical_resource_id, resource.physical_resource_id)
            {
                resources.insert(logical, physical);
            }
        }
        next = page.next_token;
        if next.is_none() {
            return Ok(resources);
        }
    }
}

/// The value of one of `stack`'s parameters; `None` where it has no such parameter.
pub(super) async fn parameter(
    aws: &Aws,
    endpoint: Option<String>,
    stack: &str,
    name: &str,
) -> Result<Option<String>, String> {
    let request = client(aws, endpoint).describe_stacks().stack_name(stack);
    let told = request.send().await.map_err(|fault| DisplayErrorContext(fault).to_string())?;
    let parameters =
        told.stacks.unwrap_or_default().into_iter().flat_map(|stack| stack.parameters.unwrap_or_default());
    let mut found = parameters.filter(|parameter| parameter.parameter_key.as_deref() == Some(name));
    Ok(found.next().and_then(|parameter| parameter.parameter_value))
}

/// A client as lean as the others.
fn client(aws: &Aws, endpoint: Option<String>) -> Client {
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(aws.region.clone()))
        .http_client(aws.http_client.clone())
        .timeout_config(sdk_timeouts());
    config.set_credentials_provider(aws.credentials.clone().map(SharedCredentialsProvider::new));
    config.set_endpoint_url(endpoint);
    Client::from_conf(config.build())
}
