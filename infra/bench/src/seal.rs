//! Sealing and opening states: the functions that the proxy calls, and what they cost beside Python's `cryptography`
//! and beside the primitives they are made of.

mod report;

use std::collections::BTreeMap;

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use futures_util::FutureExt as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use latchkey::Timestamp;
use latchkey::clock::Clock;
use latchkey::config::{Aws, Config};
use latchkey::crypto::fernet::Sealer;
use latchkey::crypto::keyring::{self, Keyring, Purpose};
use latchkey::crypto::provider::{KeyProviderConfig, Provider};
use latchkey::crypto::seal::{self, SessionBinding, SessionKey};
use latchkey::crypto::secret::Key;
use latchkey::store::Store;
use latchkey::upstream::egress::PrivateNetworks;
use serde_json::{Value, json};
use sha2::Sha256;

use self::report::{Report, Row};
use crate::python::Python;
use crate::statistics::{Summary, time};
use crate::{Fault, Options, database};

/// The sizes of states that are measured, in bytes.
const SIZES: [u32; 2] = [4 * 1024, 64 * 1024];
/// How long one side is measured in one round, about, in microseconds.
const ROUND: f64 = 20_000.0;
/// What is told apart in one round.
const SIDES: [&str; 4] = ["python", "state", "fernet", "primitives"];

/// Measures and prints; whether what must hold does.
pub fn run(options: &Options) -> Result<bool, Fault> {
    let mut python = Python::start("seal.py")?;
    let versions = python.ask(&json!({"do": "versions"}))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let bench = runtime.block_on(Bench::new())?;
    bench.cross_read(&mut python)?;
    println!("Each side opened what the other had sealed, and neither opened it altered.");
    let mut rows = Vec::new();
    for size in SIZES {
        for what in ["seal", "open"] {
            eprintln!("measuring: {what} {} KB …", size / 1024);
            rows.push(bench.measure(&mut python, what, size, if options.quick { 5 } else { 60 })?);
        }
    }
    let report = Report { versions, rows };
    print!("{report}");
    if let Some(file) = &options.json {
        std::fs::write(file, serde_json::to_string_pretty(&report)? + "\n")?;
    }
    Ok(options.quick || report.holds())
}

struct Bench {
    keyring: Keyring,
    key: Key,
    now: Timestamp,
}

impl Bench {
    async fn new() -> Result<Self, Fault> {
        let now = Clock::System.now();
        let store = Store::connect(&Config {
            issuer: "https://gateway.test".to_owned(),
            tables: BTreeMap::new(),
            keys: KeyProviderConfig::Memory,
            aws: Aws::emulator(database::serve().await?),
            allow_loopback_upstreams: true,
            upstream_networks: PrivateNetworks::default(),
            alert_keys_url: None,
            activity_days: latchkey::config::ACTIVITY_DAYS,
        });
        let provider = Provider::in_memory().map_err(|error| error.to_string())?;
        keyring::init(&provider, &store, now).await.map_err(|error| error.to_string())?;
        let purposes = [Purpose::SessionSeal, Purpose::SessionMac];
        let keyring = Keyring::open(provider, &store, &purposes, now).await?;
        Ok(Self { keyring, key: Key::random().map_err(|error| error.to_string())?, now })
    }

    const fn binding() -> SessionBinding<'static> {
        SessionBinding {
            session_id: "01JD4Z6M3V1Y8R2T5W7X9A0B1C",
            account_id: "01JD4Z6M3V1Y8R2T5W7X9A0B1D",
            api_id: "01JD4Z6M3V1Y8R2T5W7X9A0B1E",
            generation: 1,
            signed_in_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn seal(&self, key: &SessionKey, state: &[u8]) -> Result<Vec<u8>, Fault> {
        let sealed = seal::seal(&self.keyring, key, &Self::binding(), 1, state, self.now);
        sealed.map_err(|error| error.to_string().into())
    }

    fn open(&self, key: &SessionKey, blob: &[u8]) -> Result<seal::Opened, Fault> {
        let binding = Self::binding();
        let opening = seal::open(&self.keyring, key, &binding, 1, blob, self.now);
        // The key is at hand: nothing is waited for.
        let opened = opening.now_or_never().ok_or("the keyring asked for its keys")?;
        opened.map_err(|error| format!("{error:?}").into())
    }

    /// What each side seals, the other opens; and neither what was altered.
    fn cross_read(&self, python: &mut Python) -> Result<(), Fault> {
        let key = URL_SAFE.encode(self.key.expose_secret());
        let sealer = Sealer::new(&self.key);
        for size in [0, 1, 15, 16, 17, 4 * 1024, 64 * 1024] {
            let state = bytes(size);
            let sealed = self.seal(&SessionKey::from(self.key.clone()), &state)?;
            let token = sealer.seal(&state, self.now).map_err(|error| error.to_string())?;
            // A stored state ends with its token.
            let end = sealed.get(sealed.len().saturating_sub(token.len())..).unwrap_or_default();
            for token in [end, token.as_slice()] {
                let text = URL_SAFE.encode(token);
                let opened = python.ask(&json!({"do": "open", "key": key, "token": text}))?;
                if opened.get("data") != Some(&json!(STANDARD.encode(&state))) {
                    return Err(format!("Python does not open what is sealed here, of {size} bytes").into());
                }
                let altered = python.ask(&json!({"do": "open", "key": key, "token": altered(&text)}))?;
                if altered.get("refused").is_none() {
                    return Err("Python opens what was altered".into());
                }
            }
            let theirs = python.ask(&json!({"do": "seal", "key": key, "data": STANDARD.encode(&state)}))?;
            let text = theirs.get("token").and_then(Value::as_str).ok_or("Python sealed nothing")?;
            let opened = sealer.open_text(text, self.now).ok_or("what Python sealed is not opened here")?;
            if *opened != state || sealer.open_text(&altered(text), self.now).is_some() {
                return Err("what Python sealed is opened as something else, or altered".into());
            }
        }
        Ok(())
    }

    fn measure(&self, python: &mut Python, what: &str, size: u32, rounds: u32) -> Result<Row, Fault> {
        let state = bytes(size);
        let mut sides = self.sides(python, what, &state)?;
        let mut runs = Vec::new();
        for side in &mut sides {
            // Once to warm up, then to see how many make a round.
            side(3)?;
            let microseconds = side(20)?;
            runs.push(count(ROUND / microseconds));
        }
        let mut times = vec![Vec::new(); sides.len()];
        for _ in 0..rounds {
            for ((side, runs), times) in sides.iter_mut().zip(&runs).zip(&mut times) {
                times.push(side(*runs)?);
            }
        }
        let sides = SIDES.into_iter().zip(times.iter().map(|times| Summary::of(times))).collect();
        Ok(Row { what: what.to_owned(), bytes: size, rounds, sides })
    }

    /// What takes the time of one call, in microseconds, as the mean of so many: one for each of [`SIDES`].
    fn sides<'b>(
        &'b self,
        python: &'b mut Python,
        what: &'b str,
        state: &'b [u8],
    ) -> Result<[Side<'b>; 4], Fault> {
        let key = SessionKey::from(self.key.clone());
        let sealer = Sealer::new(&self.key);
        let text = URL_SAFE.encode(self.key.expose_secret());
        let theirs: Side<'b> = Box::new(move |runs| {
            let question =
                json!({"do": "time", "what": what, "key": text, "bytes": state.len(), "runs": runs});
            let answer = python.ask(&question)?;
            Ok(answer.get("microseconds").and_then(Value::as_f64).ok_or("Python measured nothing")?)
        });
        if what == "seal" {
            return Ok([
                theirs,
                Box::new(move |runs| Ok(time(runs, || self.seal(&key, state)))),
                Box::new(move |runs| Ok(time(runs, || sealer.seal(state, self.now)))),
                Box::new(move |runs| Ok(time(runs, || primitives_of_sealing(&self.key, state)))),
            ]);
        }
        let blob = self.seal(&key, state)?;
        let token = sealer.seal(state, self.now).map_err(|error| error.to_string())?;
        self.open(&key, &blob)?;
        let ciphertext = token.get(25..token.len() - 32).unwrap_or_default().to_vec();
        Ok([
            theirs,
            Box::new(move |runs| Ok(time(runs, || self.open(&key, &blob)))),
            Box::new(move |runs| Ok(time(runs, || sealer.open(&token, self.now)))),
            Box::new(move |runs| Ok(time(runs, || primitives_of_opening(&self.key, &ciphertext)))),
        ])
    }
}

type Side<'b> = Box<dyn FnMut(u32) -> Result<f64, Fault> + 'b>;

/// AES-128-CBC and HMAC-SHA-256 over as many bytes, with nothing around them.
fn primitives_of_sealing(key: &Key, plain: &[u8]) -> ([u8; 32], Vec<u8>) {
    let (sign, encrypt) = halves(key);
    let encryptor = cbc::Encryptor::<Aes128>::new(&encrypt.into(), &[7; 16].into());
    let ciphertext = encryptor.encrypt_padded_vec::<Pkcs7>(plain);
    (tag(&sign, &ciphertext), ciphertext)
}

fn primitives_of_opening(key: &Key, ciphertext: &[u8]) -> ([u8; 32], Option<Vec<u8>>) {
    let (sign, encrypt) = halves(key);
    let decryptor = cbc::Decryptor::<Aes128>::new(&encrypt.into(), &[7; 16].into());
    (tag(&sign, ciphertext), decryptor.decrypt_padded_vec::<Pkcs7>(ciphertext).ok())
}

fn halves(key: &Key) -> ([u8; 64], [u8; 16]) {
    let (mut sign, mut encrypt) = ([0; 64], [0; 16]);
    sign[..16].copy_from_slice(&key.expose_secret()[..16]);
    encrypt.copy_from_slice(&key.expose_secret()[16..]);
    (sign, encrypt)
}

fn tag(sign: &[u8; 64], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new(sign.into());
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Bytes as in a state: no two places alike.
fn bytes(count: u32) -> Vec<u8> {
    (0..count).map(|index| u8::try_from(index % 251).unwrap_or_default()).collect()
}

/// The token with another character in the middle.
fn altered(token: &str) -> String {
    let middle = token.len() / 2;
    let other = if token.get(middle..=middle) == Some("A") { "B" } else { "A" };
    format!(
        "{}{other}{}",
        token.get(..middle).unwrap_or_default(),
        token.get(middle + 1..).unwrap_or_default()
    )
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a u32 holds")]
const fn count(runs: f64) -> u32 {
    runs.clamp(1.0, 100_000.0) as u32
}
