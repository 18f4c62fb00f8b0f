//! Credentials and region from a profile of AWS's configuration files, as the AWS tools read them.

use aws_config::meta::region::ProvideRegion as _;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_credential_types::provider::error::CredentialsError;
use latchkey::config::Aws;

use super::outcome::Failure;

/// Takes credentials and region from the profile `name`; without a name from that of `AWS_PROFILE` or `default`,
/// where there is one.
pub(super) async fn apply(aws: &mut Aws, name: Option<&str>) -> Result<(), Failure> {
    let config = ProviderConfig::default().with_http_client(aws.http_client.clone());
    let mut credentials = ProfileFileCredentialsProvider::builder().configure(&config);
    let mut region = ProfileFileRegionProvider::builder().configure(&config);
    if let Some(name) = name {
        credentials = credentials.profile_name(name);
        region = region.profile_name(name);
    }
    match credentials.build().provide_credentials().await {
        Ok(found) => aws.credentials = Some(found),
        // Nobody asked for a profile, and there is none.
        Err(CredentialsError::CredentialsNotLoaded(_)) if name.is_none() => return Ok(()),
        Err(fault) => {
            let fault =
                std::error::Error::source(&fault).map_or_else(|| fault.to_string(), ToString::to_string);
            let name = name.unwrap_or("default");
            return Err(Failure::Failed(format!("the profile {name} gives no credentials: {fault}")));
        }
    }
    if let Some(region) = region.build().region().await {
        aws.region = region.to_string();
    }
    Ok(())
}
