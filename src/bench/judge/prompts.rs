//! What a judge is asked, in words of our own, and how a question is put into a request.
//!
//! The forms follow published ones in what they ask for, so that answers can be held against published figures: the four
//! verdicts of GenAI-Bench's image editing task (Jiang et al. 2024), and the two pairs of numbers of VIEScore (Ku et al. 2024):
//! semantic consistency, seen beside the source, and perceptual quality, seen alone.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::settings::{JudgeSettings, TokensAs};

/// One of the questions that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Form {
    /// Which of two edits is the better.
    Pairwise,
    /// Semantic consistency: two numbers, for following the instruction and for leaving the rest alone.
    Sc,
    /// Perceptual quality: two numbers, for looking natural and for being free of faults.
    Pq,
}

/// A piece of a question.
enum Piece {
    Words(&'static str),
    /// The instruction, between quotation marks on a line of its own.
    Instruction,
    Source,
    /// The edit that is shown at that place.
    Edit(usize),
}

use Piece::{Edit, Instruction, Source, Words};

const PAIRWISE: &[Piece] = &[
    Words(
        "Two editors, A and B, were given the same picture and the same instruction. Decide whose edit a careful person would \
         rather have. The instruction was:",
    ),
    Instruction,
    Words("The picture before the edit:"),
    Source,
    Words("The edit by A:"),
    Edit(0),
    Words("The edit by B:"),
    Edit(1),
    Words(
        "Look at each edit for itself first, in this order of weight. Is everything done that was asked for, and nothing else \
         put in its place? Is whatever the instruction does not speak of still as it was? Does the picture hold together: light, \
         shadow, size, perspective and edges right, nothing smeared, doubled, torn or written over?\n\
         Then compare them. Which one is called A and which B was drawn by lot and means nothing.\n\
         Give your reasons in a few sentences. After them, end with one line that holds one of these four verdicts and nothing \
         else:\n\
         [[A>B]] when the edit by A is better\n\
         [[B>A]] when the edit by B is better\n\
         [[A=B=Good]] when neither is better and both would do\n\
         [[A=B=Bad]] when neither is better and both fail",
    ),
];

const SC: &[Piece] = &[
    Words("A picture was edited after this instruction:"),
    Instruction,
    Words("The picture before the edit:"),
    Source,
    Words("The picture after the edit:"),
    Edit(0),
    Words(
        "Give two numbers from 0 to 10.\n\
         First, how far the instruction was carried out: 0 when nothing of it can be seen, 5 when half of it is there or it is \
         there in a poor way, 10 when all of it is there as meant.\n\
         Second, how well the rest was kept: 0 when it is another picture altogether, 5 when things were changed that nobody asked \
         for, 10 when nothing differs but what the instruction calls for.\n\
         How pretty or how real the result looks does not matter here.\n\
         Answer with one JSON object and nothing around it, the reasons first and in a sentence or two:\n\
         {\"reasoning\": \"...\", \"score\": [first, second]}",
    ),
];

const PQ: &[Piece] = &[
    Words(
        "Judge this picture by its looks alone. It came out of an image editor; what it was meant to show does not matter.",
    ),
    Edit(0),
    Words(
        "Give two numbers from 0 to 10.\n\
         First, how natural it looks: 0 when light, shadow, size, distance or the way its parts meet are impossible, 5 when it \
         looks put together, 10 when it could have been made in one piece.\n\
         Second, how free of faults it is: 0 when smears, noise, seams, marks, or broken faces, limbs and objects are all over it, \
         5 when some are plain to see, 10 when none can be found.\n\
         Answer with one JSON object and nothing around it, the reasons first and in a sentence or two:\n\
         {\"reasoning\": \"...\", \"score\": [first, second]}",
    ),
];

impl Form {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Pairwise, Self::Sc, Self::Pq];

    const fn pieces(self) -> &'static [Piece] {
        match self {
            Self::Pairwise => PAIRWISE,
            Self::Sc => SC,
            Self::Pq => PQ,
        }
    }

    /// The words of the question, with marks where pictures and the instruction go; a judge's fingerprint counts them in.
    pub(super) fn words(self) -> String {
        let pieces = self.pieces().iter().map(|piece| match piece {
            Words(words) => (*words).to_owned(),
            Instruction => "<instruction>".to_owned(),
            Source => "<source>".to_owned(),
            Edit(place) => format!("<edit {place}>"),
        });
        pieces.collect::<Vec<_>>().join("\n")
    }

    /// The body of a request: one message of the user, with pictures as `data:` URLs where the question shows them. `edits`
    /// are in the order in which they are shown; one that is not there is left out.
    pub(super) fn body(
        self,
        settings: &JudgeSettings,
        instruction: &str,
        source: Option<&str>,
        edits: &[&str],
    ) -> Value {
        let words = |text: &str| Some(json!({"type": "text", "text": text}));
        let picture = |url: &str| json!({"type": "image_url", "image_url": {"url": url}});
        let content: Vec<Value> = self
            .pieces()
            .iter()
            .filter_map(|piece| match piece {
                Words(text) => words(text),
                Instruction => words(&format!("\"{}\"", instruction.trim())),
                Source => source.map(picture),
                Edit(place) => edits.get(*place).map(|url| picture(url)),
            })
            .collect();
        let mut body = json!({
            "model": settings.model,
            "messages": [{"role": "user", "content": content}],
        });
        let limit = match settings.tokens_as {
            TokensAs::MaxTokens => "max_tokens",
            TokensAs::MaxCompletionTokens => "max_completion_tokens",
        };
        body[limit] = json!(settings.max_tokens);
        if let Some(temperature) = settings.temperature {
            body["temperature"] = json!(temperature);
        }
        if let Some(seed) = settings.seed {
            body["seed"] = json!(seed);
        }
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_holds_its_pictures_in_order_and_what_the_settings_say() {
        let mut settings = JudgeSettings::new("j", "http://h/v1", "qwen");
        let body = Form::Pairwise.body(&settings, " make it red ", Some("S"), &["L", "R"]);
        let content = body["messages"][0]["content"].as_array().unwrap();
        let urls: Vec<&str> = content
            .iter()
            .filter_map(|c| c["image_url"]["url"].as_str())
            .collect();
        assert_eq!(urls, ["S", "L", "R"]);
        assert_eq!(content[1]["text"], "\"make it red\"");
        assert_eq!(
            (&body["model"], &body["max_tokens"]),
            (&json!("qwen"), &json!(1024))
        );
        assert!(body.get("temperature").is_none() && body.get("seed").is_none());
        settings.tokens_as = TokensAs::MaxCompletionTokens;
        (settings.temperature, settings.seed) = (Some(0.0), Some(3));
        let body = Form::Pq.body(&settings, "x", Some("S"), &["E"]);
        assert_eq!(body["max_completion_tokens"], json!(1024));
        assert_eq!(
            (&body["temperature"], &body["seed"]),
            (&json!(0.0), &json!(3))
        );
        let text = body.to_string();
        assert!(!text.contains("\"S\"") && text.contains("\"E\"") && !text.contains("\"x\""));
    }

    #[test]
    fn every_question_says_how_to_answer_it() {
        for verdict in ["[[A>B]]", "[[B>A]]", "[[A=B=Good]]", "[[A=B=Bad]]"] {
            assert_eq!(Form::Pairwise.words().matches(verdict).count(), 1);
        }
        for form in [Form::Sc, Form::Pq] {
            assert!(form.words().contains("\"score\": [first, second]"));
        }
        assert!(Form::Sc.words().contains("<source>") && !Form::Pq.words().contains("<source>"));
        assert_eq!(Form::ALL.len(), 3);
    }
}
