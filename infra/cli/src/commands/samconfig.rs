//! What `sam deploy --guided` saves in `samconfig.toml`: stack, region and profile.

use std::io;
use std::path::Path;

use toml::{Table, Value};

use super::outcome::Failure;

/// The file, in the folder that the command is run in.
const FILE: &str = "samconfig.toml";

/// The environment that is meant where none is named.
const DEFAULT: &str = "default";

/// The parameters of `sam deploy` that tell where a stack is.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Saved {
    pub(super) stack_name: Option<String>,
    pub(super) region: Option<String>,
    pub(super) profile: Option<String>,
}

/// Why there is nothing to use in a file.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    Broken(String),
    /// The environment is not in the file, which has these.
    NoEnvironment(Vec<String>),
}

/// What the file in `folder` says for `environment`; nothing where neither is there and none was named.
pub(super) fn read(folder: &Path, environment: Option<&str>) -> Result<Saved, Failure> {
    let text = match std::fs::read_to_string(folder.join(FILE)) {
        Ok(text) => text,
        Err(fault) if fault.kind() == io::ErrorKind::NotFound => {
            return match environment {
                None | Some(DEFAULT) => Ok(Saved::default()),
                Some(name) => Err(Failure::NotFound(format!(
                    "there is no {FILE} in this folder to take the environment {name} from: run this where \
                     `sam deploy` was run, or give --stack-name"
                ))),
            };
        }
        Err(fault) => return Err(Failure::Failed(format!("{FILE} cannot be read: {fault}"))),
    };
    match parse(&text, environment.unwrap_or(DEFAULT)) {
        Ok(saved) => Ok(saved),
        Err(Fault::NoEnvironment(_)) if environment.is_none() => Ok(Saved::default()),
        Err(Fault::NoEnvironment(others)) => Err(Failure::NotFound(format!(
            "{FILE} has no environment {}; it has {}",
            environment.unwrap_or(DEFAULT),
            if others.is_empty() { "none".to_owned() } else { others.join(", ") }
        ))),
        Err(Fault::Broken(why)) => Err(Failure::Failed(format!("{FILE} cannot be used: {why}"))),
    }
}

/// What `text` says for `environment`: what stands under `deploy` wins over `global`, as in sam.
fn parse(text: &str, environment: &str) -> Result<Saved, Fault> {
    let document: Table = text.parse().map_err(|fault| broken(text, &fault))?;
    let Some(commands) = document.get(environment) else {
        let environments = document.iter().filter(|(_, value)| value.is_table());
        return Err(Fault::NoEnvironment(environments.map(|(name, _)| name.clone()).collect()));
    };
    let parameter = |name: &str| {
        ["deploy", "global"]
            .into_iter()
            .find_map(|command| commands.get(command)?.get("parameters")?.get(name))
            .map(|value| match value {
                Value::String(text) => Ok(text.clone()),
                _ => Err(Fault::Broken(format!("{name} of the environment {environment} is not a string"))),
            })
            .transpose()
            .map(|text| text.filter(|text| !text.is_empty()))
    };
    Ok(Saved {
        stack_name: parameter("stack_name")?,
        region: parameter("region")?,
        profile: parameter("profile")?,
    })
}

/// Where the file is broken, without its text: a parameter may be nobody's business.
fn broken(text: &str, fault: &toml::de::Error) -> Fault {
    let before = fault.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    Fault::Broken(format!("line {line} is not the TOML expected"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As `sam deploy --guided` writes it.
    const GUIDED: &str = r#"
version = 0.1

[default.global.parameters]
stack_name = "latchkey"
region = "eu-central-1"

[default.deploy.parameters]
capabilities = "CAPABILITY_IAM"
confirm_changeset = true
resolve_s3 = true
stack_name = "latchkey-guided"
profile = "work"
parameter_overrides = "Architecture=\"arm64\""

[staging.deploy.parameters]
stack_name = ""

[production.deploy.parameters]
stack_name = 7
"#;

    fn saved(stack_name: Option<&str>, region: Option<&str>, profile: Option<&str>) -> Saved {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Saved { stack_name: own(stack_name), region: own(region), profile: own(profile) }
    }

    #[test]
    fn what_a_guided_deployment_saves_is_found() {
        let expected = saved(Some("latchkey-guided"), Some("eu-central-1"), Some("work"));
        assert_eq!(parse(GUIDED, "default"), Ok(expected));
        assert_eq!(parse(GUIDED, "staging"), Ok(Saved::default()), "an empty name is none");
        assert!(matches!(parse(GUIDED, "production"), Err(Fault::Broken(why)) if why.contains("stack_name")));
        let others = ["default", "staging", "production"];
        let Err(Fault::NoEnvironment(found)) = parse(GUIDED, "else") else { panic!("it is not there") };
        assert_eq!(found.len(), others.len());
        assert!(others.iter().all(|name| found.iter().any(|found| found == name)), "{found:?}");
        assert_eq!(parse("default = 1", "default"), Ok(Saved::default()));
        assert_eq!(parse("[default.deploy]\nparameters = 1", "default"), Ok(Saved::default()));
    }

    #[test]
    fn only_what_was_named_must_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let read = |environment| read(folder.path(), environment);
        assert_eq!(read(None), Ok(Saved::default()));
        assert!(matches!(read(Some("staging")), Err(Failure::NotFound(_))));
        std::fs::write(folder.path().join(FILE), "[production.deploy.parameters]\nstack_name = \"p\"\n")
            .unwrap();
        assert_eq!(read(None), Ok(Saved::default()));
        assert_eq!(read(Some("production")), Ok(saved(Some("p"), None, None)));
        let Err(Failure::NotFound(text)) = read(Some("staging")) else { panic!("it is not there") };
        assert!(text.contains("production"), "{text}");
        std::fs::write(folder.path().join(FILE), "[default.deploy.parameters]\nsecret = canary canary\n")
            .unwrap();
        let Err(Failure::Failed(text)) = read(None) else { panic!("it is broken") };
        assert!(text.contains("line 2") && !text.contains("canary"), "{text}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}", environment in "[a-z]{1,8}") {
            let _ = parse(&text, &environment);
        }

        #[test]
        fn any_names_come_back(stack in "\\PC{1,40}", region in "\\PC{1,20}", environment in "[A-Za-z0-9_-]{1,20}") {
            // JSON's strings of printable letters are TOML's too.
            let quoted = |text: &String| serde_json::to_string(text).unwrap();
            let (name, place) = (quoted(&stack), quoted(&region));
            let text = format!("[{environment}.deploy.parameters]\nstack_name = {name}\nregion = {place}\n");
            prop_assert_eq!(parse(&text, &environment), Ok(saved(Some(&stack), Some(&region), None)));
        }
    }
}
