//! The operator's commands on a deployed stack: what `sam deploy --guided` leaves behind, an embedded DynamoDB whose
//! tables have generated names, and small stand-ins for KMS, for AWS's refusals and for the AWS command line.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at what does not hold")]

use std::convert::Infallible;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use dynoxide::actions::create_table::CreateTableRequest;
use dynoxide::actions::scan::ScanRequest;
use dynoxide::types::{AttributeDefinition, KeySchemaElement, KeyType, ScalarAttributeType};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use latchkey_cli::template::Template;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;

const STACK: &str = "latchkey-guided";

/// As `sam deploy --guided` leaves it.
const SAMCONFIG: &str = r#"version = 0.1

[default.global.parameters]
stack_name = "latchkey"
region = "eu-central-1"

[default.deploy.parameters]
stack_name = "latchkey-guided"
confirm_changeset = true
profile = "work"

[other.deploy.parameters]
stack_name = "nowhere"
region = "eu-central-1"
"#;

const PROFILES: &str = "\
[profile work]
sso_session = mine
region = us-west-2

[profile process]
credential_process = PRINT
region = eu-central-1

[profile keys]
aws_access_key_id = AKIDKEYS
aws_secret_access_key = canary-secret
region = eu-central-1
";

/// The AWS command line, as far as it is asked.
const AWS: &str = r#"#!/bin/sh
if [ "$*" != "configure export-credentials --profile work --format process" ]; then
    echo "what is: $*?" >&2
    exit 9
fi
echo '{"Version": 1, "AccessKeyId": "ASIAFROMCLI", "SecretAccessKey": "canary-secret",
    "SessionToken": "canary-token", "Expiration": "2100-01-01T00:00:00Z", "AccountId": "111122223333"}'
"#;

/// What a stand-in was asked: the action, the authorization and the body.
type Asked = Arc<Mutex<Vec<(String, String, Value)>>>;

/// Answers an action of AWS's JSON protocols.
type Answer = fn(&str, &Value) -> (u16, Value);

/// Answers as KMS does: a ciphertext opens only with the key and the encryption context it was made with.
fn kms(action: &str, body: &Value) -> (u16, Value) {
    const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/one";
    if body["KeyId"] != "alias/latchkey-guided-keyring" {
        let message = format!("Alias {} is not found.", body["KeyId"]);
        return (400, json!({"__type": "NotFoundException", "message": message}));
    }
    let seal = |plain: &str| STANDARD.encode(format!("{}|{plain}", body["EncryptionContext"]));
    match action {
        "TrentService.GenerateDataKey" => {
            let plain = STANDARD.encode([uuid::Uuid::new_v4().into_bytes(), [7; 16]].concat());
            (200, json!({"KeyId": KEY, "CiphertextBlob": seal(&plain), "Plaintext": plain}))
        }
        "TrentService.Decrypt" => {
            let sealed = STANDARD.decode(body["CiphertextBlob"].as_str().unwrap()).unwrap();
            let sealed = String::from_utf8(sealed).unwrap();
            let plain = sealed.rsplit('|').next().unwrap();
            assert_eq!(seal(plain), body["CiphertextBlob"]);
            (200, json!({"KeyId": KEY, "Plaintext": plain}))
        }
        _ => panic!("{action}"),
    }
}

/// A stand-in, and what it is asked.
async fn serve(answer: Answer) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Asked::default();
    let shared = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let asked = Arc::clone(&shared);
            let service = service_fn(move |request: http::Request<Incoming>| {
                let asked = Arc::clone(&asked);
                async move {
                    let header = |name| request.headers()[name].to_str().unwrap().to_owned();
                    let (action, authorization) = (header("x-amz-target"), header("authorization"));
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    let body: Value = serde_json::from_slice(&body).unwrap();
                    let (status, answer) = answer(&action, &body);
                    asked.lock().unwrap().push((action, authorization, body));
                    let answer = Full::new(Bytes::from(answer.to_string()));
                    Ok::<_, Infallible>(http::Response::builder().status(status).body(answer).unwrap())
                }
            });
            let server = hyper::server::conn::http1::Builder::new();
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    (url, asked)
}

/// What CloudFormation calls the tables of the stack.
const SUFFIX: &str = "1A2B3C4D5E6F";

/// A database with the tables of `stack`, as CloudFormation names them, once for each of `suffixes`.
async fn database(stack: &str, suffixes: &[&str]) -> (String, dynoxide::Database) {
    let engine = dynoxide::Database::memory().unwrap();
    for suffix in suffixes {
        create_tables(&engine, stack, suffix);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(dynoxide::server::serve_on(listener, engine.clone()));
    (url, engine)
}

fn create_tables(engine: &dynoxide::Database, stack: &str, suffix: &str) {
    for table in Template::compiled_in().unwrap().tables {
        let keys: Vec<_> = std::iter::once((&table.partition_key, KeyType::HASH))
            .chain(table.sort_key.iter().map(|key| (key, KeyType::RANGE)))
            .collect();
        let element = |(name, kind): &(&String, KeyType)| KeySchemaElement {
            attribute_name: (*name).clone(),
            key_type: kind.clone(),
        };
        let attribute = |(name, _): &(&String, KeyType)| AttributeDefinition {
            attribute_name: (*name).clone(),
            attribute_type: ScalarAttributeType::S,
        };
        let request = CreateTableRequest {
            table_name: format!("{stack}-{}-{suffix}", table.logical_id),
            key_schema: keys.iter().map(element).collect(),
            attribute_definitions: keys.iter().map(attribute).collect(),
            ..CreateTableRequest::default()
        };
        engine.create_table(request).unwrap();
    }
}

/// The folder that an operator works in, and what answers there in place of AWS.
struct Desk {
    folder: tempfile::TempDir,
    dynamodb: String,
    engine: dynoxide::Database,
    kms: String,
    cloudformation: String,
    /// What KMS was asked.
    asked: Asked,
}

impl Desk {
    async fn new() -> Self {
        let (kms, asked) = serve(kms).await;
        let (dynamodb, engine) = database(STACK, &[SUFFIX]).await;
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
            dynamodb,
            engine,
            kms,
            cloudformation: cloudformation().await,
            asked,
        };
        desk.write("samconfig.toml", SAMCONFIG);
        desk.write("config", &PROFILES.replace("PRINT", desk.path("print").to_str().unwrap()));
        desk.program("aws", AWS);
        desk
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn program(&self, name: &str, script: &str) {
        self.write(name, script);
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(self.path(name), mode).unwrap();
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(&[], arguments).await
    }

    async fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
        let done = Command::new(env!("CARGO_BIN_EXE_latchkey"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", self.folder.path())
            .env("HOME", self.folder.path())
            .env("AWS_CONFIG_FILE", self.path("config"))
            .env("AWS_ENDPOINT_URL_DYNAMODB", &self.dynamodb)
            .env("AWS_ENDPOINT_URL_KMS", &self.kms)
            .env("AWS_ENDPOINT_URL_CLOUDFORMATION", &self.cloudformation)
            .envs(variables.iter().copied())
            .output()
            .await
            .unwrap();
        for secret in ["canary-secret", "canary-token"] {
            assert!(!text(&done.stdout).contains(secret) && !text(&done.stderr).contains(secret), "{done:?}");
        }
        done
    }

    async fn json(&self, arguments: &[&str]) -> (Value, String) {
        let done = self.run(&[arguments, &["--json"]].concat()).await;
        assert!(done.status.success(), "{arguments:?}: {}", text(&done.stderr));
        (serde_json::from_slice(&done.stdout).unwrap(), text(&done.stderr))
    }

    /// Runs a command that must fail; its exit code and what it says.
    async fn refused(&self, variables: &[(&str, &str)], arguments: &[&str]) -> (i32, String) {
        let done = self.run_with(variables, arguments).await;
        assert!(!done.status.success(), "{arguments:?}: {}", text(&done.stdout));
        (done.status.code().unwrap(), text(&done.stderr))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_guided_deployment_there_is_nothing_else_to_say() {
    let desk = Desk::new().await;

    let (early, notes) = desk.json(&["user", "create", "early@example.com"]).await;
    assert!(early["id"].as_str().unwrap().starts_with("usr_"), "{early}");
    assert!(notes.contains("503") && notes.contains("latchkey secrets init"), "{notes}");

    // Twice at once: each key is made by one of them.
    let (one, two) = tokio::join!(desk.json(&["secrets", "init"]), desk.json(&["secrets", "init"]));
    let mut made = [names(&one.0["created"]), names(&two.0["created"])].concat();
    made.sort_unstable();
    assert_eq!(made.len(), 10, "{one:?} {two:?}");
    assert!(made.windows(2).all(|pair| pair[0] < pair[1]), "{made:?}");
    let notes: Value = serde_json::from_str(one.1.trim()).unwrap();
    let note = notes["note"].as_str().unwrap();
    for said in [STACK, "eu-central-1", "account 111122223333", "profile work", "samconfig.toml"] {
        assert!(note.contains(said), "{note}");
    }

    let again = desk.run(&["secrets", "init"]).await;
    let told = text(&again.stdout);
    assert!(told.contains("nothing was done") && told.contains("latchkey user create"), "{told}");

    let (made, notes) = desk.json(&["user", "create", "ada@example.com"]).await;
    assert!(made["password"].as_str().unwrap().len() >= 20, "{made}");
    assert!(!notes.contains("503"), "{notes}");

    let (rotated, _) = desk.json(&["secrets", "rotate", "jwt-signing"]).await;
    assert_eq!(rotated[0]["purpose"], "jwt-signing");

    for (action, authorization, body) in desk.asked.lock().unwrap().iter() {
        let scope = "Credential=ASIAFROMCLI/";
        assert!(
            authorization.contains(scope) && authorization.contains("/eu-central-1/kms/"),
            "{authorization}"
        );
        assert_eq!(body["KeyId"], format!("alias/{STACK}-keyring"), "{action}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_of_proxies_is_sealed_by_the_stacks_own_key_and_needs_it_for_nothing_else() {
    let desk = Desk::new().await;
    desk.write(
        "pool",
        "# at home\nhttp://me-{session}:canary-secret@proxy.example.com:3128\n\nsocks5h://10.0.0.7:1080\n",
    );
    let members = json!(["http://proxy.example.com:3128", "socks5://10.0.0.7:1080"]);
    let set = ["proxy-pool", "set", "home", "--file", "pool"];
    let made = json!({ "id": "home", "members": members, "created": true });
    assert_eq!(desk.json(&set).await.0, made);
    assert_eq!(desk.json(&set).await.0["created"], false);
    let (listed, _) = desk.json(&["proxy-pool", "list"]).await;
    assert_eq!(
        (&listed[0]["id"], &listed[0]["members"], &listed[1]),
        (&json!("home"), &members, &Value::Null)
    );
    assert_eq!(desk.json(&["proxy-pool", "delete", "home"]).await.0, json!({ "id": "home" }));
    assert_eq!(desk.refused(&[], &["proxy-pool", "delete", "home"]).await.0, 3);

    let asked = desk.asked.lock().unwrap();
    assert_eq!(asked.len(), 2);
    for (action, _, body) in asked.iter() {
        assert_eq!(action, "TrentService.GenerateDataKey");
        assert_eq!(body["KeyId"], format!("alias/{STACK}-keyring"));
        assert_eq!(body["EncryptionContext"], json!({ "purpose": "stored-credentials" }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_say_what_to_copy_next() {
    let desk = Desk::new().await;
    let process = r#"#!/bin/sh
echo '{"Version": 1, "AccessKeyId": "ASIAPROCESS", "SecretAccessKey": "canary-secret"}'
"#;
    desk.program("print", process);
    let flags = ["--stack-name", STACK, "--region", "eu-west-3", "--profile", "process"];
    let done = desk.run(&[&flags[..], &["secrets", "init"]].concat()).await;
    assert!(done.status.success(), "{}", text(&done.stderr));
    let next = format!("latchkey {} user create", flags.join(" "));
    assert!(text(&done.stdout).contains(&next), "{}", text(&done.stdout));
    assert_eq!(text(&done.stderr), "", "what is said on the command line is not said again");
    let asked = desk.asked.lock().unwrap();
    assert!(asked.iter().all(|(_, authorization, _)| authorization.contains("Credential=ASIAPROCESS/")));
    assert!(asked.iter().all(|(_, authorization, _)| authorization.contains("/eu-west-3/kms/")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_is_told_with_what_to_do() {
    let desk = Desk::new().await;
    let keys = ["--profile", "keys"];
    let with = |arguments: &[&'static str]| [&keys[..], arguments].concat();

    let (code, told) = desk.refused(&[], &with(&["--stack-name", "typo", "user", "list"])).await;
    assert!(code == 3 && told.contains("typo in eu-central-1") && told.contains(STACK), "{told}");
    let (code, told) = desk.refused(&[], &with(&["--config-env", "other", "secrets", "init"])).await;
    assert!(code == 3 && told.contains("nowhere") && told.contains(STACK), "{told}");
    let (code, told) = desk.refused(&[("SAM_CONFIG_ENV", "staging")], &with(&["user", "list"])).await;
    assert!(code == 3 && told.contains("no environment staging"), "{told}");

    let (code, told) = desk.refused(&[], &with(&["secrets", "init", "--master-key", "m"])).await;
    assert!(code == 2 && told.contains("local stacks"), "{told}");
    assert!(!desk.path("m").exists(), "and no key is made that wraps nothing");
    let (code, told) = desk.refused(&[], &with(&["secrets", "rotate"])).await;
    assert!(code == 3 && told.contains("latchkey --profile keys secrets init"), "{told}");
    let (code, told) = desk.refused(&[], &with(&["secrets", "init", "--kms-key-id", "alias/other"])).await;
    assert!(code == 1 && told.contains("alias/other") && told.contains("KeyringKeyArn"), "{told}");

    let (code, told) =
        desk.refused(&[("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")], &with(&["user", "list"])).await;
    assert!(code == 1 && told.contains("there is no answer"), "{told}");

    desk.write("samconfig.toml", "version = 0.1\n");
    let (code, told) = desk.refused(&[], &with(&["secrets", "init"])).await;
    assert!(code == 2 && told.contains("--stack-name") && told.contains(STACK), "{told}");
    let (code, told) = desk
        .refused(
            &[("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b"), ("AWS_ENDPOINT_URL_DYNAMODB", "")],
            &["user", "list"],
        )
        .await;
    assert!(code == 2 && told.contains("--region"), "{told}");
    let (code, told) = desk.refused(&[], &["user", "list"]).await;
    assert!(code == 1 && told.contains("there are no AWS credentials"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_aws_refuses_is_told_by_its_name() {
    let desk = Desk::new().await;
    let list = ["--profile", "keys", "user", "list"];
    let refusals: [(Answer, &str); 3] = [
        (
            |_, _| {
                let message = "User: arn:aws:iam::111122223333:user/x is not authorized to perform: \
                               dynamodb:ListTables on resource: *";
                (400, json!({"__type": "com.amazon.coral.service#AccessDeniedException", "Message": message}))
            },
            "may not do dynamodb:ListTables",
        ),
        (
            |_, _| {
                (400, json!({"__type": "com.amazon.coral.service#ExpiredTokenException", "message": "old"}))
            },
            "have expired",
        ),
        (
            |_, _| {
                (
                    400,
                    json!({"__type": "com.amazon.coral.service#UnrecognizedClientException", "message": "?"}),
                )
            },
            "does not know these credentials",
        ),
    ];
    for (answer, expected) in refusals {
        let (url, _) = serve(answer).await;
        let (code, told) = desk.refused(&[("AWS_ENDPOINT_URL_DYNAMODB", &url)], &list).await;
        assert!(code == 1 && told.contains(expected), "{told}");
    }
    let (url, _) = serve(|action, _| {
        let message = format!(
            "not authorized to perform: {} on this resource",
            action.replace("TrentService.", "kms:")
        );
        (400, json!({"__type": "AccessDeniedException", "message": message}))
    })
    .await;
    let init = ["--profile", "keys", "secrets", "init"];
    let (code, told) = desk.refused(&[("AWS_ENDPOINT_URL_KMS", &url)], &init).await;
    assert!(code == 1 && told.contains("may not do kms:GenerateDataKey"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_aws_command_line_that_does_not_help_is_no_dead_end() {
    let desk = Desk::new().await;
    for (script, expected) in [
        ("#!/bin/sh\necho 'The SSO session has expired' >&2\nexit 255\n", "The SSO session has expired"),
        ("#!/bin/sh\necho 'canary-secret'\n", "printed what is no credentials"),
    ] {
        desk.program("aws", script);
        let (code, told) = desk.refused(&[], &["secrets", "init"]).await;
        assert!(
            code == 1 && told.contains(expected) && told.contains("aws sso login --profile work"),
            "{told}"
        );
    }
    std::fs::remove_file(desk.path("aws")).unwrap();
    let (code, told) = desk.refused(&[], &["secrets", "init"]).await;
    assert!(code == 1 && told.contains("the AWS command line is not installed"), "{told}");
    assert!(!Path::new(&desk.path("print")).exists());
    let (code, told) = desk.refused(&[], &["--profile", "process", "secrets", "init"]).await;
    assert!(code == 1 && told.contains("credential_process is not installed"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emulator_is_not_taken_for_the_stack_that_sam_saved() {
    let desk = Desk::new().await;
    let endpoint = ["--endpoint-url", &desk.dynamodb];
    let (code, told) = desk.refused(&[], &[&endpoint[..], &["user", "list"]].concat()).await;
    assert!(code == 1 && told.contains("a table is not there"), "local tables are meant: {told}");
    let deployed = [&endpoint[..], &["--stack-name", STACK, "user", "list"]].concat();
    assert!(desk.run(&deployed).await.status.success());
    let both = [&endpoint[..], &["--config-env", "default", "user", "list"]].concat();
    assert_eq!(desk.refused(&[], &both).await.0, 2);
    let (code, told) = desk.refused(&[], &[&endpoint[..], &["secrets", "init"]].concat()).await;
    assert!(code == 2 && told.contains("--master-key"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_are_named_one_by_one_are_taken() {
    let desk = Desk::new().await;
    let named: Vec<_> = Template::compiled_in()
        .unwrap()
        .tables
        .iter()
        .map(|table| (table.variable(), format!("{STACK}-{}-{SUFFIX}", table.logical_id)))
        .collect();
    let mut variables: Vec<_> = named.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    variables.push(("LATCHKEY_KMS_KEY_ID", "alias/latchkey-guided-keyring"));
    desk.write("samconfig.toml", &SAMCONFIG.replace(STACK, "nowhere"));
    let done = desk.run_with(&variables, &["secrets", "init"]).await;
    assert!(done.status.success(), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains("Made the keys of"), "{}", text(&done.stdout));
}

/// CloudFormation, as far as it is asked: the stack's parameters, and its tables in two pages.
async fn cloudformation() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(|request: http::Request<Incoming>| async {
                let body = text(&request.into_body().collect().await.unwrap().to_bytes());
                assert!(body.contains(STACK), "{body}");
                let answer = if body.contains("Action=DescribeStacks") {
                    PARAMETERS.to_owned()
                } else {
                    assert!(body.contains("Action=ListStackResources"), "{body}");
                    resources(body.contains("NextToken=second"))
                };
                let answer = Full::new(Bytes::from(answer));
                Ok::<_, Infallible>(http::Response::new(answer))
            });
            let server = hyper::server::conn::http1::Builder::new();
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    url
}

const PARAMETERS: &str = "<DescribeStacksResponse><DescribeStacksResult><Stacks><member>\
    <StackName>latchkey-guided</StackName><StackStatus>UPDATE_COMPLETE</StackStatus>\
    <CreationTime>2026-01-01T00:00:00Z</CreationTime><Parameters>\
    <member><ParameterKey>RotationDays</ParameterKey><ParameterValue>365</ParameterValue></member>\
    <member><ParameterKey>ActivityDays</ParameterKey><ParameterValue>7</ParameterValue></member>\
    </Parameters></member></Stacks></DescribeStacksResult></DescribeStacksResponse>";

fn resources(is_second: bool) -> String {
    let member = |id: &str, suffix: &str, status: &str| {
        format!(
            "<member><LogicalResourceId>{id}</LogicalResourceId>\
             <PhysicalResourceId>{STACK}-{id}-{suffix}</PhysicalResourceId>\
             <ResourceType>AWS::DynamoDB::Table</ResourceType><ResourceStatus>{status}</ResourceStatus>\
             <LastUpdatedTimestamp>2026-01-01T00:00:00Z</LastUpdatedTimestamp></member>"
        )
    };
    let tables = Template::compiled_in().unwrap().tables;
    let half = tables.len() / 2;
    let (members, next) = if is_second {
        let kept = member("SecretsTable", "OLD", "DELETE_COMPLETE");
        let rest: String =
            tables[half..].iter().map(|table| member(&table.logical_id, SUFFIX, "CREATE_COMPLETE")).collect();
        (rest + &kept, "")
    } else {
        let first = tables[..half].iter();
        let first = first.map(|table| member(&table.logical_id, SUFFIX, "UPDATE_COMPLETE"));
        (first.collect(), "<NextToken>second</NextToken>")
    };
    format!(
        "<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries>{members}\
         </StackResourceSummaries>{next}</ListStackResourcesResult></ListStackResourcesResponse>"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_outlived_an_earlier_stack_are_not_taken() {
    let mut desk = Desk::new().await;
    (desk.dynamodb, desk.engine) = database(STACK, &["OLD", SUFFIX, "ZULU"]).await;
    let keys = ["--profile", "keys", "user", "list"];
    let nowhere = [("AWS_ENDPOINT_URL_CLOUDFORMATION", "http://127.0.0.1:9")];
    let (code, told) = desk.refused(&nowhere, &keys).await;
    assert!(
        code == 1 && told.contains("cloudformation:ListStackResources") && told.contains("-OLD"),
        "{told}"
    );

    let made = desk.run(&["secrets", "init"]).await;
    assert!(made.status.success(), "{}", text(&made.stderr));
    // What was made is in the stack's own table.
    let table = format!("{STACK}-SecretsTable-{SUFFIX}");
    let named = [
        ("LATCHKEY_TABLE_SECRETS", table.as_str()),
        ("LATCHKEY_KMS_KEY_ID", "alias/latchkey-guided-keyring"),
    ];
    let again = desk.run_with(&named, &["--profile", "keys", "secrets", "init"]).await;
    assert!(text(&again.stdout).contains("nothing was done"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_logs_is_kept_as_long_as_the_stack_says() {
    let desk = Desk::new().await;
    let keys = ["--profile", "keys", "--json", "user", "create"];
    let unreachable = ("AWS_ENDPOINT_URL_CLOUDFORMATION", "http://127.0.0.1:9");
    let kept_for = async |email: &str, variables: &[(&str, &str)]| {
        let done = desk.run_with(variables, &[&keys[..], &[email]].concat()).await;
        let made: Value = serde_json::from_slice(&done.stdout).unwrap();
        (days_of_log(&desk.engine, made["id"].as_str().unwrap()), text(&done.stderr))
    };
    let (days, notes) = kept_for("a@example.com", &[]).await;
    assert!(days == 7 && !notes.contains("ActivityDays"), "{days}: {notes}");
    let (days, notes) = kept_for("b@example.com", &[unreachable]).await;
    assert!(days == 90 && notes.contains("cloudformation:DescribeStacks"), "{days}: {notes}");
    let named = ("LATCHKEY_ACTIVITY_DAYS", "30");
    let (days, notes) = kept_for("c@example.com", &[unreachable, named]).await;
    assert!(days == 30 && !notes.contains("ActivityDays"), "{days}: {notes}");
    // What logs nothing does not ask.
    let listed = desk.run_with(&[unreachable], &["--profile", "keys", "user", "list"]).await;
    assert!(listed.status.success() && !text(&listed.stderr).contains("ActivityDays"), "{listed:?}");
    let (code, told) = desk.refused(&[("LATCHKEY_ACTIVITY_DAYS", "0")], &["user", "list"]).await;
    assert!(code == 2 && told.contains("from 1 to 3650"), "{told}");
}

/// For how many days the log keeps that the user was made.
fn days_of_log(engine: &dynoxide::Database, user: &str) -> i64 {
    let table_name = format!("{STACK}-ActivityTable-{SUFFIX}");
    let request = ScanRequest { table_name, ..ScanRequest::default() };
    let items = serde_json::to_value(engine.scan(request).unwrap()).unwrap();
    let number = |value: &Value| value["N"].as_str().unwrap().parse::<i64>().unwrap();
    let items = items["Items"].as_array().unwrap();
    let entry = items.iter().find(|item| item["target"]["M"]["id"]["S"] == user).unwrap();
    assert_eq!(entry["action"]["S"], "user.created");
    (number(&entry["ttl"]) - number(&entry["at"]) / 1_000_000) / 86_400
}
