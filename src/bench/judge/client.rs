//! One question to the endpoint: sent at the pace that all threads share, and sent again for as long as that may help.

use std::time::Duration;

use serde_json::Value;
use ureq::http::{HeaderMap, HeaderValue};

use super::super::answer::Usage;
use super::pace::{Clock, Pace, Stop, backoff, retry_after};
use super::reply::{self, Reply, Spoils};
use super::settings::{JudgeSettings, Key};

/// The longest answer that is read, in bytes.
const MOST_BYTES: u64 = 4 << 20;

/// A server that asks for a longer wait than this is not waited for.
const LONGEST_ASKED: Duration = Duration::from_mins(15);

/// How long a connection may take to be made; also the longest that a stopped call has to wait for a host that is not there.
const CONNECT: Duration = Duration::from_secs(10);

/// The most of an answer that was no judgement that is kept, in characters.
const MOST_KEPT: usize = 2_000;

/// Beginnings of addresses on the own machine, to which no proxy leads.
const LOCAL: &[&str] = &["localhost", "127.", "[::1]", "0.0.0.0"];

/// Why there is no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// There will be none to any other question either.
    All(String),
    /// There will be none to this question.
    Question(String),
    /// The bell was rung.
    Stopped,
}

/// One request and what came of it, for the record. No key is in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Attempt {
    pub(super) status: Option<u16>,
    pub(super) text: String,
    pub(super) failed: Option<String>,
    pub(super) usage: Usage,
    pub(super) ms: u64,
}

/// Why an attempt came to nothing.
struct Setback {
    spoils: Spoils,
    status: Option<u16>,
    /// What the server sent.
    text: String,
    why: String,
    /// How long it asks to wait.
    after: Option<Duration>,
}

impl Setback {
    fn new(spoils: Spoils, why: String) -> Self {
        Self {
            spoils,
            status: None,
            text: String::new(),
            why,
            after: None,
        }
    }
}

/// What the threads of one call share of the way to the endpoint.
pub(super) struct Client<'a> {
    settings: &'a JudgeSettings,
    key: Option<&'a Key>,
    clock: &'a dyn Clock,
    stop: &'a Stop,
    pace: &'a Pace,
    seed: u64,
    url: String,
    agent: ureq::Agent,
}

impl<'a> Client<'a> {
    pub(super) fn new(
        settings: &'a JudgeSettings,
        key: Option<&'a Key>,
        (clock, stop, pace): (&'a dyn Clock, &'a Stop, &'a Pace),
        seed: u64,
    ) -> Result<Self, String> {
        let timeout = Duration::try_from_secs_f64(settings.timeout_s).map_err(|why| {
            format!(
                "judge '{}': timeout_s {}: {why}",
                settings.name, settings.timeout_s
            )
        })?;
        let mut config = ureq::Agent::config_builder()
            .user_agent(concat!("erw/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(timeout))
            .timeout_connect(Some(CONNECT.min(timeout)))
            .max_idle_connections_per_host(settings.concurrency.get())
            .http_status_as_error(false)
            // Another host has no business with the pictures, let alone the key.
            .max_redirects(0);
        let host = settings
            .base_url
            .split_once("://")
            .map_or("", |(_, rest)| rest);
        if LOCAL.iter().any(|local| host.starts_with(local)) {
            config = config.proxy(None);
        }
        Ok(Self {
            settings,
            key,
            clock,
            stop,
            pace,
            seed,
            url: format!(
                "{}/chat/completions",
                settings.base_url.trim_end_matches('/')
            ),
            agent: config.build().new_agent(),
        })
    }

    /// Ends all requests in flight, and lets no other begin.
    pub(super) fn hang_up(&self) {
        self.agent.clone().shutdown();
    }

    /// Asks until there is a reply, or no hope for one; `on_attempt` hears of each request once it is over, and its error
    /// ends everything.
    pub(super) fn ask(
        &self,
        body: &Value,
        question: &str,
        on_attempt: &dyn Fn(Attempt) -> Result<(), String>,
    ) -> Result<Reply, Failure> {
        let bytes = serde_json::to_vec(body).map_err(|e| Failure::Question(e.to_string()))?;
        let mut tries = 0;
        loop {
            self.pace.take_turn(self.clock, self.stop);
            if self.stop.is_rung() {
                return Err(Failure::Stopped);
            }
            let began = self.clock.now();
            let outcome = self.send(&bytes);
            let ms = self.clock.now().saturating_sub(began).as_millis() as u64;
            tries += 1;
            on_attempt(attempt(&outcome, ms)).map_err(Failure::All)?;
            let setback = match outcome {
                Ok(reply) => return Ok(reply),
                Err(setback) => setback,
            };
            if self.stop.is_rung() {
                return Err(Failure::Stopped);
            }
            let told = format!(
                "judge '{}': {}: {}",
                self.settings.name, self.url, setback.why
            );
            match (setback.spoils, setback.after) {
                (Spoils::All, _) => return Err(Failure::All(told)),
                (Spoils::Question, _) => return Err(Failure::Question(told)),
                (Spoils::Try, Some(after)) if after > LONGEST_ASKED => {
                    return Err(Failure::All(format!(
                        "{told}; it asks to come back in {} minutes, which is too long to wait; go on then, what was answered \
                         is kept",
                        after.as_secs().div_ceil(60)
                    )));
                }
                (Spoils::Try, _) if tries > self.settings.retries => {
                    return Err(Failure::Question(format!("{told}; tried {tries} times")));
                }
                // The others need not find out for themselves.
                (Spoils::Try, Some(after)) => self.pace.hold_off(self.clock.now() + after),
                (Spoils::Try, None) => {
                    let time = backoff(self.seed, question, tries);
                    self.clock.wait(time, self.stop);
                }
            }
        }
    }

    /// One request.
    fn send(&self, bytes: &[u8]) -> Result<Reply, Setback> {
        let mut request = self.agent.post(&self.url).content_type("application/json");
        if let Some(key) = self.key {
            let mut value = HeaderValue::from_str(&key.bearer()).map_err(|_| {
                Setback::new(Spoils::All, "the key cannot stand in a header".into())
            })?;
            value.set_sensitive(true);
            request = request.header("Authorization", value);
        }
        let mut response = request.send(bytes).map_err(|e| self.unreached(&e))?;
        let status = response.status().as_u16();
        let after = asked_to_wait(response.headers());
        let body = response
            .body_mut()
            .with_config()
            .limit(MOST_BYTES)
            .read_to_vec()
            .map_err(|e| Setback {
                status: Some(status),
                ..self.unreached(&e)
            })?;
        if (200..300).contains(&status) {
            let mut reply = reply::read(&body).map_err(|why| Setback {
                status: Some(status),
                text: self.kept(&body),
                ..Setback::new(Spoils::Try, self.hidden(&why))
            })?;
            if let Some(key) = self.key {
                reply.text = key.take_out(&reply.text);
            }
            return Ok(reply);
        }
        let text = self.kept(&body);
        let (spoils, why) = reply::setback(self.settings, status, &text);
        Err(Setback {
            spoils,
            status: Some(status),
            text,
            // Once more: what was escaped in the JSON is plain here.
            why: self.hidden(&why),
            after,
        })
    }

    /// A setback where no whole answer came.
    fn unreached(&self, error: &ureq::Error) -> Setback {
        use ureq::Error as E;
        let (spoils, why) = match error {
            E::BadUri(_) | E::Http(_) | E::InvalidProxyUrl | E::TlsRequired | E::Pem(_) => {
                (Spoils::All, format!("{error}"))
            }
            E::BodyExceedsLimit(most) => (
                Spoils::Question,
                format!("the answer is longer than {} MiB", most >> 20),
            ),
            E::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => (
                Spoils::Try,
                "no connection could be made in time; look at base_url".into(),
            ),
            E::Timeout(_) => (
                Spoils::Try,
                format!("no answer within {} s (timeout_s)", self.settings.timeout_s),
            ),
            E::HostNotFound => (
                Spoils::Try,
                "there is no such host; look at base_url".into(),
            ),
            E::Io(why) if why.kind() == std::io::ErrorKind::ConnectionRefused => (
                Spoils::Try,
                "nothing listens there; start the server, or look at base_url".into(),
            ),
            other => (Spoils::Try, format!("the connection failed: {other}")),
        };
        Setback::new(spoils, self.hidden(&why))
    }

    /// What is kept of an answer that was no judgement.
    fn kept(&self, body: &[u8]) -> String {
        let text = String::from_utf8_lossy(body);
        self.hidden(&text).chars().take(MOST_KEPT).collect()
    }

    fn hidden(&self, text: &str) -> String {
        match self.key {
            Some(key) => key.hide(text).into_owned(),
            None => text.to_owned(),
        }
    }
}

fn attempt(outcome: &Result<Reply, Setback>, ms: u64) -> Attempt {
    match outcome {
        Ok(reply) => Attempt {
            status: Some(200),
            text: reply.text.clone(),
            failed: None,
            usage: reply.usage,
            ms,
        },
        Err(setback) => Attempt {
            status: setback.status,
            text: setback.text.clone(),
            failed: Some(setback.why.clone()),
            usage: Usage {
                requests: 1,
                ..Usage::default()
            },
            ms,
        },
    }
}

/// How long the answer asks to wait.
fn asked_to_wait(headers: &HeaderMap) -> Option<Duration> {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    retry_after(header("retry-after")?, header("date"))
}
