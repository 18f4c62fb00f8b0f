//! What a person is shown at the start: commands to copy, that lead the whole way.

use super::Ready;

/// The text to print; every line that is no comment can be pasted into a shell, in this order.
#[must_use]
pub fn guide(ready: &Ready) -> String {
    let Ready { base_url, dynamodb_url, .. } = ready;
    let (Some(user), Some(keys), Some(demo)) = (&ready.user, &ready.keys, &ready.demo) else {
        return format!(
            "\nLatchkey runs at {base_url}\n\nMake the first user:\n\n  \
             latchkey --endpoint-url {dynamodb_url} user create you@example.com --plan pro\n"
        );
    };
    format!(
        r#"
Latchkey runs at {base_url}
The console runs at {base_url}/console: sign in there as {email} with {password}
The demo site, which requires a login, runs at {site}: its user is {username} with {site_password}
The operator's commands take --endpoint-url {dynamodb_url}

Keys of the demo user, {email}:
  account    {account_key}
  workspace  {workspace_key}

Copy and paste, in this order:

# Sign in.
BASE={base_url} JSON='Content-Type: application/json'
ACCESS=$(curl -s $BASE/api/auth/login/ -H "$JSON" -d '{{"email": "{email}", "password": "{password}"}}' | sed 's/.*"access": *"\([^"]*\)".*/\1/')

# Make a key, shown once. List the keys.
KEY=$(curl -s $BASE/v1/api-keys -H "Authorization: Bearer $ACCESS" -H "$JSON" -d '{{"name": "My first key"}}' | sed 's/.*"secret": *"\([^"]*\)".*/\1/')
curl -s $BASE/v1/api-keys -H "Authorization: Bearer $KEY"; echo

# Who am I, with that key?
curl -s $BASE/api/auth/session -H "X-API-Key: $KEY"; echo

# Sign in to the demo site; read its inbox.
LOGIN=$(curl -s $BASE/scraper/{scraper}/login -H "Authorization: Bearer $KEY" -H "$JSON" -d '{{"username": "{username}", "password": "{site_password}"}}'); echo "$LOGIN"
SESSION_ID=$(echo "$LOGIN" | sed 's/.*"session_id": *"\([^"]*\)".*/\1/')
ENCRYPTION_KEY=$(echo "$LOGIN" | sed 's/.*"encryption_key": *"\([^"]*\)".*/\1/')
curl -s -X POST $BASE/scraper/{scraper}/get_inbox -H "Authorization: Bearer $KEY" -H "X-Session-ID: $SESSION_ID" -H "X-Encryption-Key: $ENCRYPTION_KEY"; echo

Ctrl-C stops everything.
"#,
        site = demo.site_url,
        email = user.email,
        password = user.password,
        account_key = keys.account,
        workspace_key = keys.workspace,
        scraper = demo.scraper_id,
        username = demo.username,
        site_password = demo.password,
    )
}
