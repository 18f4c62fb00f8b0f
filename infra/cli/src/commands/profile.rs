//! Credentials and region from a profile of AWS's configuration files, parsed by AWS's own crate. Only access keys
//! are taken: what signs in first (a role, SSO, a process) would need clients of other services, and the AWS command
//! line turns any profile into access keys.

use std::borrow::Cow;

use aws_credential_types::Credentials;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_runtime::env_config::section::EnvConfigSections;
use aws_runtime::env_config::source;
use aws_types::os_shim_internal::{Env, Fs};
use latchkey::config::Aws;

use super::outcome::Failure;

/// Takes credentials and region from the profile `name`; without a name from that of `AWS_PROFILE` or `default`,
/// where it has access keys.
pub(super) async fn apply(aws: &mut Aws, name: Option<&str>) -> Result<(), Failure> {
    let unreadable = |fault: &dyn std::fmt::Display| {
        Failure::Failed(format!("AWS's configuration files cannot be read: {fault}"))
    };
    let files = EnvConfigFiles::default();
    let mut source =
        source::load(&Env::real(), &Fs::real(), &files).await.map_err(|fault| unreadable(&fault))?;
    if let Some(name) = name {
        source.profile = Cow::Owned(name.to_owned());
    }
    let sections = EnvConfigSections::parse(source).map_err(|fault| unreadable(&fault))?;
    let credentials = sections.get("aws_access_key_id").zip(sections.get("aws_secret_access_key"));
    match (credentials, name) {
        (Some((id, secret)), _) => {
            let token = sections.get("aws_session_token").map(str::to_owned);
            aws.credentials = Some(Credentials::new(id, secret, token, None, "profile"));
        }
        (None, None) => return Ok(()),
        (None, Some(name)) => return Err(no_access_keys(&sections, name)),
    }
    if let Some(region) = sections.get("region") {
        region.clone_into(&mut aws.region);
    }
    Ok(())
}

fn no_access_keys(sections: &EnvConfigSections, name: &str) -> Failure {
    if sections.get_profile(name).is_none() {
        return Failure::NotFound(format!("there is no profile {name} in AWS's configuration files"));
    }
    Failure::Failed(format!(
        "the profile {name} has no access keys of its own. Let the AWS command line sign in with it:\n  \
         eval \"$(aws configure export-credentials --profile {name} --format env)\"\n\
         and run this again without --profile"
    ))
}
