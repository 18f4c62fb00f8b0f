//! Credentials and region from a profile of AWS's configuration files, parsed by AWS's own crate.
//!
//! Access keys in the files are taken as they are, and a `credential_process` is run. What signs in first (SSO, a
//! role) would need clients of other services: the AWS command line does that, where it is installed.

use std::borrow::Cow;
use std::process::Stdio;

use aws_credential_types::Credentials;
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_runtime::env_config::section::EnvConfigSections;
use aws_runtime::env_config::source;
use aws_types::os_shim_internal::{Env, Fs};

use super::outcome::Failure;
use super::process;

/// The AWS command line.
const AWS: &str = "aws";

/// What a profile has that must sign in before there are keys; it wins over access keys beside it, as in AWS's tools.
const SIGNS_IN: &[&str] = &[
    "role_arn",
    "sso_session",
    "sso_start_url",
    "sso_account_id",
    "web_identity_token_file",
    "login_session",
];

/// A profile of AWS's configuration files.
pub(super) struct Profile {
    sections: EnvConfigSections,
    /// Whether it was asked for by its name, on the command line or in a file.
    is_named: bool,
}

/// Where a profile's credentials come from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    Keys,
    Process(Vec<String>),
    CommandLine,
}

impl Profile {
    /// The profile `name`; without a name that of `AWS_PROFILE`, or `default`, which need not be there.
    pub(super) async fn load(name: Option<&str>, environment: &Env, files: &Fs) -> Result<Self, Failure> {
        let unreadable = |fault: &dyn std::fmt::Display| {
            Failure::Failed(format!("AWS's configuration files cannot be read: {fault}"))
        };
        let mut source = source::load(environment, files, &EnvConfigFiles::default())
            .await
            .map_err(|fault| unreadable(&fault))?;
        if let Some(name) = name {
            source.profile = Cow::Owned(name.to_owned());
        }
        let sections = EnvConfigSections::parse(source).map_err(|fault| unreadable(&fault))?;
        let profile = sections.selected_profile();
        let must_be_there = name.is_some() || profile != "default";
        if must_be_there && sections.get_profile(profile).is_none() {
            return Err(Failure::NotFound(format!(
                "there is no profile {profile} in AWS's configuration files"
            )));
        }
        Ok(Self { is_named: name.is_some(), sections })
    }

    /// The region that it names.
    pub(super) fn region(&self) -> Option<&str> {
        self.sections.get("region").filter(|region| !region.is_empty())
    }

    /// Its credentials; none where it was not asked for and there are none to be had.
    pub(super) async fn credentials(&self) -> Result<Option<Credentials>, Failure> {
        let limit = process::LIMIT;
        let (what, outcome) = match self.way() {
            Way::Keys => return Ok(self.access_keys()),
            Way::Process(words) => {
                let Some((program, arguments)) = words.split_first() else {
                    return Err(self.no_credentials("its credential_process is no command"));
                };
                (
                    "its credential_process",
                    process::credentials(program, arguments, Stdio::inherit(), limit).await,
                )
            }
            Way::CommandLine => {
                let mut arguments = vec!["configure", "export-credentials"];
                if self.is_named {
                    arguments.extend(["--profile", self.sections.selected_profile()]);
                }
                arguments.extend(["--format", "process"]);
                // Where nobody said that there are any, its complaint is none of ours.
                let told = if self.is_there() { Stdio::inherit() } else { Stdio::null() };
                ("the AWS command line", process::credentials(AWS, arguments, told, limit).await)
            }
        };
        match outcome {
            Ok(credentials) => Ok(Some(credentials)),
            // Nobody said that there are any; whoever needs some says so.
            Err(_) if !self.is_there() => Ok(None),
            Err(fault) => Err(self.no_credentials(&format!("{what} {fault}"))),
        }
    }

    /// Whether AWS's configuration files have it.
    fn is_there(&self) -> bool {
        self.sections.get_profile(self.sections.selected_profile()).is_some()
    }

    fn way(&self) -> Way {
        let has = |key: &&str| self.sections.get(key).is_some();
        if SIGNS_IN.iter().any(has) {
            return Way::CommandLine;
        }
        if self.access_keys().is_some() {
            return Way::Keys;
        }
        match self.sections.get("credential_process") {
            // Elsewhere the words of a command are told apart by other rules, which the AWS command line knows.
            Some(command) if cfg!(unix) => Way::Process(shlex::split(command).unwrap_or_default()),
            _ => Way::CommandLine,
        }
    }

    fn access_keys(&self) -> Option<Credentials> {
        let (id, secret) =
            self.sections.get("aws_access_key_id").zip(self.sections.get("aws_secret_access_key"))?;
        let mut keys =
            Credentials::builder().access_key_id(id).secret_access_key(secret).provider_name("profile");
        keys.set_session_token(self.sections.get("aws_session_token").map(str::to_owned));
        keys.set_account_id(self.sections.get("aws_account_id").map(Into::into));
        Some(keys.build())
    }

    fn no_credentials(&self, why: &str) -> Failure {
        let profile = self.sections.selected_profile();
        let sign_in = match self.sections.get("sso_session").or_else(|| self.sections.get("sso_start_url")) {
            Some(_) => format!("sign in with `aws sso login --profile {profile}`"),
            None => format!("see whether `aws sts get-caller-identity --profile {profile}` works"),
        };
        Failure::Failed(format!(
            "the profile {profile} gave no credentials: {why}. Unless it has access keys of its own, the AWS command \
             line (version 2) must be installed and able to use it: {sign_in}, then run this again"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "\
[default]
region = eu-north-1

[profile keys]
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = example

[profile both]
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = example
role_arn = arn:aws:iam::111122223333:role/x
source_profile = keys

[profile sso]
sso_session = mine
region = eu-west-1

[profile process]
credential_process = /opt/tool --for 'a b' --never $HOME;x

[profile odd]
credential_process = 'never closed
";

    async fn load(name: Option<&str>, environment: &[(&str, &str)]) -> Result<Profile, Failure> {
        let environment = [&[("AWS_CONFIG_FILE", "/config"), ("HOME", "/home/x")], environment].concat();
        Profile::load(name, &Env::from_slice(&environment), &Fs::from_slice(&[("/config", CONFIG)])).await
    }

    #[tokio::test]
    async fn a_profile_tells_where_its_credentials_come_from() {
        let way = async |name| load(Some(name), &[]).await.unwrap().way();
        assert_eq!(way("keys").await, Way::Keys);
        assert_eq!(way("both").await, Way::CommandLine, "a role is meant where one is named");
        assert_eq!(way("sso").await, Way::CommandLine);
        assert_eq!(way("default").await, Way::CommandLine);
        if cfg!(unix) {
            let words = ["/opt/tool", "--for", "a b", "--never", "$HOME;x"].map(str::to_owned);
            assert_eq!(way("process").await, Way::Process(words.to_vec()), "and no shell reads it");
            assert_eq!(way("odd").await, Way::Process(Vec::new()));
            assert!(load(Some("odd"), &[]).await.unwrap().credentials().await.is_err());
        }
    }

    #[tokio::test]
    async fn a_profile_that_is_named_must_be_there() {
        assert!(matches!(load(Some("none"), &[]).await, Err(Failure::NotFound(_))));
        assert!(matches!(load(None, &[("AWS_PROFILE", "none")]).await, Err(Failure::NotFound(_))));
        assert_eq!(load(None, &[]).await.unwrap().region(), Some("eu-north-1"));
        assert_eq!(load(None, &[("AWS_PROFILE", "sso")]).await.unwrap().region(), Some("eu-west-1"));
        let keys =
            load(None, &[("AWS_PROFILE", "keys")]).await.unwrap().credentials().await.unwrap().unwrap();
        assert_eq!(keys.access_key_id(), "AKIAEXAMPLE");
        let empty = Profile::load(None, &Env::from_slice(&[]), &Fs::from_slice(&[])).await;
        assert_eq!(empty.unwrap().region(), None);
    }

    #[tokio::test]
    async fn without_credentials_there_is_a_way_to_some() {
        let Failure::Failed(text) =
            load(Some("sso"), &[]).await.unwrap().no_credentials("the AWS command line …")
        else {
            panic!("it failed")
        };
        assert!(text.contains("aws sso login --profile sso"), "{text}");
    }
}
