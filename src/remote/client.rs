//! Requests to an endpoint: sent at the pace that all threads share, and sent again for as long as that may help.

use std::time::Duration;

use ureq::http::{HeaderMap, HeaderValue};

use super::key::{Key, KeySource};
use super::pace::{Clock, Pace, Stop, backoff, retry_after};
use super::status::{Spoils, setback};

/// A server that asks for a longer wait than this is not waited for.
const LONGEST_ASKED: Duration = Duration::from_mins(15);

/// How long a connection may take to be made; also the longest that a stopped call has to wait for a host that is not there.
const CONNECT: Duration = Duration::from_secs(10);

/// The most of an answer that was of no use that is kept, in characters.
const MOST_KEPT: usize = 2_000;

/// Beginnings of addresses on the own machine, to which no proxy leads.
const LOCAL: &[&str] = &["localhost", "127.", "[::1]", "0.0.0.0"];

/// An endpoint as the settings describe it.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// Who asks there, for messages: "judge 'local'".
    pub who: String,
    /// Its address up to where the path begins.
    pub base_url: String,
    /// What is put behind the address: "/chat/completions".
    pub path: &'static str,
    /// The environment variable that holds the key; empty for none.
    pub key_env: Option<String>,
    /// How long one request may take, in seconds.
    pub timeout_s: f64,
    /// Requests in flight at a time.
    pub connections: usize,
    /// How often a request that failed for want of luck is made again.
    pub retries: u32,
    /// The longest answer that is read, in bytes.
    pub most_bytes: u64,
    /// What to do about a status where that depends on what is asked.
    pub advice: &'static [(u16, &'static str)],
}

impl Endpoint {
    /// One with every setting that may be left out left out.
    pub fn new(who: &str, base_url: &str, path: &'static str) -> Self {
        Self {
            who: who.to_owned(),
            base_url: base_url.to_owned(),
            path,
            key_env: None,
            timeout_s: 120.0,
            connections: 1,
            retries: 0,
            most_bytes: 4 << 20,
            advice: &[],
        }
    }

    /// Where its key is looked for.
    pub fn key_source(&self) -> KeySource<'_> {
        KeySource {
            who: &self.who,
            base_url: &self.base_url,
            key_env: self.key_env.as_deref(),
        }
    }
}

/// One question to an endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Equal for the same question: what its waits are drawn from.
    pub name: &'a str,
    /// Of the body.
    pub content_type: &'a str,
    /// What is sent.
    pub body: &'a [u8],
}

/// Why there is no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// There will be none to any other question either.
    All(String),
    /// There will be none to this question.
    Question(String),
    /// The bell was rung.
    Stopped,
}

/// Makes a reply of a good answer's body, or says how much it spoils that this cannot be done, and why.
pub type Reading<'a, T> = &'a dyn Fn(&[u8]) -> Result<T, (Spoils, String)>;

/// One request and what came of it, for the record. No key is in it.
#[derive(Debug)]
pub struct Attempt<'a, T> {
    /// The reply, or why it is none.
    pub outcome: Result<&'a T, &'a Setback>,
    /// How long it took, in milliseconds.
    pub ms: u64,
}

/// Why an attempt came to nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setback {
    /// The answer's HTTP status; none when there was no answer.
    pub status: Option<u16>,
    /// What the server sent, as far as it is kept.
    pub text: String,
    /// Why it is of no use, in words.
    pub why: String,
    spoils: Spoils,
    /// How long it asks to wait.
    after: Option<Duration>,
}

impl Setback {
    fn new(spoils: Spoils, why: String) -> Self {
        Self {
            status: None,
            text: String::new(),
            why,
            spoils,
            after: None,
        }
    }
}

/// What the threads of one call share of time.
#[derive(Clone, Copy)]
pub struct Shared<'a> {
    /// What requests are timed and held back by.
    pub clock: &'a dyn Clock,
    /// What ends all waiting.
    pub stop: &'a Stop,
    /// When the next request may start.
    pub pace: &'a Pace,
}

/// The way to an endpoint, for all threads of one call.
pub struct Client<'a> {
    endpoint: Endpoint,
    key: Option<&'a Key>,
    shared: Shared<'a>,
    seed: u64,
    url: String,
    agent: ureq::Agent,
}

impl<'a> Client<'a> {
    /// Waits before another try are drawn from `seed`. An error, in words for the user, where the settings cannot be used.
    pub fn new(
        endpoint: Endpoint,
        key: Option<&'a Key>,
        shared: Shared<'a>,
        seed: u64,
    ) -> Result<Self, String> {
        let (who, seconds) = (&endpoint.who, endpoint.timeout_s);
        let timeout = Duration::try_from_secs_f64(seconds)
            .map_err(|why| format!("{who}: timeout_s {seconds}: {why}"))?;
        let mut config = ureq::Agent::config_builder()
            .user_agent(concat!("erw/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(timeout))
            .timeout_connect(Some(CONNECT.min(timeout)))
            .max_idle_connections_per_host(endpoint.connections)
            .http_status_as_error(false)
            // Another host has no business with the pictures, let alone the key.
            .max_redirects(0);
        let host = endpoint
            .base_url
            .split_once("://")
            .map_or("", |(_, rest)| rest);
        if LOCAL.iter().any(|local| host.starts_with(local)) {
            config = config.proxy(None);
        }
        Ok(Self {
            key,
            shared,
            seed,
            url: format!(
                "{}{}",
                endpoint.base_url.trim_end_matches('/'),
                endpoint.path
            ),
            agent: config.build().new_agent(),
            endpoint,
        })
    }

    /// Ends all requests in flight, and lets no other begin.
    pub fn hang_up(&self) {
        self.agent.clone().shutdown();
    }

    /// `text` without the key, for what a server said and is kept.
    pub fn without_key(&self, text: &str) -> String {
        match self.key {
            Some(key) => key.take_out(text),
            None => text.to_owned(),
        }
    }

    /// Asks until there is a reply, or no hope for one. `on_attempt` hears of each request once it is over, and its
    /// error ends everything.
    pub fn ask<T>(
        &self,
        request: Request<'_>,
        read: Reading<'_, T>,
        on_attempt: &dyn Fn(Attempt<'_, T>) -> Result<(), String>,
    ) -> Result<T, Failure> {
        let Shared { clock, stop, pace } = self.shared;
        let mut tries = 0;
        loop {
            pace.take_turn(clock, stop);
            if stop.is_rung() {
                return Err(Failure::Stopped);
            }
            let began = clock.now();
            let outcome = self.send(request, read);
            let ms = clock.now().saturating_sub(began).as_millis() as u64;
            tries += 1;
            let attempt = Attempt {
                outcome: outcome.as_ref(),
                ms,
            };
            on_attempt(attempt).map_err(Failure::All)?;
            let setback = match outcome {
                Ok(reply) => return Ok(reply),
                Err(setback) => setback,
            };
            if stop.is_rung() {
                return Err(Failure::Stopped);
            }
            let told = format!("{}: {}: {}", self.endpoint.who, self.url, setback.why);
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
                (Spoils::Try, _) if tries > self.endpoint.retries => {
                    return Err(Failure::Question(format!("{told}; tried {tries} times")));
                }
                // The others need not find out for themselves.
                (Spoils::Try, Some(after)) => pace.hold_off(clock.now() + after),
                (Spoils::Try, None) => {
                    let time = backoff(self.seed, request.name, tries);
                    clock.wait(time, stop);
                }
            }
        }
    }

    /// One request.
    fn send<T>(&self, request: Request<'_>, read: Reading<'_, T>) -> Result<T, Setback> {
        let mut post = self
            .agent
            .post(&self.url)
            .content_type(request.content_type);
        if let Some(key) = self.key {
            let mut value = HeaderValue::from_str(&key.bearer()).map_err(|_| {
                Setback::new(Spoils::All, "the key cannot stand in a header".into())
            })?;
            value.set_sensitive(true);
            post = post.header("Authorization", value);
        }
        let mut response = post.send(request.body).map_err(|e| self.unreached(&e))?;
        let status = response.status().as_u16();
        let after = asked_to_wait(response.headers());
        let body = response
            .body_mut()
            .with_config()
            .limit(self.endpoint.most_bytes)
            .read_to_vec()
            .map_err(|e| Setback {
                status: Some(status),
                ..self.unreached(&e)
            })?;
        if (200..300).contains(&status) {
            return read(&body).map_err(|(spoils, why)| Setback {
                status: Some(status),
                text: self.kept(&body),
                ..Setback::new(spoils, self.hidden(&why))
            });
        }
        let text = self.kept(&body);
        let (spoils, why) = setback(&self.endpoint, status, &text);
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
                format!("no answer within {} s (timeout_s)", self.endpoint.timeout_s),
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

    /// What is kept of an answer that was of no use.
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

/// How long the answer asks to wait.
fn asked_to_wait(headers: &HeaderMap) -> Option<Duration> {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    retry_after(header("retry-after")?, header("date"))
}
