//! Services as editors: models behind an endpoint that speaks OpenAI's `images/edits`. The image, the instruction and what the
//! settings say go out as a form; one image comes back, inside the answer's JSON.

use serde_json::Value;

use super::editor::{Editor, Order, Picture, checked};
use super::multipart::Form;
use crate::config::{EditorSettings, ServiceSettings};
use crate::data::images;
use crate::remote::{
    Attempt, Client, Endpoint, Failure, Key, Request, Shared, Spoils, aside, digest, from_base64,
};

/// What is put behind the endpoint's address.
const PATH: &str = "/images/edits";

/// The longest answer that is read: an image of a hundred megabytes, as text.
const MOST_BYTES: u64 = 140 << 20;

/// The largest image that is sent, in bytes; services take about that much.
const MOST_SENT: usize = 50 << 20;

/// What to do about a status, where it depends on what is asked for.
const ADVICE: &[(u16, &str)] = &[
    (
        400,
        "it does not take the request: the image, the instruction, or a setting of this editor (model, size, seed_field, fields) \
         does not suit it",
    ),
    (
        404,
        "there is no such endpoint or model: base_url ends where /images/edits begins, for most servers in /v1, and model is \
         one of the names listed at /models there",
    ),
    (
        405,
        "this is no endpoint for edits of images: look at base_url",
    ),
    (
        413,
        "the request is too large: set max_side for this editor",
    ),
];

/// The endpoint of an editor.
pub(super) fn endpoint(settings: &EditorSettings, service: &ServiceSettings) -> Endpoint {
    Endpoint {
        key_env: service.key_env.clone(),
        timeout_s: settings.timeout_s,
        connections: settings.workers.get(),
        retries: settings.retries,
        most_bytes: MOST_BYTES,
        advice: ADVICE,
        ..Endpoint::new(
            &format!("editor '{}'", settings.name),
            &service.base_url,
            PATH,
        )
    }
}

/// A model behind an endpoint.
pub(super) struct Service<'a> {
    name: &'a str,
    settings: &'a ServiceSettings,
    client: Client<'a>,
}

impl<'a> Service<'a> {
    pub(super) fn new(
        settings: &'a EditorSettings,
        service: &'a ServiceSettings,
        key: Option<&'a Key>,
        shared: Shared<'a>,
        seed: u64,
    ) -> Result<Self, String> {
        Ok(Self {
            name: &settings.name,
            settings: service,
            client: Client::new(endpoint(settings, service), key, shared, seed)?,
        })
    }

    /// The form that asks for a candidate: its type and body.
    fn form(&self, order: &Order<'_>) -> Result<(String, Vec<u8>), String> {
        let source = &order.source.0;
        let bytes = images::read(order.root, order.source).map_err(|why| why.to_string())?;
        let most = self.settings.max_side.map(std::num::NonZeroU32::get);
        let (bytes, mime) =
            images::for_services(bytes, most).map_err(|why| format!("'{source}': {why}"))?;
        if bytes.len() > MOST_SENT {
            return Err(format!(
                "the image '{source}' has {} MiB, more than the {} that are sent; set max_side for this editor",
                bytes.len() >> 20,
                MOST_SENT >> 20
            ));
        }
        let hash = images::content_hash(&bytes);
        // What depends on all that is in the form is in none of it.
        let mut form = Form::new(&digest([order.instruction, &hash]));
        form.text("model", &self.settings.model);
        form.text("prompt", order.instruction);
        form.text("n", "1");
        if let Some(size) = &self.settings.size {
            form.text("size", size);
        }
        if let Some(field) = &self.settings.seed_field {
            form.text(field, &order.seed.to_string());
        }
        for (name, value) in &self.settings.fields {
            form.text(name, value);
        }
        let ending = mime.trim_start_matches("image/");
        form.file("image", &format!("source.{ending}"), mime, &bytes);
        Ok(form.done())
    }
}

impl Editor for Service<'_> {
    fn make(&self, order: &Order<'_>, told: &dyn Fn(&str)) -> Result<Picture, Failure> {
        let (content_type, body) = self
            .form(order)
            .map_err(|why| Failure::Question(format!("editor '{}': {why}", self.name)))?;
        let id = format!("{} {} {}", order.group, self.name, order.seed);
        let request = Request {
            name: &id,
            content_type: &content_type,
            body: &body,
        };
        let heard = |attempt: Attempt<'_, Picture>| {
            if let Err(setback) = attempt.outcome {
                told(&format!("editor '{}': {}", self.name, setback.why));
            }
            Ok(())
        };
        self.client.ask(request, &read, &heard)
    }

    fn hang_up(&self) {
        self.client.hang_up();
    }
}

/// The image in a good answer.
fn read(body: &[u8]) -> Result<Picture, (Spoils, String)> {
    let again = |why: String| (Spoils::Try, why);
    let body: Value = serde_json::from_slice(body).map_err(|e| {
        again(format!(
            "the answer is not JSON, or not all of it came ({e})"
        ))
    })?;
    let first = &body["data"][0];
    if let Some(text) = first["b64_json"].as_str() {
        // Some servers put it as a 'data:' address.
        let text = text.rsplit_once("base64,").map_or(text, |(_, text)| text);
        let bytes = from_base64(text)
            .map_err(|why| again(format!("the image in the answer is not base64 ({why})")))?;
        return checked(bytes)
            .map_err(|why| again(format!("the image in the answer is of no use: {why}")));
    }
    if first["url"].is_string() {
        return Err((
            Spoils::All,
            "the answer holds the image's address, and not the image: ask for it with \
             fields = { response_format = \"b64_json\" }"
                .into(),
        ));
    }
    Err(again(format!("the answer holds no image{}", aside(&body))))
}
