//! Holds the template to what an operator is promised: data that survives, logs that are kept, alarms that can
//! ring. What policies grant is in `policy_tests`.

use std::collections::{BTreeMap, BTreeSet};

use clap::Parser as _;
use latchkey::Code;
use latchkey::app::Setting;
use serde_json::{Value, json};

use crate::commands::Cli;
use crate::functions;
use crate::template::SOURCE;

const SAMCONFIG: &str = include_str!("../../../samconfig.toml");

/// The namespace of the metrics that are read off the logs.
const NAMESPACE: &str = "Latchkey/${AWS::StackName}";

/// The metrics of AWS's own that are used, by namespace, each with the name of its dimension, if any.
const METRICS: &[(&str, &str, Option<&str>)] = &[
    ("AWS/ApiGateway", "4xx", Some("ApiId")),
    ("AWS/ApiGateway", "5xx", Some("ApiId")),
    ("AWS/ApiGateway", "Count", Some("ApiId")),
    ("AWS/ApiGateway", "Latency", Some("ApiId")),
    ("AWS/DynamoDB", "ConsumedReadCapacityUnits", Some("TableName")),
    ("AWS/DynamoDB", "ConsumedWriteCapacityUnits", Some("TableName")),
    ("AWS/Lambda", "ConcurrentExecutions", None),
    ("AWS/Lambda", "Duration", Some("FunctionName")),
    ("AWS/Lambda", "Errors", Some("FunctionName")),
    ("AWS/Lambda", "Invocations", Some("FunctionName")),
    ("AWS/Lambda", "Throttles", None),
];

struct Document(Value);

impl Document {
    fn read() -> Self {
        Self(serde_saphyr::from_str(SOURCE).unwrap())
    }

    /// The properties of every resource of a type, by logical id.
    fn all(&self, kind: &str) -> BTreeMap<&str, &Value> {
        let resources = self.0["Resources"].as_object().unwrap();
        let found = resources.iter().filter(|(_, made)| made["Type"] == kind);
        let found: BTreeMap<&str, &Value> =
            found.map(|(id, made)| (id.as_str(), &made["Properties"])).collect();
        assert!(!found.is_empty(), "no {kind}");
        found
    }

    fn properties(&self, id: &str) -> &Value {
        &self.0["Resources"][id]["Properties"]
    }

    /// The names of the metrics that filters make, each of which counts lines.
    fn own_metrics(&self) -> BTreeSet<&str> {
        let filters = self.all("AWS::Logs::MetricFilter");
        filters
            .values()
            .map(|filter| {
                let made = &filter["MetricTransformations"][0];
                assert_eq!(made["MetricNamespace"], NAMESPACE);
                assert_eq!((&made["MetricValue"], &made["Unit"]), (&json!("1"), &json!("Count")));
                assert_eq!(filter["MetricTransformations"].as_array().unwrap().len(), 1);
                made["MetricName"].as_str().unwrap()
            })
            .collect()
    }

    fn assert_metric(&self, namespace: &str, name: &str, dimension: Option<(&str, &str)>) {
        if namespace == NAMESPACE {
            assert!(self.own_metrics().contains(name), "no filter makes {name}");
            assert_eq!(dimension, None, "{name} has no dimension");
            return;
        }
        let known = (namespace, name, dimension.map(|(name, _)| name));
        assert!(METRICS.contains(&known), "{known:?}");
        let kind = match dimension {
            Some(("ApiId", _)) => "AWS::Serverless::HttpApi",
            Some(("TableName", _)) => "AWS::DynamoDB::Table",
            Some(_) => "AWS::Serverless::Function",
            None => return,
        };
        let (_, id) = dimension.unwrap();
        assert!(self.all(kind).contains_key(id), "{id} is no {kind}");
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} of {value}"))
}

#[test]
fn tables_survive_as_decided() {
    let template = Document::read();
    for (id, table) in template.all("AWS::DynamoDB::Table") {
        let (policy, protected, recovery) = match id {
            // Whatever the parameters say.
            "SecretsTable" => (json!("Retain"), json!(true), json!(true)),
            // An old copy would bring back what was revoked or used up.
            "InvitationsTable"
            | "LimitsTable"
            | "LoginSessionsTable"
            | "TokensTable"
            | "UpstreamSessionsTable" => {
                (json!("DataOnStackDeletion"), json!("DeletionProtection"), json!(false))
            }
            _ => (json!("DataOnStackDeletion"), json!("DeletionProtection"), json!("PointInTimeRecovery")),
        };
        let resource = &template.0["Resources"][id];
        assert_eq!(
            (&resource["DeletionPolicy"], &resource["UpdateReplacePolicy"]),
            (&policy, &policy),
            "{id}"
        );
        assert_eq!(table["DeletionProtectionEnabled"], protected, "{id}");
        assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], recovery, "{id}");
        assert_eq!(
            table["SSESpecification"]["SSEEnabled"],
            json!(["HasManagedEncryption", true, false]),
            "{id}"
        );
        assert_eq!(table["BillingMode"], "PAY_PER_REQUEST", "{id}");
        // A name of its own could not be made again beside a table that was retained.
        assert_eq!(table.get("TableName"), None, "{id}");
    }
    let parameters = &template.0["Parameters"];
    assert_eq!(parameters["DataOnStackDeletion"]["Default"], "Retain");
    assert_eq!(parameters["DeletionProtection"]["Default"], "true");
    assert_eq!(parameters["PointInTimeRecovery"]["Default"], "true");
}

#[test]
fn the_keyrings_key_outlives_its_stack() {
    let template = Document::read();
    let key = &template.0["Resources"]["KeyringKey"];
    assert_eq!(
        (&key["DeletionPolicy"], &key["UpdateReplacePolicy"]),
        (&json!("RetainExceptOnCreate"), &json!("Retain"))
    );
    assert_eq!(key["Properties"]["EnableKeyRotation"], true);
    assert_eq!(key["Properties"]["PendingWindowInDays"], 30);
    let alias = template.properties("KeyringAlias");
    assert_eq!(
        *alias,
        json!({ "AliasName": "alias/${AWS::StackName}-keyring", "TargetKeyId": "KeyringKey" })
    );
}

#[test]
fn every_function_logs_into_the_one_group() {
    let template = Document::read();
    let shared = &template.0["Globals"]["Function"];
    assert_eq!(shared["LoggingConfig"], json!({ "LogGroup": "FunctionLogs", "LogFormat": "JSON" }));
    assert_eq!(shared["Runtime"], "provided.al2023");
    for (id, function) in template.all("AWS::Serverless::Function") {
        assert_eq!(function.get("LoggingConfig"), None, "{id}");
        assert_eq!(template.0["Resources"][id]["Metadata"]["BuildMethod"], "rust-cargolambda", "{id}");
    }
    for (id, group) in template.all("AWS::Logs::LogGroup") {
        assert_eq!(group["RetentionInDays"], "LogRetentionDays", "{id}");
    }
}

#[test]
fn functions_end_before_whoever_waits_for_them() {
    let template = Document::read();
    let shared = template.0["Globals"]["Function"]["Timeout"].as_u64().unwrap();
    let limit = |id: &str| template.properties(id)["Timeout"].as_u64().unwrap_or(shared);
    for (id, _) in &functions::ROUTED {
        assert!(limit(id) < 30, "{id}");
    }
    assert!(limit("AuthorizerFunction") <= 10);
}

#[test]
fn the_access_log_holds_nothing_that_a_client_may_have_put_a_secret_into() {
    let template = Document::read();
    let settings = &template.properties("HttpApi")["AccessLogSettings"];
    assert_eq!(settings["DestinationArn"], "AccessLogs.Arn");
    // The one that is no text.
    let line = text(settings, "Format").replace("$context.status", "200");
    let line: BTreeMap<String, Value> = serde_json::from_str(&line).unwrap();
    let logged: BTreeSet<&str> = line.values().filter_map(Value::as_str).collect();
    let harmless = [
        "$context.error.responseType",
        "$context.identity.sourceIp",
        "$context.integration.error",
        "$context.integrationLatency",
        "$context.integrationStatus",
        "$context.requestId",
        "$context.requestTime",
        "$context.responseLatency",
        "$context.responseLength",
        "$context.routeKey",
    ];
    assert_eq!(logged, BTreeSet::from(harmless));
}

#[test]
fn browsers_are_let_in_only_where_the_operator_says() {
    let template = Document::read();
    let cors = &template.properties("HttpApi")["CorsConfiguration"];
    assert_eq!((&cors[0], &cors[2]), (&json!("HasCors"), &json!("AWS::NoValue")));
    assert_eq!(cors[1]["AllowOrigins"], json!([",", "CorsOrigins"]));
    assert_eq!(cors[1].get("AllowCredentials"), None);
    assert_eq!(template.0["Parameters"]["CorsOrigins"]["Default"], "");
    assert!(!text(&template.0["Parameters"]["CorsOrigins"], "AllowedPattern").contains("\\*"));
}

#[test]
fn filters_read_what_is_logged() {
    let template = Document::read();
    let patterns: BTreeMap<&str, (&str, &str)> = template
        .all("AWS::Logs::MetricFilter")
        .into_iter()
        .map(|(id, filter)| (id, (text(filter, "LogGroupName"), text(filter, "FilterPattern"))))
        .collect();
    let any_of = |codes: &[Code]| {
        let is_server_error = |code: &Code| code.status() >= 500;
        assert_eq!(codes.iter().all(is_server_error), codes.iter().any(is_server_error));
        codes.iter().map(|code| format!(r#"$.code = "{}""#, code.name())).collect::<Vec<_>>().join(" || ")
    };
    let of_request = |condition: &str| format!(r#"{{ $.message = "request" && {condition} }}"#);
    let upstreams =
        any_of(&[Code::UpstreamError, Code::UpstreamTimeout, Code::ProxyUnavailable, Code::ResponseTooLarge]);
    let throttled = ["Throttl", "ThroughputExceeded", "RequestLimitExceeded", "unprocessed"];
    let throttled = throttled.map(|name| format!(r#"$.cause = "*{name}*""#)).join(" || ");
    let expected: [(&str, &str, String); 10] = [
        (
            "FunctionFailuresFilter",
            "FunctionLogs",
            r#"{ $.type = "platform.report" && $.record.status != "success" }"#.into(),
        ),
        ("KmsFailuresFilter", "FunctionLogs", r#"{ $.cause = "*KMS*" }"#.into()),
        ("RefreshReusesFilter", "FunctionLogs", of_request(&any_of(&[Code::RefreshReused]))),
        (
            "ServerErrorsAtApiFilter",
            "AccessLogs",
            r#"{ $.status >= 500 && $.integration_error != "-" }"#.into(),
        ),
        (
            "ServerErrorsFilter",
            "FunctionLogs",
            format!("{{ {} }}", any_of(&[Code::Internal, Code::Unavailable])),
        ),
        ("SignInThrottlesFilter", "FunctionLogs", of_request(&any_of(&[Code::TooManyAttempts]))),
        ("SlowRequestsFilter", "FunctionLogs", of_request("$.millis >= 20000")),
        (
            "ThrottlesAtApiFilter",
            "AccessLogs",
            r#"{ ($.status = 429 && $.integration_status = "-") || $.integration_status = "429" }"#.into(),
        ),
        ("ThrottlesFilter", "FunctionLogs", format!("{{ {throttled} }}")),
        (
            "UpstreamFailuresFilter",
            "FunctionLogs",
            of_request(&format!("$.status >= 500 && ($.code NOT EXISTS || {upstreams})")),
        ),
    ];
    let expected: BTreeMap<&str, (&str, &str)> =
        expected.iter().map(|(id, group, pattern)| (*id, (*group, pattern.as_str()))).collect();
    assert_eq!(patterns, expected);
    for (id, filter) in template.all("AWS::Logs::MetricFilter") {
        let metric = text(&filter["MetricTransformations"][0], "MetricName");
        let of_id = id.strip_suffix("Filter").unwrap();
        assert_eq!(of_id.strip_suffix("AtApi").unwrap_or(of_id), metric);
    }
}

#[test]
fn every_alarm_watches_a_metric_that_exists_and_says_what_to_do() {
    let template = Document::read();
    let actions = json!([
        ["HasAlarmTopic", "AlarmTopicArn", "AWS::NoValue"],
        ["HasAlarmEmail", "AlarmTopic", "AWS::NoValue"],
    ]);
    let mut watched = BTreeSet::new();
    for (id, alarm) in template.all("AWS::CloudWatch::Alarm") {
        let dimension = alarm.get("Dimensions").map(|dimensions| {
            assert_eq!(dimensions.as_array().unwrap().len(), 1, "{id}");
            (text(&dimensions[0], "Name"), text(&dimensions[0], "Value"))
        });
        let metric = text(alarm, "MetricName");
        template.assert_metric(text(alarm, "Namespace"), metric, dimension);
        watched.insert(metric);
        assert_eq!((text(alarm, "Statistic"), &alarm["EvaluationPeriods"]), ("Sum", &json!(1)), "{id}");
        assert!(text(alarm, "AlarmDescription").ends_with(" See docs/operating.md."), "{id}");
        assert_eq!((&alarm["AlarmActions"], &alarm["OKActions"]), (&actions, &actions), "{id}");
        // Counters are absent where nothing happened; a run of the rotation is never absent.
        let is_rotation = id == "RotationAlarm";
        assert_eq!(alarm["TreatMissingData"], if is_rotation { "missing" } else { "notBreaching" }, "{id}");
        assert_eq!(alarm.get("InsufficientDataActions"), is_rotation.then_some(&actions), "{id}");
    }
    // What upstreams do wrong is shown, and nothing that this stack's operator could mend.
    let unwatched: Vec<&str> = template.own_metrics().difference(&watched).copied().collect();
    assert_eq!(unwatched, ["UpstreamFailures"]);
}

#[test]
fn the_rotation_runs_daily_and_rings_when_every_try_has_failed() {
    let template = Document::read();
    let rotate = template.properties("RotateFunction");
    let events = rotate["Events"].as_object().unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(text(&events["Daily"], "Type"), "Schedule");
    assert_eq!(text(&events["Daily"]["Properties"], "Schedule"), "rate(1 day)");
    let tries = rotate["EventInvokeConfig"]["MaximumRetryAttempts"].as_u64().unwrap() + 1;
    let alarm = template.properties("RotationAlarm");
    assert_eq!((alarm["Threshold"].as_u64(), alarm["Period"].as_u64()), (Some(tries), Some(24 * 60 * 60)));
    let days = &template.0["Parameters"][format!("{:?}", Setting::RotationDays)];
    // Purposes whose old keys are read for ever keep a hundred versions at most.
    assert!(days["MinValue"].as_u64().unwrap() >= 30);
}

#[test]
fn the_dashboard_shows_every_function_and_alarm() {
    let template = Document::read();
    let body: Value =
        serde_json::from_str(text(template.properties("OverviewDashboard"), "DashboardBody")).unwrap();
    let widgets = body["widgets"].as_array().unwrap();
    let mut shown = BTreeMap::<String, BTreeSet<String>>::new();
    for widget in widgets.iter().filter(|widget| widget["type"] == "metric") {
        let mut last: Vec<Value> = Vec::new();
        for metric in widget["properties"]["metrics"].as_array().unwrap() {
            let mut parts = metric.as_array().unwrap().clone();
            parts.retain(Value::is_string);
            // "..." stands for all of the line before, "." for its part in the same place.
            if parts == [json!("...")] {
                parts.clone_from(&last);
            }
            for (part, before) in parts.iter_mut().zip(&last) {
                if *part == json!(".") {
                    part.clone_from(before);
                }
            }
            let texts: Vec<&str> = parts.iter().filter_map(Value::as_str).collect();
            let id = texts.get(3).map(|text| text.trim_start_matches("${").trim_end_matches('}'));
            template.assert_metric(texts[0], texts[1], texts.get(2).copied().zip(id));
            shown.entry(texts[1].to_owned()).or_default().extend(id.map(ToOwned::to_owned));
            last = parts;
        }
    }
    let functions: BTreeSet<String> = functions::all().map(|(id, _)| id.to_owned()).collect();
    for metric in ["Invocations", "Errors", "Duration"] {
        assert_eq!(shown[metric], functions, "{metric}");
    }
    let tables: BTreeSet<String> =
        template.all("AWS::DynamoDB::Table").into_keys().map(ToOwned::to_owned).collect();
    for metric in ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits"] {
        assert_eq!(shown[metric], tables, "{metric}");
    }
    assert!(template.own_metrics().into_iter().all(|name| shown.contains_key(name)));
    let alarms: BTreeSet<&str> = widgets
        .iter()
        .filter_map(|widget| widget["properties"]["alarms"].as_array())
        .flatten()
        .filter_map(Value::as_str)
        .map(|arn| arn.trim_start_matches("${").trim_end_matches(".Arn}"))
        .collect();
    assert_eq!(alarms, template.all("AWS::CloudWatch::Alarm").into_keys().collect());
}

#[test]
fn only_authorizers_of_the_account_may_call_the_authorizer() {
    let template = Document::read();
    let permissions = template.all("AWS::Lambda::Permission");
    let expected = json!({
        "Action": "lambda:InvokeFunction",
        "FunctionName": "AuthorizerFunction.Arn",
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:*/authorizers/*",
    });
    assert_eq!(permissions, BTreeMap::from([("AuthorizerPermission", &expected)]));
    let export = &template.0["Outputs"]["AuthorizerArn"];
    assert_eq!(
        (&export["Value"], text(&export["Export"], "Name")),
        (&json!("AuthorizerFunction.Arn"), "${AWS::StackName}-AuthorizerArn")
    );
    let example: Value =
        serde_saphyr::from_str(include_str!("../../../docs/authorizer-example.yaml")).unwrap();
    let attached = &example["Resources"]["HttpApi"]["Properties"]["Auth"]["Authorizers"]["Latchkey"];
    assert_eq!(attached["FunctionArn"]["Fn::ImportValue"], "${LatchkeyStack}-AuthorizerArn");
    assert_eq!(attached["Identity"], json!({ "ReauthorizeEvery": 0 }));
}

#[test]
fn the_commands_that_the_outputs_name_can_be_typed() {
    let template = Document::read();
    let outputs = template.0["Outputs"].as_object().unwrap();
    let next = outputs.iter().filter(|(name, _)| name.starts_with("Next"));
    let mut typed = Vec::new();
    for (name, output) in next {
        let command = text(output, "Value")
            .replace("${AWS::StackName}", "latchkey")
            .replace("${AWS::Region}", "eu-central-1");
        let parsed = Cli::try_parse_from(command.split(' '));
        assert!(parsed.is_ok(), "{name}: {command}: {parsed:?}");
        typed.push(name.as_str());
    }
    typed.sort_unstable();
    assert_eq!(typed, ["NextMakeSecrets", "NextMakeUser"]);
}

#[test]
fn every_parameter_is_explained_bounded_and_used() {
    let template = Document::read();
    let parameters = template.0["Parameters"].as_object().unwrap();
    let groups =
        template.0["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].as_array().unwrap();
    let mut grouped: Vec<&str> = groups
        .iter()
        .flat_map(|group| group["Parameters"].as_array().unwrap())
        .filter_map(Value::as_str)
        .collect();
    grouped.sort_unstable();
    let mut names: Vec<&str> = parameters.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(grouped, names);
    for (name, parameter) in parameters {
        assert!(text(parameter, "Description").ends_with('.'), "{name}");
        assert!(parameter.get("Default").is_some(), "{name}: a first deployment must ask nothing");
        let bounded = ["AllowedPattern", "MinValue"].iter().any(|bound| parameter.get(*bound).is_some());
        assert!(bounded || parameter.get("AllowedValues").is_some(), "{name}");
        assert!(!bounded || parameter.get("ConstraintDescription").is_some(), "{name}");
        assert!(SOURCE.contains(&format!("!Ref {name}")), "{name} is not used");
    }
}

#[test]
fn samconfig_gives_parameters_what_they_take() {
    let template = Document::read();
    let given = SAMCONFIG.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\","));
    let mut count = 0;
    for (name, value) in given.map(|pair| pair.split_once('=').unwrap()) {
        let allowed = template.0["Parameters"][name]["AllowedValues"].as_array().unwrap();
        let is_value = |one: &Value| one.as_str().map_or_else(|| one.to_string(), ToOwned::to_owned) == value;
        assert!(allowed.iter().any(is_value), "{name}={value}");
        count += 1;
    }
    assert_eq!(count, 8);
    for environment in ["default", "staging", "production"] {
        // Cached, SAM would ship stale code after a change in shared/.
        let build = format!("[{environment}.build.parameters]");
        let settings = SAMCONFIG.split_once(&build).unwrap().1.split_once("\n[").unwrap().0;
        assert!(settings.lines().any(|line| line == "cached = false"), "{environment}");
    }
}
