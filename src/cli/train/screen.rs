//! What a person sees of a run while it goes on: a bar with the latest numbers on a terminal, lines off one; and the same lines
//! in the run's log.

use std::fmt::Write as _;

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::progress::{Progress, Unit};
use super::super::stop::Stop;
use crate::runs::{Fact, Writer};
use crate::train::Report;

/// Notes facts in the run's folder and shows them.
pub(super) struct Screen<'a> {
    writer: &'a Writer,
    stop: Stop,
    bar: Mutex<Option<Progress>>,
}

impl<'a> Screen<'a> {
    pub(super) fn new(writer: &'a Writer, stop: Stop) -> Self {
        Self {
            writer,
            stop,
            bar: Mutex::new(None),
        }
    }

    fn bar(&self) -> MutexGuard<'_, Option<Progress>> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A line for people, on the screen and in the log.
    pub(super) fn say(&self, text: &str) {
        match &*self.bar() {
            Some(bar) => bar.say(text),
            None => super::super::print::note(text),
        }
        // The facts say the same; a log that cannot be written is no reason to stop.
        let _ = self.writer.log(text);
    }

    /// Takes the bar away.
    pub(super) fn leave(&self) {
        *self.bar() = None;
    }

    fn show(&self, fact: &Fact) {
        match fact {
            Fact::Phase { text } if text == "training" => {}
            Fact::Phase { text } | Fact::Note { text } => self.say(text),
            Fact::Resumed { step } => self.say(&format!("going on after step {step}")),
            Fact::Progress { done, total, .. } => {
                let total = total.unwrap_or(*done);
                self.bar()
                    .get_or_insert_with(|| Progress::new("training", Unit::Steps, total))
                    .set(*done, total);
            }
            Fact::Metrics { step, values, .. } => {
                let get = |name: &str| values.get(name).copied();
                if get("val.loss").is_some() {
                    self.say(&measured(*step, &get));
                } else if let Some(bar) = &*self.bar() {
                    bar.aside(aside(&get));
                }
            }
            _ => {}
        }
    }
}

/// "step 200: loss 0.512; right of 100 pairs: 78.1 overall, 80.2 IF, 71.9 VQ; calibration error 0.041".
fn measured(step: u64, get: &dyn Fn(&str) -> Option<f64>) -> String {
    let mut text = format!("step {step}: ");
    if let Some(loss) = get("val.loss") {
        let _ = write!(text, "validation loss {loss:.4}");
    }
    let shares: Vec<String> = [
        ("val.accuracy", "overall"),
        ("val.accuracy.if", "IF"),
        ("val.accuracy.vq", "VQ"),
    ]
    .iter()
    .filter_map(|(name, words)| Some(format!("{words} {:.1} %", 100.0 * get(name)?)))
    .collect();
    if !shares.is_empty() {
        let _ = write!(text, "; accuracy {}", shares.join(", "));
    }
    if let Some(error) = get("val.calibration") {
        let _ = write!(text, "; calibration error {error:.3}");
    }
    text
}

/// "loss 0.512, 3.1/s, 12 min left".
fn aside(get: &dyn Fn(&str) -> Option<f64>) -> String {
    let mut parts = Vec::new();
    if let Some(loss) = get("train.loss") {
        parts.push(format!("loss {loss:.3}"));
    }
    if let Some(speed) = get("samples.per_second") {
        parts.push(format!("{speed:.1}/s"));
    }
    if let Some(left) = get("seconds.left") {
        parts.push(format!("{} left", time(left)));
    }
    parts.join(", ")
}

/// A length of time in its largest unit.
fn time(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 90.0 * 60.0 => format!("{:.0} min", s / 60.0),
        s if s < 48.0 * 3600.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} days", s / 86_400.0),
    }
}

impl Report for Screen<'_> {
    fn note(&self, fact: Fact) -> Result<(), String> {
        self.show(&fact);
        Report::note(self.writer, fact)
    }

    fn stop_asked(&self) -> bool {
        self.stop.asked() || self.writer.stop_asked()
    }

    fn again(&self) -> bool {
        self.writer.again()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_is_one_line_of_what_is_known() {
        let get = |name: &str| match name {
            "val.loss" => Some(0.51234),
            "val.accuracy" => Some(0.7813),
            "val.calibration" => Some(0.0412),
            _ => None,
        };
        assert_eq!(
            measured(200, &get),
            "step 200: validation loss 0.5123; accuracy overall 78.1 %; calibration error 0.041"
        );
    }

    #[test]
    fn the_words_behind_the_bar_say_loss_speed_and_time_left() {
        let get = |name: &str| match name {
            "train.loss" => Some(0.6789),
            "samples.per_second" => Some(3.25),
            "seconds.left" => Some(7200.0),
            _ => None,
        };
        assert_eq!(aside(&get), "loss 0.693, 3.1/s, 2.0 h left");
        assert_eq!(
            [time(5.0), time(600.0), time(3e5)],
            ["5 s", "10 min", "3.5 days"]
        );
    }
}
